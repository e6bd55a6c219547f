"""What Zigbee2MQTT says of its devices and groups, as devices of the house. Its documents are not trusted.

Their structure: https://www.zigbee2mqtt.io/guide/usage/exposes.html and mqtt_topics_and_messages.html there
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn, TypeAlias

from edged.act.zigbee2mqtt import BASE_TOPIC, PROPERTIES, SETPOINTS, Zigbee2Mqtt
from edged.act.zigbee2mqtt_fan import FULL_SPEED
from edged.errors import BrokerError, ConfigError
from edged.intents.home import Device
from edged.intents.home_tables import MAX_DEVICES, MAX_SPEEDS, shown

DRIVER: Final = "zigbee2mqtt"

MAX_PAYLOAD_BYTES: Final = 16 << 20
"""A device takes 5 to 20 kB, so this holds more than a network can."""
MAX_EXPOSES: Final = 200
"""Entries of a device's `exposes`, and of the features of one: the longest have some dozens."""
MAX_ADDRESS_CHARACTERS: Final = 200
"""What home.toml takes."""
MAX_NUMBER: Final = 65_535
"""No temperature and no speed is above it."""

_KINDS: Final = {"light": "light", "switch": "switch", "cover": "cover", "fan": "fan", "climate": "thermostat"}
"""Type of an entry of `exposes` -> kind of the device."""
_CAPABILITIES: Final = {
    "light": {"state": "state", "brightness": "brightness", "color_temp": "color_temp", "color_hs": "color",
              "color_xy": "color"},
    "switch": {"state": "state"},
    "cover": {"state": "cover", "position": "position", "tilt": "tilt"},
    "fan": {"state": "state", "speed": "speed", "mode": "mode"},
    "climate": {SETPOINTS[0]: "temperature", SETPOINTS[1]: "temperature", "system_mode": "mode"},
}  # fmt: skip
"""Type of an entry of `exposes` -> name of a feature -> capability."""
_SETTABLE: Final = 0b010
"""The bit of `access` that lets a property be set."""
_NO_SPEEDS: Final = ("off", "on", "auto", "smart")
"""Modes of a fan that are no speeds."""
_WORD: Final = re.compile(r"[\w.-]{1,64}")
_IEEE: Final = re.compile(r"0x[0-9a-f]{16}")
"""What a device is called that nobody has named."""
_SEPARATORS: Final = re.compile(r"[\s_/.:,;|-]+")

