#!/bin/bash
# journal, checkpoint, recovery: nothing acknowledged is lost, on a disk that forgets and tears
#
# N crashes (default 200,000) from SEED on; then the same with each of five seeded bugs, which must
# be found. The storage is built here, with shrunken limits, so that rare paths are common.
set -u
cd "$(dirname "$0")/../.." || exit 1
N=${N:-200000} SEED=${SEED:-1} CC=${CC:-gcc}
out=build/prove-journal
bugs=("none" "a running checkpoint draws an epoch" "acknowledged before sync"
      "chain not checked" "file recycled too early" "removed keys forgotten")
sources=(base/*.c storage/*.c tests/tools/prove_journal.c)

# compile_one BUG FILE: its object, or nothing when the file does not know of bugs.
compile_one() {
    [ "$1" = 0 ] || grep -q seeded_bug_impl.h "$2" || return 0
    $CC -std=c11 -O2 -g -fno-strict-aliasing -I. -D_GNU_SOURCE -DHOSTILE_LIMITS \
        -DSEEDED_BUG="$1" -c "$2" -o "$out/$1-$(echo "$2" | tr / -).o"
}
export -f compile_one
export CC out

link() { # BUG
    local objects=() file
    for file in "${sources[@]}"; do
        file=$(echo "$file" | tr / -).o
        if [ -e "$out/$1-$file" ]; then objects+=("$out/$1-$file")
        else objects+=("$out/0-$file"); fi
    done
    ar rcs "$out/$1.a" "${objects[@]}" && # only what is used is linked
        $CC -o "$out/prove_journal$1" -Wl,--undefined=main "$out/$1.a" -lpthread -lm
}

rm -rf $out && mkdir -p $out
for bug in 0 1 2 3 4 5; do
    printf '%s\n' "${sources[@]}" |
        xargs -P "$(nproc)" -I{} bash -c "compile_one $bug {}" || { echo "FAILED build"; exit 1; }
    link $bug || { echo "FAILED build"; exit 1; }
done

echo "as it is, $N crashes:"
if ! $out/prove_journal0 "$N" "$SEED"; then
    echo "FAILED a run above broke a promise (again: $out/prove_journal0 --run NUMBER)"
    exit 1
fi
for bug in 1 2 3 4 5; do
    echo "with a bug: ${bugs[$bug]}"
    if $out/prove_journal$bug $((N > 400000 ? N : 400000)) "$SEED" >$out/bug.txt 2>&1; then
        cat $out/bug.txt
        echo "FAILED the bug was not found: ${bugs[$bug]}"
        exit 1
    fi
    head -n 1 $out/bug.txt
    echo "  found after $(sed -n 's/.*opens [0-9]*, crashes \([0-9]*\).*/\1/p' $out/bug.txt) crashes"
done
echo PROVED
