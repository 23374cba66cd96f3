#!/bin/sh
# demo.sh WEIR - 20,000 real flights through SQL; the engine is killed in the middle of it.
set -eu
weir=$1
here=examples/flights
data=${DEMO_DATA:-build/demo}
rows=$(wc -l < $here/flights.ndjson)
airports=$(($(wc -l < $here/airports.csv) - 1))

say() { printf '\n== %s\n' "$*"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
run() { "$weir" "$data" --format table "$@"; }

rm -rf "$data"
say "An empty folder, $rows flights, $airports airports. Sources and queries:"
cat $here/1-sources.sql $here/3-queries.sql
run -f $here/1-sources.sql

say "Loading (COPY) and processing:"
begin=$(now_ms)
run -f $here/2-load.sql
loaded=$(now_ms)
run -f $here/3-queries.sql -f $here/4-worst.sql > "$data.before"
done=$(now_ms)
echo "loaded $((rows + airports)) rows in $((loaded - begin)) ms;" \
     "joined, aggregated and answered in $((done - loaded)) ms" \
     "($((rows * 1000 / (done - loaded + 1))) flights/s, start of the program included)"

say "Airports with at least 100 flights and the longest delays:"
cat $here/4-worst.sql
cat "$data.before"

say "A push query: the first flights at least three hours late, as they come:"
cat $here/5-late.sql
run -f $here/5-late.sql

say "The engine gets flights through a pipe, without end, and is killed with -9 meanwhile:"
cat $here/6-again.sql
run -f $here/6-again.sql
rm -f "$data.fifo"
mkfifo "$data.fifo"
"$weir" "$data" -e "COPY again FROM '-' (FORMAT ndjson);" < "$data.fifo" &
pid=$!
(while cat $here/flights.ndjson; do :; done) > "$data.fifo" 2> /dev/null &
feeder=$!
sleep 0.5
kill -9 $pid
wait $pid 2>/dev/null || echo "process $pid is dead"
wait $feeder 2>/dev/null || true
rm -f "$data.fifo"

say "Started again: what had arrived is there, and the query has counted each flight once:"
arrived=$(run --format csv -e 'SHOW TOPICS;' | awk -F, '$1 == "again" { print $3 }')
counted=$(run --format csv -e "SELECT flights FROM counted WHERE which = 'all';" | tail -1)
echo "$arrived flights arrived, $counted counted"
if [ "$arrived" -lt 1 ] || [ "$arrived" != "$counted" ]; then
    echo "The numbers differ: this is a bug." >&2
    exit 1
fi

say "And the question from before:"
run -f $here/4-worst.sql > "$data.after"
cat "$data.after"
if cmp -s "$data.before" "$data.after"; then
    echo "The answers are the same."
else
    echo "The answers differ: this is a bug." >&2
    exit 1
fi
rm -f "$data.before" "$data.after"

say "Go on yourself:  $weir $data"
