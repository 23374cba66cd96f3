#!/usr/bin/env bash
# the shell in a pseudo-terminal, its screen read as a person would see it
#
# N rounds (default 1). WRITE=FILE also writes the transcript.
set -u
cd "$(dirname "$0")/../.." || exit 1
make -s build/release/weir || { echo "FAILED to build"; exit 1; }
for round in $(seq "${N:-1}"); do
    python3 tests/prove/shell.py build/release/weir ${WRITE:+"$WRITE"} || exit 1
done
echo PROVED
