#!/bin/sh
# Writes requirements.lock from pyproject.toml: what builds, what runs, what tests and checks, what is measured against, each
# with every hash, for every Python from 3.11 and both architectures. Pins that still fit stay; UPGRADE=1 takes the newest.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -q --disable-pip-version-check uv

# What xgrammar asks for and edged bench does without: a gigabyte, and nothing of it masks tokens. No platform takes it.
for name in torch transformers triton; do
    printf '%s; sys_platform == "none"\n' "$name"
done >"$work/left-out"

resolve() { # $1: output, the rest: which of pyproject.toml's lists
    output=$1
    shift
    "$work/venv/bin/uv" pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --overrides "$work/left-out" ${UPGRADE:+--upgrade} -o "$output" "$@" >/dev/null
}

# The entries of the second file that are not in the first, less those that no platform takes.
subtract() {
    awk 'FNR == NR { if (/^[a-z]/) known[$1] = 1; next } /^[a-z]/ { on = !($1 in known) && !/sys_platform == .none./ } on' "$1" "$2"
}

if [ -f requirements.lock ]; then
    grep -v '^#' requirements.lock >"$work/all"
fi
resolve "$work/all" --extra dev --extra bench --group build pyproject.toml
unset UPGRADE
for part in build run dev; do
    cp "$work/all" "$work/$part"
done
resolve "$work/build" --group build
resolve "$work/run" pyproject.toml
resolve "$work/dev" --extra dev --group build pyproject.toml
{
    printf '# Made by "make lock" from pyproject.toml; do not edit.\n'
    printf '# == build\n'
    cat "$work/build"
    printf '# == run\n'
    subtract "$work/build" "$work/run"
    printf '# == dev\n'
    cat "$work/build" "$work/run" >"$work/known"
    subtract "$work/known" "$work/dev"
    printf '# == bench\n'
    cat "$work/dev" >>"$work/known"
    subtract "$work/known" "$work/all"
} >requirements.lock.new
mv requirements.lock.new requirements.lock
printf 'requirements.lock: %s packages\n' "$(grep -c '^[a-z]' requirements.lock)"
