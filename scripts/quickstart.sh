#!/usr/bin/env bash
# From nothing to a classified image: packages, build, an agent with a policy, and a guest program
# that has handwritten digits classified through it. Leaves nothing behind but packages and build/.
set -euo pipefail
cd "$(dirname "$0")/.."

first=scripts/policies/first.lua
model=examples/data/digits.pt
images=(examples/data/images/digit-{3,4,7}.png examples/data/images/digit-{2,9}.jpg)

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

say "packages: what a build takes and this machine lacks (scripts/packages/build.txt)"
scripts/setup.sh build

say "build: agent, library, plugins noop, rpc and torch, the example, in build/"
cmake --preset release -DBUILD_TESTING=OFF --log-level=WARNING >/dev/null
cmake --build build --target vaccelrt-agent classify vaccel-noop vaccel-rpc vaccel-torch -- --quiet

work=$(mktemp -d)
export LD_LIBRARY_PATH=$PWD/build/lib XDG_RUNTIME_DIR=$work
agent=
cleanup() {
	[ -z "$agent" ] || kill "$agent" 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

address=unix://$work/vaccel.sock
policy=$work/first.lua
sed "s/^local users = { /&[$(id -u)] = true, /" "$first" >"$policy"
say "agent: build/bin/vaccelrt-agent -a $address --script $policy"
echo "the policy is $first with you (uid $(id -u)) among its users"
build/bin/vaccelrt-agent -a "$address" --script "$policy" >"$work/agent.log" 2>&1 &
agent=$!
for _ in $(seq 100); do
	grep -q 'Server is running' "$work/agent.log" && break
	kill -0 "$agent" 2>/dev/null || break
	sleep 0.1
done
grep -q 'Server is running' "$work/agent.log" || { cat "$work/agent.log" >&2; fail "the agent did not start"; }

say "guest: VACCEL_PLUGINS=libvaccel-rpc.so VACCEL_RPC_ADDRESS=$address build/bin/classify IMAGE 1 $model"
wrong=0
for image in "${images[@]}"; do
	name=${image##*/digit-} expected=${name%%[-.]*}
	output=$(VACCEL_PLUGINS=libvaccel-rpc.so VACCEL_RPC_ADDRESS=$address build/bin/classify "$image" 1 "$model" 2>&1) ||
		{ printf '%s\n' "$output"; fail "classify failed; the agent said: $(cat "$work/agent.log")"; }
	tags=$(sed -n 's/^classification tags: //p' <<<"$output")
	printf '%-34s expected %s   tags: %s\n' "$image" "$expected" "$tags"
	[[ $tags =~ ^$expected([^0-9]|$) ]] || wrong=$((wrong + 1))
done

kill "$agent"
wait "$agent" || fail "the agent ended with status $?"
agent=
say "the agent's side of it"
cat "$work/agent.log"

[ "$wrong" = 0 ] || fail "$wrong of ${#images[@]} images were classified wrongly"
say "all ${#images[@]} images were classified as expected"
