#!/usr/bin/env bash
# slots over a real broker: kill points, broker killed and frozen, zombies, fencing; each record once
set -u
. tests/kafka/needs.sh
command -v kcat > /dev/null || { echo "skipped: no kcat"; exit 0; }
tool=tests/tools/drive_kafka_slots
make -s build/release/$tool || exit 1
"$python" tests/kafka/slots.py build/release/$tool
code=$?
[ "$code" = 77 ] && exit 0
[ "$code" = 0 ] && echo "prove-kafka-slots: PROVED" || { echo "prove-kafka-slots: FAILED"; exit 1; }
