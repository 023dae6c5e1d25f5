#!/usr/bin/env bash
# Installs the Debian packages that the named groups need and that are missing; says nothing when
# there are none. A group is a file of scripts/packages.
#
#   scripts/setup.sh build [test] [check]
set -euo pipefail
cd "$(dirname "$0")/packages"

[ $# -gt 0 ] || { echo "usage: scripts/setup.sh GROUP..., of: $(echo *.txt | sed 's/\.txt//g')" >&2; exit 2; }
wanted=()
for group in "$@"; do
	[ -f "$group.txt" ] || { echo "setup.sh: no group \"$group\"; there are: $(echo *.txt | sed 's/\.txt//g')" >&2; exit 2; }
	mapfile -t -O ${#wanted[@]} wanted < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$group.txt")
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "setup.sh: this is no Debian (no apt-get); install these, then run cmake and ctest yourself: ${wanted[*]}" >&2
	exit 1
fi
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
mapfile -t missing < <(printf '%s\n' "${wanted[@]}" | sort -u | grep -vxF "$installed" || true)
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || { echo "setup.sh: run this as root, or install sudo; missing: ${missing[*]}" >&2; exit 1; }
	as_root=(sudo)
fi
echo "setup: installing ${#missing[@]} Debian packages and what they depend on: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { # runs apt-get; the whole of its output only when it fails
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 && return
	cat "$log" >&2
	echo "setup.sh: apt-get $1 failed, see above" >&2
	exit 1
}
apt update
apt install -y --no-install-recommends "${missing[@]}"
sed -n 's/^\(Need to get .*\)$/setup: \1/p; s/^\(After this operation.*\)$/setup: \1/p' "$log"
