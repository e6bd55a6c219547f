"""Words with which people take back what they have just said: "the kitchen, no, the hall"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from edged.intents.spoken.language import language_of

_LONGEST: Final = 4
"""A correcting phrase has at most so many words."""


def find_corrections(words: Sequence[str], lang: str) -> tuple[tuple[int, int], ...]:
    """Start and end of each correcting phrase in normalised words, in words or, where they are glued, in letters."""
    language = language_of(lang)
    places = [0, *accumulate(len(word) if language.is_glued else 1 for word in words)]
    return tuple((places[start], places[end]) for start, end in _phrases_at(tuple(map(language.fold, words)), lang))


def _phrases_at(folded: Sequence[str], lang: str) -> Iterator[tuple[int, int]]:
    """The longest phrase at each place counts; one that denies hides the correcting word in it."""
    language = language_of(lang)
    known = language.corrections | language.denials
    start = 0
    while start < len(folded):
        ends = range(min(len(folded), start + _LONGEST), start, -1)
        end = next((end for end in ends if tuple(folded[start:end]) in known), None)
        if end is not None and tuple(folded[start:end]) not in language.denials:
            yield start, end
        start = end or start + 1
