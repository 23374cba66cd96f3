#!/usr/bin/env bash
# generated SQL over the flights, with 1, 3, 8 partitions and 1, 2 workers, against sqlite3
set -u
cd "$(dirname "$0")/../.."
make -s build/release/weir || { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/answers.py build/release/weir "${N:-60}" "${SEED:-1}"
