#!/usr/bin/env bash
# doubles from text and to text, by every format and CAST, against python's repr in Java's layout
set -u
cd "$(dirname "$0")/../.." || exit 1
make -s build/release/weir || { echo "FAILED to build"; exit 1; }
exec python3 tests/prove/oracle_double.py build/release/weir "${N:-300000}" "${SEED:-1}"
