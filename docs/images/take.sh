#!/bin/sh
# Takes the picture of the first page anew. Start `./run demo` first, and wait two minutes.
# Another address than the usual one may be given: docs/images/take.sh http://127.0.0.1:9090/
set -eu
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run \
    --user-data-dir="$profile" --window-size=960,1000 \
    --screenshot="$(dirname "$0")/now-page.png" "${1:-http://127.0.0.1:8080/}"
