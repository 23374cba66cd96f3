#!/usr/bin/env bash
# bytes changed and cut off in statements, JSON records, journal, segment and table files
#
# N changes (default 100,000) of each kind; a quarter as many statements that engines execute, and a
# tenth as many whole data folders, which are opened by an engine. All under ASan and UBSan; folders
# with shrunken limits, so that they are small.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=${N:-100000} seed=${SEED:-1}
for run in "mutate_sql debug $n" "mutate_statements debug $((n / 4))" "mutate_json debug $n" \
           "mutate_files debug $n" "mutate_folder hostile $((n / 10))"; do
    read -r tool mode count <<<"$run"
    make -s MODE="$mode" build/"$mode"/tests/tools/"$tool" || { echo "FAILED to build $tool"; exit 1; }
    out=$(build/"$mode"/tests/tools/"$tool" "$count" "$seed" 2>&1)
    printf '%s: %s\n' "$tool" "$(printf '%s\n' "$out" | tail -n 2 | head -n 1)"
    last=$(printf '%s\n' "$out" | tail -n 1)
    [ "$last" = PROVED ] || { printf '%s\n' "$out" | tail -n 15; echo "FAILED $tool: $last"; exit 1; }
done
echo PROVED
