#!/usr/bin/env bash
# demo_kafka.sh WEIR - the flights of demo.sh over a real Kafka: the same table, for other readers too.
set -eu
set -o pipefail
weir=$1
here=examples/flights
work=$PWD/build/demo-kafka

say() { printf '\n== %s\n' "$*"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
broker() { tests/kafka/broker "$1" "$work/broker" "${@:2}"; }
run() { "$weir" "kafka://$bootstrap" "$work/data" --format table "$@"; }

broker wipe
rm -rf "$work"
mkdir -p "$work"
begin=$(now_ms)
trap 'broker wipe' EXIT
if ! bootstrap=$(broker start log.retention.ms=-1 2> "$work/start"); then
    cat "$work/start"
    exit 0
fi
say "Apache Kafka at $bootstrap, started in $(($(now_ms) - begin)) ms. Sources and queries, as in make demo:"
run -f $here/1-sources.sql

say "Loading (COPY into the cluster's topics) and processing:"
begin=$(now_ms)
run -f $here/2-load.sql
loaded=$(now_ms)
run -f $here/3-queries.sql -f $here/4-worst.sql > "$work/table"
echo "loaded in $((loaded - begin)) ms; joined, aggregated and answered in $(($(now_ms) - loaded)) ms"

say "Airports with at least 100 flights and the longest delays:"
cat $here/4-worst.sql "$work/table"

say "The same without Kafka gives:"
"$weir" "$work/plain" -f $here/1-sources.sql -f $here/2-load.sql -f $here/3-queries.sql \
    > /dev/null
"$weir" "$work/plain" --format table -f $here/4-worst.sql > "$work/plain.table"
if ! cmp "$work/table" "$work/plain.table"; then
    echo "Another table: this is a bug." >&2
    exit 1
fi
echo "The same table."

say "What the query writes, read by others, committed records only:"
flights=$(wc -l < $here/flights.ndjson)
if command -v kcat > /dev/null; then
    kcat -b "$bootstrap" -C -q -e -t NAMED_FLIGHTS -X isolation.level=read_committed \
        -f '%k\t%s\n' | sort > "$work/kcat"
    echo "kcat: $(wc -l < "$work/kcat") records, such as"
    head -n 3 "$work/kcat"
fi
broker tool consume --topic NAMED_FLIGHTS --from-beginning --timeout-ms 15000 \
    --isolation-level read_committed --property print.key=true --max-messages "$flights" \
    2> /dev/null | sort > "$work/console" || true
echo "Kafka's console consumer: $(wc -l < "$work/console") records"
for reader in kcat console; do
    [ -f "$work/$reader" ] || continue
    if [ "$(wc -l < "$work/$reader")" != "$flights" ] || ! cmp -s "$work/$reader" "$work/console"; then
        echo "$reader has read others than the $flights that were written: this is a bug." >&2
        exit 1
    fi
done
echo "Each of the $flights flights once, byte for byte the same."

say "The folder is lost; statements, state and positions are in the cluster:"
rm -rf "$work/data"
begin=$(now_ms)
run -f $here/4-worst.sql > "$work/again"
cmp "$work/table" "$work/again" && echo "The same table, $(($(now_ms) - begin)) ms after the start."
