#!/usr/bin/env bash
# fuzz.sh NAME - libFuzzer on tests/fuzz/fuzz_NAME.c for T seconds (default 600)
#
# Starts from the seeds in tests/fuzz/NAME, from what earlier runs found (build/fuzz/corpus/NAME)
# and from texts of the other tests. Ends with "no finding, no new edge in the last N s". Set
# KEEP=1 to write the smallest set of inputs that reaches all edges back to tests/fuzz/NAME.
set -u
cd "$(dirname "$0")/../.." || exit 1
name=$1 seconds=${T:-600} folder=build/fuzz/corpus/$1 seeds=tests/fuzz/$1
target=build/fuzz/tests/fuzz/fuzz_$name found=build/fuzz/found-$name words=build/fuzz/$name.dict
make -s -j"$(nproc)" MODE=fuzz CC=clang "$target" >/dev/null || { echo "FAILED to build"; exit 1; }
mkdir -p "$folder" "$seeds" "$found"

# Words of the language, and of the format.
{
    case $name in
    sql) sed -n 's/^KEYWORD(\([A-Z_]*\),.*/"\1"/p' grammar/keyword.def
         sed -n 's/^UDF_SCALAR(\([A-Z0-9_]*\),.*/"\1("/p' udf/scalar.def | sort -u ;;
    esac
    printf '"%s"\n' '{' '}' '[' ']' ':' ',' '\"' '\\' '\\u0041' '\\ud83d' 'null' 'true' 'false' \
        '-' '.' 'e5' '1e400' '\x0a' '-9223372036854775808' '0.1' 'A' 'B' 'abc' 'D_1' 'X' 'a_b'
} > "$words"

# Statements of the SQL tests, a file each: what stands behind "sql" and its continuation lines.
if [ "$name" = sql ]; then
    awk 'FNR == 1 { text = "" }
         /^(sql|rows|fails)[ \t]/ { text = substr($0, 5) }
         /^[ \t]/ && text != "" { text = text "\n" $0 }
         text != "" && /;[ \t]*$/ { n++; print text > (dir "/test" n); close(dir "/test" n)
                                    text = "" }' dir="$folder" tests/sql/*.test
fi

options=(-timeout=20 -rss_limit_mb=3000 -dict="$words" -artifact_prefix="$found/"
         -print_final_stats=1 -max_len=$([ "$name" = sql ] && echo 2000 || echo 600))
log=build/fuzz/$name.log begin=$SECONDS edge_at=$SECONDS edges=0
"$target" "${options[@]}" -max_total_time="$seconds" "$folder" "$seeds" </dev/null 2>&1 |
    while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in
        *" cov: "*)
            now=${line#* cov: } now=${now%% *}
            if [ "$now" -gt "$edges" ]; then edges=$now edge_at=$SECONDS; fi ;;
        esac
        echo "$edges $((SECONDS - edge_at)) $((SECONDS - begin))" > "$log.edges"
    done > "$log"
read -r edges since ran < "$log.edges"
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
echo "fuzz-$name: ${runs:-?} inputs in $ran s, $edges edges, the last new one $since s before the end"
if grep -qE "^(==[0-9]*==|SUMMARY|.*(ERROR: |runtime error: |Assertion))" "$log"; then
    grep -nE "ERROR: |runtime error: |Assertion|SUMMARY|Test unit written" "$log" | head -n 10
    echo "FAILED a finding: $found"
    exit 1
fi
if [ "${KEEP:-}" = 1 ]; then
    rm -rf "$folder.kept" && mkdir "$folder.kept"
    "$target" -merge=1 -set_cover_merge=1 -use_counters=0 -timeout=20 -rss_limit_mb=3000 \
        "$folder.kept" "$folder" "$seeds" >/dev/null 2>&1 </dev/null
    rm -rf "$seeds" && mv "$folder.kept" "$seeds"
    echo "kept $(find "$seeds" -type f | wc -l) seeds of $(du -sb "$seeds" | cut -f1) bytes"
fi
echo "no finding, no new edge in the last $since s"
