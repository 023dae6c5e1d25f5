#!/usr/bin/env bash
# Puts Debian's kernel into a folder, as it is (vmlinuz) and unpacked (vmlinux, the only form that
# Firecracker and Dragonball boot), with the modules that a guest needs in guest/ and those with which
# a machine is host to others in host/. Installs nothing, and does nothing when all is there. Exits
# 77, with the reason, when the package cannot be had.
#
#   kernel.sh FOLDER
set -euo pipefail
folder=$1
# Each list in the order in which its modules go in.
guest=(
	virtio_ring virtio virtio_mmio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci
	vsock vmw_vsock_virtio_transport_common vmw_vsock_virtio_transport vsock_loopback
	virtio_blk squashfs
)
host=(
	irqbypass ccp kvm kvm-amd kvm-intel vhost_iotlb vhost vhost_vsock # to run guests
	9pnet 9pnet_virtio netfs fscache 9p                              # to see another's files
)
modules=("${guest[@]/#/guest/}" "${host[@]/#/host/}")

complete() {
	local file
	for file in vmlinuz vmlinux guest/order host/order "${modules[@]/%/.ko}"; do [ -s "$folder/$file" ] || return 1; done
}
complete && exit 0

skip() { echo "SKIP: $*"; exit 77; }
command -v apt-get >/dev/null || skip "no apt-get to take a kernel from"
command -v xz >/dev/null || skip "no xz (scripts/setup.sh test)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

download() {
	local package
	package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p;T;q')
	[ -n "$package" ] && (cd "$work" && apt-get download -q "$package") >"$work/log" 2>&1
}
refresh() { # the lists may be older than the archive; only root can renew them
	[ "$(id -u)" = 0 ] && apt-get update -qq >/dev/null 2>&1
}
download || { refresh && download; } || {
	cat "$work/log" 2>/dev/null || true
	skip "apt-get cannot download the package that linux-image-amd64 depends on (apt-get update?)"
}

dpkg-deb --fsys-tarfile "$work"/linux-image-*.deb |
	tar -x -C "$work" --wildcards './boot/vmlinuz-*' './lib/modules/*.ko'
mkdir -p "$folder"/{guest,host}
for module in "${modules[@]}"; do
	find "$work/lib" -name "${module#*/}.ko" -exec cp {} "$folder/${module%/*}" \;
done
printf '%s\n' "${guest[@]}" >"$folder/guest/order"
printf '%s\n' "${host[@]}" >"$folder/host/order"
cp "$work"/boot/vmlinuz-* "$folder/vmlinuz"
# What xz packed begins somewhere inside; its end is not the file's.
start=$(LC_ALL=C grep -abo -m 1 $'\xfd7zXZ' "$folder/vmlinuz" | head -n 1 | cut -d : -f 1)
{ tail -c "+$((start + 1))" "$folder/vmlinuz" | xz -dc --single-stream 2>/dev/null || true; } >"$folder/vmlinux"
complete || { echo "kernel.sh: the kernel package lacks one of vmlinuz ${modules[*]}" >&2; exit 1; }
