"""What Home Assistant's MQTT conventions call things: the keys of a kind of device, and what its topics say."""

from __future__ import annotations

from typing import Final

from edged.act.driver import State
from edged.act.payload import is_number, read_plain
from edged.act.units import to_celsius, to_percent
from edged.intents.capabilities import CAPABILITIES
from edged.intents.home import Device
from edged.intents.home_tables import Setting
from edged.types import Command, SlotValue

COMMAND_TOPICS: Final[dict[str, dict[str, frozenset[str]]]] = {
    "light": {
        "command_topic": frozenset({"state", "brightness", "brightness_step", "color", "color_temp", "transition"})
    },
    "switch": {"command_topic": frozenset({"state"})},
    "scene": {"command_topic": frozenset({"scene"})},
    "thermostat": {
        "mode_command_topic": frozenset({"mode"}),
        "temperature_command_topic": frozenset({"temperature", "temperature_step"}),
    },
    "cover": {
        "command_topic": frozenset({"cover"}),
        "set_position_topic": frozenset({"position", "position_step"}),
        "tilt_command_topic": frozenset({"tilt"}),
    },
    "fan": {
        "command_topic": frozenset({"state"}),
        "percentage_command_topic": frozenset({"speed", "speed_step"}),
    },
}
"""Kind -> Home Assistant's key of a topic -> the capabilities that are commanded there."""

STATE_TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "light": ("state_topic",),
    "switch": ("state_topic",),
    "scene": (),
    "thermostat": ("mode_state_topic", "temperature_state_topic", "current_temperature_topic", "action_topic"),
    "cover": ("state_topic", "position_topic", "tilt_status_topic"),
    "fan": ("state_topic", "percentage_state_topic"),
}

AVAILABILITY_TOPIC: Final = "availability_topic"
"""Where a device of any kind says whether it can be reached."""
_REACHED: Final[dict[str, Setting]] = {"payload_available": "online", "payload_not_available": "offline"}

_SWITCHED: Final[dict[str, Setting]] = {
    "payload_on": "ON",
    "payload_off": "OFF",
    "state_on": "ON",
    "state_off": "OFF",
}
_OF_KIND: Final[dict[str, dict[str, Setting]]] = {
    "light": {"brightness_scale": 255, "color_temp_kelvin": False, "supported_color_modes": ("hs", "color_temp")},
    "switch": _SWITCHED,
    "scene": {"payload_on": "ON"},
    "thermostat": {"temperature_unit": "C", "temp_step": 0.1},
    "cover": {
        "payload_open": "OPEN",
        "payload_close": "CLOSE",
        "payload_stop": "STOP",
        "state_open": "open",
        "state_closed": "closed",
        "position_open": 100,
        "position_closed": 0,
    },
    "fan": _SWITCHED | {"speed_range_min": 1, "speed_range_max": 100},
}
OPTIONS: Final[dict[str, dict[str, Setting]]] = {kind: options | _REACHED for kind, options in _OF_KIND.items()}
"""The other keys and what they are where home.toml does not say; Home Assistant's own but for temp_step, which it has
as 1: thermostats that take halves are common."""

_KINDS: Final = {"gate": "cover"}
"""Kinds that are another one to Home Assistant."""
_ANSWERS: Final = {
    "mode_command_topic": "mode_state_topic",
    "temperature_command_topic": "temperature_state_topic",
    "set_position_topic": "position_topic",
    "tilt_command_topic": "tilt_status_topic",
    "percentage_command_topic": "percentage_state_topic",
}
"""Where what was commanded is told in the same words."""
_WORDS: Final = {
    "payload_on": "state_on",
    "payload_off": "state_off",
    "payload_open": "state_open",
    "payload_close": "state_closed",
}
_ACTIONS: Final = {"heating": "heat", "cooling": "cool", "idle": "idle", "off": "idle"}


def platform_of(device: Device) -> str:
    """Whose keys the device has."""
    return _KINDS.get(device.kind, device.kind)


def option(device: Device, key: str) -> Setting:
    """What home.toml says, else what is usual."""
    return device.settings.get(key, OPTIONS[platform_of(device)][key])


def number_option(device: Device, key: str) -> float:
    """An option that is a number."""
    value = option(device, key)
    return float(value) if isinstance(value, int | float) else 0.0


def topic_of(device: Device, key: str) -> str | None:
    """The topic with the address in it; None where home.toml names none."""
    topic = device.settings.get(key)
    if not isinstance(topic, str):
        return None
    start = device.address + topic[1:] if topic.startswith("~") else topic
    return start[:-1] + device.address if start.endswith("~") else start


