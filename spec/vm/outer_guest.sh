#!/bin/sh
# In the outer machine, which plays the host: makes it one (KVM, vhost-vsock), and runs the specs on
# the files of the machine around it, read-only but for the transcripts.
#
#   outer_guest.sh SOURCE COMMAND...
while read -r module; do
	insmod "/run/job/host/$module.ko" 2>/dev/null || true # KVM comes for both makes of processors
done </run/job/host/order
[ -c /dev/kvm ] && [ -c /dev/vhost-vsock ] || echo "outer: no /dev/kvm or no /dev/vhost-vsock"

files=trans=virtio,version=9p2000.L,msize=524288
mount -t 9p -o $files,cache=loose,ro files /mnt
for folder in proc sys dev; do mount -o bind /$folder /mnt/$folder; done
mount -t tmpfs tmpfs /mnt/run
mkdir /mnt/run/transcripts
mount -t 9p -o $files transcripts /mnt/run/transcripts
cd /mnt || exit
exec chroot . /usr/bin/env -i -C "$@"