Json: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Found:
    """A device or group that Zigbee2MQTT has; its key and its area are not chosen yet."""

    device: Device
    text: str
    """What people wrote about it, in which an area may be named."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that nobody can command by voice."""

    name: str
    """One line that can be printed."""
    reason: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that Zigbee2MQTT has."""

    found: tuple[Found, ...]
    skipped: tuple[Skipped, ...]


def inventory_topics(base: str) -> tuple[str, str]:
    """The topics of the two documents: devices and groups."""
    return f"{base}/bridge/devices", f"{base}/bridge/groups"


def read_inventory(devices: bytes, groups: bytes, *, base: str = BASE_TOPIC) -> Inventory:
    """What the two documents hold.

    Raises:
        BrokerError: one of them is too large or no JSON list.
    """
    topics = inventory_topics(base)
    found: list[Found] = []
    skipped: list[Skipped] = []
    kinds: dict[str, set[str]] = {}
    for entry in _read_list(devices, topics[0]):
        if entry.get("type") != "Coordinator":
            things = _read_device(entry, base)
            kinds[str(entry.get("ieee_address"))] = {thing.device.kind for thing in things if isinstance(thing, Found)}
            _sort(things, found, skipped)
    for entry in _read_list(groups, topics[1]):
        _sort(_read_group(entry, kinds, base), found, skipped)
    return Inventory(tuple(found[:MAX_DEVICES]), tuple(skipped))


def _sort(things: Sequence[Found | Skipped], found: list[Found], skipped: list[Skipped]) -> None:
    """Puts what the driver would refuse to the skipped."""
    for thing in things:
        if isinstance(thing, Skipped):
            skipped.append(thing)
            continue
        try:
            Zigbee2Mqtt().check(thing.device)
        except ConfigError as error:
            skipped.append(Skipped(_label(thing.device.address), error.what))
        else:
            found.append(thing)


def _read_list(payload: bytes, topic: str) -> list[Mapping[str, Json]]:
    reason = f"is larger than {MAX_PAYLOAD_BYTES} bytes"
    if len(payload) <= MAX_PAYLOAD_BYTES:
        try:
            document = json.loads(payload, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            reason = f"is no JSON: {error}"
        else:
            if isinstance(document, list):
                return [entry for entry in document[: 2 * MAX_DEVICES] if isinstance(entry, dict)]
            reason = "is no JSON list"
    raise BrokerError(f"what is retained on {topic} {reason}", remedy="see whether Zigbee2MQTT publishes there")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _read_device(entry: Mapping[str, Json], base: str) -> list[Found | Skipped]:
    address = _read_address(entry)
    if address is None:
        return [Skipped("a device", _NO_ADDRESS)]
    definition = entry.get("definition")
    if not isinstance(definition, dict) or entry.get("disabled") is True:
        reason = "is disabled" if entry.get("disabled") is True else "is not supported by Zigbee2MQTT"
        return [Skipped(_label(address), reason)]
    parts = [part for expose in _objects(definition.get("exposes")) if (part := _read_part(expose)) is not None]
    kinds = [thing.kind for thing, _ in parts]
    description = entry.get("description")
    text = f"{address} {description[:MAX_ADDRESS_CHARACTERS] if isinstance(description, str) else ''}"
    found: list[Found | Skipped] = []
    for thing, endpoint in parts:
        name = _spoken_name(address, thing.kind, endpoint if kinds.count(thing.kind) > 1 else "")
        found.append(Found(_complete(thing, address, name, base), text))
    return found or [Skipped(_label(address), "exposes nothing that can be commanded")]


def _read_group(entry: Mapping[str, Json], kinds: Mapping[str, set[str]], base: str) -> list[Found | Skipped]:
    address = _read_address(entry)
    if address is None:
        return [Skipped("a group", _NO_ADDRESS)]
    members = [kinds.get(str(member.get("ieee_address")), set()) for member in _objects(entry.get("members"))]
    shared = sorted(set.intersection(*members)) if members else []
    things: list[Found | Skipped] = [Skipped(_label(address), "is a group of no devices of one kind")]
    if shared:
        part = replace(_device(shared[0]), is_group=True)
        things = [Found(_complete(part, address, _spoken_name(address, part.kind, ""), base), address)]
    for scene in _objects(entry.get("scenes")):
        number, name = scene.get("id"), scene.get("name")
        if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 255:
            called = name[:MAX_ADDRESS_CHARACTERS] if isinstance(name, str) else ""
            part = replace(_device("scene"), scene=number)
            spoken = _spoken_name(called, f"scene {number}", "")
            things.append(Found(_complete(part, address, spoken, base), f"{called} {address}"))
    return things


_NO_ADDRESS: Final = f"has no friendly name of 1 to {MAX_ADDRESS_CHARACTERS} characters"


def _read_address(entry: Mapping[str, Json]) -> str | None:
    name = entry.get("friendly_name")
    return name if isinstance(name, str) and 0 < len(name) <= MAX_ADDRESS_CHARACTERS else None


def _read_part(expose: Mapping[str, Json]) -> tuple[Device, str] | None:
    """A part of a device that can be commanded, and the name of its endpoint."""
    exposed = expose.get("type")
    if not isinstance(exposed, str) or exposed not in _KINDS:
        return None
    settable: dict[str, Mapping[str, Json]] = {}
    for feature in _objects(expose.get("features")):
        capability = _CAPABILITIES[exposed].get(str(feature.get("name")))
        if capability is not None and _is_settable(feature):
            settable.setdefault(capability, feature)
    endpoint = expose.get("endpoint")
    endpoint = endpoint if isinstance(endpoint, str) and _WORD.fullmatch(endpoint) else ""
    if not settable or (exposed == "switch" and not _switches(settable["state"], endpoint)):
        return None
    device = _device(_KINDS[exposed])
    return (_read_fan(device, settable) if exposed == "fan" else _read_properties(device, settable)), endpoint


def _is_settable(feature: Mapping[str, Json]) -> bool:
    """The parts of a composite, such as a colour, say it for themselves."""
    parts = _objects(feature.get("features")) if feature.get("type") == "composite" else [feature]
    access = [part.get("access") for part in parts]
    return _property_of(feature) is not None and any(isinstance(bits, int) and bits & _SETTABLE for bits in access)


def _switches(feature: Mapping[str, Json], endpoint: str) -> bool:
    """Whether it is the device that is switched and none of its settings, which are exposed as switches too."""
    return _property_of(feature) in ("state", f"state_{endpoint}")


def _read_properties(device: Device, settable: Mapping[str, Mapping[str, Json]]) -> Device:
    own = {capability: name for capability, feature in settable.items() if (name := _property_of(feature)) is not None}
    limits = {}
    if "temperature" in settable:
        least, greatest = (_number(settable["temperature"].get(key)) for key in ("value_min", "value_max"))
        if least is not None and greatest is not None and least < greatest:
            limits["temperature"] = (least, greatest)
    properties = {capability: name for capability, name in own.items() if name != PROPERTIES[capability]}
    return replace(device, limits=limits, properties=properties)


def _read_fan(device: Device, settable: Mapping[str, Mapping[str, Json]]) -> Device:
    """A fan's switch is always told: beside a lamp the usual key would be the lamp's."""
    properties = {}
    speeds: tuple[str, ...] | int | None = None
    if "state" in settable:
        properties["state"] = str(_property_of(settable["state"]))
    if "mode" in settable:
        values = settable["mode"].get("values")
        words = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
        names = [word for word in words if word not in _NO_SPEEDS and _WORD.fullmatch(word)]
        speeds = tuple(dict.fromkeys(names))[:MAX_SPEEDS] or None
        name = _property_of(settable["mode"])
        if name is not None and name != "fan_mode":
            properties |= {"mode": name, "speed": name}
    elif "speed" in settable:
        greatest = _number(settable["speed"].get("value_max"))
        speeds = int(greatest) if greatest is not None and greatest >= 1 else FULL_SPEED
        name = _property_of(settable["speed"])
        if name is not None and name != PROPERTIES["speed"]:
            properties["speed"] = name
    return replace(device, properties=properties, speeds=speeds)


def _device(kind: str) -> Device:
    return Device("", kind, None, {}, DRIVER, "", {}, {})


def _complete(part: Device, address: str, name: str, base: str) -> Device:
    return replace(part, address=address, names={"en": (name,)}, base=None if base == BASE_TOPIC else base)


def _objects(value: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(value, list):
        yield from (item for item in value[:MAX_EXPOSES] if isinstance(item, dict))


def _property_of(feature: Mapping[str, Json]) -> str | None:
    name = feature.get("property")
    return name if isinstance(name, str) and _WORD.fullmatch(name) else None


def _number(value: Json) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) <= MAX_NUMBER else None


def _spoken_name(text: str, otherwise: str, endpoint: str) -> str:
    """A name as people would say it; `otherwise` where nobody has given one."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text[:MAX_ADDRESS_CHARACTERS])
    words = _SEPARATORS.sub(" ", plain).strip()
    if not any(letter.isalnum() for letter in words):
        words = otherwise
    if _IEEE.fullmatch(text):
        words = f"{otherwise} {text[-4:]}"
    return f"{words} {_SEPARATORS.sub(' ', endpoint).strip()}".strip()[:100].strip()


def _label(address: str) -> str:
    return shown(address) or "?"
