"""Draws values of slots together with the words that somebody says for them."""

from __future__ import annotations

import json
import random
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

from edged.intents.home import Area, Floor, Home
from edged.intents.spoken.language import language_of
from edged.intents.spoken.numbers import number_forms
from edged.types import SlotValue

Drawn: TypeAlias = tuple[str, str, SlotValue]
"""Words, slot (empty for a mere word), value."""
Named: TypeAlias = tuple[str, SlotValue]
"""Words and the value that they name."""

PLACEHOLDERS: Final[Mapping[str, Mapping[str, Any]]] = tomllib.loads(
    (Path(__file__).parent / "sentences" / "placeholders.toml").read_text(encoding="utf-8")
)
"""What the templates call slots, and the numbers that people usually say for them."""
_HOMES: Final = "urn:edged:home#/"
_HOME_SHARE: Final = 0.5
"""So many of the rooms and devices are those of the example house; the rest are invented."""
_DIGITS_SHARE: Final = 0.35
_USUAL_SHARE: Final = 0.6
"""So many number words are the usual ones of their language."""
_SILENT_SHARE: Final = 0.3
_WARM_CELSIUS: Final = 35
"""What is above is meant in Fahrenheit."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """A slot of an intent."""

    name: str
    schema: Mapping[str, Any]
    spoken: tuple[Named, ...]
    numbers: tuple[tuple[float, float, float], ...]
    """Lowest, highest, step: one of these is taken first, then a number of it."""


class Values:
    """The values of the slots in one language."""

    def __init__(self, lang: str, table: Mapping[str, Any], home: Home, schemas: Sequence[Mapping[str, Any]]) -> None:
        """Reads `names`, `numbers`, `gender` and `agreement` of a language's table of templates."""
        self._language = language_of(lang)
        self._lang = lang
        usual = {entry["slot"]: entry["numbers"] for entry in PLACEHOLDERS.values() if "numbers" in entry}
        usual |= {PLACEHOLDERS[name]["slot"]: numbers for name, numbers in table.get("numbers", {}).items()}
        self._slots = {name: slot for schema in schemas for name, slot in _slots(schema, lang, usual)}
        for name, slot in list(self._slots.items()):
            self._slots.setdefault(name.partition(".")[2], slot)
        for alias, entry in PLACEHOLDERS.items():
            if entry.get("slot") in self._slots:
                self._slots[alias] = self._slots[entry["slot"]]
        self._homes = _home_names(home, lang)
        self._others: dict[str, list[Named]] = {}
        for kind, entries in table["names"].items():
            source = _source(self._slots[kind]) if kind in self._slots else f"devices/{kind}"
            self._others.setdefault(source, []).extend(_keyed(entries))
        self._agreement: Mapping[str, str] = table.get("agreement", {})
        self._genders = [(re.compile(key, re.IGNORECASE), gender) for key, gender in table.get("gender", {}).items()]
        self._gender_of: dict[str, str] = {}

    def names(self, slot: str) -> frozenset[str]:
        """The words for the values of a slot ("intent.slot"), numbers aside: of devices those of the house alone."""
        source, spoken = _source(self._slots[slot]), self._slots[slot].spoken
        rooms = self._others.get(source, ()) if source == "areas" else ()
        return frozenset(words for words, _ in (*self._homes.get(source, ()), *rooms, *spoken))

    def draw(self, name: str, rng: random.Random, slots: Mapping[str, SlotValue], before: str = "") -> Drawn:
        """A value for a placeholder's name, behind the text `before`; `slots` are those that the sentence has."""
        if name == "unit":
            return self._unit(rng, slots)
        if name.startswith("any") and name not in self._slots:
            return self.draw(name.removeprefix("any"), rng, slots, before)[0], "", None
        slot = self._slots[name.removesuffix("_word")]
        wanted = self._wanted_genders(before)
        if source := _source(slot):
            known = self._fitting(self._homes.get(source, []), wanted)
            others = self._fitting(self._others.get(source, []), wanted)
            either = known if known and (not others or rng.random() < _HOME_SHARE) else others
            words, value = rng.choice(either or self._homes[source])
        elif slot.spoken and (name.endswith("_word") or not slot.numbers):
            words, value = rng.choice(self._fitting(slot.spoken, wanted) or slot.spoken)
        else:
            number = _number(rng.choice(slot.numbers), rng)
            words, value = self._words(number, rng), number
        return words, slot.name, value

    def _unit(self, rng: random.Random, slots: Mapping[str, SlotValue]) -> Drawn:
        wanted = "fahrenheit" if float(str(slots.get("temperature", 0))) > _WARM_CELSIUS else "celsius"
        spoken = self._slots["unit"].spoken
        words, unit = rng.choice([pair for pair in spoken if pair[1] == wanted or "step" in slots])
        return words, "unit", unit

    def _words(self, number: float, rng: random.Random) -> str:
        if rng.random() < _DIGITS_SHARE:
            digits = f"{number:g}"
            return digits.replace(".", ",") if self._language.numbers.thousands_sign == "." else digits
        forms = number_forms(Decimal(str(number)), self._lang)
        if rng.random() < _USUAL_SHARE or (self._language.is_glued and number % 1):
            return forms[0]  # a Korean half may go behind the unit, which the template has
        words = rng.choice(forms).split()
        if number == int(number) and rng.random() < _SILENT_SHARE:
            words = [word for word in words if word not in self._language.numbers.silent]
        return " ".join(words)

    def _wanted_genders(self, before: str) -> str | None:
        """The genders that the last words of `before` go with; None where they go with all."""
        words = before.lower().split()
        keys = (" ".join(words[-2:]), *words[-1:], "")
        return next((self._agreement[key] for key in keys if key in self._agreement), None)

    def _fitting(self, entries: Sequence[Named], wanted: str | None) -> Sequence[Named]:
        return entries if wanted is None else [entry for entry in entries if self._gender(entry[0]) in wanted]

    def _gender(self, words: str) -> str:
        known = self._gender_of.get(words)
        if known is None:
            known = next((gender for pattern, gender in self._genders if pattern.search(words)), "m")
            self._gender_of[words] = known
        return known


