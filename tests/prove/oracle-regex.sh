#!/usr/bin/env bash
# the REGEXP functions over random patterns and texts, against a table of what Java gives
set -u
cd "$(dirname "$0")/../.." || exit 1
make -s build/release/weir || { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/oracle_regex.py build/release/weir tests/prove/regexp_table.txt "${N:-1000000}"
