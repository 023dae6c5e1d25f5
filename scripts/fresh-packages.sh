#!/usr/bin/env bash
# Does what docs/installing.md says, to the letter: builds the Debian packages, installs them in three
# otherwise empty Debians (host with systemd, guest, and one that compiles), uses them, and removes
# them. Says what it took. Needs root and mmdebstrap (setup.sh check).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/empty-debian.sh

say() { echo "fresh-packages: $*"; }
fail() { echo "fresh-packages.sh: $*" >&2; exit 1; }
block() { # LANGUAGE WORDS: the block of docs/installing.md, in that language, that has these words
	local text
	text=$(awk -v fence="\`\`\`$1" -v words="$2" '
		/^```/ { if (inside && index(text, words)) { printf "%s", text; exit }
			inside = !inside && $0 == fence; text = ""; next }
		inside { text = text $0 "\n" }' docs/installing.md)
	[ -n "$text" ] || fail "docs/installing.md has no block of $1 with \"$2\""
	echo "$text"
}
expect() { # WHAT OUTPUT PATTERN
	grep -qE -- "$3" <<<"$2" || fail "$1: expected /$3/, got: $2"
	say "$1: $(grep -E -m 1 -- "$3" <<<"$2")"
}
taking() { # WHAT COMMAND...: says how long it took, and how much was received meanwhile
	local start=$SECONDS before what=$1
	before=$(received)
	shift
	"$@"
	say "$what: $((SECONDS - start)) s, $((($(received) - before) / 1000000)) MB of download"
}

# --- Build the packages, and meanwhile an empty Debian.
debian_make "$work/guest" &
making=$!
rm -f build/packages/*.deb
taking "building the packages" bash -euc "$(block sh 'target package')" >"$work/build.log" 2>&1 ||
	{ cat "$work/build.log" >&2; fail "the packages could not be built"; }
grep -E '^[a-z0-9-]+: [0-9]+ kB|^fresh-packages' "$work/build.log"
wait "$making"
cp build/packages/*.deb "$shared"

cp -a "$work/guest" "$work/host"
cp -a "$work/guest" "$work/compile"

# --- What is installed without packages is in exactly one package, but for what dpkg adds.
DESTDIR=$work/compile/srv/moved bash -euc "$(block sh 'cmake --install')" >/dev/null
(cd "$work/compile/srv/moved/opt/luaccel" && find . ! -type d | sed 's|^\.|./usr|; s|/man/.*|&.gz|') |
	sort >"$work/installed"
for package in build/packages/*.deb; do
	dpkg-deb --fsys-tarfile "$package" | tar -t | grep -v '/$'
done | sort >"$work/packaged"
twice=$(uniq -d "$work/packaged")
[ -z "$twice" ] || fail "in more than one package: $twice"
missing=$(comm -23 "$work/installed" "$work/packaged")
[ -z "$missing" ] || fail "installed by cmake --install, but in no package: $missing"
added=$(comm -13 "$work/installed" "$work/packaged" |
	grep -vE '^\./usr/share/(doc/[^/]+/(copyright|changelog(\.Debian)?\.gz)|lintian/overrides/[^/]+)$' || true)
[ -z "$added" ] || fail "in a package, but not installed by cmake --install: $added"
say "$(wc -l <"$work/installed") installed files, each in one package"

# --- Three Debians.
installs() { # MACHINE COMMANDS
	debian_run "$work/$1" "apt-get update -qq; cd /srv/shared; $2" >"$work/$1.log" 2>&1 ||
		{ cat "$work/$1.log" >&2; fail "installing in $1 failed"; }
}
install_all() {
	installs compile "$(block sh 'libvaccel-dev_')" &
	local compile=$!
	installs host "apt-get install -y --no-install-recommends systemd dbus; $(block sh vaccelrt-agent_)"
	wait "$compile"
}
files() { (cd "$work/guest" && find . -xdev -path ./var -prune -o -print | sort); }
files >"$work/guest.before"
taking "installing in the guest" installs guest "$(block sh vaccel-guest_)"
taking "installing in the host and where programs are built" install_all

# --- Programs, built with what is in the packages, and with an installed tree that was moved.
block c vaccel.h >"$work/compile/srv/hello.c"
block cmake find_package >"$work/compile/srv/CMakeLists.txt"
output=$(debian_run "$work/compile" "cd /srv; $(block sh 'gcc hello.c')")
expect "program by pkg-config" "$output" '^vAccel 0\.8\.0: 0$'
output=$(debian_run "$work/compile" "cd /srv; $(block sh 'cmake -S')")
expect "program by CMake" "$output" '^vAccel 0\.8\.0: 0$'
output=$(debian_run "$work/compile" "
	cd /srv
	apt-get purge -qq -y libvaccel0 >/dev/null 2>&1
	mv moved/opt/luaccel elsewhere
	rm -r hello build
	$(block sh LD_LIBRARY_PATH | sed 's|/opt/luaccel|/srv/elsewhere|')
	$(block sh 'gcc hello.c')
	$(block sh 'cmake -S')
	ldd build/hello")
expect "programs with a moved tree" "$(sort <<<"$output" | uniq -c)" '2 vAccel 0\.8\.0: 0$'
expect "they use" "$output" '=> /srv/elsewhere/lib.*/libvaccel.so.0'

# --- The agent as a service of the host, by the policy that comes along; the guest has an image
# classified by it. The host's /run/luaccel is the guest's.
debian_boot "$work/host" || fail "systemd does not run in the host"
agent_is() { debian_enter 'systemctl is-active vaccelrt-agent' || true; }
debian_enter 'systemctl start vaccelrt-agent'
expect "the agent without a policy" "$(agent_is)" '^inactive$'
debian_enter "$(block sh first.lua)" >"$work/host.log" 2>&1 || { cat "$work/host.log" >&2; fail "the agent does not start"; }
debian_enter "$(block sh 'systemctl reload')"
expect "the agent with one" "$(agent_is)" '^active$'
journal=$(debian_enter 'journalctl -o cat --no-pager -u vaccelrt-agent')
for line in 'backend cpu: plugin torch' 'backend test: plugin noop' 'policy first: /etc/luaccel/policy.lua' \
	'server started. address: unix:///run/luaccel/agent.sock' 'SIGHUP: policies loaded again'; do
	expect "its journal" "$journal" "$line"
done
as_guest() { # COMMANDS
	debian_run "$work/guest" "ln -s /srv/shared/run/luaccel /run/luaccel; $1"
}
output=$(as_guest "$(block sh classify)" 2>&1) || fail "classify: $output"
expect "the guest" "$output" '^classification tags: 3 \(0\.9'
output=$(as_guest "chroot --userspec=4711:4711 / bash -euc '$(block sh classify)'" 2>&1) || fail "classify: $output"
expect "a stranger" "$output" '^classification tags: This is a dummy classification tag!'

# --- Remove everything. What remains is what was there before, and the operator's policy.
debian_enter "$(block sh purge)" >"$work/host.log" 2>&1 || { cat "$work/host.log" >&2; fail "purging in the host"; }
expect "the agent when purged" "$(agent_is)" '^inactive$'
[ ! -e "$shared/run/luaccel" ] || fail "/run/luaccel is left"
debian_halt
debian_run "$work/guest" "$(block sh purge); apt-get purge -y --autoremove" >"$work/guest.log" 2>&1 ||
	{ cat "$work/guest.log" >&2; fail "purging in the guest"; }
left=$(comm -13 "$work/guest.before" <(files))
[ -z "$left" ] || fail "left in the guest: $left"
left=$(cd "$work/host" && find . -xdev \( -name '*vaccel*' -o -name '*luaccel*' \) \
	! -path './var/lib/apt/*' ! -path './var/log/*' ! -path ./etc/luaccel)
[ -z "$left" ] || fail "left in the host: $left"
say "nothing is left"
say "all of it took $SECONDS s"
