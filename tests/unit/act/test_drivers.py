from __future__ import annotations

import pytest

from edged.act.drivers import DRIVERS, check_devices, state_topics
from edged.errors import ConfigError
from edged.intents.catalog import Catalog
from edged.intents.home import Message
from tests.unit.act.conftest import device_of, home_of


def test_the_shipped_house_can_be_commanded(catalog: Catalog) -> None:
    check_devices(catalog.home)


def test_an_unknown_driver_is_refused_with_the_choices() -> None:
    with pytest.raises(ConfigError, match='there is no driver "hue"') as caught:
        check_devices(home_of(device_of(driver="hue")))
    assert caught.value.where == "devices.lamp.driver"
    assert all(name in caught.value.remedy for name in DRIVERS)


def test_a_bad_device_is_found_among_good_ones() -> None:
    with pytest.raises(ConfigError, match="at least one template"):
        check_devices(home_of(device_of(), device_of("porch", driver="template")))


def test_only_devices_that_say_their_state_are_listened_to() -> None:
    porch = device_of("porch", driver="template", template={"state": Message("t", "x")})
    assert state_topics(home_of(device_of(), porch)) == {"zigbee2mqtt/lamp_1": (device_of(),)}


def test_devices_of_one_address_are_told_by_one_topic() -> None:
    left = device_of("left", properties={"state": "state_left"})
    right = device_of("right", properties={"state": "state_right"})
    assert state_topics(home_of(left, right)) == {"zigbee2mqtt/lamp_1": (left, right)}


def test_a_group_of_members_needs_no_driver() -> None:
    home = home_of(device_of(), device_of("all", driver="", address="", is_group=True, members=("lamp",)))
    check_devices(home)
    assert state_topics(home) == {"zigbee2mqtt/lamp_1": (device_of(),)}


def test_all_devices_that_cannot_be_commanded_are_told() -> None:
    group = device_of("all", address="/x", is_group=True)
    with pytest.raises(ConfigError) as caught:
        check_devices(home_of(device_of(driver="hue"), device_of("porch", driver="template"), group))
    for told in ("devices.lamp.driver", "devices.porch.template", "groups.all.address"):
        assert told in str(caught.value)
