#!/usr/bin/env bash
# many threads on one engine: rows, lookups, push queries cancelled, queries made and dropped
#
# N rounds (default 40) as it is, then N/4 under ThreadSanitizer, which fails on the first race.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=${N:-40} seed=${SEED:-1} folder=build/prove-threads-data
tsan=(BUILD=build/tsan "CFLAGS=-O1 -U_FORTIFY_SOURCE -fsanitize=thread" WARNINGS=-w)
tool=tests/tools/prove_threads
make -s build/release/$tool && make -s -j"$(nproc)" "${tsan[@]}" build/tsan/$tool ||
    { echo "FAILED to build"; exit 1; }
echo "as it is:"
out=$(build/release/$tool "$n" "$seed" $folder 2>&1) || { echo "$out"; echo "FAILED"; exit 1; }
echo "$out" | head -n -1
echo "under ThreadSanitizer:"
rounds=$(((n + 3) / 4))
out=$(TSAN_OPTIONS=halt_on_error=1 build/tsan/$tool $rounds "$seed" $folder 2>&1) ||
    { echo "$out" | head -n 60; echo "FAILED under ThreadSanitizer"; exit 1; }
echo "$out"
rm -rf $folder $folder.ndjson
