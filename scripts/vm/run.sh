#!/usr/bin/env bash
# Boots a guest of make-image.sh under a hypervisor, prints the command line that it runs, and runs a
# program in the guest; without one, root logs in at the console. Its end is the guest's end, its
# status the program's.
#
#   run.sh --vmm NAME [OPTION...] [-- PROGRAM ARGUMENT...]
#
#     --vmm NAME        qemu-pci, qemu-microvm: vsock by the host's kernel (vhost-vsock)
#                       qemu-hybrid: QEMU, with vhost-device-vsock and Unix sockets
#                       firecracker, cloud-hypervisor, dragonball: Unix sockets of their own
#                       qemu-alone: no vsock but the guest's own loopback (CID 1)
#     --image FOLDER    what make-image.sh made (build/vm/guest)
#     --rootfs          the guest lives on the disk image instead of in memory
#     --cid N           the guest's CID (42)
#     --memory MIB      (256)
#     --cpus N          (1)
#     --accel NAME      QEMU's: kvm, tcg; without it kvm where that works, else tcg
#     --cpu MODEL       QEMU's: host with kvm, else max
#     --file PATH       put into the guest, in the folder where the program starts; any number
#     --env NAME=VALUE  in the program's environment; any number
#     --state FOLDER    where sockets, process id and generated configuration are put; a temporary
#                       one, gone at the end, without it
#     --with ARGUMENT   another argument for the hypervisor; any number
#     --dry-run         prepares and prints everything, and starts nothing
#
# With Unix sockets, a guest that connects to CID 2 port P comes out at STATE/vaccel.sock_P.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../../build/vm/tools # where vhost-device-vsock.sh is told to put it
image=$here/../../build/vm/guest vmm='' cid=42 memory=256 cpus=1 accel='' cpu='' state='' rootfs='' dry=''
files=() env=() extra=() helper=()

fail() { echo "run.sh: $*" >&2; exit 1; }
usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
skip() { echo "SKIP: $*"; exit 77; }

while [ $# -gt 0 ]; do
	case $1 in
	--vmm | --image | --cid | --memory | --cpus | --accel | --cpu | --state) declare "${1#--}=${2?}"; shift ;;
	--file) files+=("${2?}"); shift ;;
	--env) env+=("${2?}"); shift ;;
	--with) extra+=("${2?}"); shift ;;
	--rootfs) rootfs=yes ;;
	--dry-run) dry=yes ;;
	--) shift; break ;;
	*) usage ;;
	esac
	shift
done
program=("$@")
[ -n "$vmm" ] || usage
image=$(realpath "$image")
for part in vmlinuz vmlinux initramfs.cpio.gz rootfs.squashfs; do
	[ -f "$image/$part" ] || fail "$image has no $part; run make-image.sh first"
done

work=$(mktemp -d)
helper_pid=
finish() {
	[ -z "$helper_pid" ] || kill "$helper_pid" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
mkdir -p "${state:=$work/state}"
state=$(realpath "$state")

quoted() { printf "'%s' " "${@//\'/\'\\\'\'}"; } # for the guest's shell

# The program goes along as a second initramfs, which the kernel unpacks over the first.
pack_program() {
	local job=$work/tree/job assignment
	mkdir -p "$job"
	{
		echo '#!/bin/sh'
		[ -t 0 ] || echo 'stty -echo -onlcr 2>/dev/null'
		for assignment in "${env[@]}"; do echo "export $(quoted "$assignment")"; done
		echo "PATH=/run/job:\$PATH"
		echo "exec $(quoted "${program[@]}")"
	} >"$job/run"
	chmod 755 "$job/run"
	[ ${#files[@]} = 0 ] || cp -rL "${files[@]}" "$job"
	"$here/cpio.sh" "$work/tree"
}
initrd=$image/initramfs.cpio.gz
if [ ${#program[@]} -gt 0 ]; then
	initrd=$state/initramfs.cpio.gz
	{ cat "$image/initramfs.cpio.gz"; pack_program; } >"$initrd"
fi

# noearly: looking for an AMD bridge that no guest has takes seconds where guests are emulated.
kernel_args="console=ttyS0 quiet panic=-1 off=reboot reboot=t pci=noearly${rootfs:+ root=/dev/vda}"

kvm_works() { # a /dev/kvm that is there may still fail as soon as there is a processor
	[ -w /dev/kvm ] && timeout 30 qemu-system-x86_64 -M pc,accel=kvm -cpu host -m 16 -nodefaults -display none \
		-S -monitor stdio <<<quit >/dev/null 2>&1
} 2>/dev/null

# What the guides of Firecracker and its like have: no PCI, and a reboot by the keyboard's controller.
without_pci() {
	kernel_args=${kernel_args/pci=noearly/pci=off}
	kernel_args=${kernel_args/reboot=t/reboot=k}
}

qemu() { # MACHINE BUS: the part that all of QEMU's machines share; BUS is how virtio devices end
	[ -n "$accel" ] || { kvm_works && accel=kvm || accel=tcg; }
	# An emulated clock on a busy machine is too slow for the kernel's patience with it.
	[ "$accel" = kvm ] || kernel_args+=' no_timer_check'
	[ -n "$cpu" ] || { [ "$accel" = kvm ] && cpu=host || cpu=max; }
	command=(qemu-system-x86_64 -M "$1,accel=$accel" -cpu "$cpu" -smp "$cpus" -m "$memory"
		-nodefaults -no-user-config -display none -serial "chardev:console" -no-reboot
		-chardev "stdio,id=console,signal=off" -pidfile "$state/pid"
		-monitor "unix:$state/monitor.sock,server=on,wait=off"
		-kernel "$image/vmlinuz" -initrd "$initrd" -append "$kernel_args")
	[ -z "$rootfs" ] || command+=(-drive "if=none,id=rootfs,file=$image/rootfs.squashfs,format=raw,readonly=on"
		-device "virtio-blk-$2,drive=rootfs")
}

json() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }

firecracker_config() {
	local drives='[]'
	[ -z "$rootfs" ] || drives=$(printf '[{ "drive_id": "rootfs", "path_on_host": %s, "is_root_device": true, "is_read_only": true }]' "$(json "$image/rootfs.squashfs")")
	cat <<-JSON
		{
		  "boot-source": {
		    "kernel_image_path": $(json "$image/vmlinux"),
		    "initrd_path": $(json "$initrd"),
		    "boot_args": $(json "$kernel_args")
		  },
		  "drives": $drives,
		  "machine-config": { "vcpu_count": $cpus, "mem_size_mib": $memory },
		  "vsock": { "guest_cid": $cid, "uds_path": $(json "$state/vaccel.sock") }
		}
	JSON
}

case $vmm in
qemu-pci)
	qemu pc pci
	command+=(-device "vhost-vsock-pci,id=vhost-vsock-pci0,guest-cid=$cid")
	;;
qemu-microvm)
	qemu microvm,rtc=on device
	command+=(-device "vhost-vsock-device,id=vhost-vsock0,guest-cid=$cid")
	;;
qemu-hybrid)
	qemu "pc,memory-backend=shared" pci
	command+=(-object "memory-backend-memfd,id=shared,size=${memory}M,share=on"
		-chardev "socket,id=vsock,path=$state/vhost.sock" -device "vhost-user-vsock-pci,chardev=vsock")
	helper=(vhost-device-vsock --vm "guest-cid=$cid,socket=$state/vhost.sock,uds-path=$state/vaccel.sock")
	;;
qemu-alone)
	qemu q35 pci
	;;
