#!/bin/sh
# Compares our dates with Java's own implementation on fresh random cases.
#
# Usage: scripts/test-java.sh [CASES [SEED]]     (200000 cases, seed from the clock)
#        scripts/test-java.sh --golden           rewrites the committed cases
#
# Needs a Java runtime of version 17 or later that can run a source file. The seed is printed: a difference is found
# again by giving it. Exit code 1: an unexplained difference; 2: no Java.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program="$root/crates/core/tests/java/Dates.java"
command -v java >/dev/null 2>&1 || { echo "test-java: no java found; install a JDK of version 17 or later" >&2; exit 2; }

if [ "${1:-}" = "--golden" ]; then
    # The seed and the size are fixed, so that the file only changes when the program does.
    java "$program" 1 25000 >"$root/crates/core/tests/golden/dates-java.tsv"
    exit 0
fi

cases=${1:-200000}
seed=${2:-$(date +%s)}
file=$(mktemp "${TMPDIR:-/tmp}/java-dates.XXXXXX")
trap 'rm -f "$file"' EXIT
trap 'exit 130' INT TERM

echo "test-java: $cases cases, seed $seed"
java "$program" "$seed" "$cases" >"$file"
cd "$root"
TURNSTONE_JAVA_CASES="$file" TURNSTONE_JAVA_LEAST="$cases" \
    cargo test --quiet -p turnstone-core --test it dates::java_agrees_on_fresh_cases -- --exact --nocapture
