"""Spoken forms: how each value of each slot is said, and, from the same words, which values a transcript says.

They come from the intent file's `spoken`, the names in home.toml, and the number tables. What the recogniser is taught,
what the grammar lets through and what is shown to a person all start here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeAlias

from edged.intents.catalog import Catalog, IntentFile
from edged.intents.check import spoken_value
from edged.intents.lower import allows
from edged.intents.numbers import find_numbers, number_forms
from edged.intents.text import normalize_text
from edged.types import SlotValue

Grounding: TypeAlias = Mapping[str, Mapping[str, tuple[SlotValue, ...]]]
"""Intent -> slot that must have been said -> the values that were."""

MAX_WORDS: Final = 8
"""A name longer than this is matched by its first words alone."""

_ENDING: Final = re.compile(r"'?s$")

_GLUED: Final = frozenset({"ko"})
"""Languages that glue particles to a word and blank as they please."""

_PARTICLES: Final = ("으로", "로", "을", "를", "이", "가", "은", "는", "에", "의", "만", "만큼", "까지", "쯤", "정도")
"""What may follow a name of one syllable; without one of them it is the start of another word."""


def value_forms(intent: IntentFile, slot: str, value: SlotValue, catalog: Catalog, lang: str) -> tuple[str, ...]:
    """The ways to say `value` of `slot`, normalised, the usual one first."""
    key = value if isinstance(value, str) else str(Decimal(str(value)))
    forms = list(_in_language(intent.spoken.get(slot, {}).get(key, {}), lang))
    if isinstance(value, str):
        forms += _home_names(intent, slot, value, catalog, lang)
        if not forms:
            forms = [value.replace("_", " ")]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        forms += number_forms(Decimal(str(value)), lang)
    return tuple(dict.fromkeys(normalize_text(form, lang) for form in forms))


def ground(catalog: Catalog, text: str, lang: str) -> Grounding:
    """Which values `text` says, for every slot whose value must have been said."""
    words = normalize_text(text, lang).split()
    numbers = [mention.value for mention in find_numbers(words, lang)]
    return {
        intent.name: {
            slot: _said_values(intent, slot, catalog, words, numbers, lang)
            for slot in intent.slots
            if slot in intent.said
        }
        for intent in catalog.intents.values()
    }


@dataclass(frozen=True, slots=True)
class HomeMention:
    """A stretch of an utterance that names something of the house."""

    start: int
    end: int
    """Where, in words or, for a language that glues them together, in letters; comparable within one utterance."""
    areas: frozenset[str]
    """The areas that it can mean."""
    devices: frozenset[str]
    """The devices that it can mean."""

    def is_inside(self, other: HomeMention) -> bool:
        """Whether it is a part of a longer one."""
        return (
            other.start <= self.start and self.end <= other.end and (self.start, self.end) != (other.start, other.end)
        )


def find_home_mentions(catalog: Catalog, text: str, lang: str) -> tuple[HomeMention, ...]:
    """Every name of an area or device in `text` that some intent has a slot for."""
    words = normalize_text(text, lang).split()
    found: dict[tuple[int, int], dict[str, set[str]]] = {}
    for intent in catalog.intents.values():
        for slot in intent.slots:
            source = intent.homes.get(slot)
            if source is not None:
                for mention in _names(catalog, intent.name, slot, lang).mentions(words):
                    place = found.setdefault((mention.start, mention.end), {"areas": set(), "devices": set()})
                    place[source].add(str(mention.value))
    return tuple(
        HomeMention(start, end, frozenset(keys["areas"]), frozenset(keys["devices"]))
        for (start, end), keys in sorted(found.items())
    )


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    value: SlotValue


class _Names:
    """The names of one slot's values, by their letters without blanks."""

    def __init__(self, forms: Iterable[tuple[str, SlotValue]], lang: str) -> None:
        self._glued = lang.split("-")[0] in _GLUED
        self._values: dict[str, list[SlotValue]] = {}
        for form, value in forms:
            values = self._values.setdefault(self._key(form.split()), [])
            if value not in values:
                values.append(value)
        self._lengths = sorted({len(key) for key in self._values})

    def mentions(self, words: Sequence[str]) -> list[_Mention]:
        """Where names are said; one inside a longer one is none."""
        found = list(self._glued_mentions(words) if self._glued else self._spaced_mentions(words))
        return [
            mention
            for mention in found
            if not any(
                other.start <= mention.start and mention.end <= other.end and _span(other) > _span(mention)
                for other in found
            )
        ]

    def _key(self, words: Sequence[str]) -> str:
        return "".join(words if self._glued else map(_stem, words))

    def _spaced_mentions(self, words: Sequence[str]) -> Iterator[_Mention]:
        stems = [_stem(word) for word in words]
        for start in range(len(stems)):
            for end in range(start + 1, min(len(stems), start + MAX_WORDS) + 1):
                for value in self._values.get("".join(stems[start:end]), ()):
                    yield _Mention(start, end, value)

    def _glued_mentions(self, words: Sequence[str]) -> Iterator[_Mention]:
        offset = 0
        for index, word in enumerate(words):
            rest = "".join(words[index:])
            for length in self._lengths:
                key = rest[:length]
                if key in self._values and (length > 1 or word == key or word[1:].startswith(_PARTICLES)):
                    for value in self._values[key]:
                        yield _Mention(offset, offset + length, value)
            offset += len(word)


