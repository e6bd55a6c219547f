#!/bin/sh
# Makes .venv: system packages, python packages by requirements.lock, llama.cpp for this CPU, edged itself.
#
#   scripts/setup.sh run      what edged needs to run
#   scripts/setup.sh dev      that, and what its tests and checks need
#   scripts/setup.sh bench    what edged needs to run, and what it is measured against
#
# Each step that is done leaves its key in .venv/edged-setup/ and is done again only when the key changes.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_USER PIP_REQUIRE_VIRTUALENV || true
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

level=${1:-run}
stamps=.venv/edged-setup
python=.venv/bin/python

say() { printf '%s\n' "$*"; }
fail() { printf 'edged: %s\n' "$*" >&2; exit 3; }
has() { command -v "$1" >/dev/null 2>&1; }
key_of() { sha256sum | cut -c1-24; }
is_done() { [ "$(cat "$stamps/$1" 2>/dev/null)" = "$2" ]; }
mark_done() { printf '%s\n' "$2" >"$stamps/$1"; }

# ---- system packages

# The first python that is new enough, or nothing.
find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if has "$candidate" && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

# Debian's packages that are missing, by what they bring.
list_missing() {
    name=python3
    if [ -n "$base_python" ]; then
        name=$(basename "$base_python")
        "$base_python" -c 'import ensurepip, venv' 2>/dev/null || printf '%s-venv ' "$name"
        "$base_python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' || printf '%s-dev ' "$name"
    else
        printf 'python3 python3-venv python3-dev '
    fi
    if ! has cc || ! has c++ || ! printf '#include <stdlib.h>\n' | cc -E - >/dev/null 2>&1; then
        printf 'build-essential '
    fi
    if [ "$level" != run ]; then
        PATH="$PATH:/usr/sbin" has mosquitto || printf 'mosquitto '
    fi
    if [ "$level" = dev ]; then
        has espeak-ng || printf 'espeak-ng '
    fi
}

# Prints how to become root ("" or "sudo"); false where this process may not.
find_root() {
    if [ "$(id -u)" = 0 ]; then
        return 0
    fi
    has sudo || return 1
    if sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ]; }; then
        printf 'sudo'
        return 0
    fi
    return 1
}

# Runs apt-get with its output in $log.
apt_install() {
    # RUNLEVEL=1 keeps Debian's start scripts from starting services where systemd does not run.
    { $root apt-get update -q && $root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -q -y --no-install-recommends "$@"; } </dev/null >"$log" 2>&1
}

# The tests start brokers of their own on free ports, so a Mosquitto that is installed for them must not take port 1883, now or
# after a reboot. It is left disabled; one that was installed before is not touched.
install_packages() {
    quiet_broker=
    case " $* " in *" mosquitto "*) quiet_broker=yes ;; esac
    if [ -n "$quiet_broker" ] && [ -d /run/systemd/system ]; then
        $root systemctl --quiet --runtime mask mosquitto.service
    fi
    status=0
    apt_install "$@" || status=$?
    if [ -n "$quiet_broker" ] && [ -d /run/systemd/system ]; then
        $root systemctl --quiet --runtime unmask mosquitto.service
        $root systemctl --quiet disable mosquitto.service || true
        say "system packages: the mosquitto service stays off; 'sudo systemctl enable --now mosquitto' makes it your broker"
    fi
    if [ "$status" != 0 ]; then
        tail -n 15 "$log" >&2
        fail "apt-get failed; the whole log is $log. When it is mended, run the same command again."
    fi
}

do_system_packages() {
    missing=$(list_missing)
    if [ -z "$missing" ]; then
        say "system packages: present"
        return
    fi
    command="apt-get update && sudo apt-get install -y --no-install-recommends $missing"
    has apt-get || fail "missing on this system: $missing(Debian's names). Install them, then run the same command again."
    if ! root=$(find_root); then
        fail "missing system packages. Install them, then run the same command again:
  sudo $command"
    fi
    say "system packages: installing $missing"
    log=$(mktemp)
    if [ -n "$root" ]; then
        $root -v || fail "without sudo, have these installed: sudo $command"
    fi
    # shellcheck disable=SC2086 # a list of names
    install_packages $missing
    rm -f "$log"
    say "system packages: installed"
}

# Debian's packages that some checks of the C core want. The cross compiler is 64-bit ARM's, where this machine is none.
list_missing_of_checks() {
    has valgrind || printf 'valgrind '
    [ "$(uname -m)" = x86_64 ] || return 0
    has aarch64-linux-gnu-gcc || printf 'gcc-aarch64-linux-gnu '
    [ -e /usr/aarch64-linux-gnu/include/stdlib.h ] || printf 'libc6-dev-arm64-cross '
    has qemu-aarch64 || printf 'qemu-user '
}

# Nothing fails without these, and nobody is asked for a password: `make check` leaves out what wants them and says so.
do_check_packages() {
    missing=$(list_missing_of_checks)
    if [ -z "$missing" ]; then
        say "packages of the checks: present"
        return
    fi
    if is_done check-packages "$missing"; then
        return
    fi
    root=
    if [ "$(id -u)" != 0 ]; then
        root="sudo -n"
    fi
    log=.venv/setup.log
    say "packages of the checks: installing $missing"
    # shellcheck disable=SC2086 # a list of names
    if has apt-get && $root true 2>/dev/null && apt_install $missing; then
        say "packages of the checks: installed"
    else
        mark_done check-packages "$missing"
        say "packages of the checks: could not be installed and are left out; make check does without. To have them:
  sudo apt-get install -y --no-install-recommends $missing"
    fi
}

