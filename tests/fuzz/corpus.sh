#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the corpus anew: seeds from real segments, files and texts, what is in the corpus, and what
# libFuzzer finds from there, reduced to inputs that each reach something of their own.
#
#     tests/fuzz/corpus.sh BUILD SECONDS [TARGET...]
#
# BUILD is a build with clang; SECONDS is how long each target looks for more.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1 seconds=$2
shift 2
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  targets=(tests/fuzz/fuzz_*.c)
  targets=("${targets[@]#tests/fuzz/fuzz_}")
  targets=("${targets[@]%.c}")
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

ninja -C "$build" tests/fuzz/fuzz-seeds "${targets[@]/#/tests/fuzz/libfuzzer-}"
mkdir "$scratch/seeds"
"$build/tests/fuzz/fuzz-seeds" "$scratch/seeds"
for target in "${targets[@]}"; do
  engine=$build/tests/fuzz/libfuzzer-$target corpus=tests/fuzz/corpus/$target
  found=$scratch/$target least=$scratch/least-$target
  mkdir -p "$found" "$least" "$corpus"
  cp -r "$scratch/seeds/$target/." "$corpus/." "$found"
  if [ "$seconds" -gt 0 ]; then
    "$engine" -max_total_time="$seconds" -max_len=16384 -timeout=10 "$found" 2> "$scratch/log" ||
      { tail -40 "$scratch/log"; exit 1; }
  fi
  # Small ones first: large ones only add what those do not reach.
  mkdir -p "$scratch/small-$target"
  find "$found" -type f -size -600c -exec cp -t "$scratch/small-$target" {} +
  for merge in "-set_cover_merge=1 $least $scratch/small-$target" "-merge=1 $least $found"; do
    # shellcheck disable=SC2086
    "$engine" -use_counters=0 -max_len=16384 $merge 2> "$scratch/log" || { tail -40 "$scratch/log"; exit 1; }
  done
  rm -f "$corpus"/*
  for input in "$least"/*; do
    mv "$input" "$corpus/$(sha1sum "$input" | cut -c1-12).bin"
  done
  echo "$target: $(ls "$corpus" | wc -l) inputs, $(cat "$corpus"/* | wc -c) bytes"
done
