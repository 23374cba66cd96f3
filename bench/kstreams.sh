#!/bin/bash
# Kafka Streams over a real Kafka, and the same queries here: events a CPU second of the process.
# Usage: bench/kstreams.sh [PEERS]; BIDS=1000000. Needs java 17, mvn and librdkafka-dev.
#
# The programs of PEERS/kstreams read and write topics of one partition on a broker of their own
# (whose CPU time is not counted); ours read and write our log, on disk, in one process with one
# worker (whose CPU time is all counted). Records are JSON, state is kept on both sides. Theirs is the
# rate of the second half of the events: the Java machine is warm then.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=$(realpath "${1:-../shared/peers}")
bids=${BIDS:-1000000}
out=$PWD/build/bench
data=$out/nexmark-1000000
queries="q0 q2 agg aggrepart hop tumble stjoin ssjoin"
[ -f "$peers/kafka_bench" ] || { echo "kstreams left out: no $peers/kafka_bench"; exit 0; }
command -v java mvn > /dev/null || { echo "kstreams left out: it needs java and mvn"; exit 0; }
mkdir -p "$data"

make --no-print-directory -s lib MODE=release
gcc -std=c11 -I. -D_GNU_SOURCE -O2 -o "$out/nexmark" bench/nexmark.c build/release/libweir.a \
    $(make -s print-libs)
gcc -O2 -o "$out/nexgen" "$peers/nexgen.c" -lm
[ -s "$data/bid.ndjson" ] || "$out/nexgen" --events 1000000 --seed 1 --rate 10000 --out "$data"

# == Kafka Streams =================================================================================

export PEERS_DIR=$out/kstreams BIDS=$bids RUNS=1
rm -rf "$PEERS_DIR/results"
trap 'bash "$peers/kafka_bench" stop > /dev/null 2>&1' EXIT
bash "$peers/kafka_bench" build fill > "$out/kstreams.log" 2>&1
QUERIES=$queries bash "$peers/kafka_bench" streams >> "$out/kstreams.log" 2>&1
bash "$peers/kafka_bench" stop > /dev/null 2>&1

# == Ours ==========================================================================================

columns="bidder BIGINT, price BIGINT, channel STRING, url STRING, dateTime BIGINT, extra STRING"
with="WITH (VALUE_FORMAT='JSON', TIMESTAMP='dateTime', PARTITIONS=1"
load="
CREATE STREAM bids (auction BIGINT KEY, $columns) $with, KAFKA_TOPIC='bids');
CREATE STREAM loose (auction BIGINT, $columns) $with, KAFKA_TOPIC='loose');
CREATE TABLE auctions (id BIGINT PRIMARY KEY, itemName STRING, description STRING,
  initialBid BIGINT, reserve BIGINT, dateTime BIGINT, expires BIGINT, seller BIGINT,
  category BIGINT, extra STRING) $with, KAFKA_TOPIC='auctions');
CREATE STREAM sold (seller BIGINT KEY, id BIGINT, itemName STRING, description STRING,
  initialBid BIGINT, reserve BIGINT, dateTime BIGINT, expires BIGINT,
  category BIGINT, extra STRING) $with, KAFKA_TOPIC='sold');
CREATE STREAM persons (id BIGINT KEY, name STRING, emailAddress STRING, creditCard STRING,
  city STRING, state STRING, dateTime BIGINT, extra STRING) $with, KAFKA_TOPIC='persons');
COPY bids FROM '$data/bid.ndjson' (FORMAT ndjson); COPY loose FROM '$data/bid.ndjson' (FORMAT ndjson);
COPY auctions FROM '$data/auction.ndjson' (FORMAT ndjson); COPY sold FROM '$data/auction.ndjson' (FORMAT ndjson);
COPY persons FROM '$data/person.ndjson' (FORMAT ndjson);"
rm -rf "$out/streams" && "$out/nexmark" load "$out/streams" "$load"

sql_of() {
    case $1 in
    q0) echo "CREATE STREAM o AS SELECT auction, bidder, price, dateTime, extra FROM bids;" ;;
    q2) echo "CREATE STREAM o AS SELECT auction, price FROM bids WHERE auction % 123 = 0;" ;;
    agg) echo "CREATE TABLE o AS SELECT auction, COUNT(*) AS n, SUM(price) AS total,
                 MAX(price) AS most FROM bids GROUP BY auction;" ;;
    aggrepart) echo "CREATE TABLE o AS SELECT auction, COUNT(*) AS n, SUM(price) AS total,
                 MAX(price) AS most FROM loose GROUP BY auction;" ;;
    hop) echo "CREATE TABLE o AS SELECT auction, COUNT(*) AS n FROM bids WINDOW HOPPING
                 (SIZE 10 SECONDS, ADVANCE BY 2 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY auction;" ;;
    tumble) echo "CREATE TABLE o AS SELECT 1 AS one, MAX(price) AS most FROM bids WINDOW TUMBLING
                 (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY 1;" ;;
    stjoin) echo "CREATE STREAM o AS SELECT b.auction AS auction, b.bidder AS bidder,
                 b.price AS price, b.dateTime AS dateTime, a.seller AS seller,
                 a.category AS category, a.itemName AS itemName
                 FROM bids b JOIN auctions a ON b.auction = a.id;" ;;
    ssjoin) echo "CREATE STREAM o AS SELECT p.id AS id, p.name AS name, s.id AS auction,
                 s.reserve AS reserve FROM persons p JOIN sold s WITHIN 10 SECONDS
                 GRACE PERIOD 0 SECONDS ON p.id = s.seller;" ;;
    esac
}

printf '\n%-10s %14s %14s %8s\n' query 'Kafka Streams' weir times
for query in $queries; do
    case $query in
    stjoin) events=$(cat "$data"/{bid,auction}.ndjson | wc -l) ;;
    ssjoin) events=$(cat "$data"/{person,auction}.ndjson | wc -l) ;;
    *) events=$(wc -l < "$data/bid.ndjson") ;;
    esac
    for _ in 1 2 3; do
        rm -rf "$out/sink" && cp -r "$out/streams" "$out/sink"
        "$out/nexmark" json "$out/sink" "$(sql_of "$query")" | awk '{ print $2 }'
    done | sort -g | head -n 1 > "$out/ours.txt"
    theirs=$(sed -n "s/^$query n=\([0-9]*\) .* second_half_cpu=\([0-9.]*\) .*/\1 \2/p" \
        "$out/kstreams.log" | awk '{ rate = $1 / 2 / $2 } END { print rate + 0 }')
    awk -v query="$query" -v events="$events" -v theirs="${theirs:-0}" '{
        ours = events / $1
        printf "%-10s %14.0f %14.0f %8.1f\n", query, theirs, ours, theirs ? ours / theirs : 0 }' \
        "$out/ours.txt"
done
rm -rf "$out/streams" "$out/sink"
