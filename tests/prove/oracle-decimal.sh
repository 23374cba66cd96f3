#!/usr/bin/env bash
# DECIMAL operators, casts, rounding and aggregates of every width, against python's decimal
set -u
cd "$(dirname "$0")/../.." || exit 1
make -s build/release/weir || { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/oracle_decimal.py build/release/weir "${N:-2000000}" "${SEED:-1}"
