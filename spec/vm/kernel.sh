#!/usr/bin/env bash
# Puts Debian's kernel (vmlinuz) and its vsock modules into a folder without installing anything;
# does nothing when they are there. Exits 77, with the reason, when the package cannot be had.
#
#   kernel.sh FOLDER
set -euo pipefail
folder=$1
wanted=(vsock vmw_vsock_virtio_transport_common vsock_loopback)

complete() {
	local file
	for file in vmlinuz "${wanted[@]/%/.ko}"; do [ -s "$folder/$file" ] || return 1; done
}
complete && exit 0

skip() { echo "SKIP: $*"; exit 77; }
command -v apt-get >/dev/null || skip "no apt-get to take a kernel from"
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
	tar -x -C "$work" --wildcards './boot/vmlinuz-*' './lib/modules/*/kernel/net/vmw_vsock/*'
mkdir -p "$folder"
for module in "${wanted[@]}"; do find "$work/lib" -name "$module.ko" -exec cp {} "$folder" \;; done
cp "$work"/boot/vmlinuz-* "$folder/vmlinuz"
complete || { echo "kernel.sh: the kernel package lacks one of vmlinuz ${wanted[*]}" >&2; exit 1; }
