#!/usr/bin/env bash
# Makes a guest image with our runtime in /opt/vaccel (library, plugins, examples, policies), from a
# build and from what Debian has: its kernel, busybox, the C library. It comes in two forms:
#
#   FOLDER/vmlinuz, vmlinux     Debian's kernel, as it is and unpacked
#   FOLDER/initramfs.cpio.gz    the whole guest in memory; also what loads the modules for:
#   FOLDER/rootfs.squashfs      the same guest on a disk, read-only, so that many can share it
#
# In both, root logs in at the serial console, without a password; or a program is run (run.sh).
# The same build gives the same bytes.
#
#   make-image.sh [--build BUILD] [FOLDER]       BUILD: build; FOLDER: BUILD/vm/guest
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build
usage() { echo "usage: make-image.sh [--build BUILD] [FOLDER]" >&2; exit 2; }
if [ "${1:-}" = --build ]; then
	build=${2:?$(usage)}
	shift 2
fi
if [ $# -gt 1 ] || [[ ${1:-} = -* ]]; then usage; fi
[ -f "$build/cmake_install.cmake" ] || { echo "make-image.sh: $build is no build; run cmake and ninja first" >&2; exit 1; }
build=$(realpath "$build")
folder=$(realpath -m "${1:-$build/vm/guest}")

for tool in busybox cpio mksquashfs strip; do
	command -v $tool >/dev/null || { echo "SKIP: no $tool (scripts/setup.sh build test)"; exit 77; }
done
"$here/kernel.sh" "$build/vm/kernel" || exit

umask 022
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{bin,dev,etc,job,lib/modules,lib64,mnt,proc,root,run,sys,tmp,usr,var}
ln -s bin "$tree/sbin"
ln -s ../bin "$tree/usr/bin"
ln -s ../bin "$tree/usr/sbin"
cp "$(command -v busybox)" "$tree/bin/busybox"
for applet in $(busybox --list); do
	[ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
done
cp -r "$here"/guest/etc "$tree"
install -m 755 "$here/guest/init" "$tree/init"
cp "$build"/vm/kernel/guest/* "$tree/lib/modules"

for component in library guest; do
	DESTDIR='' cmake --install "$build" --prefix "$tree/opt/vaccel" --component $component --strip >/dev/null
done
# What fetches models from URLs brings libcurl and twenty libraries along; guests have an agent for that.
find "$tree/opt/vaccel" \( -name 'libluaccel-url.so*' -o -name 'libvaccel-policy.so*' \) -delete
mkdir -p "$tree/opt/vaccel/share/luaccel"
cp -r "$here/../policies" "$tree/opt/vaccel/share/luaccel"

libraries=$(dirname "$(find "$tree/opt/vaccel" -name libvaccel.so.0)")
mapfile -t programs < <(find "$tree/opt/vaccel" -type f \( -perm -u+x -o -name '*.so*' \))
LD_LIBRARY_PATH=$libraries ldd "${programs[@]}" |
	awk -v ours="$tree/" '$2 == "=>" && $3 ~ "^/" && index($3, ours) != 1 { print $3 }' | sort -u |
	xargs cp -Lt "$tree/lib"
cp -L /lib64/ld-linux-x86-64.so.2 "$tree/lib64"
# Programs find both kinds of libraries whatever their environment is.
printf '%s\n' /lib "${libraries#"$tree"}" >"$tree/etc/ld.so.conf"
"$(PATH=$PATH:/sbin:/usr/sbin command -v ldconfig)" -X -r "$tree"
rm -rf "$tree/var/cache"

mkdir -p "$folder"
cp "$build"/vm/kernel/vmlinu[xz] "$folder"
"$here/cpio.sh" "$tree" >"$folder/initramfs.cpio.gz"
mksquashfs "$tree" "$folder/rootfs.squashfs" -noappend -no-progress -quiet -comp zstd \
	-all-root -all-time 0 -mkfs-time 0 -no-exports -no-xattrs
(cd "$folder" && du -h --apparent-size vmlinuz vmlinux initramfs.cpio.gz rootfs.squashfs && sha256sum initramfs.cpio.gz rootfs.squashfs)
