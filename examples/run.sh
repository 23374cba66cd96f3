#!/bin/sh
# run.sh WEIR NAME - an example in an empty folder: its statements, then what Weir answers.
set -eu
weir=$1
name=$2
data=build/example-$name
if [ ! -f "examples/$name/1-make.sql" ]; then
    echo "There is no example '$name'. There are:" examples/*/1-make.sql |
        sed 's|examples/\([^/]*\)/1-make.sql|\1|g' >&2
    exit 1
fi
rm -rf "$data"
for file in "examples/$name"/[0-9]*.sql; do
    printf '\n== %s\n\n' "$file"
    cat "$file"
    echo
    "$weir" "$data" --format table -f "$file" 2>&1
done
printf '\nGo on yourself:  %s %s\n' "$weir" "$data"
