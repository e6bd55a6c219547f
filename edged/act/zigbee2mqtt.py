"""Driver of devices behind Zigbee2MQTT: one JSON message a device on `zigbee2mqtt/<friendly name>/set`.

Keys and units: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TypeAlias

from edged.act.color import HUE_AND_SATURATION
from edged.act.driver import State, make_command
from edged.act.mapping import DeviceChange, describe_outside, name_of, tidy_number
from edged.act.topic import describe_bad_topic
from edged.errors import ConfigError
from edged.intents.home import Device
from edged.types import Command, Rejected, SlotValue

BASE_TOPIC = "zigbee2mqtt"
FULL_BRIGHTNESS = 254
SETPOINTS = ("occupied_heating_setpoint", "current_heating_setpoint")
"""A thermostat has one of the two; the first is taken until the device has said which."""

_Payload: TypeAlias = dict[str, object]
_Change: TypeAlias = Mapping[str, SlotValue]


class Zigbee2Mqtt:
    """The `zigbee2mqtt` driver. A lamp that is told to be dark is switched off, whatever else is asked of it."""

    def check(self, device: Device) -> None:
        """Raises ConfigError where the address is no friendly name or a template is given."""
        fault = describe_bad_topic(_set_topic(device))
        if device.address.startswith("/") or device.address.endswith("/") or "//" in device.address:
            fault = "the address begins or ends with a slash or holds an empty level"
        if fault:
            raise ConfigError(fault, where=f"devices.{device.key}.address", remedy="give the device's friendly name")
        if device.template:
            raise ConfigError(
                "only the driver template has templates",
                where=f"devices.{device.key}.template",
                remedy='remove it or set driver = "template"',
            )

    def state_topic(self, device: Device) -> str | None:
        """Where Zigbee2MQTT publishes the device's state as JSON."""
        return f"{BASE_TOPIC}/{device.address}"

    def render(
        self, change: DeviceChange, state: State, *, now_ns: int, expires_s: float, intent_id: str
    ) -> tuple[Command, ...] | Rejected:
        """One message with all that changes."""
        payload = _render_payload(change.device, change.change, state)
        if isinstance(payload, str):
            return Rejected(intent_id, "act", payload)
        text = json.dumps(payload, separators=(",", ":"))
        topic = _set_topic(change.device)
        return (make_command(topic, text, now_ns=now_ns, expires_s=expires_s, intent_id=intent_id),)

    def assume(self, command: Command) -> State:
        """The set temperature, so that "warmer" said twice counts twice before the device has answered."""
        payload = json.loads(command.payload)
        return {key: payload[key] for key in SETPOINTS if key in payload}


def _set_topic(device: Device) -> str:
    return f"{BASE_TOPIC}/{device.address}/set"


def _render_payload(device: Device, change: _Change, state: State) -> _Payload | str:
    """The message's keys, or the reason why there is none."""
    if set(change) == {"transition"}:
        return f"says how slowly {name_of(device)} changes, but not to what"
    payload: _Payload = {}
    if change.get("state") == "off" or change.get("brightness") == 0:
        payload["state"] = "OFF"
    else:
        light = _render_light(device, change)
        if isinstance(light, str):
            return light
        payload |= light
    if "transition" in change:
        payload["transition"] = change["transition"]
    climate = _render_climate(device, change, state)
    if isinstance(climate, str):
        return climate
    payload |= climate
    if "position" in change:
        payload["position"] = change["position"]
    return payload


def _render_light(device: Device, change: _Change) -> _Payload | str:
    payload: _Payload = {}
    if "state" in change:
        payload["state"] = str(change["state"]).upper()
    if "brightness" in change:
        payload["brightness"] = max(1, _scale(change["brightness"]))
    if "brightness_step" in change:
        payload["brightness_step_onoff"] = _scale_step(change["brightness_step"])
    color = change.get("color")
    if "color_temp" in change:
        if color not in (None, "white"):
            return f"{name_of(device)} cannot be {color} and {_number(change['color_temp']):g} kelvin at once"
        payload["color_temp"] = round(1_000_000 / _number(change["color_temp"]))
    elif color is not None:
        hue, saturation = HUE_AND_SATURATION[str(color)]
        payload["color"] = {"hue": hue, "saturation": saturation}
    return payload


def _render_climate(device: Device, change: _Change, state: State) -> _Payload | str:
    payload: _Payload = {}
    setpoint = _setpoint_key(state)
    if "temperature" in change:
        payload[setpoint] = change["temperature"]
    elif "temperature_step" in change:
        present = state.get(setpoint)
        if isinstance(present, bool) or not isinstance(present, int | float):
            return f"the present set temperature of {name_of(device)} is not known yet"
        wanted = tidy_number(present + _number(change["temperature_step"]))
        outside = describe_outside(device, "temperature", wanted)
        if outside:
            return outside
        payload[setpoint] = wanted
    if "mode" in change:
        payload["system_mode"] = change["mode"]
    return payload


def _setpoint_key(state: State) -> str:
    return next((key for key in SETPOINTS if key in state), SETPOINTS[0])


def _number(value: SlotValue) -> float:
    """The mapping lets only numbers through to capabilities that are numbers."""
    return float(value or 0)


def _scale(percent: SlotValue) -> int:
    return round(_number(percent) * FULL_BRIGHTNESS / 100)


def _scale_step(percent: SlotValue) -> int:
    """Never 0 for a step that is not 0."""
    steps = _scale(percent)
    return steps or int(math.copysign(1, _number(percent))) if _number(percent) else 0
