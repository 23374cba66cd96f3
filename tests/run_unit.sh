#!/bin/sh
# run_unit.sh BINARY... - runs cmocka binaries; prints only failures and one closing line.
# A test that hangs (a failed assertion under a lock) is ended after two minutes, and fails.
passed=0 failed=0
for binary in "$@"; do
    out=$(timeout 120 "$binary" 2>&1) || { printf '%s\n' "$out" | grep -v '^\[ *\(RUN\|OK\)' ; }
    p=$(printf '%s\n' "$out" | sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' | tail -n 1)
    f=$(printf '%s\n' "$out" | sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' | tail -n 1)
    [ -n "$p$f" ] || { f=1; echo "$binary: ended without a result"; }
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0}))
done
echo "unit: $passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
