#!/usr/bin/env bash
# the protocol over Kafka by Spin: no fault breaks it, and without any one of its rules some do
#
# N (default 3) is how many faults may hit it. tests/models/README.md tells of the model.
set -u
cd "$(dirname "$0")/../.." || exit 1
faults=${N:-3} work=$PWD/build/prove-model model=$PWD/tests/models/kafka_slot.pml
command -v spin > /dev/null || { echo "FAILED: Spin is missing (make deps-check)"; exit 1; }
mkdir -p "$work"

# verify NAME SWITCH...: prints what Spin says; its status: no error found.
verify() {
    mkdir -p "$work/$1" && cd "$work/$1" || exit 1
    rm -f ./*.trail
    shift
    { spin -a "$@" "$model" && "${CC:-gcc}" -w -O2 -DSAFETY -DCOLLAPSE -o pan pan.c &&
        ./pan -m1000000 -E; } > out 2>&1
    grep -q 'errors: 0$' out && ! grep -q 'search not completed' out
}
states() { sed -n 's/^ *\([0-9.e+]*\) states, stored$/\1/p' "$work/$1/out"; }

for records in 2 3; do
    begin=$SECONDS
    (verify whole -DN=$records -DFAULTS="$faults") ||
        { tail -n 40 "$work/whole/out"; echo "FAILED: $records records, $faults faults"; exit 1; }
    echo "$records records, $faults faults: $(states whole) states, no error," \
         "$((SECONDS - begin)) s"
    faults=$((faults > 2 ? 2 : faults))
done

missed=0 count=0
for rule in $(sed -n '/^ \* Each rule/,/^ \*\//s/^ \*   \([A-Z_]*\) .*/\1/p' "$model") RESEND; do
    count=$((count + 1))
    if (verify rule -D"$rule" -DN=2 -DFAULTS=1); then
        echo "$rule: no error found, and there ought to be one"
        missed=1
    elif ! grep -q '^pan:1: ' "$work/rule/out"; then
        tail -n 5 "$work/rule/out"
        echo "$rule: not verified"
        missed=1
    else
        printf '%-17s broken: %s\n' "$rule" "$(sed -n 's/^pan:1: //p' "$work/rule/out")"
    fi
done
[ "$count" -gt 10 ] && [ "$missed" = 0 ] || { echo "FAILED: $count rules"; exit 1; }
echo PROVED
