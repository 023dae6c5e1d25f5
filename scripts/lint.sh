#!/usr/bin/env bash
# Format and lint of every file of ours: clang-format, luacheck, shellcheck. Changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

ours() { git ls-files -coz --exclude-standard "$@"; }

ours '*.c' '*.h' '*.cc' '*.cpp' | xargs -0r clang-format --dry-run -Werror
ours '*.lua' | xargs -0r luacheck --quiet
ours '*.sh' .ci/run 'packaging/debian/agent/*' | xargs -0r shellcheck
echo "lint: clean"
