#!/bin/bash
# state shapes against models: changes, commits, undos of one epoch or two, expiry, restarts
#
# N turns (default 1,000,000) for each shape of tests/tools/prove_shapes.c, from SEED on; the first
# tenth under ASan and UBSan.
set -u
cd "$(dirname "$0")/../.." || exit 1
N=${N:-1000000} SEED=${SEED:-1}
make -s build/debug/tests/tools/prove_shapes MODE=debug &&
    make -s build/release/tests/tools/prove_shapes || { echo "FAILED build"; exit 1; }
echo "with sanitizers:"
build/debug/tests/tools/prove_shapes $((N / 10)) "$SEED" | grep -v '^PROVED$'
[ "${PIPESTATUS[0]}" = 0 ] || { echo "FAILED under the sanitizers"; exit 1; }
echo "as released:"
build/release/tests/tools/prove_shapes "$N" $((SEED + 1)) || exit 1
