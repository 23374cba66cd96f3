# layers.awk - fails if a file includes a header its folder may not see (tests/layers.txt), or
# another folder's inside (a header named *_impl.h).
FILENAME ~ /layers\.txt$/ {
    if ($0 ~ /^#/ || NF == 0) next
    split($0, part, /[ \t]*:[ \t]*/); allowed[part[1]] = " " part[2] " "
    next
}
match($0, /^#include "[a-z]+\//) {
    split(FILENAME, path, "/"); from = path[1]
    split($0, quoted, "\""); header = quoted[2]; to = header; sub(/\/.*/, "", to)
    if (from == to || from == "tests") next
    if (header ~ /_impl\.h$/) {
        printf "%s:%d: %s is the inside of %s/\n", FILENAME, FNR, header, to; bad = 1; next
    }
    if (!(from in allowed)) next
    if (index(allowed[from], " " to " ") || index(allowed[from], " " header " ")) next
    printf "%s:%d: %s/ may not include %s\n", FILENAME, FNR, from, header; bad = 1
}
END { exit bad }