do_python() {
    case "$(uname -sm)" in
        "Linux x86_64" | "Linux aarch64") ;;
        *) fail "edged runs on 64-bit Linux (x86_64, aarch64), not on $(uname -sm). On a Raspberry Pi take the 64-bit image." ;;
    esac
    base_python=$(find_python)
    if [ -z "$base_python" ] && has python3; then
        fail "$(python3 --version) is too old: edged needs Python 3.11 or newer (Debian 12, Raspberry Pi OS 12)."
    fi
    do_system_packages
    base_python=$(find_python)
    [ -n "$base_python" ] || fail "no Python 3.11 or newer: Debian 12 and Raspberry Pi OS 12 have it."
}

# ---- .venv

# Runs pip with its output in a log; the log's end and the remedy where it fails.
pip() {
    if ! "$python" -m pip "$@" </dev/null >.venv/setup.log 2>&1; then
        tail -n 15 .venv/setup.log >&2
        fail "pip failed; the whole log is .venv/setup.log. Is the network there? Run the same command again."
    fi
}

do_venv() {
    key=$({ "$base_python" -c 'import sys; print(sys.version, sys.base_prefix)'; pwd; } | key_of)
    if is_done venv "$key" && [ -x "$python" ]; then
        return
    fi
    if [ -e .venv ] && [ ! -d "$stamps" ]; then
        fail "there is a .venv that was not made by this set-up. Move it away, then run the same command again."
    fi
    say "venv: making .venv with $("$base_python" --version)"
    rm -rf .venv
    "$base_python" -m venv .venv || fail "python3 -m venv failed; see above"
    mkdir "$stamps"
    mark_done venv "$key"
}

# The part of requirements.lock under the heading "# == $1", without llama-cpp-python, which is built apart.
read_lock() {
    awk -v part="$1" '
        /^# == / { on = ($3 == part) }
        /^[a-z]/ { skip = /^llama-cpp-python==/ }
        on && !skip && !/^#/' requirements.lock
}

# $1: part of the lock file, $2: what it is for. Nothing is built in isolation: what builds is in the lock file too.
do_lock_part() {
    key=$({ read_lock "$1"; cat "$stamps/venv"; } | key_of)
    if is_done "$1" "$key"; then
        say "python packages ($2): present"
        return
    fi
    read_lock "$1" >.venv/part.txt
    say "python packages ($2): installing $(grep -c '^[a-z]' .venv/part.txt)"
    pip install --no-deps --no-build-isolation --require-hashes -r .venv/part.txt
    rm .venv/part.txt
    mark_done "$1" "$key"
}

do_edged() {
    key=$({ cat "$stamps/venv" setup.py pyproject.toml edged/core/*.[ch] edged/core/build.py; } | key_of)
    if is_done edged "$key" && [ -n "$(find edged/core -name '*.so')" ]; then
        say "edged: built"
        return
    fi
    say "edged: compiling its C core"
    pip install --no-deps --no-build-isolation -e .
    mark_done edged "$key"
}

# The official JSON Schema test suite, which jsonschema's source distribution carries. The tests of it are skipped where it
# could not be fetched.
suite_version=4.26.0
suite_sha256=0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326

do_suite() {
    if is_done suite "$suite_sha256" && [ -d .venv/json-schema-suite ]; then
        say "JSON Schema test suite: present"
        return
    fi
    rm -rf .venv/suite .venv/json-schema-suite
    mkdir -p .venv/suite/hatchling .venv/json-schema-suite
    # pip asks the build backend for the name and version before it hands over the archive. This one says just that, so that
    # no backend is installed or run, and nothing but the archive is fetched.
    printf '' >.venv/suite/hatchling/__init__.py
    cat >.venv/suite/hatchling/build.py <<END
import pathlib

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    name = "jsonschema-$suite_version.dist-info"
    pathlib.Path(directory, name).mkdir()
    metadata = "Metadata-Version: 2.1\\nName: jsonschema\\nVersion: $suite_version\\n"
    pathlib.Path(directory, name, "METADATA").write_text(metadata)
    return name
END
    printf 'jsonschema==%s --hash=sha256:%s\n' "$suite_version" "$suite_sha256" >.venv/suite/part.txt
    if PYTHONPATH="$PWD/.venv/suite" "$python" -m pip download --retries 1 --no-deps --no-build-isolation --no-binary jsonschema \
        --require-hashes -r .venv/suite/part.txt -d .venv/suite </dev/null >.venv/setup.log 2>&1 &&
        tar -xzf ".venv/suite/jsonschema-$suite_version.tar.gz" -C .venv/json-schema-suite --strip-components=4 \
            "jsonschema-$suite_version/json/tests/draft2020-12"; then
        mark_done suite "$suite_sha256"
        say "JSON Schema test suite: fetched"
    else
        rm -rf .venv/json-schema-suite
        say "JSON Schema test suite: could not be fetched (see .venv/setup.log); its tests will be skipped"
    fi
    rm -rf .venv/suite
}

do_python
do_venv
do_lock_part build "to build"
do_lock_part run "to run"
"$python" scripts/build_llama.py
do_edged
case $level in
    dev)
        do_lock_part dev "tests and checks"
        do_suite
        do_check_packages
        ;;
    bench) do_lock_part bench "to measure against" ;;
esac
