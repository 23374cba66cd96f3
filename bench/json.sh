#!/bin/sh
# The JSON decoder and encoder beside simdjson's On-Demand parser, on the same bytes and one core.
# Usage: bench/json.sh [FLIGHTS.ndjson] [NEXGEN.c]; what is missing is left out, and says so.
set -eu
cd "$(dirname "$0")/.."
flights=${1:-examples/flights/flights.ndjson}
nexgen=${2:-../shared/peers/nexgen.c}
events=${EVENTS:-1000000}
out=build/bench
mkdir -p $out

make --no-print-directory -s lib MODE=release
gcc -std=c11 -I. -D_GNU_SOURCE -O2 -o $out/json_decode bench/json_decode.c \
    build/release/libweir.a $(make -s print-libs)
simd=true
g++ -O3 -march=native -DNDEBUG -o $out/json_simdjson bench/json_simdjson.cpp -lsimdjson ||
    { simd=false; echo "simdjson left out: it needs g++ and libsimdjson-dev"; }

rates() {
    $out/json_decode "$1" "$2"
    if $simd; then $out/json_simdjson "$1" "$2"; fi
}

if [ -f "$flights" ]; then
    # 20,000 rows are over in a millisecond: twenty times the same give a steadier figure.
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do cat "$flights"; done \
        > $out/flights.ndjson
    rates flights $out/flights.ndjson
else
    echo "flights left out: no $flights"
fi
if [ -f "$nexgen" ]; then
    gcc -O2 -o $out/nexgen "$nexgen" -lm
    $out/nexgen --events "$events" --only bid > $out/bids.ndjson
    rates bids $out/bids.ndjson
    $out/json_decode bids-count $out/bids.ndjson
else
    echo "nexmark bids left out: no $nexgen"
fi
