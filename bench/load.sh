#!/bin/sh
# Files through COPY into a filter and into a count per key, beside simdjson on the same bytes.
# Usage: bench/load.sh [NEXGEN.c]; EVENTS=1000000 sets the number of nexmark events.
set -eu
cd "$(dirname "$0")/.."
nexgen=${1:-../shared/peers/nexgen.c}
out=build/bench
mkdir -p $out
make --no-print-directory -s lib all MODE=release
gcc -std=c11 -I. -D_GNU_SOURCE -O2 -o $out/load bench/load.c build/release/libweir.a \
    $(make -s print-libs)
simd=true
g++ -O3 -march=native -DNDEBUG -o $out/json_simdjson bench/json_simdjson.cpp -lsimdjson ||
    { simd=false; echo "simdjson left out: it needs g++ and libsimdjson-dev"; }

# What one core of ours does, as a share of what simdjson does with each record on one core.
share() {
    awk -v limit="$1" '{ rate = $(NF - 1); print } END {
        if (limit > 0) printf "%-16s per core %.2f of simdjson\n", "", rate / limit }'
}

load() {
    limit=0
    if $simd; then
        $out/json_simdjson "$1" "$2" | tee $out/simd.txt
        limit=$(awk '$3 == "record" { print $4 }' $out/simd.txt)
    fi
    for query in none filter count; do
        rm -rf $out/load-data
        $out/load "$1" $query "$2" $out/load-data "$(nproc)" | share "$limit"
    done
    rm -rf $out/load-data
}

for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    cat examples/flights/flights.ndjson
done > $out/flights.ndjson
load flights $out/flights.ndjson
if [ -f "$nexgen" ]; then
    gcc -O2 -o $out/nexgen "$nexgen" -lm
    $out/nexgen --events "${EVENTS:-1000000}" --only bid > $out/bids.ndjson
    load bids $out/bids.ndjson
else
    echo "nexmark bids left out: no $nexgen"
fi

echo "Start of the program to the first row, and memory at rest"
python3 - build/release/weir <<'PY'
import os, subprocess, sys, tempfile, time
weir, sql = sys.argv[1], ("CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');"
                          "INSERT INTO s VALUES ('a', 1); SELECT * FROM s EMIT CHANGES LIMIT 1;")
times = []
for _ in range(20):
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        child = subprocess.Popen([weir, folder, '--format', 'ndjson', '-e', sql], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        child.stdout.readline()
        times.append((time.monotonic() - begin) * 1000)
        child.stdout.read(), child.wait()
times.sort()
print(f'first row after {times[10]:.1f} ms (median of 20; best {times[0]:.1f})')
with tempfile.TemporaryDirectory() as folder:
    child = subprocess.Popen([weir, folder, '-e', sql.split(';')[0] + ';', '-f', '/dev/stdin'],
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    time.sleep(1)
    with open(f'/proc/{child.pid}/status') as status:
        print(next(line.strip() for line in status if line.startswith('VmRSS')))
    child.stdin.close(), child.wait()
PY
