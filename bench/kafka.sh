#!/usr/bin/env bash
# Weir over a real Kafka beside Kafka Streams on the same broker: events a CPU second, restart.
# Usage: bench/kafka.sh [PEERS]; BIDS=1000000 WIDE=1000000 (at least 400000;
# BIDS=0: restart alone). Needs java 17, mvn, python3-confluent-kafka.
#
# The programs of PEERS/kstreams and our queries read the same topics of one partition (JSON) and
# write to the broker; its own CPU time is not counted. Figures are CPU seconds of each process with
# all its threads. PEERS_DIR: where PEERS are built already.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=${1:-../shared/peers}
out=$PWD/build/bench work=$PWD/build/bench/kafka
[ -f "$peers/kafka_bench" ] || { echo "skipped: no $peers/kafka_bench"; exit 0; }
command -v java mvn > /dev/null || { echo "skipped: it needs java and mvn"; exit 0; }
# shellcheck source=tests/kafka/needs.sh
. tests/kafka/needs.sh
export PEERS_DIR=${PEERS_DIR:-$out/kstreams}
rm -rf "$work"
mkdir -p "$work" "$PEERS_DIR"
cp build/release/weir "$work/weir" # so that a build meanwhile changes nothing
[ -d "$PEERS_DIR/kstreams/classes" ] && [ -x "$PEERS_DIR/bin/nexgen" ] ||
    bash "$peers/kafka_bench" build > "$out/kafka_build.log" 2>&1

trap 'tests/kafka/broker wipe "$work/broker"' EXIT
bootstrap=$(WEIR_KAFKA_HEAP=1g tests/kafka/broker start "$work/broker" log.retention.ms=-1)
base=$((($(date +%s) - 3000) * 1000)) bids=${BIDS:-1000000} wide=${WIDE:-1000000}
"$PEERS_DIR/bin/nexgen" "$bootstrap" $base 0 $((bids / 92 * 100 + 100)) 10000 bids:b:auction,auctions:a:id
"$PEERS_DIR/bin/nexgen" "$bootstrap" $base 0 $((wide / 92 * 100)) 10000 wide:b:n
KAFKA_LIBS=$("$peers/../kafka/kafka" fetch)/libs \
    "$python" bench/kafka.py "$work/weir" "$PEERS_DIR" "$bootstrap" "$work" "$bids" "$wide"
