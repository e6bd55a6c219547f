#!/bin/sh
# Runs a command with a Mosquitto of its own, which this machine alone can reach and which ends with the command.
#
#   scripts/with_broker.sh COMMAND ARGUMENTS...      `--config FILE`, which names the broker, is put behind them
set -eu
PATH="$PATH:/usr/sbin"
command -v mosquitto >/dev/null || {
    printf 'mosquitto is not installed\n  sudo apt-get install mosquitto\n' >&2
    exit 3
}
folder=$(mktemp -d)
broker=
end() {
    [ -z "$broker" ] || kill "$broker" 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM
port=$(.venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n' "$port" >"$folder/mosquitto.conf"
printf '[mqtt]\nport = %s\n' "$port" >"$folder/edged.toml"
mosquitto -c "$folder/mosquitto.conf" >"$folder/log" 2>&1 &
broker=$!
.venv/bin/python - "$port" <<'END' || { cat "$folder/log" >&2; exit 3; }
import socket, sys, time
for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()
        sys.exit(0)
    except OSError:
        time.sleep(0.1)
sys.exit("mosquitto does not listen")
END
"$@" --config "$folder/edged.toml"
