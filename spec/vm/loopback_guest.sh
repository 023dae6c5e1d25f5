#!/bin/sh
# In the guest: two agents on vsock, clients that reach them at CID 1, and every word of both on the
# serial line, where vsock_loopback.sh reads it.
export LD_LIBRARY_PATH=/run/job

serves() { # LOG: waits until the agent of this log serves
	for _ in $(seq 100); do grep -q 'Server is running' "$1" && return; sleep 0.1; done
	echo "guest: no agent after 10 s"
}

VACCEL_PLUGINS=libvaccel-noop.so:libvaccel-witness.so \
	./vaccelrt-agent -a vsock://1:2048 --script policy.lua >/tmp/witness.log 2>&1 &
witness=$!
echo "guest: agent pid=$witness"
env -u VACCEL_PLUGINS VACCEL_BACKENDS=libvaccel-noop.so VACCEL_DEBUG=4 \
	./vaccelrt-agent -a vsock://1:2049 >/tmp/noop.log 2>&1 &
noop=$!
serves /tmp/witness.log
serves /tmp/noop.log

VACCEL_RPC_ADDRESS=vsock://1:2048 ./driver <commands 2>&1
echo "guest: driver status=$?"
unset VACCEL_PLUGINS VACCEL_RPC_ADDRESS
VACCEL_BACKENDS=libvaccel-vsock.so VACCEL_VSOCK=vsock://1:2049 classify bytes 1 2>&1
echo "guest: classify status=$?"

kill $witness $noop
wait
sed 's/^/witness agent: /' /tmp/witness.log
sed 's/^/noop agent: /' /tmp/noop.log
echo "guest: done"
