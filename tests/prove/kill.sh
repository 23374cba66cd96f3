#!/usr/bin/env bash
# kill -9 under load: acknowledged rows are there once, results as in an undisturbed run
set -u
cd "$(dirname "$0")/../.."
make -s build/release/tests/tools/prove_kill || { echo "FAILED to build"; exit 1; }
exec build/release/tests/tools/prove_kill "${N:-200}" "${SEED:-1}" build/prove-kill
