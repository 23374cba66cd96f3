#!/bin/sh
# deps.sh PACKAGE... - installs what is missing of these Debian packages, or says what to install.
missing=
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Weir needs these packages (Debian's names):$missing" >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "Missing packages:$missing. Run: sudo make deps" >&2
    exit 1
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
