#!/usr/bin/env bash
# generated windows, joins, aggregates out of order, killed in the middle, against sqlite3
#
# N queries (default 240): about 0.1 s each on two cores. JOBS: how many loads side by side.
# A failure names its seed, case and load; CASE=n or LOAD=n with the same N and SEED runs only that
# again, TIMES (10) times, since a crash is never the same.
set -u
cd "$(dirname "$0")/../.." || exit 1
small=(BUILD=build/small CFLAGS=-DHOSTILE_LIMITS WARNINGS=-w)
make -s build/release/weir && make -s -j"$(nproc)" "${small[@]}" build/small/weir ||
    { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/batch.py build/release/weir "${N:-240}" "${SEED:-1}" build/small/weir
