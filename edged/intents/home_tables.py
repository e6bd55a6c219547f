"""The tables of home.toml as they are written, and what is wrong with them in words that say how to mend it."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edged.config import Lang

MAX_FILE_BYTES: Final = 1 << 20
"""A house of 2,000 devices takes about 400 kB; more is no house."""
MAX_LINE_CHARACTERS: Final = 16_000
"""A group of 200 devices on one line takes 14,000. Reading a key takes time as the square of its length, and a key
stands on one line."""
MAX_AREAS: Final = 200
"""Areas, and as many floors: a large office building; each is a choice in every question about a place."""
MAX_DEVICES: Final = 2000
"""Devices and groups together: what one zigbee2mqtt network can hold many times over."""
MAX_NAMES: Final = 30
"""Names of one thing in one language: nobody remembers more."""
MAX_LANGUAGES: Final = 30
MAX_MEMBERS: Final = 200
"""Devices of one group."""
MAX_SETTINGS: Final = 50
"""Of one device: Home Assistant has about as many keys for a thermostat."""
MAX_SPEEDS: Final = 32
"""Names of a fan's speeds: fans have about ten."""

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")

Key = Annotated[str, Field(pattern=f"^{_KEY.pattern}$")]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Names: TypeAlias = Annotated[
    dict[Lang, Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_NAMES)]],
    Field(max_length=MAX_LANGUAGES),
]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Topic = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f+#]+$")]
Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Speeds: TypeAlias = (
    Annotated[tuple[Word, ...], Field(min_length=1, max_length=MAX_SPEEDS)]
    | Annotated[int, Field(strict=True, ge=1, le=65535)]
)


