#!/bin/sh
# Installs edged as a systemd service: program in /opt/edged, configuration in /etc/edged, models in /var/lib/edged.
# Run it again to update. Files that exist in /etc/edged are never overwritten.
set -eu
cd "$(dirname "$0")/.."
program=/opt/edged
settings=/etc/edged
state=/var/lib/edged

say() { printf '%s\n' "$*"; }
fail() { printf 'edged: %s\n' "$*" >&2; exit 3; }

copy_program() {
    if [ "$(pwd -P)" = "$program" ]; then
        say "program: this folder is $program already"
        return
    fi
    say "program: copying to $program"
    install -d -m 755 "$program"
    rm -rf "$program/edged" "$program/schemas" "$program/scripts" "$program/systemd"
    tar -c --exclude=__pycache__ --exclude='*.so' --exclude='*.o' --exclude='_core.c' \
        edged schemas scripts systemd home.toml pyproject.toml setup.py requirements.lock README.md LICENSE CHANGELOG.md |
        tar -x --no-same-owner -C "$program"
}

# llama.cpp that the calling user has built already serves here too.
find_wheels() {
    if [ -n "${SUDO_USER:-}" ]; then
        wheels=$(getent passwd "$SUDO_USER" | cut -d: -f6)/.cache/edged/wheels
        if [ -d "$wheels" ]; then
            export EDGED_WHEELS="$wheels"
        fi
    fi
}

add_setting() { # $1: file or folder of the project, $2: where it goes
    if [ -e "$2" ]; then
        say "settings: $2 is kept as it is"
    else
        cp -r "$1" "$2"
        say "settings: $2 written"
    fi
}

copy_settings() {
    install -d -m 755 "$settings"
    add_setting systemd/edged.toml "$settings/edged.toml"
    add_setting home.toml "$settings/home.toml"
    add_setting schemas "$settings/schemas"
}

install_service() {
    install -D -m 644 systemd/edged.service /etc/systemd/system/edged.service
    install -D -m 644 systemd/edged-worker@.service /etc/systemd/system/edged-worker@.service
    install -D -m 644 systemd/edged.sysusers /etc/sysusers.d/edged.conf
    install -D -m 644 systemd/edged.tmpfiles /etc/tmpfiles.d/edged.conf
    systemd-sysusers /etc/sysusers.d/edged.conf
    systemd-tmpfiles --create /etc/tmpfiles.d/edged.conf
    systemctl daemon-reload
    say "service: /etc/systemd/system/edged.service is in place"
}

fetch_models() {
    if ! STATE_DIRECTORY="$state" "$program/scripts/models.sh" "$settings/edged.toml"; then
        say "models: not all are here; try again with:"
        say "  sudo STATE_DIRECTORY=$state $program/.venv/bin/edged models fetch --config $settings/edged.toml"
    fi
    chown -R edged:edged "$state"
}

[ "$(id -u)" = 0 ] || fail "installing a service needs root: sudo make install"
[ -d /run/systemd/system ] || fail "systemd does not run here: start '.venv/bin/edged run' by your own service manager"
copy_program
find_wheels
"$program/scripts/setup.sh" run
"$program/.venv/bin/python" -m compileall -q "$program/edged"
copy_settings
install -d -m 755 "$state"
install_service
fetch_models
systemctl try-restart edged.service
say "
edged is installed. What is left to do:
  1. $settings/edged.toml   your MQTT broker, the microphone, the language
  2. $settings/home.toml    your rooms and devices
  3. $program/.venv/bin/edged doctor --config $settings/edged.toml
  4. sudo systemctl enable --now edged; journalctl -fu edged"
