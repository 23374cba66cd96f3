#!/usr/bin/env bash
# kill -9 under load: acknowledged rows are there once, results as in an undisturbed run
#
# N kills (default 200) as it is, then half as many with shrunken limits, so that rare paths
# (journal rotation, checkpoints, COPY in many commits) are common.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=${N:-200} seed=${SEED:-1} tool=tests/tools/prove_kill
small=(BUILD=build/small CFLAGS=-DHOSTILE_LIMITS WARNINGS=-w)
make -s build/release/$tool && make -s -j"$(nproc)" "${small[@]}" build/small/$tool ||
    { echo "FAILED to build"; exit 1; }
for run in "release $n" "small $((n / 2))"; do
    read -r build kills <<<"$run"
    out=$(build/"$build"/$tool "$kills" "$seed" build/prove-kill) ||
        { echo "$build: $out"; exit 1; }
    echo "$build: $out" | head -n -1
done
echo PROVED
