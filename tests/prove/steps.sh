#!/usr/bin/env bash
# random statements over all types and functions give the same bytes for any cut into steps
#
# N cases (default 2,000) in steps of 1, 7 and 1,024 records, by the release build and by the one
# with ASan, UBSan and shrunken limits: all the same, and no crash.
set -u
cd "$(dirname "$0")/../.." || exit 1
make -s -j"$(nproc)" build/release/weir && make -s -j"$(nproc)" MODE=hostile build/hostile/weir ||
    { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/steps.py "${N:-2000}" "${SEED:-1}" build/release/weir build/hostile/weir
