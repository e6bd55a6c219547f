"""`edged home import` against a real Mosquitto that keeps Zigbee2MQTT's documents."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edged.intents.home import parse_home
from tests.peer.broker import Mosquitto, free_port, watching
from tests.unit.act.documents import DEVICES_JSON, GROUPS_JSON, LIGHT, device

pytestmark = pytest.mark.peer

AREAS = '[areas.kitchen]\nnames.ko = ["부엌"]\nnames.en = ["kitchen"]\n[areas.bedroom]\n[areas.bathroom]\n[areas.living_room]\n'


def _import(folder: Path, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    config = folder / "edged.toml"
    config.write_text(f'[mqtt]\nport = {port}\nnode = "hall"\nconnect_timeout_s = 5\n[home]\nfile = "home.toml"\n')
    command = [sys.executable, "-m", "edged", "home", "import", "--config", str(config), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)


def _retain(broker: Mosquitto, base: str, devices: bytes, groups: bytes) -> None:
    with watching(broker, "edged/none") as publisher:
        publisher.publish(f"{base}/bridge/devices", devices, retain=True)
        publisher.publish(f"{base}/bridge/groups", groups, retain=True)


def test_a_retained_network_is_proposed_and_then_known(mosquitto: Mosquitto, tmp_path: Path) -> None:
    _retain(mosquitto, "zigbee2mqtt", DEVICES_JSON, GROUPS_JSON)
    house = tmp_path / "home.toml"
    house.write_text(AREAS, encoding="utf-8")
    with watching(mosquitto, "edged/#") as watcher:
        first = _import(tmp_path, mosquitto.port)
        watcher.publish("edged/end", b"end")
        assert watcher.next().topic == "edged/end"  # nobody was told of the visit
    assert first.returncode == 0, first.stderr
    assert "13 new, 0 known, 5 skipped" in first.stderr
    assert house.read_text(encoding="utf-8") == AREAS
    house.write_text(AREAS + first.stdout, encoding="utf-8")
    home = parse_home(AREAS + first.stdout, "home.toml")
    assert [thing.key for thing in home.devices_of("light")] == [
        "kitchen_ceiling", "living_room_floor_lamp", "light_0003", "light", "living_room_lights",
    ]  # fmt: skip
    assert home.devices["light"].area == "kitchen"
    second = _import(tmp_path, mosquitto.port)
    assert "0 new, 13 known, 5 skipped" in second.stderr


def test_a_large_network_is_read(mosquitto: Mosquitto, tmp_path: Path) -> None:
    padding = {"type": "text", "name": "about", "property": "about", "access": 1, "description": "x" * 10_000}
    devices = [device(f"lamp {number}", f"0x{number:016x}", LIGHT, padding) for number in range(300)]
    _retain(mosquitto, "zigbee2mqtt", json.dumps(devices).encode(), b"[]")
    done = _import(tmp_path, mosquitto.port, "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["new"]) == 300


def test_another_base_topic_is_asked(mosquitto: Mosquitto, tmp_path: Path) -> None:
    _retain(mosquitto, "home/attic", json.dumps([device("lamp", "0x01", LIGHT)]).encode(), b"[]")
    done = _import(tmp_path, mosquitto.port, "--base", "home/attic")
    assert 'base = "home/attic"' in done.stdout


def test_a_broker_that_keeps_nothing_is_told(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with watching(mosquitto, "edged/none") as publisher:
        publisher.publish("zigbee2mqtt/bridge/state", b"online", retain=True)
    done = _import(tmp_path, mosquitto.port, "--timeout", "0.2")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "nothing is retained on zigbee2mqtt/bridge/devices" in done.stderr
    assert "start Zigbee2MQTT" in done.stderr


@pytest.mark.parametrize("payload", [b"online", b"{}", b"[" * 100_000])
def test_a_document_that_is_none_is_told(mosquitto: Mosquitto, tmp_path: Path, payload: bytes) -> None:
    _retain(mosquitto, "zigbee2mqtt", payload, b"[]")
    done = _import(tmp_path, mosquitto.port)
    assert done.returncode == 3
    assert done.stdout == ""
    assert "zigbee2mqtt/bridge/devices is no JSON" in done.stderr


def test_no_broker_is_told(tmp_path: Path) -> None:
    done = _import(tmp_path, free_port())
    assert done.returncode == 3
    assert "nothing listens there" in done.stderr
