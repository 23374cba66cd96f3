#!/usr/bin/env bash
# random typed expressions: the vector engine against a plain interpreter that shares no code
#
# N expressions over batches (default 2,000,000) by the release build, then a tenth as many under
# ASan and UBSan.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=${N:-2000000} seed=${SEED:-1} tool=tests/tools/prove_expressions
for run in "release $n" "debug $((n / 10))"; do
    read -r mode count <<<"$run"
    make -s MODE="$mode" build/"$mode"/$tool >/dev/null || { echo "FAILED to build"; exit 1; }
    out=$(build/"$mode"/$tool "$count" "$seed" 2>&1)
    printf '%s: %s\n' "$mode" "$(printf '%s\n' "$out" | tail -n 2 | head -n 1)"
    last=$(printf '%s\n' "$out" | tail -n 1)
    [ "$last" = PROVED ] || { printf '%s\n' "$out" | tail -n 20; echo "FAILED $mode: $last"; exit 1; }
done
echo PROVED
