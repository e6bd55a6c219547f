"""Intent files of a running daemon, a process of its own, with a real Mosquitto and the real language model."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edged.config import Config
from tests.peer.broker import Mosquitto, Watcher, watching
from tests.peer.test_run_daemon import AVAILABILITY, KITCHEN, TEXT, Running, _write_config

pytestmark = [pytest.mark.peer, pytest.mark.model]

CATALOG = "edged/hall/catalog"
REJECTED = "edged/hall/rejected"
CRIMSON = "change the kitchen lights to crimson"


class House:
    """A daemon's own folder of intents and state; daemons follow one another on it."""

    def __init__(self, folder: Path, config: Config, port: int) -> None:
        self.schemas = folder / "schemas"
        shutil.copytree(config.intents.directory, self.schemas)
        state = folder / "state"
        state.mkdir()
        (state / "models").symlink_to(config.models_directory)
        lines = (f'[state]\ndirectory = "{state}"', f'[intents]\ndirectory = "{self.schemas}"')
        self._config = _write_config(folder, port, *lines)
        self._folder = folder
        self._running: list[Running] = []

    def start(self) -> None:
        notify = self._folder / f"notify{len(self._running)}"
        notify.mkdir()
        running = Running(notify, self._config)
        self._running.append(running)
        running.wait_for("READY=1")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        return self._running[-1].end(number)

    def change(self, name: str, text: str) -> None:
        (self.schemas / name).write_text(text, encoding="utf-8")


def _say(watcher: Watcher, text: str) -> None:
    watcher.publish(TEXT, json.dumps({"text": text, "lang": "en"}))


def _next_catalog(watcher: Watcher) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(watcher.next(CATALOG).payload)
    return message


def _with_crimson(schemas: Path) -> str:
    """The shipped file with one more word for red."""
    schema = json.loads((schemas / "light.json").read_text(encoding="utf-8"))
    schema["x-edged"]["spoken"]["color"]["red"]["en"].append("crimson")
    return json.dumps(schema, ensure_ascii=False)


@pytest.fixture
def house(mosquitto: Mosquitto, tmp_path: Path, config: Config) -> Iterator[House]:
    house = House(tmp_path, config, mosquitto.port)
    house.start()
    yield house
    house.stop(signal.SIGKILL)


def test_a_changed_file_is_in_force_and_its_last_good_version_outlives_a_restart(
    mosquitto: Mosquitto, house: House
) -> None:
    with watching(mosquitto, CATALOG, KITCHEN, REJECTED) as watcher:
        first = _next_catalog(watcher)
        assert "light" in first["intents"]
        assert (first["faults"], first["last_good"]) == ([], [])

        house.change("light.json", _with_crimson(house.schemas))
        assert _next_catalog(watcher)["faults"] == []
        _say(watcher, CRIMSON)
        red = json.loads(watcher.next(KITCHEN).payload)["color"]

        house.change("light.json", '{"type": "object",')
        broken = _next_catalog(watcher)
        assert broken["last_good"] == ["light.json"]
        assert [(fault["file"], fault["line"]) for fault in broken["faults"]] == [("light.json", 1)]
        _say(watcher, CRIMSON)
        assert json.loads(watcher.next(KITCHEN).payload)["color"] == red

        code, log = house.stop()
        assert code == 0, log
        assert "light.json:1" in log
        house.start()
        again = _next_catalog(watcher)
        assert again["last_good"] == ["light.json"]
        _say(watcher, CRIMSON)
        assert json.loads(watcher.next(KITCHEN).payload)["color"] == red

        (house.schemas / "light.json").unlink()
        gone = _next_catalog(watcher)
        assert "light" not in gone["intents"]
        assert (gone["faults"], gone["last_good"]) == ([], [])
        _say(watcher, "turn on the kitchen light")
        assert json.loads(watcher.next(REJECTED).payload)["text"] == "turn on the kitchen light"


def test_the_catalog_message_is_retained_and_comes_back_after_a_restart_of_the_broker(
    mosquitto: Mosquitto, house: House
) -> None:
    house.change("light.json", "{")
    with watching(mosquitto, CATALOG) as watcher:
        while not _next_catalog(watcher)["faults"]:
            pass
    mosquitto.stop()
    mosquitto.start()  # it has forgotten everything
    with watching(mosquitto, AVAILABILITY, CATALOG) as watcher:
        watcher.payloads_until(AVAILABILITY, b"online")
        assert _next_catalog(watcher)["last_good"] == ["light.json"]
    with watching(mosquitto, CATALOG) as late:
        assert late.next().retain


NEW_FILE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Fountain",
    "description": "Starts and stops the fountain.",
    "type": "object",
    "properties": {"intent": {"const": "fountain"}, "action": {"enum": ["start", "stop"]}},
    "required": ["intent", "action"],
    "additionalProperties": False,
    "x-edged": {
        "examples": {
            "en": [
                {"text": "let the fountain play", "slots": {"action": "start"}},
                {"text": "let the fountain rest", "slots": {"action": "stop"}},
            ]
        }
    },
}


def test_a_new_file_is_understood_stays_when_it_breaks_and_is_rejected_when_it_is_gone(
    mosquitto: Mosquitto, house: House
) -> None:
    sentence = "let the fountain play"
    intent = "edged/hall/intent/fountain"
    with watching(mosquitto, CATALOG, intent, REJECTED) as watcher:
        assert "fountain" not in _next_catalog(watcher)["intents"]

        house.change("fountain.json", json.dumps(NEW_FILE))
        assert "fountain" in _next_catalog(watcher)["intents"]
        _say(watcher, sentence)
        message = watcher.next()
        assert (message.topic, json.loads(message.payload)["slots"]) == (intent, {"action": "start"})

        house.change("fountain.json", json.dumps(NEW_FILE)[:-20])
        assert _next_catalog(watcher)["last_good"] == ["fountain.json"]
        _say(watcher, sentence)
        assert watcher.next().topic == intent

        (house.schemas / "fountain.json").unlink()
        assert "fountain" not in _next_catalog(watcher)["intents"]
        _say(watcher, sentence)
        message = watcher.next()
        assert (message.topic, json.loads(message.payload)["text"]) == (REJECTED, sentence)
