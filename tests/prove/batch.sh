#!/usr/bin/env bash
# generated joins and aggregates over streams out of order, killed in the middle, against sqlite3
set -u
cd "$(dirname "$0")/../.."
make -s build/release/weir || { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/batch.py build/release/weir "${N:-60}" "${SEED:-1}"
