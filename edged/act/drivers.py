"""The drivers by name: a new one is one file and one line here."""

from __future__ import annotations

from typing import Final

from edged.act.driver import Driver
from edged.act.template import TemplateDriver
from edged.act.zigbee2mqtt import Zigbee2Mqtt
from edged.errors import ConfigError
from edged.intents.home import Home

DRIVERS: Final[dict[str, Driver]] = {
    "zigbee2mqtt": Zigbee2Mqtt(),
    "template": TemplateDriver(),
}


def check_devices(home: Home) -> None:
    """Makes sure at start that every device can be commanded.

    Raises:
        ConfigError: a device's driver is not known, or its address or a template cannot be used.
    """
    for device in home.devices.values():
        driver = DRIVERS.get(device.driver)
        if driver is None:
            raise ConfigError(
                f'there is no driver "{device.driver}"',
                where=f"devices.{device.key}.driver",
                remedy=f"use one of: {', '.join(DRIVERS)}",
            )
        driver.check(device)


def state_topics(home: Home) -> dict[str, str]:
    """Topic -> key of the device that says its state there."""
    topics = {}
    for device in home.devices.values():
        topic = DRIVERS[device.driver].state_topic(device)
        if topic is not None:
            topics[topic] = device.key
    return topics
