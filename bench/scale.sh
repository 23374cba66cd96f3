#!/bin/bash
# Many filters on one topic, and one query over 8 partitions with one and two workers.
# Usage: bench/scale.sh [PEERS]; EVENTS=1000000. Each filter keeps about one row in a thousand.
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

# What the load alone takes is taken off; the best of three.
run() { for _ in 1 2 3; do "$out/scale" "$data/bid.ndjson" "$@"; done | sort -g -k"${key:-11},${key:-11}" | ${take:-head} -n 1; }
for queries in 0 1 10 30 100; do run filter $queries 2 2 loaded; done | awk '
    NR == 1 { load = $11; next }
    { cpu = $11 - load; if (NR == 2) one = cpu
      printf "%3d filters on one topic: %.3f CPU s beside the load, the rate of each %.2f of one alone\n",
          $3, cpu, one / cpu }'
for kind in filter count; do
    for workers in 1 2; do key=9 take=tail run $kind 1 8 $workers loaded; done | awk -v kind=$kind '
        { rate[NR] = $9 }
        END { printf "8 partitions, %s: one worker %9.0f rows/s, two %9.0f: %.2f times\n", kind,
                  rate[1], rate[2], rate[2] / rate[1] }'
done
