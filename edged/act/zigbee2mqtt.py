"""Driver of devices behind Zigbee2MQTT: one JSON message a device on `<base topic>/<friendly name>/set`.

Keys and units: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, exposes.html and scenes.html there
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Final, TypeAlias

from edged.act.color import HUE_AND_SATURATION
from edged.act.driver import State, make_command, place_of
from edged.act.mapping import DeviceChange, describe_outside, range_of, tidy_number
from edged.act.topic import describe_bad_topic
from edged.errors import ConfigError
from edged.intents.home import Device, name_of
from edged.intents.home_tables import suggest
from edged.types import Command, Rejected, SlotValue

BASE_TOPIC: Final = "zigbee2mqtt"
FULL_BRIGHTNESS: Final = 254
FULL_SPEED: Final = 254
"""Of a fan that takes its speed as a number, unless home.toml names another one."""
SPEED_NAMES: Final = ("low", "medium", "high")
"""Of a fan that takes its speed as a name, unless home.toml names others."""
SETPOINTS: Final = ("occupied_heating_setpoint", "current_heating_setpoint")
"""A thermostat has one of the two; the first is taken until the device has said which."""
FAN_STATES: Final = ("fan_state", "state")
"""A fan is switched by one of the two, by the first where a lamp beside it has the second."""

PROPERTIES: Final[dict[str, str]] = {
    "state": "state",
    "brightness": "brightness",
    "color": "color",
    "color_temp": "color_temp",
    "temperature": SETPOINTS[0],
    "mode": "system_mode",
    "cover": "state",
    "position": "position",
    "tilt": "tilt",
    "speed": "speed",
}
"""Capability -> the usual key of the messages; `properties` in home.toml names another one, such as state_l1."""

CAPABILITIES_OF: Final[dict[str, frozenset[str]]] = {
    "light": frozenset({"state", "brightness", "brightness_step", "color", "color_temp", "transition"}),
    "thermostat": frozenset({"temperature", "temperature_step", "mode"}),
    "cover": frozenset({"cover", "position", "position_step", "tilt"}),
    "gate": frozenset({"cover", "position", "position_step"}),
    "switch": frozenset({"state"}),
    "fan": frozenset({"state", "speed", "speed_step", "mode"}),
    "scene": frozenset({"scene"}),
}
"""What a device of a kind takes. Zigbee2MQTT answers anything else with a line in its log; a kind that is not here is
taken at its word."""

_ASSUMED: Final = (*SETPOINTS, "position", "speed", "fan_mode")

_Payload: TypeAlias = dict[str, object]
_Change: TypeAlias = Mapping[str, SlotValue]


class _Refusal(Exception):  # noqa: N818 -- no error: it becomes a Rejected at the door
    """Why there is no message."""


class Zigbee2Mqtt:
    """The `zigbee2mqtt` driver. A lamp that is told to be dark is switched off, whatever else is asked of it."""

    def check(self, device: Device) -> None:
        """Raises ConfigError where the address is no friendly name, or a key is missing or not for this driver."""
        place = place_of(device)
        for key, level in (("address", device.address), ("base", device.base or BASE_TOPIC)):
            fault = describe_bad_topic(level)
            if level.startswith("/") or level.endswith("/") or "//" in level:
                fault = f"the {key} begins or ends with a slash or holds an empty level"
            if fault:
                raise ConfigError(fault, where=f"{place}.{key}", remedy="give the name that Zigbee2MQTT has for it")
        if device.template:
            remedy = 'remove it or set driver = "template"'
            raise ConfigError("only the driver template has templates", where=f"{place}.template", remedy=remedy)
        for capability in device.properties:
            if capability not in PROPERTIES:
                what = f"{capability} has no property of its own"
                raise ConfigError(
                    what, where=f"{place}.properties.{capability}", remedy=suggest(capability, PROPERTIES)
                )
        if (device.kind == "scene") != (device.scene is not None):
            remedy = 'give a device of the kind "scene" the number of the scene, such as scene = 1, and no other'
            raise ConfigError(
                "is missing" if device.scene is None else "is no scene", where=f"{place}.scene", remedy=remedy
            )

    def state_topic(self, device: Device) -> str | None:
        """Where Zigbee2MQTT publishes the device's state as JSON."""
        return None if device.kind == "scene" else _device_topic(device)

    def render(
        self, change: DeviceChange, state: State, *, now_ns: int, expires_s: float, intent_id: str
    ) -> tuple[Command, ...] | Rejected:
        """One message with all that changes."""
        try:
            payload = _render_payload(change.device, change.change, state)
        except _Refusal as refusal:
            return Rejected(intent_id, "act", str(refusal))
        text = json.dumps(payload, separators=(",", ":"))
        topic = _set_topic(change.device)
        return (make_command(topic, text, now_ns=now_ns, expires_s=expires_s, intent_id=intent_id),)

    def assume(self, command: Command) -> State:
        """What steps start from, so that "warmer" said twice counts twice before the device has answered."""
        payload = json.loads(command.payload)
        return {key: value for key, value in payload.items() if key.startswith(_ASSUMED)}


