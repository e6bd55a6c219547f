"""Fans behind Zigbee2MQTT: they take their speed as a name or as a number, and are switched by one of two keys."""

from __future__ import annotations

import math
from typing import Final

from edged.act.driver import Change, Refusal, State, known_number, number_of
from edged.act.payload import is_number
from edged.act.units import to_percent, to_step
from edged.intents.home import Device, name_of
from edged.types import SlotValue

FULL_SPEED: Final = 254
"""Of a fan that takes its speed as a number, unless home.toml names another one."""
SPEED_NAMES: Final = ("low", "medium", "high")
"""Of a fan that takes its speed as a name, unless home.toml names others."""
FAN_STATES: Final = ("fan_state", "state")
"""A fan is switched by one of the two, by the first where a lamp beside it has the second."""


def render_fan(device: Device, change: Change, state: State) -> dict[str, object]:
    """The message's keys; raises Refusal where there is none."""
    switch = _switch(device, state)
    if "off" in (change.get("state"), change.get("mode")) or change.get("speed") == 0:
        return {switch: "OFF"}
    payload: dict[str, object] = {}
    if change.get("state") == "toggle":
        if state.get(switch) not in ("ON", "OFF"):
            raise Refusal(f"whether {name_of(device)} runs is not known yet")
        payload[switch] = "OFF" if state[switch] == "ON" else "ON"
    elif "state" in change:
        payload[switch] = "ON"
    if "mode" in change:
        if change["mode"] != "auto":
            raise Refusal(f"{name_of(device)} is a fan and has no mode {change['mode']}")
        payload[device.properties.get("mode", "fan_mode")] = "auto"
    if "speed" in change or "speed_step" in change:
        payload |= _render_speed(device, change, state, is_off=state.get(switch) == "OFF")
    return payload


def _render_speed(device: Device, change: Change, state: State, *, is_off: bool) -> dict[str, object]:
    names, key = _speed_names(device, state), _speed_key(device, state)
    greatest = len(names) or _full_speed(device)
    if "speed" in change:
        share = number_of(change["speed"]) * greatest / 100
        speed = math.ceil(share) if names else max(1, round(share))
    else:
        present = 0 if is_off else _present_speed(device, names, state, key)
        step = to_step(number_of(change["speed_step"]), greatest)
        if present == 0 and step <= 0:
            raise Refusal(f"{name_of(device)} is off")
        speed = round(min(greatest, max(1, present + step)))
    return {key: names[speed - 1] if names else speed}


def _speed_names(device: Device, state: State) -> tuple[str, ...]:
    """The names of its speeds, slowest first; none where it takes numbers, as home.toml or the device itself says."""
    if isinstance(device.speeds, tuple):
        return device.speeds
    by_number = device.speeds is not None or device.properties.get("speed", "speed") in state
    return () if by_number else SPEED_NAMES


def _present_speed(device: Device, names: tuple[str, ...], state: State, key: str) -> float:
    """From 1 for the slowest; 0 where it is off."""
    what = f"the present speed of {name_of(device)}"
    if not names:
        return known_number(state, key, what)
    present = state.get(key)
    if present == "off":
        return 0
    if present not in names:
        raise Refusal(f"{what} is not known yet")
    return names.index(str(present)) + 1


def _switch(device: Device, state: State) -> str:
    return device.properties.get("state", next((key for key in FAN_STATES if key in state), FAN_STATES[0]))


def _speed_key(device: Device, state: State) -> str:
    return device.properties.get("speed", "fan_mode" if _speed_names(device, state) else "speed")


def _full_speed(device: Device) -> int:
    return device.speeds if isinstance(device.speeds, int) else FULL_SPEED


def interpret_fan(device: Device, state: State) -> dict[str, SlotValue]:
    """Whether it runs, and how fast of what it can."""
    values: dict[str, SlotValue] = {}
    switched = state.get(_switch(device, state))
    if switched in ("ON", "OFF"):
        values["state"] = str(switched).lower()
    names, told = _speed_names(device, state), state.get(_speed_key(device, state))
    if names and told in names:
        values["speed"] = to_percent(names.index(str(told)) + 1, len(names))
    elif not names and is_number(told):
        values["speed"] = to_percent(told, _full_speed(device))
    if state.get(device.properties.get("mode", "fan_mode")) == "auto":
        values["mode"] = "auto"
    return values
