#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which lines and branches of the lower layers the tests reach, as a table, and those that they do not:
#
#     tools/coverage.sh [-l] [LAYER...]      base and segment when none is named; -l: line by line
#
# Builds in build-coverage. Paths that end in a process that is killed are run, but cannot be counted.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build-coverage
report=()
if [ "${1:-}" = -l ]; then
  report=(--html-details "$build/coverage.html")
  shift
fi
layers=("$@")
[ ${#layers[@]} -gt 0 ] || layers=(base segment)

[ -d "$build" ] || CC=gcc CXX=g++ meson setup "$build" -Db_coverage=true -Dbuildtype=debug > /dev/null
ninja -C "$build"
find "$build" -name '*.gcda' -delete
# One fails: "only names" sees the counters that gcov writes.
meson test -C "$build" --timeout-multiplier 4 --suite cli --suite fault --suite fuzz --suite process \
  --suite property --suite unit || true

gcovr --root . --object-directory "$build" "${layers[@]/#/--filter=lib/}" --gcov-ignore-parse-errors \
  --exclude-unreachable-branches "${report[@]}" --branches
gcovr --root . --object-directory "$build" "${layers[@]/#/--filter=lib/}" --gcov-ignore-parse-errors \
  --exclude-unreachable-branches
