"""The drivers by name: a new one is one file and one line here."""

from __future__ import annotations

from typing import Final

from edged.act.driver import Driver, place_of
from edged.act.home_assistant import HomeAssistant
from edged.act.tasmota import Tasmota
from edged.act.template import TemplateDriver
from edged.act.zigbee2mqtt import Zigbee2Mqtt
from edged.errors import ConfigError
from edged.intents.home import Device, Home
from edged.intents.home_tables import suggest

DRIVERS: Final[dict[str, Driver]] = {
    "zigbee2mqtt": Zigbee2Mqtt(),
    "home_assistant": HomeAssistant(),
    "tasmota": Tasmota(),
    "template": TemplateDriver(),
}


def check_devices(home: Home) -> None:
    """Makes sure at start that every device can be commanded.

    Raises:
        ConfigError: a device's driver is not known, or its address, a template or another key cannot be used; it tells
            of all such devices.
    """
    faults = [fault for device in home.devices.values() if (fault := _check_device(device)) is not None]
    if len(faults) == 1:
        raise faults[0]
    if faults:
        more = f"\n  and {len(faults) - _MAX_TOLD} more" if len(faults) > _MAX_TOLD else ""
        told = "".join(f"\n  {fault}" for fault in faults[:_MAX_TOLD])
        raise ConfigError(f"{len(faults)} devices cannot be used{told}{more}", where="home.toml")


_MAX_TOLD: Final = 50
"""Devices that one error tells of; the others are counted."""


def state_topics(home: Home) -> dict[str, tuple[Device, ...]]:
    """Topic -> the devices that say their state there."""
    topics: dict[str, tuple[Device, ...]] = {}
    for device in home.devices.values():
        for topic in () if device.members else DRIVERS[device.driver].state_topics(device):
            topics[topic] = (*topics.get(topic, ()), device)
    return topics


def availability_topics(home: Home) -> dict[str, tuple[Device, ...]]:
    """Topic -> the devices of which it is said there whether they can be reached."""
    topics: dict[str, list[Device]] = {}
    for device in home.devices.values():
        for topic in () if device.members else DRIVERS[device.driver].availability_topics(device):
            topics.setdefault(topic, []).append(device)
    return {topic: tuple(devices) for topic, devices in topics.items()}


def _check_device(device: Device) -> ConfigError | None:
    if device.members:
        return None
    driver = DRIVERS.get(device.driver)
    if driver is None:
        what = f'there is no driver "{device.driver}"'
        return ConfigError(what, where=f"{place_of(device)}.driver", remedy=suggest(device.driver, DRIVERS))
    try:
        driver.check(device)
    except ConfigError as error:
        return error
    return None
