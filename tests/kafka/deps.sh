#!/bin/sh
# deps.sh - installs what tests over a real Kafka need and the machine lacks: Java 17, Maven, kcat,
# and python's confluent_kafka. Where that cannot be (no root, no apt-get, no network) it says so
# and ends well: each test says itself what it is skipped for.
have() { command -v "$1" > /dev/null 2>&1; }
python_has() {
    for python in python3 /usr/bin/python3; do
        "$python" -c "import $1" 2> /dev/null && return 0
    done
    return 1
}
missing=
have "${JAVA_HOME:+$JAVA_HOME/bin/}java" || missing="$missing openjdk-17-jdk-headless"
have mvn || missing="$missing maven"
have kcat || missing="$missing kcat"
python_has confluent_kafka || missing="$missing python3-confluent-kafka"
[ -z "$missing" ] && exit 0
# shellcheck disable=SC2086
sh "$(dirname "$0")/../deps.sh" $missing || echo "without them tests over a real Kafka are skipped"
exit 0
