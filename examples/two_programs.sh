#!/bin/sh
# SPDX-License-Identifier: MIT
# One program creates an array, another one reads a part of it by name alone.
# usage: two_programs.sh CREATE_PRICES READ_SLICE
set -eu
name=example-prices-$$
"$1" "$name"
"$2" "$name[10:20]"
last=$("$2" "$name[-1:, ::2]" remove | tail -n 1)
[ "$last" = "1099.0 1099.2" ]
if "$2" "$name" 2>/dev/null; then
    echo "$name is still there" >&2
    exit 1
fi
