#!/usr/bin/env bash
# conformance cases with their topics on a real Kafka: the same verdicts as without
#
# N (default 300) cases drawn by SEED of those in JSON, DELIMITED and KAFKA; none is skipped. Records
# of cases are of 1970: the broker takes them, and the runner makes topics that keep them. (Else the
# broker would compact tables' topics under the runner's eyes: behind the marker of a transaction,
# which is of today, a new segment begins.) Where ../shared is missing, our own cases
# (tests/prove/restart.ndjson) run, and must give the same bytes. Needs Java 17.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=${N:-300} seed=${SEED:-1} cases=../shared/conformance work=$PWD/build/prove-kafka-cases
make -s all || { echo "FAILED to build"; exit 1; }
tests/kafka/broker wipe "$work/broker"
rm -rf "$work"
mkdir -p "$work"
trap 'tests/kafka/broker wipe "$work/broker"' EXIT
bootstrap=$(tests/kafka/broker start "$work/broker" log.retention.ms=-1 log.retention.bytes=-1 \
    log.message.timestamp.after.max.ms=9223372036854775807 \
    2> "$work/start") || {
    cat "$work/start"
    exit 0
}

# both FILE SAMPLE: with Kafka and without; $work/plain and $work/kafka.
both() {
    local begin=$SECONDS
    build/release/weir test --cases "$1" --sample "$2" --seed "$seed" > "$work/plain" &&
        build/release/weir test --cases "$1" --sample "$2" --seed "$seed" --kafka "$bootstrap" \
            > "$work/kafka" || return 1
    [ "$(wc -l < "$work/plain")" = "$(wc -l < "$work/kafka")" ] || return 1
    echo "$(wc -l < "$work/kafka") cases over Kafka in $((SECONDS - begin)) s"
}

both tests/prove/restart.ndjson 1000 || { echo "FAILED: our own cases did not all run"; exit 1; }
diff "$work/plain" "$work/kafka" > "$work/diff" || {
    cut -c 1-300 "$work/diff" | head -n 6
    echo "FAILED: our own cases give other results"
    exit 1
}
if [ ! -d $cases ]; then
    echo "conformance cases: skipped: no ../shared"
    echo PROVED
    exit 0
fi
grep -Ev '"tags": ?\[[^]]*"(AVRO|PROTOBUF|PROTOBUF_NOSR|JSON_SR)"' $cases/query.ndjson > "$work/cases"
both "$work/cases" "$n" || { echo "FAILED: not all cases have run"; exit 1; }
for result in plain kafka; do
    $cases/judge "$work/cases" "$work/$result" --failing | grep -v ': no result$' \
        > "$work/$result.judged"
done
diff "$work/plain.judged" "$work/kafka.judged" > "$work/diff" || {
    head -n 20 "$work/diff" | cut -c 1-300
    echo "FAILED: $(grep -c '^>' "$work/diff") other verdicts"
    exit 1
}
[ "$(wc -l < "$work/kafka")" -ge "$((n < 1200 ? n : 1200))" ] || { echo "FAILED: too few"; exit 1; }
echo "the same verdicts: $(cmp -s "$work/plain" "$work/kafka" && echo and the same bytes ||
    echo "$(diff "$work/plain" "$work/kafka" | grep -c '^>') results differ in their bytes")"
echo PROVED
