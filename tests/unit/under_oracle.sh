#!/bin/sh
# SPDX-License-Identifier: MIT
# The oracle around whole programs sees each kind of thing that outlives one. usage: under_oracle.sh UNDER-ORACLE
set -u
oracle=$1
leaked=99
export NDSHM_TEST_PATIENCE_MS=200
[ -z "${NDSHM_TEST_PLAIN:-}" ] || exit 77

expect() { # STATUS COMMAND
    "$oracle" sh -c "$2" 2>/dev/null
    got=$?
    if [ "$got" -ne "$1" ]; then
        echo "'$2': exit status $got, not $1" >&2
        exit 1
    fi
}

expect 0 ':'
expect 3 'exit 3'
expect 143 'kill $$'
expect 0 'f=/dev/shm/t-under-oracle-$$; echo text > $f; rm $f'
expect $leaked 'echo text > /dev/shm/t-under-oracle-$$'
expect $leaked 'mkdir /dev/shm/t-under-oracle-$$'
expect $leaked 'sleep 5 & :'
expect $leaked 'sleep 5 9> /dev/shm/t-under-oracle-$$ & rm -f /dev/shm/t-under-oracle-$$; sleep 0.1'
