#!/usr/bin/env bash
# instants in 40 zones printed, read and converted, with gaps and overlaps, against python's zoneinfo
set -u
cd "$(dirname "$0")/../.." || exit 1
make -s build/release/weir || { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/oracle_time.py build/release/weir "${N:-10000}" "${SEED:-1}"
