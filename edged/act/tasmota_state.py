"""What Tasmota says of itself: which keys stand for what, and what they mean."""

from __future__ import annotations

import re
from typing import Final

from edged.act.driver import State
from edged.act.payload import is_number, read_object, read_plain
from edged.act.units import to_color, to_mireds, to_percent
from edged.intents.home import Device
from edged.types import Command, SlotValue

PROPERTIES: Final[dict[str, str]] = {
    "state": "POWER",
    "brightness": "Dimmer",
    "temperature": "TempTargetSet",
    "mode": "ThermostatModeSet",
    "position": "Shutter",
}
"""Capability -> the key of the messages; `properties` in home.toml gives one of several its number, such as POWER2."""

FULL_SPEED: Final = 3
"""Of a fan, unless home.toml names another one."""

_FIRST: Final = re.compile(rf"^({'|'.join(PROPERTIES.values())})1(?=\.|$)")
"""A device of one relay says POWER or POWER1, as it is set up."""
_THERMOSTAT_KEY: Final = re.compile(r"Thermostat([0-9])\.(TempTargetSet|ThermostatModeSet)")
"""In the sensor message thermostats are counted from 0."""


def read_message(topic: str, payload: bytes) -> dict[str, object] | None:
    """JSON, but for POWER, which is one word; the number of the first of several is left out of the keys."""
    name = topic.rsplit("/", 1)[-1]
    if name.startswith(PROPERTIES["state"]):
        word = read_plain(payload)
        return {_first(name): word} if isinstance(word, str) else None
    told = read_object(payload)
    return None if told is None else {_first(_THERMOSTAT_KEY.sub(_count_from_one, key)): told[key] for key in told}


def interpret_state(device: Device, state: State) -> dict[str, SlotValue]:
    """What the keys of the device's own relay, dimmer, shutter, fan or thermostat say."""
    values: dict[str, SlotValue] = {}
    speed, power = state.get("FanSpeed"), state.get(key_of(device, "state"))
    if device.kind == "fan" and is_number(speed):
        values["speed"] = to_percent(speed, full_speed_of(device))
        values["state"] = "on" if speed > 0 else "off"
    if power in ("ON", "OFF") and (device.kind != "fan" or "state" in device.properties):
        values["state"] = str(power).lower()
    return (
        values | _interpret_light(device, state) | _interpret_shutter(device, state) | _interpret_climate(device, state)
    )


def assume_orders(command: Command) -> dict[str, object]:
    """What the orders of a message set outright; where steps and stops end is not known."""
    name, payload = command.topic.rsplit("/", 1)[-1], command.payload.decode()
    orders = [order.partition(" ")[::2] for order in payload.split(";")] if name == "Backlog" else [(name, payload)]
    assumed: dict[str, object] = {}
    for order, parameter in orders:
        assumed |= _assume_order(order, parameter)
    return assumed


def property_of(device: Device, capability: str) -> str:
    """The key with its number, as commands name it."""
    return device.properties.get(capability, PROPERTIES[capability])


def key_of(device: Device, capability: str) -> str:
    """The key without the number of the first, as the state is kept."""
    return _first(property_of(device, capability))


def _first(key: str) -> str:
    return _FIRST.sub(r"\1", key)


def _count_from_one(found: re.Match[str]) -> str:
    return f"{found[2]}{int(found[1]) + 1}"


def full_speed_of(device: Device) -> int:
    """The number of its fastest speed."""
    return device.speeds if isinstance(device.speeds, int) else FULL_SPEED


def _assume_order(order: str, parameter: str) -> dict[str, object]:
    if order.startswith("POWER"):
        return {_first(order): parameter} if parameter in ("ON", "OFF") else {}
    shutter = re.fullmatch(r"Shutter(Position|Open|Close)([0-9]+)", order)
    if shutter:
        position = {"Open": 100.0, "Close": 0.0}.get(shutter[1])
        told = read_plain(parameter.encode()) if position is None else position
        return {_first(f"Shutter{shutter[2]}.Position"): told}
    if order == "HSBColor":
        return {order: parameter, "Dimmer": int(parameter.rsplit(",", 1)[-1])}
    number = read_plain(parameter.encode())
    is_set = is_number(number) and parameter[0] not in "+-" and not order.startswith(("Speed", "Shutter"))
    return {_first(order): number} if is_set else {}


def _interpret_light(device: Device, state: State) -> dict[str, SlotValue]:
    values: dict[str, SlotValue] = {}
    dimmer, mireds, white = state.get(key_of(device, "brightness")), state.get("CT"), state.get("White")
    hsb = re.fullmatch(r"([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3})", str(state.get("HSBColor", "")))
    if is_number(dimmer):
        values["brightness"] = dimmer
    if hsb and int(hsb[3]) > 0 and not (is_number(white) and white > 0):
        values["color"] = to_color(int(hsb[1]), int(hsb[2]))
    elif is_number(mireds) and mireds >= 1:
        values["color_temp"] = to_mireds(mireds)
    return {capability: value for capability, value in values.items() if value is not None}


def _interpret_shutter(device: Device, state: State) -> dict[str, SlotValue]:
    key = key_of(device, "position")
    position, direction = state.get(f"{key}.Position"), state.get(f"{key}.Direction", 0)
    if not is_number(position):
        return {}
    values: dict[str, SlotValue] = {"position": position}
    if direction == 0:
        values["cover"] = "open" if position > 0 else "close"
    return values


def _interpret_climate(device: Device, state: State) -> dict[str, SlotValue]:
    values: dict[str, SlotValue] = {}
    target, mode = state.get(key_of(device, "temperature")), state.get(key_of(device, "mode"))
    if is_number(target):
        values["temperature"] = target
    if mode in (0, 1):
        values["mode"] = "auto" if mode else "off"
    return values
