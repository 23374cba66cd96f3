#!/usr/bin/env bash
# check.sh - what `make check` runs, one step after the other; ends with the sum of all tests.
#
# Steps: both compilers without warnings, tidy, unit and SQL tests under release, ASan+UBSan and
# hostile limits, the examples, the demo, seeds of the fuzzers, short forms of all proofs,
# and (where ../shared is there) the conformance cases with floors that only rise (tests/floors.txt).
set -u
cd "$(dirname "$0")/.."
log=build/check.log
mkdir -p build
: > "$log"
passed=0 failed=0 skipped=0
jobs=$(nproc)

# step NAME COMMAND...: counts "N passed, N failed[, N skipped]" lines of its output, or itself.
step() {
    local name=$1 begin=$SECONDS out status p f s
    shift
    out=$("$@" 2>&1)
    status=$?
    printf '== %s\n%s\n' "$name" "$out" >> "$log"
    read -r p f s < <(printf '%s\n' "$out" |
        sed -n 's/^\([a-z]*: \)\{0,1\}\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)\{0,1\}$/\2 \3 \5/p' |
        awk '{p += $1; f += $2; s += $3; n++} END {if (n) print p, f, s}')
    if [ -z "${p:-}" ]; then
        p=$((status == 0)) f=$((status != 0)) s=0
    elif [ "$status" != 0 ] && [ "$f" = 0 ]; then
        f=1
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
    if [ "$status" = 0 ] && [ "$f" = 0 ]; then
        printf 'ok    %-34s %4d s\n' "$name" $((SECONDS - begin))
    else
        printf 'FAIL  %-34s %4d s\n' "$name" $((SECONDS - begin))
        printf '%s\n' "$out" | tail -n 40
    fi
}

proof() {
    local out
    out=$(N=$2 SEED=1 bash "tests/prove/$1.sh" 2>&1)
    printf '%s\n' "$out"
    [ "$(printf '%s\n' "$out" | tail -n 1)" = PROVED ]
}

fuzz_seeds() {
    make -s MODE=debug "build/debug/tests/fuzz/fuzz_$1" &&
        "build/debug/tests/fuzz/fuzz_$1" "tests/fuzz/$1" </dev/null
}

# conformance SUITE FLOORS
conformance() {
    local cases=../shared/conformance
    build/release/weir test --cases "$cases/$1.ndjson" > "build/conformance_$1.ndjson" || return 1
    # shellcheck disable=SC2046
    $cases/judge "$cases/$1.ndjson" "build/conformance_$1.ndjson" $(grep -v '^#' "tests/$2") |
        tail -n 1
    return "${PIPESTATUS[0]}"
}

# Lookups and push queries in steps of 1 and 7 records: the same bytes.
conformance_steps() {
    local cases=../shared/conformance n
    for n in 1 7; do
        build/release/weir test --cases "$cases/rest.ndjson" --steps $n |
            cmp - build/conformance_rest.ndjson || return 1
    done
}

# Every statement of the cases: text to tree to text gives the same tree.
roundtrip() {
    make -s build/release/tests/tools/parse_roundtrip || return 1
    build/release/tests/tools/parse_roundtrip ../shared/conformance/query.ndjson \
        ../shared/conformance/rest.ndjson
}

step "build, gcc release" make -s -j"$jobs" all
step "build, clang" make -s -j"$jobs" CC=clang BUILD=build/clang CFLAGS=-O1 lib
step "tidy" make -s tidy
step "unit tests, release" make -s -j"$jobs" unit
step "SQL tests, release" make -s sql
step "build, ASan+UBSan" make -s -j"$jobs" MODE=debug all
step "unit tests, ASan+UBSan" make -s -j"$jobs" MODE=debug unit
step "SQL tests, ASan+UBSan" make -s MODE=debug sql
step "build, hostile limits" make -s -j"$jobs" MODE=hostile all
step "unit tests, hostile limits" make -s -j"$jobs" MODE=hostile unit
step "SQL tests, hostile limits" make -s MODE=hostile sql
step "command line" make -s cli-test
step "command line, ASan+UBSan" make -s MODE=debug cli-test
step "over a real Kafka" make -s -k -O -j"$jobs" kafka-test
step "examples" make -s examples
step "examples, ASan+UBSan" make -s MODE=debug examples
step "embedding example" make -s run-embed
step "demo" make -s demo
for target in tests/fuzz/fuzz_*.c; do
    name=${target##*/fuzz_} name=${name%.c}
    step "seeds of fuzz-$name, ASan+UBSan" fuzz_seeds "$name"
done
while read -r name n; do
    step "proof: $name" proof "$name" "$n"
done < tests/prove/short.txt
if [ -d ../shared/conformance ]; then
    step "statements parse, print, parse" roundtrip
    step "conformance, queries" conformance query floors.txt
    step "conformance, lookups" conformance rest floors_pull.txt
    step "conformance, push queries" conformance rest floors_push.txt
    step "conformance, steps of 1 and 7" conformance_steps
else
    skipped=$((skipped + 5))
    echo "skip  conformance (no cases here)"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
