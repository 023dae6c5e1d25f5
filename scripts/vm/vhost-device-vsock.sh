#!/usr/bin/env bash
# Puts the program vhost-device-vsock, which gives QEMU the vsock of Firecracker and its like, into
# a folder, built by cargo in this version. Does nothing when it is in the PATH or
# in the folder. Exits 77 where there is no cargo.
#
#   vhost-device-vsock.sh FOLDER
set -euo pipefail
version=0.3.0
folder=$(realpath -m "$1")
[ ! -x "$folder/vhost-device-vsock" ] || exit 0
! command -v vhost-device-vsock >/dev/null || exit 0
command -v cargo >/dev/null || { echo "SKIP: neither vhost-device-vsock nor a cargo to build it with"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SECONDS=0
cargo install --quiet --locked --version "$version" --root "$work" vhost-device-vsock
mkdir -p "$folder"
cp "$work/bin/vhost-device-vsock" "$folder"
echo "vhost-device-vsock $version: built in $SECONDS s"
