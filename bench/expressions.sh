#!/bin/bash
# Expressions over decoded columns beside the memory's bandwidth in the same run; texts; Lua calls.
# Usage: bench/expressions.sh [PEERS]; ROUNDS=2000, CORE=1 (pin).
set -euo pipefail
cd "$(dirname "$0")/.."
peers=${1:-../shared/peers}
out=build/bench
pin="taskset -c ${CORE:-1}"
mkdir -p $out
make --no-print-directory -s lib MODE=release
libs="build/release/libweir.a $(make -s print-libs)"
gcc -std=c11 -I. -D_GNU_SOURCE -O2 -o $out/expressions bench/expressions.c $libs
gcc -std=c11 -I. -D_GNU_SOURCE -O2 -o $out/nexmark bench/nexmark.c $libs
$pin $out/expressions "${ROUNDS:-2000}" | tee $out/expressions.txt

if [ -f "$peers/limits/mem.c" ] && gcc -O3 -march=native -w -o $out/mem "$peers/limits/mem.c"; then
    (timeout 60 stdbuf -oL $pin $out/mem || true) | sed '/^crc32c/,$d' > $out/mem.txt
    awk 'FILENAME ~ /mem/ && /^memcpy/ { copied = $4 } FILENAME ~ /mem/ && /^read-sum/ { read = $3 }
        FILENAME ~ /expr/ && $1 == "all" { ours = $2 }
        END { printf "arithmetic and comparisons %.2f GB/s: %.2f of copying (%.1f GB/s), %.2f of " \
                     "reading (%.1f GB/s)\n", ours, ours / copied, copied, ours / read, read }' \
        $out/mem.txt $out/expressions.txt
else
    echo "memory left out: no $peers/limits/mem.c"
fi

# What a call of a Lua function costs: the same query with it and without.
rows=200000
awk -v rows=$rows 'BEGIN { for (i = 0; i < rows; i++) printf "{\"a\":%d,\"s\":\"text %d\"}\n", i, i }' \
    > $out/lua.ndjson
rm -rf $out/lua
create="CREATE STREAM t (a BIGINT, s STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);"
if $out/nexmark load $out/lua "$create CREATE FUNCTION lua_next(a BIGINT) RETURNS BIGINT LANGUAGE LUA
        AS 'return a + 1'; COPY t FROM '$out/lua.ndjson' (FORMAT ndjson);" 2> $out/error.txt; then
    for column in a 'lua_next(a)'; do
        $pin $out/nexmark null $out/lua "SELECT $column AS c FROM t EMIT CHANGES;" 5 |
            sort -g -k2,2 | head -1
    done | awk -v rows=$rows 'NR == 1 { without = $2 } END {
        printf "Lua call of one BIGINT               %9.2f M calls/s (%.0f ns each)\n",
            rows / ($2 - without) / 1e6, ($2 - without) * 1e9 / rows }'
else
    echo "Lua left out: $(head -1 $out/error.txt)"
fi
rm -rf $out/lua
