#!/usr/bin/env bash
# the JSON functions over random texts, good and broken, against python's json and decimal
set -u
cd "$(dirname "$0")/../.." || exit 1
make -s build/release/weir || { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/oracle_json.py build/release/weir "${N:-100000}" "${SEED:-1}"
