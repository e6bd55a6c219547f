"""Entries for home.toml: what Zigbee2MQTT has and the house does not have yet."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edged.act.inventory import DRIVER, Found, Inventory, Skipped
from edged.act.zigbee2mqtt import BASE_TOPIC, PROPERTIES
from edged.act.zigbee2mqtt_fan import FAN_STATES
from edged.intents.home import Device, Home
from edged.intents.home_tables import MAX_DEVICES, shown
from edged.intents.spoken.text import normalize_text

_MAX_KEY: Final = 56
"""Letters of a key, so that a number still fits behind it."""
_LETTERS: Final = str.maketrans("łøđıαβγδεζηικλμνξοπρσςτυφω", "lodiabgdeziiklmnxoprsstyfo") | {
    ord(letter): latin for letter, latin in {"ß": "ss", "æ": "ae", "œ": "oe", "θ": "th", "χ": "ch", "ψ": "ps"}.items()
}
"""What Unicode does not take apart into Latin letters and accents."""
_GLUED: Final = ("ko", "ja", "zh")
"""Languages in which a name may stand in the middle of a word."""
_MAIN: Final = {"cover": "cover", "thermostat": "temperature"}
"""Kind -> the capability whose property tells the parts of one device apart; for the other kinds it is the state."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person may add to home.toml."""

    new: tuple[Device, ...]
    known: int
    """How many the house has already."""
    skipped: tuple[Skipped, ...]


def propose(inventory: Inventory, home: Home) -> Proposal:
    """What the house lacks, each with a key of its own and the area that its name or description tells."""
    lacking = [found for found in inventory.found if not _is_known(found.device, inventory, home)]
    room = max(0, MAX_DEVICES - len(home.devices))
    rest = tuple(
        Skipped(shown(found.device.address), f"home.toml holds {MAX_DEVICES} devices") for found in lacking[room:]
    )
    taken = set(home.devices)
    areas = _area_names(home)
    new = []
    for found in lacking[:room]:
        key = _choose_key(found.device, taken)
        taken.add(key)
        new.append(replace(found.device, key=key, area=_guess_area(found, areas)))
    return Proposal(tuple(new), len(inventory.found) - len(lacking), inventory.skipped + rest)


def describe_entry(device: Device) -> dict[str, object]:
    """The keys of the entry and their values, without those that need not be written."""
    entry: dict[str, object] = {"kind": device.kind, "area": device.area}
    entry |= {f"names.{lang}": list(names) for lang, names in device.names.items()}
    entry |= {"driver": device.driver, "address": device.address, "base": device.base, "scene": device.scene}
    entry["speeds"] = list(device.speeds) if isinstance(device.speeds, tuple) else device.speeds
    entry |= {f"properties.{capability}": name for capability, name in device.properties.items()}
    entry |= {f"limits.{capability}": list(limits) for capability, limits in device.limits.items()}
    return {key: value for key, value in entry.items() if value is not None}


def section_of(device: Device) -> str:
    """The section of home.toml that it belongs to."""
    return "groups" if device.is_group else "devices"


def write_entry(device: Device) -> str:
    """The entry as TOML, whatever its names hold."""
    lines = [f"[{section_of(device)}.{device.key}]"]
    lines += [f"{key} = {_write_value(value)}" for key, value in describe_entry(device).items()]
    return "\n".join(lines) + "\n"


def _write_value(value: object) -> str:
    """TOML's lists, numbers and strings are written as JSON's are; the one letter that differs is in none of ours."""
    return json.dumps(value, ensure_ascii=False)


def _is_known(device: Device, inventory: Inventory, home: Home) -> bool:
    """The house has it where it has its address and its property, or its kind if only one part has that."""
    parts = Counter((found.device.address, found.device.kind, found.device.scene) for found in inventory.found)
    alone = parts[device.address, device.kind, device.scene] == 1
    return any(
        other.driver == DRIVER
        and other.address == device.address
        and (other.base or BASE_TOPIC) == (device.base or BASE_TOPIC)
        and other.scene == device.scene
        and (_main_property(other) == _main_property(device) or (alone and other.kind == device.kind))
        for other in home.devices.values()
    )


def _main_property(device: Device) -> str:
    capability = _MAIN.get(device.kind, "state")
    usual = FAN_STATES[0] if device.kind == "fan" else PROPERTIES[capability]
    return device.properties.get(capability, usual)


def _choose_key(device: Device, taken: Iterable[str]) -> str:
    name = next(iter(device.names.values()))[0].lower()
    letters = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    stem = re.sub(r"[^a-z0-9]+", "_", letters.translate(_LETTERS)).strip("_")[:_MAX_KEY].strip("_") or device.kind
    key, number = stem, 2
    while key in taken:
        key, number = f"{stem}_{number}", number + 1
    return key


def _area_names(home: Home) -> list[tuple[str, str, str]]:
    """Language, name without blanks and key, the longest names first."""
    names = [
        (lang, normalize_text(name, lang).replace(" ", ""), area.key)
        for area in home.areas.values()
        for lang, forms in area.names.items()
        for name in forms
    ]
    return sorted((name for name in names if name[1]), key=lambda name: -len(name[1]))


def _guess_area(found: Found, areas: Sequence[tuple[str, str, str]]) -> str | None:
    """The area with the longest name that is said; none where two areas share that name."""
    text = re.sub(r"[_/.:-]+", " ", found.text)
    words = {lang: normalize_text(text, lang).split() for lang in {lang for lang, _, _ in areas}}
    said = [(name, key) for lang, name, key in areas if _says(words[lang], name, lang)]
    keys = {key for name, key in said if len(name) == len(said[0][0])} if said else set()
    return keys.pop() if len(keys) == 1 else None


def _says(words: Sequence[str], name: str, lang: str) -> bool:
    if lang.split("-")[0] in _GLUED:
        return name in "".join(words)
    return any(
        "".join(words[start:end]) == name for start in range(len(words)) for end in range(start + 1, len(words) + 1)
    )