def _device_topic(device: Device) -> str:
    return f"{device.base or BASE_TOPIC}/{device.address}"


def _set_topic(device: Device) -> str:
    return f"{_device_topic(device)}/set"


def _property(device: Device, capability: str) -> str:
    return device.properties.get(capability, PROPERTIES[capability])


def _render_payload(device: Device, change: _Change, state: State) -> _Payload:
    """The message's keys; raises _Refusal where there is none."""
    known = CAPABILITIES_OF.get(device.kind)
    refused = [capability for capability in change if known is not None and capability not in known]
    if refused:
        words = ", ".join(capability.replace("_", " ") for capability in refused)
        raise _Refusal(f"{name_of(device)} is a {device.kind} and takes no {words}")
    if "scene" in change:
        return {"scene_recall": device.scene}
    if device.kind == "fan" or not {"speed", "speed_step"}.isdisjoint(change):
        return _render_fan(device, change, state)
    return _render_light(device, change) | _render_climate(device, change, state) | _render_cover(device, change, state)


def _render_light(device: Device, change: _Change) -> _Payload:
    if set(change) == {"transition"}:
        raise _Refusal(f"says how slowly {name_of(device)} changes, but not to what")
    payload: _Payload = {}
    if change.get("state") == "off" or change.get("brightness") == 0:
        payload[_property(device, "state")] = "OFF"
    else:
        if "state" in change:
            payload[_property(device, "state")] = str(change["state"]).upper()
        if "brightness" in change:
            payload[_property(device, "brightness")] = max(1, _scale(change["brightness"], FULL_BRIGHTNESS))
        if "brightness_step" in change:
            endpoint = _property(device, "brightness").removeprefix(PROPERTIES["brightness"])
            payload[f"brightness_step_onoff{endpoint}"] = _scale_step(change["brightness_step"], FULL_BRIGHTNESS)
        payload |= _render_color(device, change)
    if "transition" in change:
        payload["transition"] = change["transition"]
    return payload


def _render_color(device: Device, change: _Change) -> _Payload:
    color = change.get("color")
    if "color_temp" in change:
        if color not in (None, "white"):
            kelvin = _number(change["color_temp"])
            raise _Refusal(f"{name_of(device)} cannot be {color} and {kelvin:g} kelvin at once")
        return {_property(device, "color_temp"): round(1_000_000 / _number(change["color_temp"]))}
    if color is None:
        return {}
    hue, saturation = HUE_AND_SATURATION[str(color)]
    return {_property(device, "color"): {"hue": hue, "saturation": saturation}}


def _render_climate(device: Device, change: _Change, state: State) -> _Payload:
    payload: _Payload = {}
    usual = next((key for key in SETPOINTS if key in state), SETPOINTS[0])
    setpoint = device.properties.get("temperature", usual)
    if "temperature" in change:
        payload[setpoint] = change["temperature"]
    elif "temperature_step" in change:
        present = _known_number(state, setpoint, f"the present set temperature of {name_of(device)}")
        wanted = tidy_number(present + _number(change["temperature_step"]))
        outside = describe_outside(device, "temperature", wanted)
        if outside:
            raise _Refusal(outside)
        payload[setpoint] = wanted
    if "mode" in change:
        payload[_property(device, "mode")] = change["mode"]
    return payload


