"""From a recording to the MQTT messages, through the daemon itself; `pytest tests/golden --update-golden` writes anew."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edged.config import load_config
from tests.peer.broker import Mosquitto, watching

pytestmark = [pytest.mark.model, pytest.mark.peer]

GOLDEN = Path(__file__).parent
SAMPLES = GOLDEN.parent.parent / "edged" / "samples"
UNHEARD = ("edged/golden/catalog", "edged/golden/outbox", "edged/golden/timers", "edged/golden/result")
"""What tells of the intents in force, which change with every intent file, of the state directory, and of devices that
nobody plays here."""
QUESTIONS = re.compile(r"zigbee2mqtt/[^/]+/get|cmnd/[^/]+/State")
"""To devices whose state is not known, some seconds after the start."""
VOLATILE = ("id", "time", "latency_ms", "confidence", "reason")
"""What differs from run to run or from processor to processor."""


def messages_of(recording: Path, broker: Mosquitto, folder: Path) -> list[dict[str, Any]]:
    """What the daemon says from `online` to `offline` while it hears a recording, but for what it says whatever it hears."""
    config, state = folder / "edged.toml", folder / "state"
    state.mkdir()
    (state / "models").symlink_to(load_config().models_directory)
    config.write_text(
        f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\nnode = "golden"\n'
        f'[hear]\nsource = "wav"\nlang = "ko"\nfile = "{recording}"\n'
        f'[state]\ndirectory = "{state}"\n'
    )
    with watching(broker, "#") as watcher:
        done = subprocess.run(
            [sys.executable, "-m", "edged", "run", "--config", str(config)], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        messages: list[dict[str, Any]] = []
        while not messages or messages[-1]["payload"] != "offline":
            message = watcher.next()
            if message.topic in UNHEARD or QUESTIONS.fullmatch(message.topic):
                continue
            assert not message.retain
            messages.append({"topic": message.topic, "payload": readable(message.payload)})
    return messages


def readable(payload: bytes | bytearray) -> Any:
    try:
        parsed = json.loads(payload)
    except json.JSONDecodeError:
        return payload.decode()
    return {key: value for key, value in parsed.items() if key not in VOLATILE} if isinstance(parsed, dict) else parsed


def check(recording: Path, name: str, mosquitto: Mosquitto, folder: Path, *, update: bool) -> None:
    golden = GOLDEN / f"{name}.json"
    messages = messages_of(recording, mosquitto, folder)
    if update:
        golden.write_text(json.dumps(messages, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    assert messages == json.loads(golden.read_text(encoding="utf-8"))


@pytest.mark.parametrize("recording", sorted(SAMPLES.glob("ko_*.wav")), ids=lambda path: path.stem)
def test_our_recordings_become_the_messages_that_they_ask_for(
    recording: Path, mosquitto: Mosquitto, tmp_path: Path, update_golden: bool, vosk_ko: Path
) -> None:
    assert vosk_ko.is_dir()
    check(recording, recording.stem, mosquitto, tmp_path, update=update_golden)


@pytest.mark.parametrize("name", ["lights_blue_ko", "not_a_command_ko"])
def test_recordings_of_other_people_become_what_they_ask_for(
    name: str, mosquitto: Mosquitto, tmp_path: Path, update_golden: bool, shared: Path, vosk_ko: Path
) -> None:
    assert vosk_ko.is_dir()
    check(shared / "speech" / f"{name}.wav", name, mosquitto, tmp_path, update=update_golden)
