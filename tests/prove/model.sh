#!/usr/bin/env bash
# the protocol over Kafka by Spin: no fault breaks it, and without any one of its rules some do
#
# N (default 3) is how many faults may hit it. tests/models/README.md tells of the model.
set -u
cd "$(dirname "$0")/../.." || exit 1
faults=${N:-3} work=$PWD/build/prove-model models=$PWD/tests/models
command -v spin > /dev/null || { echo "FAILED: Spin is missing (make deps-check)"; exit 1; }
mkdir -p "$work"

# verify MODEL NAME SWITCH...: its status: no error found.
verify() {
    local model=$models/$1.pml
    mkdir -p "$work/$2" && cd "$work/$2" || exit 1
    rm -f ./*.trail
    shift 2
    { spin -a "$@" "$model" && "${CC:-gcc}" -w ${optimize:--O2} -DSAFETY -DCOLLAPSE -o pan pan.c &&
        ./pan -m1000000 -E; } > out 2>&1
    grep -q 'errors: 0$' out && ! grep -q 'search not completed' out
}

# whole MODEL FAULTS SWITCH...
whole() {
    local begin=$SECONDS model=$1 faults=$2
    shift 2
    (verify "$model" whole "$@" -DFAULTS="$faults") ||
        { tail -n 40 "$work/whole/out"; echo "FAILED: $model $*, $faults faults"; exit 1; }
    echo "$model $*, $faults faults:" \
        "$(sed -n 's/^ *\([0-9.e+]*\) states, stored$/\1/p' "$work/whole/out") states, no error," \
        "$((SECONDS - begin)) s"
}

# without MODEL RULE: it must be broken.
without() {
    if (optimize=-O0; verify "$1" rule -D"$2" -DFAULTS="$3"); then
        echo "FAILED: $1 without $2: no error found, and there ought to be one"
        exit 1
    elif ! grep -q '^pan:1: ' "$work/rule/out"; then
        tail -n 5 "$work/rule/out"
        echo "FAILED: $1 without $2: not verified"
        exit 1
    fi
    printf '%s, %-17s broken: %s\n' "$1" "$2" "$(sed -n 's/^pan:1: //p' "$work/rule/out")"
}
rules() { sed -n '/^ \* Each rule/,/^ \*\//s/^ \*   \([A-Z_][A-Z_]*\) .*/\1/p' "$models/$1.pml"; }

whole kafka_slot "$faults" -DN=2
whole kafka_slot $((faults > 2 ? 2 : faults)) -DN=3
whole kafka_command $((faults > 2 ? 2 : faults))
for rule in $(rules kafka_slot) RESEND; do without kafka_slot "$rule" 1; done
for rule in $(rules kafka_command); do without kafka_command "$rule" 2; done
[ "$(rules kafka_slot | wc -l)" = 16 ] && [ "$(rules kafka_command | wc -l)" = 5 ] ||
    { echo "FAILED: rules are missing"; exit 1; }
echo PROVED
