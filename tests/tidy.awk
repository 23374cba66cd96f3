# tidy.awk - the style rules that a machine can check. Run by `make tidy`.
#   every file opens with a comment that begins with its own name
#   no line over 100 columns, no tab, no trailing blank
#   no file over 800 lines, no function over 70; exceptions say so: "tidy: long - reason"
#   no function with more than 6 parameters, no label but `done`
#   no call that hides a size, a failure or the outside world
#   assertions per function, by folder, not under tests/asserts.txt
function fail(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad = 1 }
function folder(path) { sub(/\/.*/, "", path); return path }
function check_asserts(   line, words, density) {
    while ((getline line < "tests/asserts.txt") > 0) {
        if (line ~ /^#/ || split(line, words, " ") < 2) continue
        if (functions[words[1]] == 0) continue
        density = asserts[words[1]] / functions[words[1]]
        if (density >= words[2]) continue
        printf "%s/: %.2f assertions per function, tests/asserts.txt wants %s\n", words[1],
               density, words[2]
        bad = 1
    }
}
function finish_file() {
    if (previous != "" && lines > 800 && !file_long) {
        printf "%s: %d lines, the wall is 800\n", previous, lines; bad = 1
    }
}
FNR == 1 {
    finish_file()
    previous = FILENAME; file_long = 0; gsub(/.*\//, "", name)
    name = FILENAME; sub(/.*\//, "", name); start = 0; long_ok = 0; header = ""
    if ($0 !~ /^\/\*/) fail("a file starts with a comment: what it is for")
    head = $0
}
{ lines = FNR }
FNR <= 2 && index($0, name " - ") { named[FILENAME] = 1 }
FNR == 3 && !(FILENAME in named) { fail("the first comment begins: " name " - ...") }
length($0) > 100 { fail("line over 100 columns") }
/\t/ { fail("tab") }
/[ \t]$/ { fail("trailing blank") }
/TODO|FIXME|XXX[^_H3]/ { fail("no unfinished business in the code: an issue, or done") }
/tidy: long/ { long_ok = 1; if (FNR < 40) file_long = 1 }
/^ \*/ { next } # prose may name what code may not call
/^[A-Za-z].*\(/ { header = $0; params = 0 }
header != "" && header != $0 { header = header $0 }
header != "" && /[;{]$/ {
    if (header ~ /^[A-Za-z_][A-Za-z0-9_ \*]*\([^()]*\) *[;{]$/ && gsub(/,/, ",", header) > 5)
        fail("more than 6 parameters: use an options struct")
    header = ""
}
/^[A-Za-z].*\) \{$/ || /^ .*[a-zA-Z_]\) \{$/ && !start && FNR > 1 && prior ~ /^[A-Za-z].*,$/ {
    start = FNR
    if (FILENAME ~ /\.c$/) functions[folder(FILENAME)]++
}
FILENAME ~ /\.c$/ && /(^|[^_a-z])assert\(/ { asserts[folder(FILENAME)]++ }
{ prior = $0 }
/^}/ {
    if (start && FNR - start + 1 > 70 && !long_ok) fail("function over 70 lines")
    start = 0; long_ok = 0
}
/^ *[a-z_]+:$/ && !/^ *(done|default):$/ { fail("no label but `done`") }
/[^a-z_](strcpy|strcat|sprintf|gets|atoi|alloca)\(/ { fail("banned: hides a size or a failure") }
FILENAME !~ /^(base|tests|examples)\// && /[^a-z_.>](malloc|calloc|realloc|free)\(/ {
    fail("memory comes from an arena or base/mem.h")
}
FILENAME !~ /^(base\/io_|base\/thread|tests\/|examples\/)/ &&
    /[^a-z_.>](fopen|clock_gettime|gettimeofday|time|rand|random)\(/ {
    fail("the outside world is reached through base/io.h")
}
END { finish_file(); check_asserts(); exit bad }
