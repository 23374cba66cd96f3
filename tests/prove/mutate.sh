#!/usr/bin/env bash
# bytes changed and cut off in statements, JSON records, journal, segment and table files
set -u
cd "$(dirname "$0")/../.."
n=${N:-100000} seed=${SEED:-1}
for tool in mutate_sql mutate_json mutate_files; do
    make -s MODE=debug build/debug/tests/tools/$tool || { echo "FAILED to build $tool"; exit 1; }
    out=$(build/debug/tests/tools/$tool "$n" "$seed" 2>&1)
    printf '%s: %s\n' "$tool" "$(printf '%s\n' "$out" | tail -n 2 | head -n 1)"
    last=$(printf '%s\n' "$out" | tail -n 1)
    [ "$last" = PROVED ] || { printf '%s\n' "$out" | tail -n 15; echo "FAILED $tool: $last"; exit 1; }
done
echo PROVED
