#!/usr/bin/env bash
# Run the benchmarks against a build folder: an agent with the noop plugin on the second processor,
# the caller on the first. Usage: bench/run.sh [BUILD_FOLDER [CALLS]]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${1:-build}")
calls=${2:-20000}
work=$(mktemp -d)
agent=
trap '[ -z "$agent" ] || { kill "$agent" && wait "$agent"; } 2>/dev/null; rm -rf "$work"' EXIT

last=$(($(nproc) - 1))
export VACCEL_RPC_ADDRESS=unix://$work/agent.sock
VACCEL_PLUGINS=libvaccel-noop.so taskset -c "$last" \
	"$build/bin/vaccelrt-agent" -a "$VACCEL_RPC_ADDRESS" 2>"$work/log" &
agent=$!
for _ in $(seq 100); do
	grep -q 'Server is running' "$work/log" && break
	sleep 0.1
done
grep -q 'Server is running' "$work/log" || { cat "$work/log"; exit 1; }

echo "$(nproc) processors; agent and echo on processor $last, caller on 0; times are medians"
VACCEL_PLUGINS=libvaccel-noop.so:libvaccel-rpc.so taskset -c 0 \
	"$build/bench/bench-calls" "$calls" "$last"
