#!/usr/bin/env bash
# cases killed (kill -9) at a random record or write, and gone on with: the same verdicts
#
# Our own cases (tests/prove/restart.ndjson) 20 times each, then N (default 200) drawn by SEED of
# the conformance cases, where ../shared is there. Each case runs undisturbed, and in a folder in a
# process that is killed in its middle, which another engine goes on with.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=${N:-200} seed=${SEED:-1} cases=../shared/conformance work=build/prove-restart
make -s all || { echo "FAILED to build"; exit 1; }
rm -rf "$work"
mkdir -p "$work"

# compare FILE SAMPLE SEED: results byte for byte, or else the judge's verdicts.
compare() {
    build/release/weir test --cases "$1" --sample "$2" --seed "$3" > "$work/whole" || return 1
    build/release/weir test --cases "$1" --sample "$2" --seed "$3" --restart "$work/data" \
        > "$work/killed" || return 1
    cmp -s "$work/whole" "$work/killed" && return 0
    if [ "$1" != "$work/cases" ]; then
        diff "$work/whole" "$work/killed" | cut -c 1-300 | head -n 6
        return 1
    fi
    for result in whole killed; do
        $cases/judge "$1" "$work/$result" --failing | grep -v ': no result$' > "$work/$result.judged"
    done
    diff "$work/whole.judged" "$work/killed.judged" | head -n 10
    cmp -s "$work/whole.judged" "$work/killed.judged"
}

rounds=$((n < 200 ? n / 10 : 20))
for round in $(seq 1 "$rounds"); do
    compare tests/prove/restart.ndjson 1000 $((seed * 1000 + round)) ||
        { echo "own cases, seed $((seed * 1000 + round)): another result"; exit 1; }
done
echo "own cases: $(wc -l < tests/prove/restart.ndjson), each killed $rounds times"
if [ -d $cases ]; then
    cat $cases/query.ndjson $cases/rest.ndjson > "$work/cases"
    compare "$work/cases" "$n" "$seed" || { echo "conformance cases: another verdict"; exit 1; }
    echo "conformance cases: $(wc -l < "$work/killed"), each killed once"
else
    echo "conformance cases: none here (no ../shared)"
fi
echo PROVED
