#!/usr/bin/env bash
# damaged records in a service's own topics on Kafka: named and refused, never a crash
#
# N (default 20,000) records each of positions, commands, changelogs and exports, and a twentieth as
# many rounds with state as a damaged changelog would restore it, under ASan and UBSan. Then the main
# cases over a broker (tests/kafka/bytes.py), with the release.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=${N:-20000} seed=${SEED:-1}
for run in "mutate_kafka $n" "mutate_state $((n / 20))"; do
    read -r tool count <<<"$run"
    make -s MODE=debug build/debug/tests/tools/"$tool" || { echo "FAILED to build $tool"; exit 1; }
    out=$(build/debug/tests/tools/"$tool" "$count" "$seed" 2>&1)
    printf '%s: %s\n' "$tool" "$(printf '%s\n' "$out" | tail -n 2 | head -n 1)"
    last=$(printf '%s\n' "$out" | tail -n 1)
    [ "$last" = PROVED ] || { printf '%s\n' "$out" | tail -n 15; echo "FAILED $tool: $last"; exit 1; }
done
. tests/kafka/needs.sh
make -s all || { echo "FAILED to build"; exit 1; }
out=$("$python" tests/kafka/bytes.py build/release/weir) || { printf '%s\n' "$out"; echo FAILED; exit 1; }
printf '%s\n' "$out"
echo PROVED
