#!/bin/bash
# Many filters on one topic, and one query over 8 partitions with one and two workers.
# Usage: bench/scale.sh [PEERS]; EVENTS=1000000. Each filter keeps one row in a thousand.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=$(realpath "${1:-../shared/peers}")
events=${EVENTS:-1000000}
out=$PWD/build/bench
data=$out/nexmark-$events
[ -f "$peers/nexgen.c" ] || { echo "scale left out: no $peers/nexgen.c"; exit 0; }
mkdir -p "$data"
make --no-print-directory -s lib MODE=release
gcc -std=c11 -I. -D_GNU_SOURCE -O2 -o "$out/scale" bench/scale.c build/release/libweir.a \
    $(make -s print-libs)
gcc -O2 -o "$out/nexgen" "$peers/nexgen.c" -lm
[ -s "$data/bid.ndjson" ] || "$out/nexgen" --events "$events" --seed 1 --rate 10000 --out "$data"

for queries in 1 10 30 100; do "$out/scale" "$data/bid.ndjson" filter "$queries" 2 2; done |
    awk '{ if (!one) one = $11; printf "%3d filters on one topic: %9.0f rows/s each, %9.0f per CPU second: %.2f of one alone\n",
           $3, $9, $11, $11 / one }'
for kind in filter count; do
    for workers in 1 2; do "$out/scale" "$data/bid.ndjson" $kind 1 8 $workers; done |
        awk -v kind=$kind '{ rate[NR] = $9 } END {
            printf "8 partitions, %s: one worker %9.0f rows/s, two %9.0f: %.2f times\n",
                kind, rate[1], rate[2], rate[2] / rate[1] }'
done
