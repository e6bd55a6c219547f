"""Driver of devices that keep to Home Assistant's MQTT conventions: a plain text a topic, but JSON for lights.

`settings` in home.toml holds the keys of Home Assistant's own configuration of the device; a `~` at the beginning or
the end of a topic stands for the address. Keys: https://www.home-assistant.io/integrations/mqtt/ and the pages of its
platforms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, TypeAlias

from edged.act.driver import (
    Change,
    Question,
    Refusal,
    State,
    known_number,
    make_command,
    number_of,
    place_of,
    refuse_keys,
    refuse_others,
    step_temperature,
    step_within,
)
from edged.act.home_assistant_light import assume_light, interpret_light, render_light
from edged.act.home_assistant_state import (
    AVAILABILITY_TOPIC,
    COMMAND_TOPICS,
    OPTIONS,
    STATE_TOPICS,
    assume_plain,
    from_position,
    interpret_plain,
    number_option,
    option,
    platform_of,
    read_availability,
    read_plain_state,
    speeds_of,
    taken_by,
    to_position,
    topic_of,
)
from edged.act.mapping import DeviceChange
from edged.act.payload import read_object
from edged.act.topic import describe_bad_topic
from edged.act.units import to_celsius, to_fahrenheit, to_multiple, to_step
from edged.errors import ConfigError
from edged.intents.home import Device, name_of
from edged.intents.home_tables import suggest
from edged.types import Command, Rejected, SlotValue

_Message: TypeAlias = tuple[str, str]
"""Home Assistant's key of a topic, and the payload."""

_LEAST: Final = {"brightness_scale": 1, "temp_step": 0.01}
"""Of options that something is divided by."""


class HomeAssistant:
    """The `home_assistant` driver."""

    repeats_itself = False

    def check(self, device: Device) -> None:
        """Raises ConfigError where a key is missing, unknown to Home Assistant, or none that can be used."""
        place = place_of(device)
        refuse_keys(device, "base", "properties", "scene", "speeds", "template")
        platform = platform_of(device)
        if platform not in COMMAND_TOPICS:
            remedy = suggest(device.kind, (*COMMAND_TOPICS, "gate"))
            raise ConfigError("is no kind that it can command", where=f"{place}.kind", remedy=remedy)
        for key in device.settings:
            _check_setting(device, key)
        if not taken_by(device):
            key = next(iter(COMMAND_TOPICS[platform]))
            raise ConfigError("names no topic for commands", where=f"{place}.settings", remedy=f'write {key} = "~/set"')
        _check_range(device)

    def state_topics(self, device: Device) -> tuple[str, ...]:
        """Those that home.toml names."""
        topics = (topic_of(device, key) for key in STATE_TOPICS[platform_of(device)])
        return tuple(dict.fromkeys(topic for topic in topics if topic is not None))

    def read_state(self, device: Device, topic: str, payload: bytes) -> State | None:
        """The keys of a light's message; else Home Assistant's key of the topic with the number or word on it."""
        return read_object(payload) if device.kind == "light" else read_plain_state(device, topic, payload)

    def interpret(self, device: Device, state: State) -> Mapping[str, SlotValue]:
        """What it says in the scales that home.toml gives."""
        return interpret_light(device, state) if device.kind == "light" else interpret_plain(device, state)

    def render(
        self, change: DeviceChange, state: State, *, now_ns: int, expires_s: float, intent_id: str
    ) -> tuple[Command, ...] | Rejected:
        """One message a topic."""
        device = change.device
        try:
            refuse_others(device, change.change, taken_by(device))
            messages = _RENDER[platform_of(device)](device, change.change, state)
        except Refusal as refusal:
            return Rejected(intent_id, "act", str(refusal))
        return tuple(
            make_command(
                str(topic_of(device, key)),
                text,
                now_ns=now_ns,
                expires_s=expires_s,
                intent_id=intent_id,
                is_repeatable=_is_repeatable(change.change),
            )
            for key, text in messages
        )

    def assume(self, device: Device, command: Command) -> State:
        """What the device will tell in its own words; where a stop ends is not known."""
        if device.kind == "light":
            return assume_light(read_object(command.payload) or {})
        return assume_plain(device, command)

    def tells(self, device: Device, expected: State) -> bool:
        """Whether home.toml names the topic that it would be told on."""
        named = [key for key in STATE_TOPICS[platform_of(device)] if topic_of(device, key) is not None]
        return bool(named) and (device.kind == "light" or not expected or not expected.keys().isdisjoint(named))

    def questions(self, device: Device) -> tuple[Question, ...]:  # noqa: ARG002 -- as every driver
        """None: Home Assistant's conventions have no question, and states are retained."""
        return ()

    def availability_topics(self, device: Device) -> tuple[str, ...]:
        """The one that home.toml names."""
        topic = topic_of(device, AVAILABILITY_TOPIC)
        return () if topic is None else (topic,)

    def read_availability(self, device: Device, topic: str, payload: bytes) -> bool | None:  # noqa: ARG002
        """In the words that home.toml names."""
        return read_availability(device, payload)


def _is_repeatable(change: Change) -> bool:
    """Steps and toggles have become values by now; a stop starts from what is, and a scene may do anything."""
    return change.get("cover") != "stop" and "scene" not in change


