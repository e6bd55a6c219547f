"""A small house of its own, so that these tests do not change with the shipped one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest

from edged.act.mapping import DeviceChange
from edged.intents.catalog import Catalog, CommandRules, IntentFile, Rule, SlotTerm
from edged.intents.home import Area, Device, Floor, Home, Message, Range
from edged.types import Intent, SlotValue

MakeIntent: TypeAlias = Callable[..., Intent]
MakeDevice: TypeAlias = Callable[..., Device]


def device_of(
    key: str = "lamp",
    *,
    kind: str = "light",
    area: str | None = "kitchen",
    driver: str = "zigbee2mqtt",
    address: str = "lamp_1",
    limits: Mapping[str, Range] | None = None,
    template: Mapping[str, Message] | None = None,
    **more: Any,
) -> Device:
    names = {"en": (key.replace("_", " "),)}
    return Device(key, kind, area, names, driver, address, limits or {}, template or {}, **more)


def home_of(*devices: Device) -> Home:
    """Kitchen and living room are on the ground floor, which has a name; the bathroom is on one that has none."""
    floors = {"kitchen": "ground", "living_room": "ground", "bathroom": "first"}
    areas = {key: Area(key, {"en": (key.replace("_", " "),)}, floor) for key, floor in floors.items()}
    ground = Floor("ground", {"en": ("ground floor",)})
    return Home(areas, {device.key: device for device in devices}, {"ground": ground})


def intent_file(name: str, command: CommandRules | None, *, asks: bool = False, expires_s: float = 30) -> IntentFile:
    return IntentFile(
        name=name,
        schema={},
        slots=(),
        homes={},
        examples={},
        refused={},
        spoken={},
        said=frozenset(),
        expires_s=expires_s,
        asks=asks,
        command=command,
    )


def rules_of(*rules: Rule, kind: str = "light") -> CommandRules:
    return CommandRules(kind=kind, area="area", device="device", rules=rules)


def intent_of(name: str = "light", **slots: SlotValue) -> Intent:
    return Intent("u1", name, slots, confidence=0.9, margin=1.0)


def change_of(device: Device, **change: SlotValue) -> DeviceChange:
    return DeviceChange(device, change)


LIGHT_RULES = rules_of(
    Rule({"action": ("on", "set")}, {"state": "on"}),
    Rule({"action": ("off",)}, {"state": "off"}),
    Rule({"action": ("dim",), "brightness": False}, {"brightness_step": -20}),
    Rule({"action": ("dim",), "step": True}, {"brightness_step": SlotTerm("step", factor=-1)}),
    Rule({"brightness": True}, {"brightness": SlotTerm("brightness")}),
    Rule({"color": True}, {"color": SlotTerm("color")}),
)
CLIMATE_RULES = rules_of(
    Rule({"temperature": True}, {"temperature": SlotTerm("temperature", unit="unit")}),
    Rule({"step": True}, {"temperature_step": SlotTerm("step", unit="unit")}),
    kind="thermostat",
)


@pytest.fixture
def house() -> Catalog:
    """Two lamps, one in the kitchen and one in the living room, and a thermostat of 5 to 30 degrees."""
    home = home_of(
        device_of("lamp"),
        device_of("floor_lamp", area="living_room", address="lamp_2"),
        device_of("radiator", kind="thermostat", address="trv_1", limits={"temperature": (5, 30)}),
    )
    files = (
        intent_file("light", LIGHT_RULES),
        intent_file("thermostat", CLIMATE_RULES),
        intent_file("note", None),
        intent_file("question", LIGHT_RULES, asks=True),
    )
    return Catalog({file.name: file for file in files}, home, ())
