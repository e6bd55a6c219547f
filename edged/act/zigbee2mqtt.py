"""Driver of devices behind Zigbee2MQTT: one JSON message a device on `<base topic>/<friendly name>/set`.

Keys and units: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, exposes.html and scenes.html there
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, TypeAlias

from edged.act.color import HUE_AND_SATURATION
from edged.act.driver import (
    Change,
    Question,
    Refusal,
    State,
    check_levels,
    check_light,
    is_turned_off,
    known_number,
    make_command,
    number_of,
    place_of,
    refuse_keys,
    refuse_others,
    step_temperature,
    step_within,
)
from edged.act.mapping import DeviceChange
from edged.act.payload import AVAILABLE, is_number, read_object, read_word
from edged.act.units import to_color, to_mireds, to_percent, to_scale, to_step
from edged.act.zigbee2mqtt_fan import interpret_fan, render_fan
from edged.errors import ConfigError
from edged.intents.capabilities import CAPABILITIES
from edged.intents.home import Device, name_of
from edged.intents.home_tables import suggest
from edged.types import Command, Rejected, SlotValue

BASE_TOPIC: Final = "zigbee2mqtt"
FULL_BRIGHTNESS: Final = 254
SETPOINTS: Final = ("occupied_heating_setpoint", "current_heating_setpoint")
"""A thermostat has one of the two; the first is taken until the device has said which."""

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

_NOT_TOLD: Final = ("transition", "scene_recall", "brightness_step")
"""Keys of commands, and beginnings of such keys, that no state holds."""
_MOTIONS: Final = ("TOGGLE", "STOP")
"""Values of commands that no state has."""
_ACTIONS: Final = ("idle", "heat", "cool")
_ASKED: Final = {
    "light": "state",
    "switch": "state",
    "fan": "state",
    "cover": "cover",
    "gate": "cover",
    "thermostat": "temperature",
}
"""Kind -> the capability whose property is asked for."""

_Payload: TypeAlias = dict[str, object]


class Zigbee2Mqtt:
    """The `zigbee2mqtt` driver. A lamp that is told to be dark is switched off, whatever else is asked of it."""

    repeats_itself = True

    def check(self, device: Device) -> None:
        """Raises ConfigError where the address is no friendly name, or a key is missing or not for this driver."""
        place = place_of(device)
        for key, level in (("address", device.address), ("base", device.base or BASE_TOPIC)):
            check_levels(device, key, level, "give the name that Zigbee2MQTT has for it")
        if device.template:
            remedy = 'remove it or set driver = "template"'
            raise ConfigError("only the driver template has templates", where=f"{place}.template", remedy=remedy)
        refuse_keys(device, "settings")
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

    def state_topics(self, device: Device) -> tuple[str, ...]:
        """Where Zigbee2MQTT publishes the device's state as JSON."""
        return () if device.kind == "scene" else (_device_topic(device),)

    def read_state(self, device: Device, topic: str, payload: bytes) -> State | None:  # noqa: ARG002 -- as every driver
        """The keys of the message, those of a color as `color.hue`."""
        return read_object(payload)

    def interpret(self, device: Device, state: State) -> Mapping[str, SlotValue]:
        """What the device's own properties say."""
        if device.kind == "fan":
            return interpret_fan(device, state)
        return _interpret_switch(device, state) | _interpret_light(device, state) | _interpret_climate(device, state)

    def render(
        self, change: DeviceChange, state: State, *, now_ns: int, expires_s: float, intent_id: str
    ) -> tuple[Command, ...] | Rejected:
        """One message with all that changes."""
        try:
            payload = _render_payload(change.device, change.change, state)
        except Refusal as refusal:
            return Rejected(intent_id, "act", str(refusal))
        text = json.dumps(payload, separators=(",", ":"))
        topic = _set_topic(change.device)
        return (
            make_command(
                topic,
                text,
                now_ns=now_ns,
                expires_s=expires_s,
                intent_id=intent_id,
                is_repeatable=_is_repeatable(payload),
            ),
        )

    def assume(self, device: Device, command: Command) -> State:  # noqa: ARG002 -- as every driver
        """What steps start from, so that "warmer" said twice counts twice before the device has answered."""
        told = read_object(command.payload) or {}
        return {key: value for key, value in told.items() if not key.startswith(_NOT_TOLD) and value not in _MOTIONS}

    def tells(self, device: Device, expected: State) -> bool:  # noqa: ARG002 -- as every driver
        """All but scenes do."""
        return bool(self.state_topics(device))

    def questions(self, device: Device) -> tuple[Question, ...]:
        """One key is enough: the answer holds all that Zigbee2MQTT knows. A group is known by its devices."""
        asked = _ASKED.get(device.kind)
        if device.is_group or asked is None:
            return ()
        return ((f"{_device_topic(device)}/get", json.dumps({_property(device, asked): ""}).encode()),)

    def availability_topics(self, device: Device) -> tuple[str, ...]:
        """Its own, where Zigbee2MQTT is set up to tell it, and that of Zigbee2MQTT itself."""
        return f"{_device_topic(device)}/availability", f"{device.base or BASE_TOPIC}/bridge/state"

    def read_availability(self, device: Device, topic: str, payload: bytes) -> bool | None:  # noqa: ARG002
        """A word, or in JSON as newer versions have it."""
        return AVAILABLE.get(read_word(payload))


def _is_repeatable(payload: _Payload) -> bool:
    """Whether Zigbee2MQTT may be told twice: steps, toggles and stops start from what is; all else is what is to be."""
    return not any("_step" in key or value in _MOTIONS for key, value in payload.items())


