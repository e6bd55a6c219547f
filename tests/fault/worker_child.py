"""A worker that understands every utterance as the light going on, after a little work; it runs until it is killed."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from edged.config import Config, MqttConfig, StateConfig, load_config
from edged.intents.live import LiveFiles
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.ops.watch import Target, Watcher
from edged.reload import Live
from edged.types import Intent, Utterance
from edged.worker import Worker, WorkerParts

WORK_S = 0.005


def main(folder: str, port: int, node: str) -> int:
    shipped = load_config()
    mqtt = MqttConfig(port=port, node=node, protocol="5", connect_timeout_s=30)
    config = Config(mqtt=mqtt, home=shipped.home, intents=shipped.intents, state=StateConfig(directory=Path(folder)))
    files = LiveFiles(config.intents.directory, config.home.file, Path(folder) / node)
    snapshot = files.start()
    target = Target(config.intents.directory, config.home.file)
    live = Live(files, snapshot, lambda: Watcher(target), lambda _snapshot: lambda: None)
    with Wake() as wake:
        wake.on_signals(signal.SIGTERM)
        return Worker(config, WorkerParts(understand, live), wake=wake, notifier=Ready({})).run()


class Ready(Notifier):
    def ready(self) -> None:
        print("ready", flush=True)


def understand(_node: str, utterance: Utterance) -> tuple[Intent, ...]:
    time.sleep(WORK_S)
    return (Intent(utterance.id, "light", {"action": "on", "device": "kitchen_light"}, 1.0, 1.0),)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
