#!/bin/sh
# Builds and runs the tests of the C core.
#
#   run.sh [plain|sanitized|analyze|asan-extension|all] [BUILD_FOLDER]
#
# plain           the C tests, every warning an error
# sanitized       the same under the address, leak and undefined-behaviour sanitisers
# analyze         gcc's static analyser over the core
# asan-extension  the Python module built with the sanitisers, in a folder of its own, and the Python tests of the core
#                 on it. Python itself is not built with them, so their library is preloaded; leaks are not looked for,
#                 as the interpreter keeps memory on purpose. PYTHON names the interpreter, python3 if not set.
# all             the first three (what `make check` runs)
#
# CC (default gcc) may name a cross compiler, and RUNNER what runs its programs, such as qemu-aarch64.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
core=$root/edged/core
cc=${CC:-gcc}
variant=${1:-all}
build=${2:-}
if [ -z "$build" ]; then
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
fi

strict="-std=c11 -Wall -Wextra -Wconversion -Wshadow -Werror"
sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
wraps="-Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc"

# $1 names the program, the rest are flags. They are lists of words on purpose, here and below.
build_and_run() {
    name=$1
    shift
    # shellcheck disable=SC2086
    "$cc" $strict "$@" -g -I"$core" "$here"/*.c "$core"/edc_*.c $wraps -o "$build/$name" -lm
    ${RUNNER:-} "$build/$name"
}

plain() { build_and_run plain -O2; }

# shellcheck disable=SC2086
sanitized() { build_and_run sanitized -O1 $sanitizers; }

analyze() {
    for unit in "$core"/edc_*.c; do
        # shellcheck disable=SC2086
        "$cc" $strict -O2 -fanalyzer -I"$core" -c "$unit" -o "$build/analyzed.o"
    done
}

asan_extension() {
    python=${PYTHON:-python3}
    mkdir -p "$build/edged"
    cp "$root"/edged/__init__.py "$root"/edged/errors.py "$build/edged/"
    cp -R "$core" "$build/edged/core"
    rm -f "$build"/edged/core/_core.*.so
    mkdir -p "$build/tests/unit"
    cp "$root"/tests/__init__.py "$build/tests/"
    cp "$root"/tests/unit/__init__.py "$build/tests/unit/"
    cp -R "$root/tests/property" "$root/tests/unit/core" "$build/tests/"
    CC=$cc CFLAGS="$sanitizers -g" LDFLAGS="$sanitizers" "$python" "$build/edged/core/build.py"
    cd "$build"
    LD_PRELOAD="$("$cc" -print-file-name=libasan.so) $("$cc" -print-file-name=libubsan.so)" \
        ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=$build "$python" -m pytest -q -p no:cacheprovider --rootdir "$build" \
        tests/core/test_core.py tests/core/test_expression.py tests/property/test_core_oracle.py
}

case $variant in
plain) plain ;;
sanitized) sanitized ;;
analyze) analyze ;;
asan-extension) asan_extension ;;
all)
    plain
    sanitized
    analyze
    ;;
*)
    echo "run.sh: no such variant: $variant" >&2
    exit 2
    ;;
esac
