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
. scripts/empty-debian.sh
root=$work/root

SECONDS=0
debian_make "$root" git,ca-certificates
if [ "${1:-}" = --worktree ]; then
	mkdir "$root/srv/luaccel"
	git ls-files -coz --exclude-standard | tar -c --null -T - | tar -xC "$root/srv/luaccel"
else
	git clone --quiet "file://$PWD" "$root/srv/luaccel"
fi
# What the tests of guests take and Debian does not have; .ci/run has built it by cargo.
[ ! -x build/vm/tools/vhost-device-vsock ] || cp build/vm/tools/vhost-device-vsock "$root/usr/bin"
echo "fresh-debian: an empty Debian 12 with git and the clone, made in $SECONDS s"

block() { awk -v wanted="$1" '/^```/ { inside = !inside && $0 == "```sh" && ++n == wanted; next } inside' README.md; }

for number in 1 2; do
	commands=$(block "$number")
	[ -n "$commands" ] || { echo "fresh-debian.sh: README.md has no block $number of sh" >&2; exit 1; }
	echo "fresh-debian: block $number of README.md: $commands"
	SECONDS=0 before=$(received)
	status=0
	debian_run "$root" "cd /srv/luaccel; $commands" || status=$?
	if [ -d "$root/srv/luaccel/build/vm/transcripts" ]; then # what guests and agents said, to keep
		mkdir -p build/vm
		cp -r "$root/srv/luaccel/build/vm/transcripts" build/vm
	fi
	[ "$status" = 0 ] || exit "$status"
	echo "fresh-debian: block $number took $SECONDS s and $((($(received) - before) / 1000000)) MB of download"
done