def _render_cover(device: Device, change: _Change, state: State) -> _Payload:
    payload: _Payload = {}
    if "position" in change:
        payload[_property(device, "position")] = round(_number(change["position"]))
    elif "position_step" in change:
        key = _property(device, "position")
        present = _known_number(state, key, f"the present position of {name_of(device)}")
        least, greatest = range_of(device, "position")
        payload[key] = round(min(greatest, max(least, present + _number(change["position_step"]))))
    if "tilt" in change:
        payload[_property(device, "tilt")] = round(_number(change["tilt"]))
    if change.get("cover") == "stop" and payload:
        raise _Refusal(f"{name_of(device)} cannot stop and move at once")
    if "cover" in change and not payload:
        payload[_property(device, "cover")] = str(change["cover"]).upper()
    return payload


def _render_fan(device: Device, change: _Change, state: State) -> _Payload:
    switch = device.properties.get("state", next((key for key in FAN_STATES if key in state), FAN_STATES[0]))
    if "off" in (change.get("state"), change.get("mode")) or change.get("speed") == 0:
        return {switch: "OFF"}
    payload: _Payload = {}
    if change.get("state") == "toggle":
        if state.get(switch) not in ("ON", "OFF"):
            raise _Refusal(f"whether {name_of(device)} runs is not known yet")
        payload[switch] = "OFF" if state[switch] == "ON" else "ON"
    elif "state" in change:
        payload[switch] = "ON"
    if "mode" in change:
        if change["mode"] != "auto":
            raise _Refusal(f"{name_of(device)} is a fan and has no mode {change['mode']}")
        payload[device.properties.get("mode", "fan_mode")] = "auto"
    if "speed" in change or "speed_step" in change:
        payload |= _render_speed(device, change, state, is_off=state.get(switch) == "OFF")
    return payload


def _render_speed(device: Device, change: _Change, state: State, *, is_off: bool) -> _Payload:
    names = _speed_names(device, state)
    key = device.properties.get("speed", "fan_mode" if names else PROPERTIES["speed"])
    numbered = device.speeds if isinstance(device.speeds, int) else FULL_SPEED
    greatest = len(names) or numbered
    if "speed" in change:
        share = _number(change["speed"]) * greatest / 100
        speed = math.ceil(share) if names else max(1, round(share))
    else:
        present = 0 if is_off else _present_speed(device, names, state, key)
        step = _scale_step(change["speed_step"], greatest)
        if present == 0 and step <= 0:
            raise _Refusal(f"{name_of(device)} is off")
        speed = round(min(greatest, max(1, present + step)))
    return {key: names[speed - 1] if names else speed}


def _speed_names(device: Device, state: State) -> tuple[str, ...]:
    """The names of its speeds, slowest first; none where it takes numbers, as home.toml or the device itself says."""
    if isinstance(device.speeds, tuple):
        return device.speeds
    by_number = device.speeds is not None or device.properties.get("speed", PROPERTIES["speed"]) in state
    return () if by_number else SPEED_NAMES


def _present_speed(device: Device, names: tuple[str, ...], state: State, key: str) -> float:
    """From 1 for the slowest; 0 where it is off."""
    what = f"the present speed of {name_of(device)}"
    if not names:
        return _known_number(state, key, what)
    present = state.get(key)
    if present == "off":
        return 0
    if present not in names:
        raise _Refusal(f"{what} is not known yet")
    return names.index(str(present)) + 1


def _known_number(state: State, key: str, what: str) -> float:
    present = state.get(key)
    if isinstance(present, bool) or not isinstance(present, int | float):
        raise _Refusal(f"{what} is not known yet")
    return present


def _number(value: SlotValue) -> float:
    """The mapping lets only numbers through to capabilities that are numbers."""
    return float(value) if isinstance(value, int | float) else 0.0


def _scale(percent: SlotValue, full: int) -> int:
    return round(_number(percent) * full / 100)


def _scale_step(percent: SlotValue, full: int) -> int:
    """Never 0 for a step that is not 0."""
    steps = _scale(percent, full)
    return steps or int(math.copysign(1, _number(percent))) if _number(percent) else 0
