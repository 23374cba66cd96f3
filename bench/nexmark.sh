#!/bin/bash
# Nexmark over JSON records, beside DuckDB, simdjson and Flink on the same bytes.
# Usage: bench/nexmark.sh [PEERS]; EVENTS, QUERIES, RUNS=3, FLINK=0 (leave it out), CORE=1 (pin).
#
# Every rate is in events a CPU second of its process (user and system, all threads), all pinned to
# one core. Events are all of the stream's, as in the peers' figures; the bids are 92 of 100. Queries
# without state also run with their result dropped; those with state always write their topic.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=$(realpath "${1:-../shared/peers}")
events=${EVENTS:-1000000}
queries=${QUERIES:-$(sed -n "s/^-- \(q[0-9]*\).*/\1/p" "$peers/nexmark.sql")}
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
    $pin $venv/bin/python bench/nexmark_duckdb.py "$peers/expected.json" "$data" \
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

# Two logs with the same three topics; the bids of `closed` end with one a day later, of its own
# auction and bidder, which closes all windows of EMIT FINAL.
create=$(awk '/^CREATE STREAM (person|auction|bid) /,/;/' "$peers/nexmark.sql")
load="$create"
for topic in person auction bid; do load+=" COPY $topic FROM '$data/$topic.ndjson' (FORMAT ndjson);"; done
rm -rf "$out/open" "$out/closed"
"$out/nexmark" load "$out/open" "$load"
cp -r "$out/open" "$out/closed"
day_later=$(($(tail -n 1 "$data/bid.ndjson" | sed 's/.*"dateTime":\([0-9]*\).*/\1/') + 86400000))
"$out/nexmark" load "$out/closed" \
    "INSERT INTO bid (auction, bidder, price, dateTime) VALUES (-1, -1, 0, $day_later);"

sql_of() {
    awk -v query="$1" '/^-- q/ { on = $2 == query } on && !/^--/' "$peers/nexmark.sql"
}

best() { sort -g -k2,2 | head -1; }

# The query's rate with its result dropped; fails where it is refused.
ours_dropped() {
    $pin "$out/nexmark" null "$1" "${2#CREATE STREAM * AS }" "$runs" > "$out/null.txt" \
        2> "$out/error.txt" || return 1
    echo "$query weir-null $events $(best < "$out/null.txt" | cut -d' ' -f2-)" >> "$out/peers.txt"
}

# The query's rate into a topic, and whether the topic holds what it must.
ours() {
    local query=$1 sql folder=$out/open
    sql=$(sql_of "$query")
    case $sql in *"EMIT FINAL"*) folder=$out/closed ;; esac
    : > "$out/json.txt"
    for _ in $(seq "$runs"); do
        rm -rf "$out/sink" && cp -r "$folder" "$out/sink"
        if ! $pin "$out/nexmark" json "$out/sink" "$sql" >> "$out/json.txt" 2> "$out/error.txt"; then
            echo "$query is refused: $(head -1 "$out/error.txt")"
            return
        fi
    done
    case $sql in *"CREATE TABLE"* | *JOIN*) ;; *) ours_dropped "$folder" "$sql" ;; esac
    echo "$query weir-json $events $(best < "$out/json.txt" | cut -d' ' -f2-)" >> "$out/peers.txt"
    if $same; then
        "$out/nexmark" rows "$out/sink" "SELECT * FROM $query EMIT CHANGES;" 10000000 |
            python3 bench/nexmark_fold.py "$peers/expected.json" "$query" |
            python3 "$peers/checksum.py" "$query" || failed=1
    fi
}

failed=0
for query in $queries; do ours "$query"; done
rm -rf "$out/open" "$out/closed" "$out/sink"

# == Side by side ==================================================================================

awk '
function rate(query, how) { return seconds[query, how] ? events / seconds[query, how] / 1e6 : 0 }
function show(value) { return value ? sprintf("%8.3f", value) : "       -" }
function times(ours, theirs) { return ours && theirs ? sprintf("%6.2f", ours / theirs) : "     -" }
function peer(ours, theirs) { return show(theirs) " " times(ours, theirs) }
{ events = $3; seconds[$1, $2] = $4; if ($2 == "weir-json") queries[++count] = $1 }
END {
    print "\nMillion events a CPU second; behind each peer: weir over it (result dropped where it has"
    print "no state, else its topic written)"
    printf "%-5s %8s %8s %6s %15s %15s %15s %15s %15s\n", "query", "dropped", "to JSON", "of it",
        "simdjson", "DuckDB", "in memory", "to JSON", "Flink"
    simd = seconds["all", "simdjson"] ? events / seconds["all", "simdjson"] / 1e6 : 0
    for (i = 1; i <= count; i++) {
        query = queries[i]; none = rate(query, "weir-null"); json = rate(query, "weir-json")
        ours = none ? none : json
        printf "%-5s %s %s %s %s %s %s %s %s\n", query, show(none), show(json), times(json, none),
            peer(none, none ? simd : 0), peer(ours, rate(query, "text")),
            peer(ours, rate(query, "memory")), peer(json, rate(query, "json")),
            peer(ours, rate(query, "flink"))
    }
}' "$out/peers.txt"
exit $failed
