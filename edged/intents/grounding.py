"""Grounding: which values of which slots an utterance says, read with the same tables that say them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from typing import Final, Generic, TypeAlias, TypeVar

from edged.intents.accept import Acceptor
from edged.intents.catalog import Catalog, IntentFile
from edged.intents.cues import is_measured, nearest_slots
from edged.intents.lower import allows, takes_numbers
from edged.intents.memo import per_catalog
from edged.intents.spoken.clock import is_hour
from edged.intents.spoken.entry import Language
from edged.intents.spoken.forms import name_forms, named_values
from edged.intents.spoken.language import language_of
from edged.intents.spoken.numbers import NumberMention, find_numbers
from edged.intents.spoken.text import normalize_text
from edged.types import SlotValue

Grounding: TypeAlias = Mapping[str, Mapping[str, tuple[SlotValue, ...]]]
"""Intent -> slot that must have been said -> the values that were, in the order of speech."""

NumberSpan: TypeAlias = tuple[int, int, Decimal]
"""Start and end of a number, as a `Mention` has them, and the number."""

Key = TypeVar("Key")

MAX_WORDS: Final = 8
"""A name longer than this is matched by its first words alone."""


_PLAIN_NUMBER: Final = frozenset(
    {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "title", "description"}
)
"""With these keywords alone a number is tested without an automaton."""


def ground(catalog: Catalog, text: str, lang: str, here: str | None = None) -> Grounding:
    """Which values `text` says, for every slot whose value must have been said.

    Args:
        catalog: what can be said.
        text: what was said.
        lang: its language.
        here: the area where it was said; of devices that share a name it is those here.
    """
    words = normalize_text(text, lang).split()
    return {intent.name: _ground_intent(intent, catalog, words, lang, here) for intent in catalog.intents.values()}


def _ground_intent(
    intent: IntentFile, catalog: Catalog, words: Sequence[str], lang: str, here: str | None
) -> Mapping[str, tuple[SlotValue, ...]]:
    numbers = _number_places(intent, catalog, words, lang)
    return {
        slot: _said_values(intent, slot, catalog, words, lang, here, numbers.get(slot, ()))
        for slot in intent.slots
        if slot in intent.said
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
        return _is_inside(self, other)


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


def find_said_numbers(
    catalog: Catalog, text: str, lang: str, mentions: Sequence[HomeMention]
) -> tuple[NumberSpan, ...]:
    """Every number in `text` that is no part of a name of the house or of a listed value ("seven sisters")."""
    words = normalize_text(text, lang).split()
    numbers = find_number_spans(words, lang)
    names: list[Mention | HomeMention] = list(mentions)
    if numbers:
        names += _listed_names(catalog, tuple(catalog.intents), lang).mentions(words)
    return tuple(
        (start, end, value)
        for start, end, value in numbers
        if not any(name.start <= start and end <= name.end for name in names)
    )


@per_catalog
def _listed_names(catalog: Catalog, intents: tuple[str, ...], lang: str) -> _Names:
    """The names of the listed values of some intents, those of the house aside."""
    return _Names(
        (
            form
            for intent in intents
            for slot in _listed_slots(catalog, intent)
            for form in _forms(catalog, intent, slot, lang)
        ),
        lang,
    )


def find_number_spans(words: Sequence[str], lang: str) -> Sequence[NumberSpan]:
    """Every number in the words."""
    return _number_spans(tuple(words), lang)


@lru_cache(maxsize=1)
def _number_spans(words: Sequence[str], lang: str) -> Sequence[NumberSpan]:
    """They are the same for every slot, and so looked for once an utterance."""
    return tuple((*_span_of(number, words, lang), number.value) for number in find_numbers(words, lang))


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of an utterance that says a value of a slot."""

    start: int
    end: int
    """Where, in words or, for a language that glues them together, in letters; comparable within one utterance."""
    value: SlotValue


def find_mentions(
    catalog: Catalog, intent: IntentFile, slot: str, words: Sequence[str], lang: str
) -> tuple[Mention, ...]:
    """Where the words, normalised, say which values of a slot; one name inside a longer one is none."""
    mentions = _names(catalog, intent.name, slot, lang).mentions(words)
    is_allowed = _number_test(catalog, intent.name, slot)
    if is_allowed is not None:
        mentions += [
            Mention(start, end, _plain(number))
            for start, end, number in find_number_spans(words, lang)
            if is_allowed(number)
        ]
    return tuple(mentions)


def find_named_slots(catalog: Catalog, words: Sequence[str], lang: str) -> tuple[str, ...]:
    """The names of the slots that must be said, those of the house aside, of which the words name a value."""
    return tuple(sorted({str(mention.value) for mention in _named_slots(catalog, lang).mentions(words)}))


