#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the shells complete: commands, options, states. Usage: check_completion.sh DIRECTORY-OF-SCRIPTS
set -u
directory=$1
PATH=$(dirname "$SHM_INSPECT"):$PATH
status=0

# expect SHELL WANTED WORD...: completing the last of the words offers WANTED.
expect() {
  local shell=$1 wanted=$2
  shift 2
  if ! "complete_$shell" "$@" | tr ' ' '\n' | grep -qxF -e "$wanted"; then
    echo "$shell: $* does not offer $wanted"
    status=1
  fi
}

complete_bash() {
  bash -c '. "$0/shm-inspect.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shm_inspect; echo "${COMPREPLY[@]}"' \
    "$directory" "$@"
}

complete_zsh() {
  zsh -f -c 'compadd() { shift; print -- $@ }; _files() { print -- --files-- }; script=$1; shift
    words=("$@"); CURRENT=$#words; . $script' zsh "$directory/_shm-inspect" "$@"
}

for shell in bash zsh; do
  command -v $shell >/dev/null || continue
  expect $shell clean shm-inspect ''
  expect $shell doctor shm-inspect ''
  expect $shell --version shm-inspect ''
  expect $shell --force shm-inspect clean --
  expect $shell --json shm-inspect list --
  expect $shell unlinked shm-inspect list --state ''
  expect $shell resident shm-inspect list --sort ''
done
expect bash clean shm-inspect cle
exit $status
