#!/usr/bin/env bash
# Builds everything and runs every test through ctest, under one preset or all of them.
# With CI=true a test that was left out fails the run.
#
#   scripts/test.sh [release|asan|tsan|all|fuzz]
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-release} in
release | asan | tsan | fuzz) presets=("${1:-release}") ;;
all) presets=(release asan tsan) ;;
*) echo "usage: scripts/test.sh [release|asan|tsan|all|fuzz]" >&2; exit 2 ;;
esac

scripts/setup.sh build test
for preset in "${presets[@]}"; do
	case $preset in
	release) folder=build ;;
	*) folder=build-$preset ;;
	esac
	echo "test: building the preset $preset in $folder"
	cmake --preset "$preset" -DBUILD_TESTING=ON --log-level=WARNING >/dev/null
	cmake --build "$folder" -- --quiet
	echo "test: running the tests of $folder"
	ctest --test-dir "$folder" --output-on-failure -j "$(nproc)"
	[ "$preset" != fuzz ] || scripts/fuzz.sh coverage
	# ctest shows no output of a test that passed, so look for what such a test left out.
	if grep -aE '^SKIP|\[  SKIPPED \]|[1-9][0-9]* pending' "$folder/Testing/Temporary/LastTest.log"; then
		echo "test: the above was left out"
		[ "${CI:-}" != true ] || { echo "test: and nothing may be left out in CI" >&2; exit 1; }
	fi
done