@per_catalog
def _named_slots(catalog: Catalog, lang: str) -> _Names:
    """What names a value of a slot that must be said, those of the house aside -> the slot's name."""
    return _Names(
        (
            (form, slot)
            for intent in catalog.intents.values()
            for slot in intent.slots
            if slot in intent.said and slot not in intent.homes
            for form, _ in _forms(catalog, intent.name, slot, lang)
        ),
        lang,
    )


def is_glued(lang: str) -> bool:
    """Whether the language glues particles to a word and blanks as people please."""
    return language_of(lang).is_glued


def _span_of(number: NumberMention, words: Sequence[str], lang: str) -> tuple[int, int]:
    """The number alone: in a language that glues, the word may hold its unit and a particle too."""
    if not is_glued(lang):
        return number.start, number.end
    start = sum(map(len, words[: number.start]))
    joined = "".join(words[number.start : number.end])
    for length in range(1, len(joined)):
        found = find_numbers((joined[:length],), lang)
        if found and found[0].value == number.value:
            return start, start + length
    return start, start + len(joined)


class _Names:
    """The names of one slot's values, by their letters without blanks."""

    def __init__(self, forms: Iterable[tuple[str, SlotValue]], lang: str) -> None:
        self._language = language_of(lang)
        self._glued = self._language.is_glued
        self._values: dict[str, list[SlotValue]] = {}
        for form, value in forms:
            values = self._values.setdefault(self._key(form.split()), [])
            if value not in values:
                values.append(value)
        self._lengths = sorted({len(key) for key in self._values})

    def mentions(self, words: Sequence[str]) -> list[Mention]:
        """Where names are said; one inside a longer one is none."""
        found = list(self.stretches(words))
        return [mention for mention in found if not any(_is_inside(mention, other) for other in found)]

    def stretches(self, words: Sequence[str]) -> Iterator[Mention]:
        """The same with those inside longer ones."""
        return self._glued_mentions(words) if self._glued else self._spaced_mentions(words)

    def _key(self, words: Sequence[str]) -> str:
        return "".join(words if self._glued else map(self._language.stem, words))

    def _spaced_mentions(self, words: Sequence[str]) -> Iterator[Mention]:
        stretches = _stretches(tuple(words), self._language)
        keys: Iterable[str] = self._values if len(self._values) < len(stretches) else stretches
        found = [(span, key) for key in keys if key in self._values for span in stretches.get(key, ())]
        for (start, end), key in sorted(found):
            for value in self._values[key]:
                yield Mention(start, end, value)

    def _glued_mentions(self, words: Sequence[str]) -> Iterator[Mention]:
        offset = 0
        for index, word in enumerate(words):
            rest = "".join(words[index:])
            for length in self._lengths:
                key = rest[:length]
                if len(key) < length or key not in self._values:
                    continue
                if length > 1 or word == key or word[1:].startswith(self._language.particles):
                    for value in self._values[key]:
                        yield Mention(offset, offset + length, value)
            offset += len(word)


class SlotIndex(Generic[Key]):
    """Says which of many slots an utterance may say a value of; how many there are does not count."""

    def __init__(self, catalog: Catalog, slots: Mapping[Key, tuple[str, str]], lang: str) -> None:
        """Knows slots, each by the names of its intent and its own."""
        self._lang = lang
        self._keys = list(slots)
        self._names = _Names(
            (
                (form, place)
                for place, (intent, slot) in enumerate(slots.values())
                for form, _ in _forms(catalog, intent, slot, lang)
            ),
            lang,
        )
        self._numeric = {
            key for key, (intent, slot) in slots.items() if _number_test(catalog, intent, slot) is not None
        }

    def said(self, words: Sequence[str]) -> set[Key]:
        """The slots for which `find_mentions` may find anything in these words, and no others with names alone."""
        named = {self._keys[int(str(mention.value))] for mention in self._names.stretches(words)}
        return named | self._numeric if find_number_spans(words, self._lang) else named


@lru_cache(maxsize=1)
def _stretches(words: Sequence[str], language: Language) -> Mapping[str, Sequence[tuple[int, int]]]:
    """Where the words, their stems written together, stand; the same for every slot, and so made once an utterance."""
    stems = [language.stem(word) for word in words]
    found: dict[str, list[tuple[int, int]]] = {}
    for start in range(len(stems)):
        for end in range(start + 1, min(len(stems), start + MAX_WORDS) + 1):
            found.setdefault("".join(stems[start:end]), []).append((start, end))
    return found


