#!/usr/bin/env bash
# Runs a spec of this folder and keeps what it says, in TAP, as BUILD/vm/transcripts/NAME.txt; each of
# its cases is then a ctest test of its own (verdict.sh). Fails only when the spec does not come to
# its end. Exits 77 with a line SKIP where it cannot run.
#
#   run_spec.sh here|nested NAME BUILD LUAJIT BUSTED
#
# nested: in a machine that QEMU emulates, processor's virtualization and all, so that the guests
# which the spec boots there run under real KVM with a real vhost-vsock. That processor is not always
# right: a machine on it ends of itself now and then, the outer one too. So what fails there is run
# once more, whole; what failed first is kept as NAME-first.txt, and a figure says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(realpath "$here/../..")
where=$1 name=$2 build=$(realpath "$3")
spec=("$4" "$5" --output=TAP "--lpath=$source/spec/?.lua" "$here/${name}_spec.lua")
transcripts=$build/vm/transcripts
mkdir -p "$transcripts"

skip() { echo "SKIP: $*" | tee "$transcripts/$name.txt"; exit 77; }
rm -f "$transcripts/$name".txt
command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64 (scripts/setup.sh build test)"
[ -f "$build/vm/guest/vmlinuz" ] || skip "no guest image; the test vm-make-image says why"
if [ "$name" = hybrid ]; then
	said=$("$source/scripts/vm/vhost-device-vsock.sh" "$build/vm/tools") || skip "${said#SKIP: }"
fi

# What the network says here of the held-out digits, for guests to be compared with.
host_labels() {
	[ -e "$build/lib/libvaccel-torch.so" ] || skip "the torch plugin is not built"
	LD_LIBRARY_PATH=$build/lib VACCEL_PLUGINS=libvaccel-torch.so "$build/spec/driver" >"$transcripts/host-labels.txt" <<-COMMANDS
		session s 0
		resource m path $source/examples/data/digits.pt
		register m s
		heldout s $source/examples/data/heldout.bin
	COMMANDS
	grep -q '^OK .*text=[0-9 ]\{800,\}' "$transcripts/host-labels.txt" || { cat "$transcripts/host-labels.txt"; exit 1; }
}
[ "$name" = image ] || host_labels

environment=(LUACCEL_BUILD="$build" LANG=C.UTF-8)

here() {
	cd "$source"
	PATH=$build/vm/tools:$PATH env "${environment[@]}" LUACCEL_TRANSCRIPTS="$transcripts" "${spec[@]}"
}

nested() {
	timeout 500 "$source/scripts/vm/run.sh" --vmm qemu-alone --accel tcg --cpu max,+svm,+npt --cpus 2 \
		--memory 3072 --image "$build/vm/guest" --file "$build/vm/kernel/host" --file "$here/outer_guest.sh" \
		--with -virtfs --with local,path=/,mount_tag=files,security_model=none,readonly=on,multidevs=remap \
		--with -virtfs --with "local,path=$transcripts,mount_tag=transcripts,security_model=none" \
		-- ./outer_guest.sh "$source" "${environment[@]}" LUACCEL_TRANSCRIPTS=/run/transcripts TMPDIR=/run \
		PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root "${spec[@]}" </dev/null
}

run() { "$where" 2>&1 | sed -u 's/\r$//' | tee "$transcripts/$name.txt" || true; }
at_end() { grep -qE '^1\.\.[1-9]' "$transcripts/$name.txt"; }
all_well() { at_end && ! grep -q '^not ok ' "$transcripts/$name.txt"; }

run
if [ "$where" = nested ] && ! all_well; then
	mv "$transcripts/$name.txt" "$transcripts/$name-first.txt"
	run
	echo "# figure: the emulated host, or a case on it, failed at first, and all began anew: see $name-first.txt"
fi
at_end || { echo "run_spec.sh: $name did not come to its end"; exit 1; }