def _said_values(
    intent: IntentFile, slot: str, catalog: Catalog, words: Sequence[str], numbers: Sequence[Decimal], lang: str
) -> tuple[SlotValue, ...]:
    schema = intent.schema["properties"][slot]
    mentions = _names(catalog, intent.name, slot, lang).mentions(words)
    if intent.homes.get(slot) == "devices":
        mentions = _nearby(mentions, _said_areas(intent, catalog, words, lang), catalog)
    values: list[SlotValue] = [mention.value for mention in mentions]
    if schema.get("type") in ("integer", "number"):
        values += [_plain(number) for number in numbers if allows(schema, number)]
    return tuple(dict.fromkeys(values))


def _nearby(mentions: Sequence[_Mention], areas: set[SlotValue], catalog: Catalog) -> list[_Mention]:
    """Of devices that share a name, those in an area that was said, if there are any."""
    near = {(m.start, m.end) for m in mentions if catalog.home.devices[str(m.value)].area in areas}
    return [
        mention
        for mention in mentions
        if (mention.start, mention.end) not in near or catalog.home.devices[str(mention.value)].area in areas
    ]


def _said_areas(intent: IntentFile, catalog: Catalog, words: Sequence[str], lang: str) -> set[SlotValue]:
    return {
        mention.value
        for slot, source in intent.homes.items()
        if source == "areas" and slot in intent.slots
        for mention in _names(catalog, intent.name, slot, lang).mentions(words)
    }


_CACHED_NAMES: Final = 1000
"""Slots times languages whose names are kept ready: 400 intents of a few slots."""


@lru_cache(maxsize=_CACHED_NAMES)
def _names(catalog: Catalog, intent_name: str, slot: str, lang: str) -> _Names:
    intent = catalog.intents[intent_name]
    schema = intent.schema["properties"][slot]
    spoken = intent.spoken.get(slot, {})
    values = schema.get("enum", [spoken_value(schema, text) for text in spoken])
    return _Names(((form, value) for value in values for form in _name_forms(intent, slot, value, catalog, lang)), lang)


def _name_forms(intent: IntentFile, slot: str, value: SlotValue, catalog: Catalog, lang: str) -> tuple[str, ...]:
    """Forms that are names, for numbers without the number words, which `find_numbers` reads."""
    if isinstance(value, str):
        return value_forms(intent, slot, value, catalog, lang)
    forms = _in_language(intent.spoken.get(slot, {}).get(str(value), {}), lang)
    return tuple(normalize_text(form, lang) for form in forms)


def _home_names(intent: IntentFile, slot: str, value: str, catalog: Catalog, lang: str) -> tuple[str, ...]:
    source = intent.homes.get(slot)
    if source == "areas":
        return _in_language(catalog.home.areas[value].names, lang)
    if source == "devices":
        return _in_language(catalog.home.devices[value].names, lang)
    return ()


def _in_language(names: Mapping[str, tuple[str, ...]], lang: str) -> tuple[str, ...]:
    """The forms in `lang`, else in its primary language, else in any: a name without translation is said as it is."""
    for known in (lang, lang.split("-")[0]):
        if known in names:
            return names[known]
    return tuple(form for forms in names.values() for form in forms)


def _plain(number: Decimal) -> int | float:
    return float(number) if number % 1 else int(number)


def _stem(word: str) -> str:
    return _ENDING.sub("", word)


def _span(mention: _Mention) -> int:
    return mention.end - mention.start