def _home_names(home: Home, lang: str) -> dict[str, list[Named]]:
    """List of the house -> the names in it, floors among the areas, with their keys."""
    places: tuple[Area | Floor, ...] = (*home.areas.values(), *home.floors.values())
    names: dict[str, list[Named]] = {
        "areas": [(name, place.key) for place in places for name in place.names.get(lang, ())]
    }
    for device in home.devices.values():
        own = [(name, device.key) for name in device.names.get(lang, ())]
        names.setdefault(f"devices/{device.kind}", []).extend(own)
    return names


def _slots(schema: Mapping[str, Any], lang: str, usual: Mapping[str, Any]) -> Iterator[tuple[str, _Slot]]:
    intent = schema["properties"]["intent"]["const"]
    for name, properties in schema["properties"].items():
        key = f"{intent}.{name}"
        spoken = schema["x-edged"].get("spoken", {}).get(name, {})
        named = tuple((word, _value(text)) for text, by in spoken.items() for word in by.get(lang, ()))
        yield key, _Slot(name, properties, named, tuple(map(tuple, usual.get(key, _numbers(properties)))))


def _numbers(properties: Mapping[str, Any]) -> list[list[float]]:
    """A range in steps of a tenth, in those of a twentieth, and in its own; nothing for what is no range."""
    if properties.get("type") not in ("integer", "number"):
        return []
    low, high, least = properties["minimum"], properties["maximum"], properties.get("multipleOf", 1)
    steps = [max(least, round((high - low) / parts / least) * least) for parts in (10, 20)]
    return [[step if low else low, high, step] for step in steps] + [[low, high, least]]


def _number(numbers: tuple[float, float, float], rng: random.Random) -> float:
    low, high, step = numbers
    number = low + step * rng.randint(0, int((high - low) / step))
    return int(number) if number == int(number) else number


def _source(slot: _Slot) -> str:
    """The list of the house that its values are in ("areas", "devices/light"); empty for a slot of other values."""
    reference = str(slot.schema.get("$ref", ""))
    return reference.removeprefix(_HOMES) if reference.startswith(_HOMES) else ""


def _keyed(entries: Sequence[str] | Mapping[str, str]) -> Iterable[Named]:
    return entries.items() if isinstance(entries, Mapping) else [(name, slug(name)) for name in entries]


def slug(name: str) -> str:
    """A name as a key of home.toml; a letter that has no Latin base is written as its code point."""
    plain = unicodedata.normalize("NFKD", name.replace("'", "").lower())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    latin = re.sub(r"[^\W\d_a-z]", lambda match: f"{ord(match[0]):x}", plain)
    return re.sub(r"[^a-z0-9]+", "_", latin).strip("_")


def _value(text: str) -> SlotValue:
    try:
        value: SlotValue = json.loads(text)
    except json.JSONDecodeError:
        return text
    return value
