#!/usr/bin/env bash
# lookups a second through SQL: by key, window and range, on one thread and on two
set -eu
cd "$(dirname "$0")/.."
make -s build/release/libweir.a
gcc -std=c11 -O2 -I. -D_GNU_SOURCE -o build/release/bench_lookups bench/lookups.c \
    build/release/libweir.a $(make -s print-libs)
for threads in 1 2; do
    build/release/bench_lookups "${KEYS:-100000}" "${T:-2}" "$threads"
done
