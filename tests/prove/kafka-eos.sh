#!/usr/bin/env bash
# exactly once (or GUARANTEE=at_least_once) over a real Kafka, under faults of every kind
#
# N records (default 500000) and FAULTS faults (default 60), drawn by SEED; a third or more of them
# kill the engine inside an open transaction. Needs Java 17 and python3-confluent-kafka.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=${N:-500000} faults=${FAULTS:-60} seed=${SEED:-1}
make -s all || { echo "FAILED to build"; exit 1; }
# shellcheck source=tests/kafka/needs.sh
. tests/kafka/needs.sh
"$python" tests/prove/kafka_eos.py build/release/weir "$n" "$faults" "$seed" "${PROOF_DIR:-build/prove-kafka-eos}"
