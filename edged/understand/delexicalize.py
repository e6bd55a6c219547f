"""Delexicalisation: an utterance with the names of the house and its numbers put into one form.

    schalte das licht im wohnzimmer auf zwanzig prozent   ->   schalte das licht im {area} auf 20 prozent
    the reading lamp blue please                          ->   the {light} blue please; color

What is alike for the LM looks alike: it need not know the names of a house, nor read number words in six languages.
The slots behind the semicolon are those that the words say a value of by a name, whichever intent has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from edged.intents.catalog import Catalog, IntentFile
from edged.intents.grounding import HomeMention, find_home_mentions, find_named_slots, find_number_spans, is_glued
from edged.intents.spoken.text import normalize_text

Stretch: TypeAlias = tuple[int, int, str]
"""Start and end, in words or, in a language that glues them together, in letters; and what stands for it."""

MAX_HINTS: Final = 6
"""Slots that are named behind an utterance: more than one sentence fills."""
AREA: Final = "{area}"


def delexicalize(catalog: Catalog, text: str, lang: str) -> str:
    """An utterance with `{area}` or `{kind}` for names of the house and digits for numbers."""
    words = normalize_text(text, lang).split()
    names = [(name.start, name.end, _tag(name, catalog)) for name in find_home_mentions(catalog, text, lang)]
    numbers = [(start, end, f"{value:f}") for start, end, value in find_number_spans(words, lang)]
    stretches = list(_apart(names))
    stretches += [number for number in numbers if not any(_overlaps(number, name) for name in stretches)]
    stretches.sort()
    return _replaced_letters(words, stretches) if is_glued(lang) else _replaced_words(words, stretches)


def hint(catalog: Catalog, text: str, lang: str) -> str:
    """The slots that normalised words say a value of by a name, those of places and devices aside."""
    slots = find_named_slots(catalog, text.split(), lang)
    return f"; {' '.join(slots[:MAX_HINTS])}" if slots else ""


def tag_of(intent: IntentFile, slot: str, catalog: Catalog) -> str:
    """What stands for the names of a slot of the house."""
    if intent.homes[slot] == "areas":
        return AREA
    keys = intent.schema["properties"][slot].get("enum", ())
    kinds = sorted({catalog.home.devices[key].kind for key in keys if key in catalog.home.devices})
    return f"{{{kinds[0]}}}" if kinds else "{device}"


def _tag(name: HomeMention, catalog: Catalog) -> str:
    kinds = sorted({catalog.home.devices[key].kind for key in name.devices})
    return f"{{{kinds[0]}}}" if kinds else AREA


def _apart(names: Iterable[Stretch]) -> Iterator[Stretch]:
    """The longest of those that overlap, the first of those of one length."""
    taken: list[Stretch] = []
    for name in sorted(names, key=lambda name: (name[0] - name[1], name[0])):
        if not any(_overlaps(name, other) for other in taken):
            taken.append(name)
    return iter(taken)


def _overlaps(one: Stretch, other: Stretch) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _replaced_words(words: Sequence[str], stretches: Sequence[Stretch]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, shown in stretches:
        parts += (*words[at:start], shown)
        at = end
    return " ".join((*parts, *words[at:]))


def _replaced_letters(words: Sequence[str], stretches: Sequence[Stretch]) -> str:
    """The same by letters: what is glued to a name stays glued to what stands for it."""
    shown = {start: (end, text) for start, end, text in stretches}
    parts: list[str] = []
    at = covered = 0
    for word in words:
        for letter in word:
            if at in shown:
                covered, text = shown[at]
                parts.append(text)
            if at >= covered:
                parts.append(letter)
            at += 1
        if at >= covered:
            parts.append(" ")
    return "".join(parts).strip()
