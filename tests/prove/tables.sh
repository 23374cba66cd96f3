#!/usr/bin/env bash
# tables joined with tables, random changes, partitions, workers, kill -9, against sqlite3
set -u
cd "$(dirname "$0")/../.."
make -s build/release/weir || { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/tables.py build/release/weir "${N:-60}" "${SEED:-1}"