def _device_topic(device: Device) -> str:
    return f"{device.base or BASE_TOPIC}/{device.address}"


def _set_topic(device: Device) -> str:
    return f"{_device_topic(device)}/set"


def _property(device: Device, capability: str) -> str:
    return device.properties.get(capability, PROPERTIES[capability])


def _render_payload(device: Device, change: Change, state: State) -> _Payload:
    """The message's keys; raises Refusal where there is none."""
    refuse_others(device, change, CAPABILITIES_OF.get(device.kind, tuple(change)))
    if "scene" in change:
        return {"scene_recall": device.scene}
    if device.kind == "fan" or not {"speed", "speed_step"}.isdisjoint(change):
        return render_fan(device, change, state)
    return _render_light(device, change) | _render_climate(device, change, state) | _render_cover(device, change, state)


def _render_light(device: Device, change: Change) -> _Payload:
    check_light(device, change)
    payload: _Payload = {}
    if is_turned_off(change):
        payload[_property(device, "state")] = "OFF"
    else:
        if "state" in change:
            payload[_property(device, "state")] = str(change["state"]).upper()
        if "brightness" in change:
            payload[_property(device, "brightness")] = max(
                1, to_scale(number_of(change["brightness"]), FULL_BRIGHTNESS)
            )
        if "brightness_step" in change:
            endpoint = _property(device, "brightness").removeprefix(PROPERTIES["brightness"])
            step = number_of(change["brightness_step"])
            payload[f"brightness_step_onoff{endpoint}"] = to_step(step, FULL_BRIGHTNESS)
        payload |= _render_color(device, change)
    if "transition" in change:
        payload["transition"] = change["transition"]
    return payload


def _render_color(device: Device, change: Change) -> _Payload:
    if "color_temp" in change:
        return {_property(device, "color_temp"): to_mireds(number_of(change["color_temp"]))}
    if "color" not in change:
        return {}
    hue, saturation = HUE_AND_SATURATION[str(change["color"])]
    return {_property(device, "color"): {"hue": hue, "saturation": saturation}}


def _render_climate(device: Device, change: Change, state: State) -> _Payload:
    payload: _Payload = {}
    setpoint = _setpoint(device, state)
    if "temperature" in change:
        payload[setpoint] = change["temperature"]
    elif "temperature_step" in change:
        present = known_number(state, setpoint, f"the present set temperature of {name_of(device)}")
        payload[setpoint] = step_temperature(device, present, change["temperature_step"])
    if "mode" in change:
        payload[_property(device, "mode")] = change["mode"]
    return payload


def _render_cover(device: Device, change: Change, state: State) -> _Payload:
    payload: _Payload = {}
    if "position" in change:
        payload[_property(device, "position")] = round(number_of(change["position"]))
    elif "position_step" in change:
        key = _property(device, "position")
        present = known_number(state, key, f"the present position of {name_of(device)}")
        payload[key] = round(step_within(device, "position", present, change["position_step"]))
    if "tilt" in change:
        payload[_property(device, "tilt")] = round(number_of(change["tilt"]))
    if change.get("cover") == "stop" and payload:
        raise Refusal(f"{name_of(device)} cannot stop and move at once")
    if "cover" in change and not payload:
        payload[_property(device, "cover")] = str(change["cover"]).upper()
    return payload


def _setpoint(device: Device, state: State) -> str:
    usual = next((key for key in SETPOINTS if key in state), SETPOINTS[0])
    return device.properties.get("temperature", usual)


def _interpret_switch(device: Device, state: State) -> dict[str, SlotValue]:
    """On or off, open or closed, and how far."""
    values: dict[str, SlotValue] = {}
    switched, moved = state.get(_property(device, "state")), state.get(_property(device, "cover"))
    if switched in ("ON", "OFF"):
        values["state"] = str(switched).lower()
    if moved in ("OPEN", "CLOSE"):
        values["cover"] = str(moved).lower()
    for capability in ("position", "tilt"):
        found = state.get(_property(device, capability))
        if is_number(found):
            values[capability] = found
    return values


def _interpret_light(device: Device, state: State) -> dict[str, SlotValue]:
    values: dict[str, SlotValue] = {}
    brightness, mireds = state.get(_property(device, "brightness")), state.get(_property(device, "color_temp"))
    if is_number(brightness):
        values["brightness"] = to_percent(brightness, FULL_BRIGHTNESS)
    is_white = state.get("color_mode") == "color_temp"
    if is_number(mireds) and mireds >= 1 and state.get("color_mode") in (None, "color_temp"):
        values["color_temp"] = to_mireds(mireds)
    color = _property(device, "color")
    hue, saturation = state.get(f"{color}.hue"), state.get(f"{color}.saturation")
    if is_number(hue) and is_number(saturation) and not is_white:
        values["color"] = to_color(hue, saturation)
    return {capability: value for capability, value in values.items() if value is not None}


def _interpret_climate(device: Device, state: State) -> dict[str, SlotValue]:
    values: dict[str, SlotValue] = {}
    for name, key in (("temperature", _setpoint(device, state)), ("local_temperature", "local_temperature")):
        found = state.get(key)
        if is_number(found):
            values[name] = found
    mode, action = state.get(_property(device, "mode")), state.get("running_state")
    if mode in CAPABILITIES["mode"].choices:
        values["mode"] = str(mode)
    if action in _ACTIONS:
        values["action"] = str(action)
    return values
