# needs.sh - sourced by what needs a broker: sets $python (with confluent_kafka), or says what is
# missing and ends with status 0 behind "skipped: WHY".
python=
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import confluent_kafka' 2> /dev/null; then python=$candidate; fi
done
[ -n "$python" ] || { echo "skipped: no python3-confluent-kafka"; exit 0; }
command -v "${JAVA_HOME:+$JAVA_HOME/bin/}java" > /dev/null || { echo "skipped: no Java"; exit 0; }