def _check_setting(device: Device, key: str) -> None:
    platform, place = platform_of(device), f"{place_of(device)}.settings.{key}"
    topics = (*COMMAND_TOPICS[platform], *STATE_TOPICS[platform], AVAILABILITY_TOPIC)
    options = OPTIONS[platform]
    value = device.settings[key]
    if key in topics:
        topic = topic_of(device, key)
        fault = "is no topic" if topic is None else describe_bad_topic(topic)
        if key not in COMMAND_TOPICS[platform] and topic in {
            topic_of(device, other) for other in COMMAND_TOPICS[platform]
        }:
            fault = "is a topic for commands, which would be taken for answers"
        if fault:
            raise ConfigError(fault, where=place, remedy='write a topic of its own, such as "~/set"')
    elif key not in options:
        raise ConfigError("is unknown", where=place, remedy=suggest(key, (*topics, *options)))
    elif key == "temperature_unit" and value not in ("C", "F"):
        raise ConfigError("is no unit", where=place, remedy='write "C" or "F"')
    elif _type_of(value) is not _type_of(options[key]) or (key in _LEAST and number_option(device, key) < _LEAST[key]):
        usual = options[key]
        example = f"such as {list(usual) if isinstance(usual, tuple) else usual}"
        raise ConfigError("is no value for it", where=place, remedy=f"write what Home Assistant has, {example}")


def _check_range(device: Device) -> None:
    key = ""
    if platform_of(device) == "cover" and option(device, "position_open") == option(device, "position_closed"):
        key = "position_open"
    if platform_of(device) == "fan" and speeds_of(device)[1] < 1:
        key = "speed_range_max"
    if key:
        remedy = "write the two ends of the range"
        raise ConfigError("leaves no range", where=f"{place_of(device)}.settings.{key}", remedy=remedy)


def _type_of(value: object) -> type:
    return float if type(value) is int else type(value)


def _render_light(device: Device, change: Change, state: State) -> list[_Message]:
    return [("command_topic", render_light(device, change, state))]


def _render_scene(device: Device, change: Change, state: State) -> list[_Message]:  # noqa: ARG001 -- as all renderers
    return [("command_topic", str(option(device, "payload_on")))]


def _render_switch(device: Device, change: Change, state: State) -> list[_Message]:
    wanted = change["state"]
    if wanted == "toggle":
        present = interpret_plain(device, state).get("state")
        if present is None:
            raise Refusal(f"whether {name_of(device)} is on is not known yet")
        wanted = "off" if present == "on" else "on"
    return [("command_topic", str(option(device, f"payload_{wanted}")))]


def _render_thermostat(device: Device, change: Change, state: State) -> list[_Message]:
    messages = [("mode_command_topic", str(change["mode"]))] if "mode" in change else []
    is_fahrenheit = option(device, "temperature_unit") == "F"
    celsius = number_of(change.get("temperature"))
    if "temperature_step" in change and "temperature" not in change:
        what = f"the present set temperature of {name_of(device)}"
        present = known_number(state, "temperature_state_topic", what)
        celsius = step_temperature(
            device, to_celsius(present) if is_fahrenheit else present, change["temperature_step"]
        )
    if "temperature" in change or "temperature_step" in change:
        degrees = to_fahrenheit(celsius) if is_fahrenheit else celsius
        messages.append(("temperature_command_topic", str(to_multiple(degrees, number_option(device, "temp_step")))))
    return messages


def _render_cover(device: Device, change: Change, state: State) -> list[_Message]:
    messages: list[_Message] = []
    if "position" in change:
        messages.append(("set_position_topic", str(to_position(device, number_of(change["position"])))))
    elif "position_step" in change:
        raw = known_number(state, "position_topic", f"the present position of {name_of(device)}")
        percent = step_within(device, "position", from_position(device, raw), change["position_step"])
        messages.append(("set_position_topic", str(to_position(device, percent))))
    if "tilt" in change:
        messages.append(("tilt_command_topic", str(round(number_of(change["tilt"])))))
    if change.get("cover") == "stop" and messages:
        raise Refusal(f"{name_of(device)} cannot stop and move at once")
    if "cover" in change and not messages:
        messages.append(("command_topic", str(option(device, f"payload_{change['cover']}"))))
    return messages


def _render_fan(device: Device, change: Change, state: State) -> list[_Message]:
    is_off = change.get("state") == "off" or change.get("speed") == 0
    if is_off and topic_of(device, "command_topic") is not None:
        return _render_switch(device, {"state": "off"}, state)
    messages = _render_switch(device, change, state) if "state" in change else []
    below, count = speeds_of(device)
    if "speed" in change:
        share = number_of(change["speed"]) * count / 100
        messages.append(("percentage_command_topic", str(below + math.ceil(share) if share else 0)))
    elif "speed_step" in change:
        is_still = interpret_plain(device, state).get("state") == "off"
        what = f"the present speed of {name_of(device)}"
        present = 0 if is_still else max(0, known_number(state, "percentage_state_topic", what) - below)
        step = to_step(number_of(change["speed_step"]), count)
        if present == 0 and step <= 0:
            raise Refusal(f"{name_of(device)} is off")
        messages.append(("percentage_command_topic", str(below + round(min(count, max(1, present + step))))))
    return messages


_RENDER: Final = {
    "light": _render_light,
    "switch": _render_switch,
    "scene": _render_scene,
    "thermostat": _render_thermostat,
    "cover": _render_cover,
    "fan": _render_fan,
}
