#!/usr/bin/env bash
# A folder as an initramfs, gzipped, on stdout: the same bytes for the same files, whoever packs them
# and when. The kernel takes several, one after the other in one file.
#
#   cpio.sh FOLDER
set -euo pipefail
cd "$1"
find . -print0 | xargs -0 touch -h -d @0
find . -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc --reproducible -R +0:+0 | gzip -n -6