def _said_values(
    intent: IntentFile,
    slot: str,
    catalog: Catalog,
    words: Sequence[str],
    lang: str,
    here: str | None,
    numbers: Sequence[Mention],
) -> tuple[SlotValue, ...]:
    spans = find_number_spans(words, lang)
    names = [
        mention  # "half" is none in "a degree and a half"
        for mention in _names(catalog, intent.name, slot, lang).mentions(words)
        if not any(_is_inside(mention, Mention(start, end, None)) for start, end, _ in spans)
    ]
    mentions: Sequence[Mention] = [*names, *numbers]
    if intent.homes.get(slot) == "devices":
        mentions = _nearby(mentions, _said_places(intent, catalog, words, lang) or {here}, catalog)
    elif intent.homes.get(slot) == "areas":
        mentions = _free_of_devices(mentions, intent, catalog, words, lang)
    return tuple(dict.fromkeys(mention.value for mention in sorted(mentions, key=lambda mention: mention.start)))


def _number_places(
    intent: IntentFile, catalog: Catalog, words: Sequence[str], lang: str
) -> Mapping[str, Sequence[Mention]]:
    """Which numbers can be which slots' of an intent.

    A number in the name of a listed value is none ("seven sisters"), nor is one beside the cue of another slot, nor an
    hour of the clock where a slot's numbers have a unit.
    """
    tests = {slot: test for slot in intent.slots if (test := _number_test(catalog, intent.name, slot)) is not None}
    spans = find_number_spans(words, lang) if tests else ()
    if not spans:
        return {}
    names = _listed_names(catalog, (intent.name,), lang).mentions(words)
    places: dict[str, list[Mention]] = {slot: [] for slot in tests}
    for start, end, number in spans:
        if any(name.start <= start and end <= name.end for name in names):
            continue
        slots: Collection[str] = [slot for slot, test in tests.items() if test(number)]
        if is_hour(words, start, end, lang):
            slots = [slot for slot in slots if not is_measured(catalog, intent.name, slot, lang)]
        if len(slots) > 1:
            slots = nearest_slots(catalog, intent, slots, words, (start, end), lang)
        for slot in slots:
            places[slot].append(Mention(start, end, _plain(number)))
    return places


@per_catalog
def _listed_slots(catalog: Catalog, intent: str) -> tuple[str, ...]:
    """The slots whose values are listed and have names, those of the house aside."""
    file = catalog.intents[intent]
    return tuple(
        slot for slot in file.slots if slot not in file.homes and "enum" in file.schema["properties"].get(slot, {})
    )


def _nearby(mentions: Sequence[Mention], places: set[str | None], catalog: Catalog) -> list[Mention]:
    """Of devices that share a name, those in a place that was said, if there are any."""
    inside = [mention for mention in mentions if catalog.home.is_in(str(mention.value), places)]
    near = {(mention.start, mention.end) for mention in inside}
    return [mention for mention in mentions if (mention.start, mention.end) not in near or mention in inside]


def _free_of_devices(
    mentions: Sequence[Mention], intent: IntentFile, catalog: Catalog, words: Sequence[str], lang: str
) -> list[Mention]:
    """Of areas, those that are not part of the name of a device that the intent can mean: "hall lamp" is no hall."""
    devices = _home_mentions(intent, "devices", catalog, words, lang)
    return [mention for mention in mentions if not any(_is_inside(mention, device) for device in devices)]


def _said_places(intent: IntentFile, catalog: Catalog, words: Sequence[str], lang: str) -> set[str | None]:
    return {str(mention.value) for mention in _home_mentions(intent, "areas", catalog, words, lang)}


def _home_mentions(intent: IntentFile, kind: str, catalog: Catalog, words: Sequence[str], lang: str) -> list[Mention]:
    """Where the words name what an intent can mean of the house: "areas" or "devices"."""
    return [
        mention
        for slot, source in intent.homes.items()
        if source == kind and slot in intent.slots
        for mention in _names(catalog, intent.name, slot, lang).mentions(words)
    ]


def _is_inside(one: Mention | HomeMention, other: Mention | HomeMention) -> bool:
    """Whether a stretch is a part of a longer one."""
    return other.start <= one.start and one.end <= other.end and (one.start, one.end) != (other.start, other.end)


@per_catalog
def _number_test(catalog: Catalog, intent: str, slot: str) -> Callable[[Decimal], bool] | None:
    """Says whether the slot can have a number; None where it can have none."""
    schema = catalog.intents[intent].schema["properties"][slot]
    if not takes_numbers(schema):
        return None
    return partial(allows, schema) if schema.keys() <= _PLAIN_NUMBER else Acceptor(schema).accepts


@per_catalog
def _names(catalog: Catalog, intent_name: str, slot: str, lang: str) -> _Names:
    return _Names(_forms(catalog, intent_name, slot, lang), lang)


def _forms(catalog: Catalog, intent_name: str, slot: str, lang: str) -> Iterator[tuple[str, SlotValue]]:
    """Every name of a slot's values, with the value."""
    intent = catalog.intents[intent_name]
    for value in named_values(intent, slot, lang):
        for form in name_forms(intent, slot, value, catalog, lang):
            yield form, value


def _plain(number: Decimal) -> int | float:
    return float(number) if number % 1 else int(number)
