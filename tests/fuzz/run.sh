#!/bin/sh
# Fuzzes the C core with libFuzzer, under the address and undefined-behaviour sanitisers.
#
#   run.sh [-k] [SECONDS] [TARGET...]
#
# TARGET is the name of a driver here without .c; none stands for every fuzz_*.c. Each runs for SECONDS (600 if not given).
# It begins with corpus/TARGET and, where there is one, the dictionary TARGET.dict. -k keeps what was found: the corpus is
# then the smallest set of inputs that covers what all of them did. An input that breaks the core is left in build/fuzz, and
# the run ends with 1. Needs clang and its libFuzzer.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
core=$root/edged/core
build=$root/build/fuzz
clang=${CLANG:-clang}
longest=1024 # bytes of an input: more only costs time

keep=
if [ "${1:-}" = -k ]; then
    keep=yes
    shift
fi
seconds=${1:-600}
[ $# -eq 0 ] || shift
case $seconds in
*[!0-9]* | '')
    echo "run.sh: not a number of seconds: $seconds" >&2
    exit 2
    ;;
esac

build_target() {
    "$clang" -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I"$core" \
        "$here/$1.c" "$core"/edc_*.c -lm -o "$build/$1"
}

# What a target finds goes into a folder of its own: the committed corpus changes with -k alone. A limit of 0 seconds
# would stand for none at all, so there the corpus is run once.
fuzz() {
    mkdir -p "$build/found/$1" "$here/corpus/$1"
    dictionary=
    [ -e "$here/$1.dict" ] && dictionary=-dict=$here/$1.dict
    limit=-max_total_time=$seconds
    [ "$seconds" -gt 0 ] || limit=-runs=0
    status=0
    "$build/$1" "$limit" "-max_len=$longest" -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
        "-artifact_prefix=$build/$1-" ${dictionary:+"$dictionary"} "$build/found/$1" "$here/corpus/$1" \
        >"$build/$1.log" 2>&1 || status=$?
    grep -E '#[0-9]+.*(INITED|DONE)|stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)' "$build/$1.log" |
        sed "s/^/$1: /" || true
    if [ "$status" -ne 0 ]; then
        tail -n 40 "$build/$1.log" >&2
        echo "run.sh: $1 failed; the input is named above, the whole log is $build/$1.log" >&2
        exit 1
    fi
}

keep_found() {
    rm -rf "$build/merged-$1"
    mkdir -p "$build/merged-$1"
    "$build/$1" -merge=1 "-max_len=$longest" "$build/merged-$1" "$here/corpus/$1" "$build/found/$1" >"$build/$1.log" 2>&1 ||
        { tail -n 20 "$build/$1.log" >&2; exit 1; }
    rm -rf "$here/corpus/$1"
    mv "$build/merged-$1" "$here/corpus/$1"
    echo "$1: kept $(find "$here/corpus/$1" -type f | wc -l) inputs, $(cat "$here/corpus/$1"/* | wc -c) bytes"
}

mkdir -p "$build"
if ! printf 'int LLVMFuzzerTestOneInput(void);\nint LLVMFuzzerTestOneInput(void) { return 0; }\n' |
    "$clang" -x c -fsanitize=fuzzer,address - -o "$build/probe" 2>/dev/null; then
    echo "run.sh: $clang cannot build a libFuzzer program; Debian has both in the packages clang and libclang-rt-14-dev" >&2
    exit 3
fi
if [ $# -eq 0 ]; then
    for driver in "$here"/fuzz_*.c; do
        set -- "$@" "$(basename "$driver" .c)"
    done
fi
for target in "$@"; do
    [ -e "$here/$target.c" ] || { echo "run.sh: no such target: $target" >&2; exit 2; }
    build_target "$target"
    echo "$target: fuzzing for $seconds s; progress is in $build/$target.log"
    fuzz "$target"
    [ -z "$keep" ] || keep_found "$target"
done
