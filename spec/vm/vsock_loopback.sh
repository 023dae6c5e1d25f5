#!/usr/bin/env bash
# Agent and client over a real AF_VSOCK, in a small QEMU guest with vsock loopback: a session, many
# small calls, the witness plugin's signed answers, and the transcript of the guides with the older
# names. ctest runs it under the label vm. Exits 77 with a line SKIP where it cannot run.
#
#   vsock_loopback.sh BUILD_FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "$1")
calls=2000

command -v qemu-system-x86_64 >/dev/null || { echo "SKIP: no qemu-system-x86_64 (scripts/setup.sh build test)"; exit 77; }
[ -f "$build/vm/guest/vmlinuz" ] || { echo "SKIP: no guest image; the test vm-make-image says why"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

head -c 4096 /dev/urandom >"$work/bytes"
cat >"$work/commands" <<-COMMANDS
	session a 0
	classify a bytes
	resource r memory bytes
	register r a
	unregister r a
	drop r
	loop a $calls 1024
	classify a bytes
	release a
COMMANDS
# What the agent needs beside what a guest has anyway.
mapfile -t libraries < <(ldd "$build/bin/vaccelrt-agent" | awk '/lib(luajit-5.1|ev|m|gcc_s)\.so/ { print $3 }')
files=()
for file in "$build"/bin/vaccelrt-agent "$build"/spec/{driver,libvaccel-witness.so} "${libraries[@]}" \
	"$here"/{policy.lua,loopback_guest.sh} "$work"/{bytes,commands}; do
	files+=(--file "$file")
done

# q35 rather than microvm: under TCG the latter's kernel fails one boot in four to calibrate its clock.
timeout 120 "$here/../../scripts/vm/run.sh" --vmm qemu-alone --accel tcg --memory 512 \
	--image "$build/vm/guest" "${files[@]}" -- ./loopback_guest.sh </dev/null 2>&1 |
	tr -d '\r' | tee "$work/serial" || echo "the guest ended with status $?"

mkdir -p "$build/vm/transcripts"
cp "$work/serial" "$build/vm/transcripts/loopback.txt"
echo "answers OK: $(grep -c '^OK ' "$work/serial")" >>"$work/serial"

failures=0
check() { # WHAT PATTERN: some line of the serial log has it
	if grep -qE -- "$2" "$work/serial"; then
		echo "PASS $1"
	else
		echo "FAIL $1: no line has $2"
		failures=$((failures + 1))
	fi
}

fnv1a() { # FILE: the witness's hash
	local hash=$((0xcbf29ce484222325)) byte
	for byte in $(od -An -v -tu1 "$1"); do hash=$(((hash ^ byte) * 0x100000001b3)); done
	printf '%016x' "$hash"
}

pid=$(sed -n 's/^guest: agent pid=//p' "$work/serial")
hash=$(fnv1a "$work/bytes")
answer() { echo "^OK .*text=pid=$pid n=$1 hash=$hash plugin=witness$"; }

check "the first call ran in the agent, on the client's bytes" "$(answer 1)"
check "$calls small calls" '^OK .*median=[0-9]+ p99='
check "each of them reached the agent once" "$(answer $((calls + 2)))"
check "every command was answered OK" "^answers OK: $(wc -l <"$work/commands")\$"
check "the driver ended well" '^guest: driver status=0$'
check "the agent knows its peer by CID" '^witness agent: .*peer=cid:1 backend=witness'
check "guest side of the guides' transcript" '^classification tags: This is a dummy classification tag!$'
check "classify ended well" '^guest: classify status=0$'
check "agent side of the guides' transcript" '^noop agent: .*\[noop\] '
check "the guest came to its end" '^guest: done$'
exit $((failures > 0))
