"""SLURP's rows as expectations of ours: text, language, the intents that are expected, and what kind of row it is."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from edged.intents.home import Home
from edged.types import SlotValue

_MEANINGS: Final = Path(__file__).parent / "slurp.toml"


@dataclass(frozen=True, slots=True)
class Expected:
    """A sentence and what it should give."""

    text: str
    lang: str
    intents: tuple[Mapping[str, SlotValue], ...]
    kind: str
    """What the data calls it: a scores' row."""
    slots_known: bool
    """Whether `intents` names every slot; else only intent and action are to be compared."""


def read_slurp(paths: Sequence[Path], home: Home, schemas: Sequence[Mapping[str, Any]]) -> list[Expected]:
    """The rows of SLURP files, with the slots that follow from their entities."""
    meanings = tomllib.loads(_MEANINGS.read_text(encoding="utf-8"))
    words = {slot: dict(_words(slot, home, schemas)) for slot in meanings["entities"].values()}
    return [_expected(row, meanings, words) for path in paths for row in _rows(path)]


def read_expected(path: Path) -> list[Expected]:
    """Rows of our own form: {"text", "lang", "expect"}."""
    return [
        Expected(
            row["text"], row["lang"], tuple(row["expect"]), f"{row['lang']} {_kind(row['expect'])}", slots_known=True
        )
        for row in _rows(path)
    ]


def for_house(rows: Sequence[Expected], home: Home, schemas: Sequence[Mapping[str, Any]]) -> list[Expected]:
    """The rows as this house should take them: what names a room or device that it lacks is to be refused."""
    places = {schema["x-edged"]["command"][slot] for schema in schemas for slot in ("area", "device")}
    known = {*home.areas, *home.devices}

    def lacks(row: Expected) -> bool:
        return any(intent[slot] not in known for intent in row.intents for slot in places & intent.keys())

    return [replace(row, intents=(), kind=f"{row.lang} not in this house") if lacks(row) else row for row in rows]


def _expected(row: Mapping[str, Any], meanings: Mapping[str, Any], words: Mapping[str, Mapping[str, str]]) -> Expected:
    kind = row["action"] if row["scenario"] == "iot" else "other domains"
    meant = meanings["actions"].get(row["action"]) if row["scenario"] == "iot" else None
    if meant is None:
        return Expected(row["text"], "en", (), kind, slots_known=True)
    intent, known = dict(meant), True
    for entity in row["entities"]:
        slot = meanings["entities"].get(entity["type"])
        value = words.get(slot, {}).get(entity["value"])
        if value is not None:
            intent[slot] = value
        elif entity["type"] not in meanings["general"]["may_be_general"]:
            known = False
    return Expected(row["text"], "en", (intent,), kind, known)


def _words(slot: str, home: Home, schemas: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for schema in schemas:
        for value, by_language in schema["x-edged"]["spoken"].get(slot, {}).items():
            for word in by_language.get("en", ()):
                yield word, value
        command = schema["x-edged"]["command"]
        if slot == command["area"]:
            for area in home.areas.values():
                yield from ((name, area.key) for name in area.names.get("en", ()))
        if slot == command["device"]:
            for device in home.devices_of(command["kind"]):
                yield from ((name, device.key) for name in device.names.get("en", ()))


def _kind(intents: Sequence[Mapping[str, SlotValue]]) -> str:
    if len(intents) > 1:
        return "several intents"
    return f"{intents[0]['intent']} {intents[0]['action']}" if intents else "no command"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
