#!/usr/bin/env bash
# Runs the README's two commands to the letter in an otherwise empty Debian 12 that has only git and
# a clone of this repository, and says what each took. Needs root and mmdebstrap (setup.sh check).
#
#   scripts/fresh-debian.sh [--worktree]     --worktree: with what is not committed yet
set -euo pipefail
cd "$(dirname "$0")/.."
case "$*" in
"" | --worktree) ;;
*) echo "usage: scripts/fresh-debian.sh [--worktree]" >&2; exit 2 ;;
esac
[ "$(id -u)" = 0 ] || { echo "fresh-debian.sh: chroot and mounts need root" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/var/tmp}/fresh-debian.XXXXXX")
root=$work/root
trap 'rm -rf --one-file-system "$work"' EXIT # what was mounted went with its namespace
trap 'exit 130' INT TERM

# Debian's packages come the way this machine gets them: its own sources, its own apt settings.
sources() {
	# shellcheck disable=SC2016 # apt's fields, not the shell's
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' | grep ' bookworm' | sort -u
}
settings() { apt-config dump | grep -E '^Acquire::(http|https|Check|Retries|Queue)' || true; }

SECONDS=0
sources >"$work/sources"
settings >"$work/settings"
mmdebstrap --quiet --variant=minbase --include=git,ca-certificates --aptopt="$work/settings" \
	bookworm "$root" - <"$work/sources"
cp -L /etc/resolv.conf /etc/hosts "$root/etc"

if [ "${1:-}" = --worktree ]; then
	mkdir "$root/srv/luaccel"
	git ls-files -coz --exclude-standard | tar -c --null -T - | tar -xC "$root/srv/luaccel"
else
	git clone --quiet "file://$PWD" "$root/srv/luaccel"
fi
echo "fresh-debian: an empty Debian 12 with git and the clone, made in $SECONDS s"

inside() { # COMMANDS: in the new Debian, in a process and mount namespace that end with them
	# shellcheck disable=SC2016 # $0 and $1 are the inner shell's
	unshare --mount --pid --fork --kill-child bash -euc '
		mount --bind "$0" "$0"
		mount -t proc proc "$0/proc"
		mount --rbind /dev "$0/dev"
		mount --rbind /sys "$0/sys"
		mount -t tmpfs tmpfs "$0/run"
		exec chroot "$0" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin CI="${CI:-}" \
			http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
			bash -euc "cd /srv/luaccel; $1"' "$root" "$1" </dev/null
}
received() { # bytes, on the interface of the default route
	local card
	card=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)
	cat "/sys/class/net/$card/statistics/rx_bytes" 2>/dev/null || echo 0
}
block() { awk -v wanted="$1" '/^```/ { inside = !inside && $0 == "```sh" && ++n == wanted; next } inside' README.md; }

for number in 1 2; do
	commands=$(block "$number")
	[ -n "$commands" ] || { echo "fresh-debian.sh: README.md has no block $number of sh" >&2; exit 1; }
	echo "fresh-debian: block $number of README.md: $commands"
	SECONDS=0 before=$(received)
	inside "$commands"
	echo "fresh-debian: block $number took $SECONDS s and $((($(received) - before) / 1000000)) MB of download"
done
