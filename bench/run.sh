#!/usr/bin/env bash
# Run the benchmarks against a build folder: an agent with the noop plugin and the caller, each on a
# processor of its own; then small calls again with both on one. It fails when a local call takes
# more than BOUND times an indirect call, one through shared memory more than SHM_BOUND times what it
# takes over the socket, a decision of an object of the policy library more than 100 ns, or when
# reloads make the 99th percentile of calls more than RELOAD_BOUND times what it is. AGENT in the
# environment is another agent to measure small calls with, its own library beside it.
# Usage: bench/run.sh [BUILD_FOLDER [CALLS [BOUND [SHM_BOUND [RELOAD_BOUND]]]]]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${1:-build}")
calls=${2:-20000}
bound=${3:-14}
shm_bound=${4:-1.2}
reload_bound=${5:-2}
work=$(mktemp -d)
agent=
trap '[ -z "$agent" ] || { kill "$agent" && wait "$agent"; } 2>/dev/null; rm -rf "$work"' EXIT

program=${AGENT:-$build/bin/vaccelrt-agent}
plain=unix://$work/plain.sock
export VACCEL_RPC_ADDRESS=unix://$work/agent.sock

start_agent() { # PROCESSOR ARGUMENT...
	: >"$work/log"
	local addresses=(-a "$VACCEL_RPC_ADDRESS")
	[ -n "${AGENT:-}" ] || addresses+=(-a "$plain,shm=off")
	VACCEL_PLUGINS=libvaccel-noop.so LD_LIBRARY_PATH=$(dirname "$program")/../lib taskset -c "$1" \
		"$program" "${addresses[@]}" "${@:2}" 2>>"$work/log" &
	agent=$!
	for _ in $(seq 100); do
		grep -q 'Server is running' "$work/log" && return
		sleep 0.1
	done
	cat "$work/log"
	exit 1
}

stop_agent() {
	kill "$agent"
	wait "$agent"
	agent=
}

caller_on() { # PROCESSOR PROGRAM ARGUMENT...: with the rpc plugin
	VACCEL_LOG_LEVEL=1 VACCEL_PLUGINS=${plugins:-libvaccel-rpc.so} taskset -c "$@"
}

caller() { # PROGRAM ARGUMENT...: on the first processor
	caller_on 0 "$@"
}

small_calls() { # the agent's processor
	echo "$(nproc) processors; agent and echo on processor $1, caller on 0"
	plugins=libvaccel-noop.so:libvaccel-rpc.so \
		caller "$build/bench/bench-calls" "$calls" "$1" "$bound" "$agent"
}

large_calls() { # the agent's processor
	caller "$build/bench/bench-shm" "$((calls / 50 + 1))" "$1" "$shm_bound" "$agent" \
		"$VACCEL_RPC_ADDRESS" "$plain"
}

# Several callers at the same time, and one beside frames of 16 MiB, on all processors.
loops() { # LOOPS
	start_agent "0-$last" --loops "$1"
	echo "$1 loops"
	for size in 64 65536 1048576; do
		caller_on "0-$last" "$build/bench/bench-loops" "$((calls / (1 + size / 8192) + 1))" \
			"$size" 2 0 "$agent"
	done
	caller_on "0-$last" "$build/bench/bench-loops" "$((calls / 4 + 1))" 64 1 16777216 "$agent"
	stop_agent
}

# Models around the size from which the rpc plugin uploads, and beyond; the largest with patience.
models() {
	caller "$build/bench/bench-uploads" 65536 "$((calls / 20 + 1))"
	caller "$build/bench/bench-uploads" 1048576 "$((calls / 100 + 1))"
	caller "$build/bench/bench-uploads" 16777216 "$((calls / 1000 + 1))"
	[ "$calls" -lt 1000 ] || caller "$build/bench/bench-uploads" 1073741824 3
}

# Decisions; an object that C runs has 100 ns.
decisions() {
	taskset -c 0 "$build/bench/bench-policy" "$((calls / 10))" 100
}

# A policy of 1,000 lines: hooks at its end, and before them a rule for each of 199 tenants.
write_policy() {
	echo "local rules = {}"
	for n in $(seq 199); do
		printf 'rules[%d] = function (op) -- tenant %d\n\tif op.bytes_in > %d then\n' \
			"$n" "$n" "$((n << 20))"
		printf '\t\treturn reject "tenant %d: too large"\n\tend\nend\n' "$n"
	done
	cat <<-'END'
		policy { name = "long", api = 1, on_error = "reject",
			session_route = function (s) s.tags.tenant = 1 + s.id % #rules end,
			op_admit = function (op) return rules[op.session.tags.tenant](op) end,
		}
	END
}

# The agent's processor is the last.
reloads() {
	write_policy >"$work/policy.lua"
	start_agent "$last" --script "$work/policy.lua"
	caller "$build/bench/bench-reloads" "$calls" "$reload_bound" "$agent"
	stop_agent
	grep -q 'policies loaded again' "$work/log" || { cat "$work/log"; exit 1; }
}

last=$(($(nproc) - 1))
start_agent "$last"
small_calls "$last"
if [ -z "${AGENT:-}" ]; then
	large_calls "$last"
	models
	[ "$calls" -lt 1000 ] || decisions
fi
stop_agent
if [ -z "${AGENT:-}" ]; then
	reloads
	loops 1
	[ "$last" -eq 0 ] || loops 2
fi
if [ "$last" -gt 0 ]; then
	start_agent 0
	small_calls 0
	stop_agent
fi
