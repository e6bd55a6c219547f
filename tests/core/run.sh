#!/bin/sh
# Builds and runs the tests of the C core, and checks what the compiler made of it.
#
#   run.sh [VARIANT] [BUILD_FOLDER]
#
# plain           the C tests, every warning an error
# sanitized       the same under the address, leak and undefined-behaviour sanitisers
# analyze         gcc's static analyser over the core
# sizes           no unit of the core has more than 400 lines
# vectors         the loops over all logits are vector code, as built here
# corpora         every fuzz target over its committed inputs, under the sanitisers; fuzzing itself is tests/fuzz/run.sh
# aarch64         the C tests and `vectors` as built for the Raspberry Pi 4 and 5, and the C tests under the sanitisers,
#                 run by qemu. Leaks are not looked for there: the leak sanitiser does not work under qemu.
# count           instructions of the hot calls, counted by valgrind, against tests/core/callgrind/instructions.json
# baseline        the same, and the counts become the new instructions.json
# asan-extension  the Python module built with the sanitisers, in a folder of its own, and the Python tests of the core
#                 on it. Python itself is not built with them, so their library is preloaded; leaks are not looked for,
#                 as the interpreter keeps memory on purpose. PYTHON names the interpreter, python3 if not set.
# all             all but the last two (what `make check` runs); what lacks its packages is left out, in one line
#
# CC (default gcc) may name another compiler, and RUNNER what runs its programs.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
core=$root/edged/core
cc=${CC:-gcc}
python=${PYTHON:-python3}
variant=${1:-all}
build=${2:-}
if [ -z "$build" ]; then
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
fi

strict="-std=c11 -Wall -Wextra -Wconversion -Wshadow -Werror"
sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
wraps="-Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc"
most_lines=400

fail() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# The flags that the extension is built with: what they make of the code is what counts.
release_flags() {
    flags=$(sed -n 's/^ *extra_compile_args=\[\(.*\)\],$/\1/p' "$core/build.py" | tr -d '",')
    [ -n "$flags" ] || fail "found no extra_compile_args in build.py"
    printf '%s\n' "$flags"
}

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

sizes() {
    for unit in "$core"/ed*.[ch]; do
        [ "$(wc -l <"$unit")" -le "$most_lines" ] || fail "$unit has more than $most_lines lines"
    done
}

# $1 disassembly, $2 function, $3 what its loop must hold: an operation on a whole vector register.
insist_on() {
    awk -v name="<$2>:" '/^[0-9a-f]+ </ { on = $2 == name } on' "$1" >"$build/function.s"
    [ -s "$build/function.s" ] || fail "no function $2 in edc_pick.c any more; see insist_on in run.sh"
    n=$(grep -Ec "$3" "$build/function.s" || true)
    printf 'vectors (%s): %s of %s are on whole vectors\n' "$machine" "$n" "$2"
    [ "$n" -gt 0 ] || fail "$2 is not vectorised any more by $cc for $machine"
}

# Functions are kept apart, so that a vectorised loop of one is not taken for that of another. Outside of the two loops
# there are vector moves only, no comparison and no product.
# $@: flags that choose the processor.
vectors() {
    machine=$("$cc" -dumpmachine)${1:+ $1}
    apart="-fno-inline-functions -fno-inline-functions-called-once -fno-inline-small-functions -fno-partial-inlining"
    # shellcheck disable=SC2046,SC2086
    "$cc" $(release_flags) $apart "$@" -I"$core" -c "$core/edc_pick.c" -o "$build/pick.o"
    case $cc in
    *-gcc) objdump=${cc%gcc}objdump ;;
    *) objdump=objdump ;;
    esac
    "$objdump" -d --no-show-raw-insn "$build/pick.o" >"$build/pick.s"
    case $machine in
    aarch64*)
        insist_on "$build/pick.s" highest_of '(fcmgt|fcmge|fmax(nm)?)[[:space:]]+v[0-9]+\.4s'
        insist_on "$build/pick.s" sum_block '(fmul|fmla)[[:space:]]+v[0-9]+\.4s'
        ;;
    x86_64*)
        insist_on "$build/pick.s" highest_of '(max|cmp[a-z]*)ps[[:space:]]'
        insist_on "$build/pick.s" sum_block '(mul|fmadd[0-9]*)ps[[:space:]]'
        ;;
    *) echo "run.sh: vectors left out: it does not know the vector operations of $machine" ;;
    esac
}

corpora() {
    for target in "$root"/tests/fuzz/fuzz_*.c; do
        name=$(basename "$target" .c)
        [ -d "$root/tests/fuzz/corpus/$name" ] || continue
        # shellcheck disable=SC2086
        "$cc" $strict -O1 -g $sanitizers -I"$core" "$target" "$root/tests/fuzz/replay.c" "$core"/edc_*.c \
            -o "$build/$name" -lm
        printf '%s: ' "$name"
        find "$root/tests/fuzz/corpus/$name" -type f -exec "$build/$name" {} +
    done
}

# Debian's packages that a variant wants and that are missing.
wanted() {
    case $1 in
    aarch64)
        has aarch64-linux-gnu-gcc || printf 'gcc-aarch64-linux-gnu '
        [ -e /usr/aarch64-linux-gnu/include/stdlib.h ] || printf 'libc6-dev-arm64-cross '
        has qemu-aarch64 || printf 'qemu-user '
        ;;
    count | baseline) has valgrind || printf 'valgrind ' ;;
    esac
}

aarch64() {
    cc=aarch64-linux-gnu-gcc
    for cpu in cortex-a72 cortex-a76; do
        emulated=$cpu
        qemu-aarch64 -cpu help | grep -qw "$cpu" || emulated=max
        RUNNER="qemu-aarch64 -cpu $emulated -L /usr/aarch64-linux-gnu"
        vectors "-mcpu=$cpu"
        # shellcheck disable=SC2046
        build_and_run "$cpu" $(release_flags) "-mcpu=$cpu"
    done
    # shellcheck disable=SC2086
    ASAN_OPTIONS=detect_leaks=0 build_and_run "$cpu-sanitized" -O1 $sanitizers "-mcpu=$cpu"
}

baseline() { count --write; }

# $@: options of count.py
count() {
    # shellcheck disable=SC2046
    "$python" "$here/callgrind/count.py" "$@" "$cc" "$build" $(release_flags)
}

# Runs a variant, or says in one line what it lacks.
if_possible() {
    missing=$(wanted "$1")
    if [ "$1" = aarch64 ] && [ "$(uname -m)" = aarch64 ]; then
        echo "run.sh: aarch64 left out: this machine is one, and plain and vectors have run on it"
    elif [ -n "$missing" ]; then
        echo "run.sh: $1 left out: it wants the packages $missing"
    else
        ("$1")
    fi
}

asan_extension() {
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
        tests/core/test_core.py tests/core/test_expression.py tests/core/test_vocab_file.py \
        tests/property/test_core_oracle.py
}

case $variant in
plain | sanitized | analyze | sizes | vectors | corpora) "$variant" ;;
aarch64 | count | baseline)
    missing=$(wanted "$variant")
    if [ -n "$missing" ]; then
        echo "run.sh: $variant wants the packages $missing" >&2
        exit 3
    fi
    "$variant"
    ;;
asan-extension) asan_extension ;;
all)
    plain
    sanitized
    analyze
    sizes
    vectors
    corpora
    if_possible aarch64
    if_possible count
    ;;
*)
    echo "run.sh: no such variant: $variant" >&2
    exit 2
    ;;
esac
