"""Words with which people take back what they have just said: "the kitchen, no, the hall"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final

from edged.intents.spoken.language import language_of
from edged.intents.spoken.replies import replies_of
from edged.intents.spoken.text import normalize_text

_LONGEST: Final = 4
"""A correcting phrase has at most so many words."""
_CACHED: Final = 16
"""Tags of languages whose phrases are kept ready; whoever sends text chooses the tag."""


def find_corrections(words: Sequence[str], lang: str) -> tuple[tuple[int, int], ...]:
    """Start and end of each correcting phrase in normalised words, in words or, where they are glued, in letters."""
    language = language_of(lang)
    places = [0, *accumulate(len(word) if language.is_glued else 1 for word in words)]
    return tuple((places[start], places[end]) for start, end in _phrases_at(tuple(map(language.fold, words)), lang))


def find_withdrawal(words: Sequence[str], lang: str) -> int:
    """Where the phrase begins that takes back everything before it, in words or letters; 0 where there is none.

    It stands at the end, behind which politeness alone may follow.
    """
    units = phrase_units(" ".join(words), lang)
    endings, polite = _endings(lang)
    end = len(units)
    while end:
        found = [end - len(phrase) for phrase in endings if _ends(units[:end], phrase)]
        if found:
            return min(found)
        end = min((end - len(phrase) for phrase in polite if _ends(units[:end], phrase)), default=0)
    return 0


@lru_cache(maxsize=_CACHED)
def _endings(lang: str) -> tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]:
    """What takes a command back, and the politeness that may follow, as they are compared."""
    polite = map(" ".join, language_of(lang).skippable)
    return (
        [phrase_units(phrase, lang) for phrase in replies_of(lang).withdrawals],
        [phrase_units(phrase, lang) for phrase in polite],
    )


def phrase_units(phrase: str, lang: str) -> Sequence[str]:
    """A phrase's words, or letters in a language that glues them, as they are compared."""
    language = language_of(lang)
    words = normalize_text(phrase, lang).split()
    return "".join(words) if language.is_glued else tuple(map(language.fold, words))


def _ends(units: Sequence[str], phrase: Sequence[str]) -> bool:
    return bool(phrase) and units[-len(phrase) :] == phrase


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
