#!/bin/bash
# Nexmark without state over JSON records, beside DuckDB, simdjson and Flink on the same bytes.
# Usage: bench/nexmark.sh [PEERS]; EVENTS, QUERIES, RUNS=3, FLINK=0 (leave it out), CORE=1 (pin).
#
# Every rate is in events a CPU second of its process (user and system, all threads), all pinned to
# one core. Events are all of the stream's, as in the peers' figures; the bids are 92 of 100.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=$(realpath "${1:-../shared/peers}")
events=${EVENTS:-1000000}
queries=${QUERIES:-q0 q1 q2 q14 q21 q22}
runs=${RUNS:-3}
out=$PWD/build/bench
data=$out/nexmark-$events
pin="taskset -c ${CORE:-1}"
venv=build/venv
flink=$PWD/build/flink
[ -f "$peers/nexmark.sql" ] || { echo "nexmark left out: no $peers/nexmark.sql"; exit 0; }
mkdir -p "$out" "$data"

make --no-print-directory -s lib MODE=release
gcc -std=c11 -I. -D_GNU_SOURCE -O2 -o "$out/nexmark" bench/nexmark.c build/release/libweir.a \
    $(make -s print-libs)
gcc -O2 -o "$out/nexgen" "$peers/nexgen.c" -lm
[ -s "$data/bid.ndjson" ] || "$out/nexgen" --events "$events" --seed 1 --rate 10000 --out "$data"
same=$([ "$events" = 1000000 ] && echo true || echo false) # as expected.json's input

# == The peers =====================================================================================

: > "$out/peers.txt" # query, how, events, CPU seconds, wall seconds
[ -x $venv/bin/python ] || python3 -m venv $venv
if $venv/bin/python -c 'import duckdb' 2>/dev/null || $venv/bin/pip install -q duckdb; then
    $pin $venv/bin/python bench/nexmark_duckdb.py "$peers/expected.json" "$data/bid.ndjson" \
        $queries | sed "s/ [0-9]* \([0-9.]* [0-9.]*\)$/ $events \1/" >> "$out/peers.txt"
else
    echo "DuckDB left out: it cannot be had"
fi

if g++ -O3 -march=native -DNDEBUG -o "$out/json_simdjson" bench/json_simdjson.cpp -lsimdjson; then
    $pin "$out/json_simdjson" bids "$data/bid.ndjson" | tee "$out/simd.txt"
    awk -v events="$events" -v bids="$(wc -l < "$data/bid.ndjson")" \
        '$3 == "record" { print "all simdjson", events, bids / $6 / 1e6, 0 }' \
        "$out/simd.txt" >> "$out/peers.txt"
    if g++ -O3 -march=native -w -o "$out/js" "$peers/limits/js.cpp" -lsimdjson -ljansson; then
        ln -sf "$data/nexmark.ndjson" "$out/nex.json"
        (cd "$out" && $pin ./js | grep -E '^(simdjson|jansson)' | sed 's/^/wrapped: /')
    fi
else
    echo "simdjson left out: it needs g++ and libsimdjson-dev"
fi

# One warm-up run and one timed run of each query in one Java machine; planning is not counted.
flink_run() {
    NEX_WORK=$flink bash "$peers/flink/run.sh" "${CORE:-1}" bench "$1" "$data" "$data" 1 heap \
        wrapped blackhole | sed -n 's/.*"rep":0,.*"job":\([0-9.]*\),"cpu":\([0-9.]*\).*/\1 \2/p'
}

if [ "${FLINK:-1}" = 1 ] && command -v mvn javac > /dev/null; then
    mkdir -p "$flink/fl"
    [ -d "$flink/flink-lib" ] || mvn -q -f "$peers/flink/pom.xml" dependency:copy-dependencies \
        -DoutputDirectory="$flink/flink-lib" < /dev/null
    javac -cp "$flink/flink-lib/*" -d "$flink/fl" "$peers/flink/FlinkNex.java"
    for query in $queries; do
        grep -q "Q.put(\"$query\"" "$peers/flink/FlinkNex.java" || continue
        read -r job _ < <(flink_run "$query") || continue
        echo "$query flink $events $job 0" >> "$out/peers.txt" # one core: its time is CPU time
    done
else
    echo "Flink left out: it needs mvn and javac, and FLINK=1"
fi

# == Ours ==========================================================================================

create=$(awk '/^CREATE STREAM bid /,/;/' "$peers/nexmark.sql")
rm -rf "$out/topic"
"$out/nexmark" load "$out/topic" "$create COPY bid FROM '$data/bid.ndjson' (FORMAT ndjson);"

sql_of() {
    awk -v query="$1" '/^--/ { on = $2 == query } on && !/^--/' "$peers/nexmark.sql"
}

best() { sort -g -k2,2 | head -1; }

# The query's rate into nothing and into a JSON topic, and whether the topic holds what it must.
ours() {
    local query=$1 sql select
    sql=$(sql_of "$query")
    select=${sql#CREATE STREAM * AS }
    if ! $pin "$out/nexmark" null "$out/topic" "$select" "$runs" \
        > "$out/null.txt" 2> "$out/error.txt"; then
        echo "$query is refused: $(head -1 "$out/error.txt")"
        return
    fi
    : > "$out/json.txt"
    for _ in $(seq "$runs"); do
        rm -rf "$out/sink" && cp -r "$out/topic" "$out/sink"
        $pin "$out/nexmark" json "$out/sink" "$sql" >> "$out/json.txt"
    done
    echo "$query weir-null $events $(best < "$out/null.txt" | cut -d' ' -f2-)" >> "$out/peers.txt"
    echo "$query weir-json $events $(best < "$out/json.txt" | cut -d' ' -f2-)" >> "$out/peers.txt"
    if $same; then
        "$out/nexmark" rows "$out/sink" "SELECT * FROM $query EMIT CHANGES;" 10000000 |
            python3 "$peers/checksum.py" "$query" || failed=1
    fi
}

failed=0
for query in $queries; do ours "$query"; done
rm -rf "$out/topic" "$out/sink"

# == Side by side ==================================================================================

awk '
function rate(query, how) { return seconds[query, how] ? events / seconds[query, how] / 1e6 : 0 }
function times(ours, theirs) { return theirs ? sprintf("%6.2f", ours / theirs) : "     -" }
{ events = $3; seconds[$1, $2] = $4; if ($2 == "weir-null") queries[++count] = $1 }
END {
    print "\nMillion events a CPU second; behind each peer: weir (JSON in, result dropped) over it"
    printf "%-5s %9s %9s %5s  %9s %6s  %9s %6s  %9s %6s  %9s %6s\n", "query", "weir", "to JSON", "/in",
        "simdjson", "", "DuckDB", "", "in memory", "", "Flink", ""
    for (i = 1; i <= count; i++) {
        query = queries[i]; ours = rate(query, "weir-null"); json = rate(query, "weir-json")
        simd = seconds["all", "simdjson"] ? events / seconds["all", "simdjson"] / 1e6 : 0
        printf "%-5s %9.3f %9.3f %5.2f  %9.3f %s  %9.3f %s  %9.3f %s  %9.3f %s\n", query, ours, json,
            json / ours, simd, times(ours, simd), rate(query, "text"),
            times(ours, rate(query, "text")), rate(query, "memory"),
            times(ours, rate(query, "memory")), rate(query, "flink"),
            times(ours, rate(query, "flink"))
        if (rate(query, "json")) printf "%48s to JSON %9.3f %s\n", "", rate(query, "json"),
            times(json, rate(query, "json"))
    }
}' "$out/peers.txt"
exit $failed
