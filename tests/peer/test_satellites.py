"""`edged run` with two scripted satellites, the real Korean speech model, the real language model and a real Mosquitto."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edged.config import Config
from tests.conftest import ROOT
from tests.peer.broker import Mosquitto, Watcher, free_port, watching
from tests.peer.satellite import ScriptedSatellite, scripted
from tests.peer.test_run_daemon import START_S, Running, _run, _state, _write_config

pytestmark = pytest.mark.peer

RECORDING = ROOT / "edged" / "samples" / "ko_temperature_22.wav"
"""Set the temperature to 22 degrees: in which room, it does not say."""


def configure(folder: Path, mosquitto: Mosquitto, state: str, **uris: str) -> Path:
    satellites = [f'[hear.satellites.{name}]\nuri = "{uri}"\narea = "{name}"' for name, uri in uris.items()]
    return _write_config(folder, mosquitto.port, state, '[hear]\nsource = "wyoming"\nlang = "ko"', *satellites)


def warmed(watcher: Watcher, count: int) -> list[str]:
    """The next heatings that are set."""
    heatings: list[str] = []
    while len(heatings) < count:
        message = watcher.next()
        if message.topic.startswith("zigbee2mqtt/"):
            assert json.loads(message.payload) == {"occupied_heating_setpoint": 22}
            heatings.append(message.topic.split("/")[1])
    return sorted(heatings)


def said(satellite: ScriptedSatellite) -> str:
    text: str = satellite.next("transcript").data["text"]
    return text


@pytest.mark.model
def test_who_names_no_room_means_that_of_the_satellite_which_heard_it(
    mosquitto: Mosquitto, tmp_path: Path, config: Config, vosk_ko: Path
) -> None:
    assert vosk_ko.is_dir()
    with scripted() as kitchen, scripted() as bedroom:
        path = configure(tmp_path, mosquitto, _state(tmp_path, config), kitchen=kitchen.uri, bedroom=bedroom.uri)
        with watching(mosquitto, "zigbee2mqtt/#", "edged/hall/#") as watcher:
            running = Running(tmp_path, path)
            try:
                running.wait_for("READY=1")
                for satellite in (kitchen, bedroom):  # both at once
                    satellite.wait()
                    satellite.say(RECORDING)
                assert said(kitchen) == said(bedroom) == "온도를 이십이 도로 맞춰 줘"
                assert warmed(watcher, 2) == ["bedroom_trv", "kitchen_trv"]

                bedroom.hang_up()  # a restart of one keeps nobody else from speaking
                kitchen.say(RECORDING)
                assert warmed(watcher, 1) == ["kitchen_trv"]
                bedroom.wait()
                bedroom.say(RECORDING)
                assert warmed(watcher, 1) == ["bedroom_trv"]

                code, log = running.end()
                assert code == 0, log
                assert "온도" not in log
                assert "Traceback" not in log
                while (message := watcher.next()).payload != b"offline":
                    assert not message.topic.startswith("zigbee2mqtt/")
            finally:
                running.end(signal.SIGKILL)


def test_a_satellite_in_an_area_that_is_not_there_ends_it_with_2(mosquitto: Mosquitto, tmp_path: Path) -> None:
    done = _run(configure(tmp_path, mosquitto, "", cellar="tcp://127.0.0.1:10700"))
    assert done.returncode == 2
    assert 'hear.satellites.cellar.area: there is no area "cellar"' in done.stderr


def test_doctor_tells_of_each_satellite_whether_it_can_be_reached(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with scripted() as kitchen:
        gone = f"tcp://127.0.0.1:{free_port()}"
        path = configure(tmp_path, mosquitto, "", kitchen=kitchen.uri, bedroom=gone)
        command = [sys.executable, "-m", "edged", "doctor", "--config", str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False)
    assert f"satellite kitchen: {kitchen.uri} is kitchen" in done.stdout
    assert f"WRONG   satellite bedroom: {gone}: cannot be reached: Connection refused" in done.stdout
    assert done.returncode == 1