firecracker)
	without_pci
	firecracker_config >"$state/firecracker.json"
	command=(firecracker --api-sock "$state/firecracker.sock" --config-file "$state/firecracker.json")
	;;
cloud-hypervisor)
	kernel_args=${kernel_args/off=reboot/off=poweroff}
	command=(cloud-hypervisor --kernel "$image/vmlinux" --initramfs "$initrd" --cmdline "$kernel_args"
		--cpus "boot=$cpus" --memory "size=${memory}M" --console off --serial tty
		--vsock "cid=$cid,socket=$state/vaccel.sock")
	[ -z "$rootfs" ] || command+=(--disk "path=$image/rootfs.squashfs,readonly=on")
	;;
dragonball)
	without_pci
	[ -n "$rootfs" ] || kernel_args+=' root=/dev/vda'
	command=(dbs-cli create --kernel-path "$image/vmlinux" --initrd-path "$initrd"
		--rootfs "$image/rootfs.squashfs" --is-read-only true --boot-args "$kernel_args"
		--vcpu "$cpus" --mem-size "$memory" --log-file "$state/dbs-cli.log" --vsock "$state/vaccel.sock")
	;;
*) usage ;;
esac
command+=("${extra[@]}")

shown() { # COMMAND...: as one can type it again
	local word line=
	for word in "$@"; do
		[[ $word =~ ^[A-Za-z0-9_./:=,@+-]+$ ]] || word="'${word//\'/\'\\\'\'}'"
		line+=" $word"
	done
	echo "${line# }"
}
[ "$vmm" != firecracker ] || sed 's/^/run.sh: /' "$state/firecracker.json" >&2
[ ${#helper[@]} = 0 ] || echo "run.sh: $(shown "${helper[@]}")" >&2
echo "run.sh: $(shown "${command[@]}")" >&2
[ -z "$dry" ] || exit 0
for name in "${helper[0]:-}" "${command[0]}"; do
	[ -z "$name" ] || command -v "$name" >/dev/null || skip "$name is not on this machine"
done

if [ -f "$state/pid" ] && kill -0 "$(tr -dc 0-9 <"$state/pid")" 2>/dev/null; then
	fail "a guest runs already with $state (process $(cat "$state/pid")); choose another --state"
fi
# A hypervisor that was killed leaves its sockets behind, and the next one would not start.
rm -f "$state"/{vhost,vaccel,firecracker,monitor}.sock
if [ ${#helper[@]} -gt 0 ]; then
	setpriv --pdeathsig TERM "${helper[@]}" >"$state/${helper[0]}.log" 2>&1 &
	helper_pid=$!
	for _ in $(seq 50); do [ ! -S "$state/vhost.sock" ] || break; sleep 0.1; done
fi
status=0
setpriv --pdeathsig TERM "${command[@]}" | tee "$work/console" || status=$? # it ends when this script does
[ "$status" = 0 ] || fail "${command[0]} ended with status $status"
[ ${#program[@]} = 0 ] || exit "$(tr -d '\r' <"$work/console" | sed -n 's/^guest: the program ended with status //p' | tail -n 1 | grep . || echo 1)"
