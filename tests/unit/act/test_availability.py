from __future__ import annotations

import json
from typing import Any

import pytest

from edged.act.availability import Availability
from edged.act.drivers import DRIVERS
from edged.errors import ConfigError
from tests.unit.act.conftest import device_of, home_of


def _of(driver: str, **more: Any) -> Availability:
    return Availability(home_of(device_of("lamp", driver=driver, address="lamp_1", **more)))


HA = {"command_topic": "~/set", "availability_topic": "~/lwt"}
HA_WORDS = HA | {"payload_available": "1", "payload_not_available": "0"}


@pytest.mark.parametrize(
    ("driver", "settings", "topic", "offline", "online"),
    [
        ("zigbee2mqtt", {}, "zigbee2mqtt/lamp_1/availability", "offline", "online"),
        ("zigbee2mqtt", {}, "zigbee2mqtt/lamp_1/availability", '{"state": "offline"}', '{"state":"online"}'),
        ("zigbee2mqtt", {}, "zigbee2mqtt/bridge/state", '{"state":"offline"}', '{"state":"online"}'),
        ("tasmota", {}, "tele/lamp_1/LWT", "Offline", "Online"),
        ("tasmota", {"full_topic": "%topic%/%prefix%"}, "lamp_1/tele/LWT", "Offline", "Online"),
        ("home_assistant", HA, "lamp_1/lwt", "offline", "online"),
        ("home_assistant", HA_WORDS, "lamp_1/lwt", "0", "1"),
    ],
)
def test_a_device_is_offline_from_when_it_says_so_until_it_says_otherwise(
    driver: str, settings: dict[str, object], topic: str, offline: str, online: str
) -> None:
    availability = _of(driver, settings=settings)
    DRIVERS[driver].check(device_of("lamp", driver=driver, address="lamp_1", settings=settings))
    assert topic in availability.topics
    assert not availability.is_offline("lamp")
    availability.update(topic, offline.encode())
    assert availability.is_offline("lamp")
    availability.update(topic, online.encode())
    assert not availability.is_offline("lamp")


@pytest.mark.parametrize("payload", [b"", b"\xff", b"{", b"[]", b'{"state": 1}', b'{"state": null}', b"maybe"])
def test_what_says_neither_changes_nothing(payload: bytes) -> None:
    availability = _of("zigbee2mqtt")
    availability.update("zigbee2mqtt/lamp_1/availability", b"offline")
    availability.update("zigbee2mqtt/lamp_1/availability", payload)
    availability.update("zigbee2mqtt/bridge/state", payload)
    assert availability.is_offline("lamp")


def test_one_thing_that_is_offline_is_enough() -> None:
    availability = _of("zigbee2mqtt")
    availability.update("zigbee2mqtt/bridge/state", b'{"state":"offline"}')
    availability.update("zigbee2mqtt/lamp_1/availability", b"online")
    assert availability.is_offline("lamp")


def test_a_device_that_speaks_can_be_reached() -> None:
    availability = _of("tasmota")
    availability.update("tele/lamp_1/LWT", b"Offline")
    availability.note_alive(("lamp",))
    assert not availability.is_offline("lamp")


def test_another_house_keeps_what_is_known_of_devices_that_stay() -> None:
    stays, leaves = device_of("stays", address="a"), device_of("leaves", address="b")
    availability = Availability(home_of(stays, leaves))
    for address in "ab":
        availability.update(f"zigbee2mqtt/{address}/availability", b"offline")
    availability.set_home(home_of(stays, device_of("leaves", address="c")))
    assert availability.is_offline("stays")
    assert not availability.is_offline("leaves")


def test_an_availability_topic_that_is_for_commands_is_refused() -> None:
    device = device_of(driver="home_assistant", settings={"command_topic": "~/set", "availability_topic": "~/set"})
    with pytest.raises(ConfigError, match="commands"):
        DRIVERS["home_assistant"].check(device)


def test_a_group_of_tasmotas_has_no_last_will_of_its_own() -> None:
    assert _of("tasmota", is_group=True).topics == ()


def test_json_that_is_newer_may_say_more() -> None:
    availability = _of("zigbee2mqtt")
    availability.update("zigbee2mqtt/lamp_1/availability", json.dumps({"state": "offline", "since": 1}).encode())
    assert availability.is_offline("lamp")
