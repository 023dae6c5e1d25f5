#!/usr/bin/env bash
# Packs an initramfs: busybox, the given /init, the given files in one folder, /app, and in /lib
# whatever shared libraries ldd names for them.
#
#   make-initramfs.sh OUTPUT.cpio.gz INIT FILE...
set -euo pipefail
output=$(realpath -m "$1") init=$2
shift 2

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{app,bin,dev,lib,lib64,proc,sys,tmp,run}
cp "$(command -v busybox)" "$tree/bin/busybox"
install -m 755 "$init" "$tree/init"
cp -L "$@" "$tree/app"

# Libraries of ours are in /app already, under the names that the loader asks for.
for file in "$tree"/app/*; do
	LD_LIBRARY_PATH=$tree/app ldd "$file" 2>/dev/null || true # no dynamic program: a module, a script
done | awk -v app="$tree/" '$2 == "=>" && $3 ~ "^/" && index($3, app) != 1 { print $3 }' | sort -u |
	xargs -r cp -Lt "$tree/lib"
cp -L /lib64/ld-linux-x86-64.so.2 "$tree/lib64"

mkdir -p "$(dirname "$output")"
(cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$output"
