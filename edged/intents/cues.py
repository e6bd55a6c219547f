"""Which slot a number belongs to, by the words beside it: "row 3", "20 minutes", "80 percent echo"."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from edged.intents.catalog import PLACEHOLDER, Catalog, IntentFile
from edged.intents.memo import per_catalog
from edged.intents.spoken.entry import Unit
from edged.intents.spoken.language import language_of
from edged.intents.spoken.text import normalize_text

REACH: Final = 2
"""Words from a number to a slot's own name."""
MAX_INTENTS: Final = 2
"""Whose examples have a word that says what the number before it is: "please" and "in" say nothing."""


def nearest_slots(
    catalog: Catalog, intent: IntentFile, slots: Collection[str], words: Sequence[str], span: tuple[int, int], lang: str
) -> frozenset[str]:
    """The slots, among those that can have a number, whose cue stands nearest to it; all of them where none does.

    Args:
        catalog: what can be said.
        intent: whose slots they are.
        slots: those that can have the number.
        words: the utterance, normalised.
        span: where the number stands in it, in words or, where they are glued, in letters.
        lang: the language.
    """
    if language_of(lang).is_glued:
        return _slots_of_unit(catalog, intent, slots, "".join(words)[span[1] :], lang)
    cues = _cues(catalog, intent.name, lang)
    stem = language_of(lang).stem
    found: dict[str, int] = {}
    for slot in slots:
        for place, distance in _around(span, len(words)):
            if _says(cues[slot], stem(words[place]), distance, is_behind=place >= span[1]):
                found[slot] = min(found.get(slot, REACH), distance)
    nearest = min(found.values(), default=0)
    return frozenset(slot for slot in slots if not found or found.get(slot) == nearest)


@per_catalog
def is_measured(catalog: Catalog, intent_name: str, slot: str, lang: str) -> bool:
    """Whether its numbers have a unit in the examples, such as degrees: an hour of the clock is none of them."""
    if language_of(lang).is_glued:
        return bool(_glued_units(catalog, intent_name, lang)[slot])
    stem = language_of(lang).stem
    units = {stem(word) for forms in language_of(lang).units.values() for form in forms for word in form.split()}
    return bool(_cues(catalog, intent_name, lang)[slot].units & units)


def _slots_of_unit(
    catalog: Catalog, intent: IntentFile, slots: Collection[str], behind: str, lang: str
) -> frozenset[str]:
    """The slots that have, in examples, the unit with which the text behind a number begins; all where none has."""
    units = _glued_units(catalog, intent.name, lang)
    unit = _unit_before(behind, lang)
    found = frozenset(slot for slot in slots if unit in units[slot]) if unit else frozenset[str]()
    return found or frozenset(slots)


@per_catalog
def _glued_units(catalog: Catalog, intent_name: str, lang: str) -> Mapping[str, frozenset[Unit | None]]:
    intent = catalog.intents[intent_name]
    units: dict[str, set[Unit | None]] = {slot: set() for slot in intent.slots}
    for example in intent.examples.get(lang, ()):
        parts = PLACEHOLDER.split(example.text)
        for slot, text in zip(parts[1::2], parts[2::2], strict=True):
            units.setdefault(slot, set()).add(_unit_before(normalize_text(text, lang).replace(" ", ""), lang))
    return {slot: frozenset(found - {None}) for slot, found in units.items()}


def _unit_before(text: str, lang: str) -> Unit | None:
    """The unit whose word a text without blanks begins with."""
    units = language_of(lang).units
    return next((unit for unit, forms in units.items() if text.startswith(forms)), None)


def _around(span: tuple[int, int], count: int) -> Iterator[tuple[int, int]]:
    """Places near a stretch of words, and how far they are."""
    for distance in range(1, REACH + 1):
        for place in (span[0] - distance, span[1] - 1 + distance):
            if 0 <= place < count:
                yield place, distance


class _Cue:
    """The words that say what a number is."""

    def __init__(self, name: frozenset[str], units: frozenset[str]) -> None:
        self.name = name
        """Parts of the slot's own name, before and behind the number."""
        self.units = units
        """What stands right behind it in examples."""


def _says(cue: _Cue, word: str, distance: int, *, is_behind: bool) -> bool:
    return word in cue.name or (is_behind and distance == 1 and word in cue.units)


@per_catalog
def _cues(catalog: Catalog, intent_name: str, lang: str) -> Mapping[str, _Cue]:
    intent = catalog.intents[intent_name]
    common = _common_words(catalog, lang)
    units: dict[str, set[str]] = defaultdict(set)
    stem = language_of(lang).stem
    for example in intent.examples.get(lang, ()):
        parts = PLACEHOLDER.split(example.text)
        for slot, text in zip(parts[1::2], parts[2::2], strict=True):
            behind = normalize_text(text, lang).split()[:1]
            units[slot].update(stem(word) for word in behind if stem(word) not in common)
    return {slot: _Cue(frozenset(map(stem, slot.split("_"))) - common, frozenset(units[slot])) for slot in intent.slots}


@per_catalog
def _common_words(catalog: Catalog, lang: str) -> frozenset[str]:
    """Words that the examples of several intents have, and those that mean nothing."""
    language = language_of(lang)
    counts: Counter[str] = Counter()
    for intent in catalog.intents.values():
        texts = (PLACEHOLDER.sub(" ", example.text) for example in intent.examples.get(lang, ()))
        counts.update({language.stem(word) for text in texts for word in normalize_text(text, lang).split()})
    empty = {language.stem(word) for phrase in (*language.skippable, *language.conjunctions) for word in phrase}
    units = {language.stem(word) for words in language.units.values() for phrase in words for word in phrase.split()}
    return frozenset({word for word, count in counts.items() if count > MAX_INTENTS} | empty) - units
