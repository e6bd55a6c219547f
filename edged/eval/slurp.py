"""SLURP's rows as expectations of a house: the intents that their actions and entities mean under its catalog."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from edged.intents.accept import exact_validator
from edged.intents.catalog import Catalog, IntentFile, Schema
from edged.intents.spoken.forms import name_forms, named_values
from edged.intents.spoken.text import normalize_text
from edged.types import SlotValue

LANG: Final = "en"
"""The language of all of SLURP."""
NOT_HERE: Final = "not in this house"
"""The kind of rows that mean what the house lacks: they are to be refused."""
ELSEWHERE: Final = "other scenarios"
"""The kind of all rows of scenarios of which no action means anything here."""

Expected: TypeAlias = tuple[tuple[Mapping[str, SlotValue], ...], str]
"""What a row should give, as far as SLURP says it, and its kind."""

_MEANINGS: Final = Path(__file__).parent / "slurp.toml"


class Slurp:
    """What SLURP's rows mean under one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        tables = tomllib.loads(_MEANINGS.read_text(encoding="utf-8"))
        self._catalog = catalog
        self._meanings: Mapping[str, Mapping[str, Mapping[str, SlotValue]]] = tables["meanings"]
        self._slots: Mapping[str, str] = tables["slots"]
        self._general: Mapping[str, Sequence[str]] = tables["general"]

    def read(self, row: Mapping[str, Any]) -> Expected:
        """What a row should give; one with an area or a device that the house lacks is to be refused.

        SLURP names few of the things that are said: no numbers, and not every room.
        """
        scenario, action = str(row.get("scenario")), str(row.get("action"))
        kind = action if scenario in self._meanings else ELSEWHERE
        meant = self._meanings.get(scenario, {}).get(action)
        file = self._catalog.intents.get(str(meant["intent"])) if meant is not None else None
        if meant is None or file is None:
            return (), kind
        intent = {slot: value for slot, value in meant.items() if allows(file, slot, value)}
        for entity_type, said in _entities(row):
            slot = self._slots.get(entity_type, "")
            value = self._value(file, slot, said)
            if value is not None:
                intent[slot] = value
            elif slot in file.homes and not self._is_open(file, slot, entity_type, said):
                return (), NOT_HERE
        return (intent,), kind

    def _value(self, file: IntentFile, slot: str, said: str) -> SlotValue:
        """The value that a slot has by this name; None where it has none."""
        words = normalize_text(said, LANG)
        return next((value for value, names in self._names(file, slot) if words in names), None)

    def _is_open(self, file: IntentFile, slot: str, entity_type: str, said: str) -> bool:
        """Whether the words may mean something of the house: general ones, and those that hold a name among others."""
        if said in self._general.get(entity_type, ()):
            return True
        words = f" {normalize_text(said, LANG)} "
        return any(f" {name} " in words for _, names in self._names(file, slot) for name in names)

    def _names(self, file: IntentFile, slot: str) -> Iterator[tuple[SlotValue, tuple[str, ...]]]:
        if slot in file.schema["properties"]:
            for value in named_values(file, slot, LANG):
                yield value, name_forms(file, slot, value, self._catalog, LANG)


def allows(file: IntentFile, slot: str, value: SlotValue) -> bool:
    """Whether an intent has the slot and the slot this value."""
    schema: Schema | None = file.schema["properties"].get(slot)
    return schema is not None and bool(exact_validator(schema, is_linear=True).is_valid(value))


def _entities(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The types and words of what is well formed among a row's entities."""
    entities = row.get("entities")
    for entity in entities if isinstance(entities, list) else ():
        if isinstance(entity, dict):
            yield str(entity.get("type")), str(entity.get("value"))