Setting: TypeAlias = (
    Annotated[str, Field(strict=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
    | Annotated[bool, Field(strict=True)]
    | Number
    | Annotated[tuple[Word, ...], Field(max_length=MAX_NAMES)]
)


@dataclass(frozen=True, slots=True)
class HomeFault:
    """Something wrong in home.toml."""

    path: str
    """Where, as the keys that lead there: devices.lamp.kind."""
    what: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{place}{self.what}\n    {self.remedy}"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AreaTable(_Table):
    """[areas.KEY]."""

    names: Names = {}
    floor: Key | None = None


class FloorTable(_Table):
    """[floors.KEY]."""

    names: Names = {}


class MessageTable(_Table):
    """A message of the template driver."""

    topic: Annotated[str, Field(min_length=1, max_length=1000)]
    payload: Annotated[str, Field(max_length=4000)]


class _Commanded(_Table):
    kind: Key
    area: Key | None = None
    names: Names = {}
    base: Topic | None = None
    limits: dict[Key, tuple[Number, Number]] = {}
    properties: dict[Key, Word] = {}
    speeds: Speeds | None = None
    scene: Annotated[int, Field(strict=True, ge=0, le=255)] | None = None
    settings: Annotated[dict[Key, Setting], Field(max_length=MAX_SETTINGS)] = {}
    template: dict[Key, MessageTable] = {}


class DeviceTable(_Commanded):
    """[devices.KEY]."""

    driver: Key
    address: Topic


class GroupTable(_Commanded):
    """[groups.KEY]: either `members`, or a driver and an address of its own."""

    members: Annotated[tuple[Key, ...], Field(min_length=1, max_length=MAX_MEMBERS)] = ()
    driver: Key | None = None
    address: Topic | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """Every table by its key; one with faults holds what is right about it, so that the rest can be checked too."""

    areas: dict[str, AreaTable] = field(default_factory=dict)
    floors: dict[str, FloorTable] = field(default_factory=dict)
    devices: dict[str, DeviceTable] = field(default_factory=dict)
    groups: dict[str, GroupTable] = field(default_factory=dict)
    written: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Section -> key -> the table as the file has it."""


_T = TypeVar("_T", bound=_Table)

_SECTIONS: Final = ("areas", "floors", "devices", "groups")
_CAPS: Final = {"areas": MAX_AREAS, "floors": MAX_AREAS, "devices": MAX_DEVICES, "groups": MAX_DEVICES}

_KEY_FORM: Final = "use lower-case letters, digits and _, 64 at most, such as living_room"
_REMEDIES: Final = {
    "names": 'write the names a language, such as names.en = ["big lamp", "ceiling lamp"]',
    "floor": _KEY_FORM,
    "area": _KEY_FORM,
    "kind": _KEY_FORM,
    "driver": 'write the name of a driver, such as driver = "zigbee2mqtt"',
    "address": "write how the driver reaches it, without + and #, 200 characters at most",
    "base": "write the base topic of its Zigbee2MQTT, without + and #",
    "limits": "write the least and the greatest value, such as limits.temperature = [5, 30]",
    "properties": 'write the key of the device\'s messages, such as properties.state = "state_l1"',
    "speeds": 'write the names of the speeds, slowest first, such as speeds = ["low", "high"], or the greatest number',
    "scene": "write the number of the scene, 0 to 255",
    "settings": 'write keys of its driver, such as settings.command_topic = "home/lamp/set"',
    "template": 'write a topic and a payload, such as template.state = {topic = "a/b", payload = "{{ value }}"}',
    "members": 'write keys of devices, such as members = ["floor_lamp", "desk_lamp"]',
}


def read_tables(text: str) -> tuple[Tables, list[HomeFault]]:
    """All tables of home.toml that can be read, and what is wrong with the others."""
    if len(text.encode(errors="replace")) > MAX_FILE_BYTES:
        return Tables(), [HomeFault("", f"is larger than {MAX_FILE_BYTES} bytes", "split the house")]
    long = next((number for number, line in enumerate(text.split("\n"), 1) if len(line) > MAX_LINE_CHARACTERS), None)
    if long is not None:
        what = f"line {long} has more than {MAX_LINE_CHARACTERS} characters"
        return Tables(), [HomeFault("", what, "write it in several lines")]
    try:
        parsed = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return Tables(), [HomeFault("", f"is not valid TOML: {error}", "mend the line it names")]
    faults = [
        HomeFault(shown(key), f'there is no section "{shown(key)}"', suggest(key, _SECTIONS))
        for key in parsed
        if key not in _SECTIONS
    ]
    written: dict[str, Mapping[str, object]] = {}
    for section in _SECTIONS:
        found = parsed.get(section, {})
        if not isinstance(found, dict):
            faults.append(HomeFault(section, "is no table", f"write [{section}.KEY] and its keys below"))
        elif len(found) > _CAPS[section]:
            faults.append(HomeFault(section, f"holds more than {_CAPS[section]} entries", "remove some"))
        else:
            written[section] = found
    tables = Tables(
        areas=_read_section(AreaTable, "areas", written, faults),
        floors=_read_section(FloorTable, "floors", written, faults),
        devices=_read_section(DeviceTable, "devices", written, faults),
        groups=_read_section(GroupTable, "groups", written, faults),
        written=written,
    )
    return tables, faults


def suggest(word: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown word: the nearest known one, and all of them."""
    choices = list(known)
    near = difflib.get_close_matches(word[:100], choices, n=1)
    every = f"use one of: {', '.join(choices[:_SHOWN_CHOICES])}{', ...' if len(choices) > _SHOWN_CHOICES else ''}"
    if near:
        return f'did you mean "{near[0]}"? {every}'
    return every if choices else "none is defined"


_SHOWN_CHOICES: Final = 20


def _read_section(
    model: type[_T], section: str, written: Mapping[str, Mapping[str, object]], faults: list[HomeFault]
) -> dict[str, _T]:
    tables: dict[str, _T] = {}
    for key, table in written.get(section, {}).items():
        if not _KEY.fullmatch(key):
            faults.append(HomeFault(f"{section}.{shown(key)}", "is no key", _KEY_FORM))
        try:
            tables[key] = model.model_validate(table)
        except ValidationError as error:
            faults += _describe(error, model, f"{section}.{shown(key)}")
            if isinstance(table, dict):
                wrong = {found["loc"][0] for found in error.errors(include_url=False)}
                right = {name: value for name, value in table.items() if name not in wrong}
                tables[key] = cast(_T, model.model_construct(**(_UNKNOWN | right)))
    return tables


_UNKNOWN: Final = {"kind": "", "driver": "", "address": ""}
"""Stand for what every device must have, where a table lacks it or has it wrong."""


def _describe(error: ValidationError, model: type[_Table], place: str) -> list[HomeFault]:
    """One fault a place; where a value may be of several types, that of the type which goes deepest into it."""
    faults: dict[str, HomeFault] = {}
    for found in error.errors(include_url=False):
        fault = _describe_one(found, model, place)
        faults.setdefault(fault.path, fault)
    return [fault for path, fault in faults.items() if not any(other.startswith(f"{path}.") for other in faults)]


def _describe_one(found: Mapping[str, Any], model: type[_Table], place: str) -> HomeFault:
    location = [part for part in found["loc"] if part != "[key]" and not _is_branch(part)]
    path = ".".join([place, *(shown(str(part)) for part in location)])
    top = str(location[0]) if location else ""
    if found["type"] == "extra_forbidden":
        owner = MessageTable if len(location) > 1 else model
        last = str(location[-1])
        return HomeFault(path, f'there is no key "{shown(last)}"', suggest(last, owner.model_fields))
    if found["type"] == "model_type" and not location:
        return HomeFault(path, "is no table", "write its keys below it")
    what = _WORDS.get(found["type"], str(found["msg"]))
    return HomeFault(path, what[0].lower() + what[1:], _REMEDIES.get(top, "mend it"))


_WORDS: Final = {
    "missing": "is missing",
    "dict_type": "is no table",
    "model_type": "is no table",
    "tuple_type": "is no list",
    "string_type": "is no text",
    "int_type": "is no whole number",
    "float_type": "is no number",
    "finite_number": "is no number",
    "string_pattern_mismatch": "holds letters or signs that it may not, or too many",
    "string_too_short": "is empty",
    "string_too_long": "is too long",
    "too_short": "has too few entries",
    "too_long": "has too many entries",
}
"""Kinds of pydantic's errors in our words; the others keep theirs."""


def _is_branch(part: object) -> bool:
    """Whether a part of a place is no key of the file: pydantic names the branches of a choice of types there."""
    if part in ("int", "bool", "float", "str"):
        return True
    return isinstance(part, str) and part.startswith(("tuple[", "constrained-", "function-"))


def shown(text: str, length: int = 100) -> str:
    """A text of the file as a message may hold it: one line, nothing unprintable, not too long."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text[:length])
    return plain if len(text) <= length else f"{plain}..."
