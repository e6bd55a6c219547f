"""`edged home import` without a broker; tests/peer/test_home_import.py has one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from edged.cli import main
from edged.intents.home import parse_home
from tests.unit.act.documents import DEVICES_JSON, GROUPS_JSON

DEVICES = "zigbee2mqtt/bridge/devices"
GROUPS = "zigbee2mqtt/bridge/groups"


@pytest.fixture
def retained(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the broker keeps."""
    messages = {DEVICES: DEVICES_JSON, GROUPS: GROUPS_JSON}

    def fetch(_config: object, topics: tuple[str, ...], *, timeout_s: float) -> dict[str, bytes]:
        assert timeout_s > 0
        return {topic: messages[topic] for topic in topics if topic in messages}

    monkeypatch.setattr("edged.cli.home.fetch_retained", fetch)
    return messages


@pytest.fixture
def house(tmp_path: Path) -> Path:
    path = tmp_path / "home.toml"
    path.write_text(
        '[areas.kitchen]\n[devices.lamp]\nkind = "light"\ndriver = "zigbee2mqtt"\naddress = "kitchen_ceiling"\n',
        encoding="utf-8",
    )
    return path


def _import(house: Path, *arguments: str) -> int:
    return main(["home", "import", "--home", str(house), *arguments])


@pytest.mark.usefixtures("retained")
def test_what_is_printed_can_be_appended(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = house.read_bytes()
    assert _import(house) == 0
    printed = capsys.readouterr()
    assert house.read_bytes() == before
    home = parse_home(before.decode() + printed.out, "home.toml")
    assert len(home.devices) == 13
    assert "# skipped: weather: exposes nothing that can be commanded" in printed.out
    assert printed.err.startswith("12 new, 1 known, 5 skipped; nothing was written")


@pytest.mark.usefixtures("retained")
def test_as_json_the_same_is_printed(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _import(house, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["known"] == 1
    assert printed["new"][0] == {
        "section": "devices",
        "key": "living_room_floor_lamp",
        "kind": "light",
        "names.en": ["living room floor lamp"],
        "driver": "zigbee2mqtt",
        "address": "living room/floor lamp",
    }
    assert {"name": "mystery", "reason": "is not supported by Zigbee2MQTT"} in printed["skipped"]


@pytest.mark.usefixtures("retained")
def test_without_a_house_everything_is_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _import(tmp_path / "home.toml") == 0
    printed = capsys.readouterr()
    assert len(tomllib.loads(printed.out)["devices"]) == 12
    assert "does not exist yet" in printed.err
    assert not (tmp_path / "home.toml").exists()


@pytest.mark.usefixtures("retained")
def test_a_house_with_faults_is_refused(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house.write_text("[areas", encoding="utf-8")
    assert _import(house) == 2
    assert capsys.readouterr().out == ""


def test_names_cannot_break_out_of_a_comment(
    house: Path, retained: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    retained[DEVICES] = json.dumps([{"friendly_name": "x\n[devices.evil]\r\u2028\x7f", "definition": None}]).encode()
    retained[GROUPS] = b"[]"
    assert _import(house) == 0
    assert tomllib.loads(capsys.readouterr().out) == {}


def test_nothing_retained_is_told_with_the_remedy(
    house: Path, retained: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    del retained[DEVICES]
    assert _import(house) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"nothing is retained on {DEVICES}" in printed.err
    assert "--base" in printed.err


def test_without_groups_the_devices_are_proposed(
    house: Path, retained: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    del retained[GROUPS]
    assert _import(house) == 0
    printed = capsys.readouterr()
    assert "groups" not in tomllib.loads(printed.out)
    assert f"nothing is retained on {GROUPS}" in printed.err


def test_another_base_topic_may_be_given(
    house: Path, retained: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    retained |= {"attic/bridge/devices": DEVICES_JSON, "attic/bridge/groups": b"[]"}
    assert _import(house, "--base", "attic") == 0
    printed = tomllib.loads(capsys.readouterr().out)
    assert {device["base"] for device in printed["devices"].values()} == {"attic"}
    assert "kitchen_ceiling" in printed["devices"]


@pytest.mark.usefixtures("retained")
@pytest.mark.parametrize(
    "arguments", [["--base", "a/#"], ["--base", ""], ["--base", "x" * 201], ["--timeout", "0"], ["--timeout", "nan"]]
)
def test_a_wrong_option_is_refused(house: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = _import(house, *arguments)
    except SystemExit as end:  # argparse's own way
        code = int(str(end.code))
    assert code == 2
    assert capsys.readouterr().out == ""