def taken_by(device: Device) -> frozenset[str]:
    """The capabilities whose topics home.toml names."""
    topics = COMMAND_TOPICS[platform_of(device)]
    return frozenset().union(*(taken for key, taken in topics.items() if topic_of(device, key) is not None))


def read_plain_state(device: Device, topic: str, payload: bytes) -> dict[str, object] | None:
    """Home Assistant's keys of this topic -> the number or word on it."""
    told = read_plain(payload)
    if told is None:
        return None
    return {key: told for key in STATE_TOPICS[platform_of(device)] if topic_of(device, key) == topic}


def read_availability(device: Device, payload: bytes) -> bool | None:
    """What a message on its availability topic says."""
    word = read_plain(payload)
    known = {_told(device, "payload_not_available"): False, _told(device, "payload_available"): True}
    return None if word is None else known.get(word)


def assume_plain(device: Device, command: Command) -> dict[str, object]:
    """What a plain text lets expect; a stop ends anywhere."""
    told, options = read_plain(command.payload), OPTIONS[platform_of(device)]
    assumed: dict[str, object] = {}
    for key in COMMAND_TOPICS[platform_of(device)]:
        if topic_of(device, key) != command.topic:
            continue
        words = [word for word in options if _WORDS.get(word) in options and told == _told(device, word)]
        if key == "command_topic" and words:
            assumed["state_topic"] = _told(device, _WORDS[words[0]])
        elif key in _ANSWERS and (is_number(told) or key == "mode_command_topic"):
            assumed[_ANSWERS[key]] = told
    return assumed


def interpret_plain(device: Device, state: State) -> dict[str, SlotValue]:
    """What the words and numbers of the device's topics mean."""
    interpret = {"thermostat": _interpret_thermostat, "cover": _interpret_cover, "fan": _interpret_fan}
    return interpret.get(platform_of(device), _interpret_switch)(device, state)


def to_position(device: Device, percent: float) -> int:
    """Percent on the device's own scale."""
    closed, opened = number_option(device, "position_closed"), number_option(device, "position_open")
    return round(closed + (opened - closed) * percent / 100)


def from_position(device: Device, raw: float) -> int | float:
    """The device's own scale as percent."""
    closed, opened = number_option(device, "position_closed"), number_option(device, "position_open")
    return to_percent(raw - closed, opened - closed)


def speeds_of(device: Device) -> tuple[int, int]:
    """What the slowest speed lies above, and how many speeds there are."""
    below = round(number_option(device, "speed_range_min")) - 1
    return below, round(number_option(device, "speed_range_max")) - below


def _told(device: Device, key: str) -> float | str | None:
    """A word that an option names, as it is read from a topic: some devices say 1 and 0."""
    return read_plain(str(option(device, key)).encode())


def _interpret_switch(device: Device, state: State) -> dict[str, SlotValue]:
    told = state.get("state_topic")
    if "state_on" not in OPTIONS[platform_of(device)] or told is None:
        return {}
    found = [word for word in ("on", "off") if told == _told(device, f"state_{word}")]
    return {"state": found[0]} if found else {}


def _interpret_fan(device: Device, state: State) -> dict[str, SlotValue]:
    values, told = _interpret_switch(device, state), state.get("percentage_state_topic")
    if is_number(told):
        below, count = speeds_of(device)
        values["speed"] = to_percent(max(0, told - below), count)
    return values


def _interpret_cover(device: Device, state: State) -> dict[str, SlotValue]:
    values: dict[str, SlotValue] = {}
    told, position, tilt = (state.get(key) for key in STATE_TOPICS["cover"])
    for word, key in (("open", "state_open"), ("close", "state_closed")):
        if told == _told(device, key):
            values["cover"] = word
    if is_number(position):
        values["position"] = from_position(device, position)
    if is_number(tilt):
        values["tilt"] = tilt
    return values


def _interpret_thermostat(device: Device, state: State) -> dict[str, SlotValue]:
    values: dict[str, SlotValue] = {}
    mode, target, present, action = (state.get(key) for key in STATE_TOPICS["thermostat"])
    if mode in CAPABILITIES["mode"].choices:
        values["mode"] = str(mode)
    for key, told in (("temperature", target), ("local_temperature", present)):
        if is_number(told):
            values[key] = to_celsius(told) if option(device, "temperature_unit") == "F" else told
    if action in _ACTIONS:
        values["action"] = _ACTIONS[str(action)]
    return values
