"""Delays in words: "turn off the light in ten minutes" is "turn off the light", 600 s later.

Only a whole phrase counts: all its words, an amount and a unit, once in a sentence. What is less than that, such as
"for ten minutes", "at nine" or "in ten, no, twenty minutes", is no delay, and stays a number that a slot has to take.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import accumulate, product
from typing import Final, TypeAlias

from edged.intents.spoken.corrections import find_corrections
from edged.intents.spoken.delay_words import HOUR_S, MINUTE_S, SECOND_S
from edged.intents.spoken.entry import Language
from edged.intents.spoken.language import language_of
from edged.intents.spoken.numbers import HALF, number_forms, read_number
from edged.intents.spoken.text import normalize_text

MAX_DELAY_S: Final = 7 * 86_400.0
"""A week; what is longer is a calendar's."""
MAX_WORDS: Final = 100
"""Of a sentence in which delays are looked for: nobody says so many at once."""
_LONGEST: Final = 8
"""A number has at most this many words, or letters where these are glued."""
_USUAL: Final = 10
"""The amount that stands for all where only the words beside it matter."""
_TAUGHT: Final = {
    MINUTE_S: (*range(1, 21), 25, 30, 35, 40, 45, 50, 55, 90),
    SECOND_S: (5, 10, 15, 20, 30, 40, 45, 50, 60, 90),
    HOUR_S: range(1, 13),
}
"""Amounts that the recogniser is taught; other numbers have the same words."""

_Tokens: TypeAlias = Sequence[str]
"""Folded words, or letters in a language that glues them."""


@dataclass(frozen=True, slots=True)
class Delayed:
    """A sentence with a delay in it, taken apart."""

    rest: str
    """What is to be done, normalised."""
    delay_s: float
    is_first: bool
    """The sentence begins with it."""
    may_be_pace: bool
    """It may as well say how long the change is to take."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    start: int
    end: int
    """In tokens."""
    seconds: Decimal
    before: str
    amount_at: int
    is_seconds: bool
    """Of seconds alone."""


def find_delay(text: str, lang: str) -> Delayed | None:
    """The one delay in `text` and what is said beside it; None where there is none, or it is not clear."""
    language = language_of(lang)
    words = normalize_text(text, lang).split()
    if not language.delays.frames or len(words) > MAX_WORDS:
        return None
    reader = _reader(language)
    starts = [0, *accumulate(len(word) if language.is_glued else 1 for word in words)]
    phrases = list(reader.phrases(words, starts))
    if len(phrases) != 1:
        return None
    phrase = phrases[0]
    first, last = starts.index(phrase.start), starts.index(phrase.end)
    before, behind = words[:first], words[last:]
    if not (before or behind) or _is_joined(before, behind, language) or phrase.seconds <= 0:
        return None
    if any(phrase.start == end or phrase.end == start for start, end in find_corrections(words, lang)):
        return None
    if before and (_fold(before[-1], language) in reader.not_behind or _is_again(words, starts, first, phrase)):
        return None
    may_be_pace = phrase.is_seconds and phrase.before in language.delays.paces
    return Delayed(" ".join((*before, *behind)), float(phrase.seconds), not before, may_be_pace)


def say_delay(seconds: float, lang: str) -> str:
    """A delay as it is written in an answer: hours and minutes, or seconds where it is less than a minute."""
    language = language_of(lang)
    delays = language.delays
    parts: list[str] = []
    left = max(1, round(seconds))
    if left > MINUTE_S:
        left = -(-left // MINUTE_S) * MINUTE_S
    for unit, forms in delays.units.items():
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count}{'' if language.is_glued else ' '}{_form_for(count, forms)}")
    before, behind = delays.frames[0] if delays.frames else ("", "")
    return " ".join(filter(None, (before, *parts, behind)))


@cache
def delay_phrases(lang: str) -> tuple[str, ...]:
    """Phrases that have all the words of delays, normalised, for the recogniser."""
    frames = language_of(lang).delays.frames
    phrases = (
        normalize_text(f"{before} {amount} {behind}", lang)
        for place, (before, behind) in enumerate(frames)
        for amount in _taught_amounts(lang, every=place == 0)
    )
    return tuple(phrase for phrase in dict.fromkeys(phrases) if find_delay(f"{phrase} x", lang) is not None)


def _taught_amounts(lang: str, *, every: bool) -> Iterator[str]:
    """Amounts in words, some of them wrong; without `every` one of each unit."""
    language = language_of(lang)
    delays = language.delays
    yield from delays.fixed
    for unit, forms in delays.units.items():
        for count in _TAUGHT[unit] if every else (_USUAL,):
            numbers = delays.counts[count - 1 : count] if unit == HOUR_S else ()
            numbers = numbers or number_forms(Decimal(count), lang)
            yield from (f"{number} {_form_for(count, forms)}" for number in numbers[: None if every else 1])
        if every:
            yield from (f"{number_forms(Decimal(_USUAL), lang)[-1]} {form}" for form in forms)
            ones = (*delays.ones, *(("",) if delays.is_one_unsaid else ()), *sorted(language.numbers.bound))
            yield from (f"{one} {forms[0]}{half}" for one, half in product(ones, ("", *language.numbers.half)))


def _form_for(count: int, forms: Sequence[str]) -> str:
    """The word for so many, by the rule of the languages that tell two to four from more."""
    is_few = 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14
    place = 0 if count == 1 else 1 if is_few else 2
    return forms[min(place, len(forms) - 1)]


def _is_joined(before: Sequence[str], behind: Sequence[str], language: Language) -> bool:
    """Whether a conjunction stands beside the phrase: then it may be about one of two orders."""
    return any(
        tuple(before[len(before) - len(phrase) :]) == phrase or tuple(behind[: len(phrase)]) == phrase
        for phrase in language.conjunctions
        if len(phrase) <= max(len(before), len(behind))
    )


def _is_again(words: Sequence[str], starts: Sequence[int], first: int, phrase: _Phrase) -> bool:
    """Whether the amount stands before the phrase too: every ten minutes is "de dez em dez minutos"."""
    return phrase.amount_at in starts and words[first - 1] == words[starts.index(phrase.amount_at)]


def _fold(word: str, language: Language) -> str:
    """Without accents, but with a contraction as it is: "στις εννέα" has no "σε" in it."""
    return word if len(word) == 1 else word.translate(language.folds)


class _Reader:
    """Finds phrases of delay in one language."""

    def __init__(self, language: Language) -> None:
        self._language = language
        delays = language.delays
        self._frames = [(before, self._split(before), self._split(behind)) for before, behind in delays.frames]
        self._units = [
            (unit, list(dict.fromkeys(self._split(form) for form in forms))) for unit, forms in delays.units.items()
        ]
        self._fixed = [(self._split(phrase), seconds) for phrase, seconds in delays.fixed.items()]
        self._halves = [self._split(half) for half in language.numbers.half if half.startswith(" ")]
        self._joins = [(), *map(self._split, delays.joins)]
        self._counts = {self._split(word): Decimal(place) for place, word in enumerate(delays.counts, 1)}
        self._counts |= {self._split(word): Decimal(1) for word in delays.ones}
        marks = [*(form for _, forms in self._units for form in forms), *(phrase for phrase, _ in self._fixed)]
        self._marks = frozenset("".join(mark) if language.is_glued else max(mark, key=len) for mark in marks)
        """One of them is in every phrase: of those of several words the longest."""
        self.not_behind = frozenset(_fold(word, language) for word in delays.not_behind)

    def _split(self, phrase: str) -> tuple[str, ...]:
        words = tuple(_fold(word, self._language) for word in phrase.lower().split())
        return tuple("".join(words)) if self._language.is_glued else words

    def phrases(self, words: Sequence[str], starts: Sequence[int]) -> Iterator[_Phrase]:
        """Every phrase, the longest at each place; none inside another. `starts` are the tokens where words begin."""
        folded = [_fold(word, self._language) for word in words]
        tokens = tuple("".join(folded)) if self._language.is_glued else tuple(folded)
        if not self._has_mark(folded):
            return
        boundaries = frozenset(starts)
        done = 0
        for start in starts[:-1]:
            found = self._longest(tokens, start, boundaries) if start >= done else None
            if found is not None:
                done = found.end
                yield found

    def _has_mark(self, folded: Sequence[str]) -> bool:
        if not self._language.is_glued:
            return not self._marks.isdisjoint(folded)
        said = "".join(folded)
        return any(mark in said for mark in self._marks)

    def _longest(self, tokens: _Tokens, start: int, boundaries: Set[int]) -> _Phrase | None:
        best: _Phrase | None = None
        for name, before, behind in self._frames:
            at = start + len(before)
            if tuple(tokens[start:at]) != before:
                continue
            for end, seconds, unit in self._amounts(tokens, at, boundaries, HOUR_S + 1):
                after = end + len(behind)
                if tuple(tokens[end:after]) == behind and after in boundaries and (best is None or after > best.end):
                    best = _Phrase(start, after, seconds, name, at, unit == SECOND_S)
        return best

    def _amounts(
        self, tokens: _Tokens, at: int, boundaries: Set[int], below: int
    ) -> Iterator[tuple[int, Decimal, int]]:
        """Every amount that begins at `at`, of units below one: its end, its seconds and its greatest unit."""
        for phrase, known_s in self._fixed:
            if known_s < below and tuple(tokens[at : at + len(phrase)]) == phrase:
                yield at + len(phrase), Decimal(known_s), MINUTE_S
        for unit, forms in self._units:
            for count, end in self._counted(tokens, at, forms, boundaries) if unit < below else ():
                for last, seconds in self._with_more(tokens, end, count * unit, unit, boundaries):
                    yield last, seconds, unit

    def _with_more(
        self, tokens: _Tokens, end: int, seconds: Decimal, unit: int, boundaries: Set[int]
    ) -> Iterator[tuple[int, Decimal]]:
        """An amount of one unit that ends at `end`, alone, with a half more, and with smaller units behind it."""
        yield end, seconds
        for half in self._halves:
            if seconds % unit == 0 and tuple(tokens[end : end + len(half)]) == half:
                yield end + len(half), seconds + HALF * unit
        for join in self._joins:
            after = end + len(join)
            if tuple(tokens[end:after]) == join:
                for last, more, _ in self._amounts(tokens, after, boundaries, unit):
                    yield last, seconds + more

    def _counted(
        self, tokens: _Tokens, at: int, forms: Sequence[tuple[str, ...]], boundaries: Set[int]
    ) -> Iterator[tuple[Decimal, int]]:
        """Each number from `at` on with a unit behind it, and where that ends."""
        for form, place in product(forms, range(at, min(len(tokens), at + _LONGEST) + 1)):
            end = place + len(form)
            if tuple(tokens[place:end]) == form:
                count = self._count(tokens, at, place, boundaries)
                if count is not None and count > 0:
                    yield count, end

    def _count(self, tokens: _Tokens, start: int, end: int, boundaries: Set[int]) -> Decimal | None:
        said = tuple(tokens[start:end])
        if not said:
            return Decimal(1) if self._language.delays.is_one_unsaid else None
        if said in self._counts:
            return self._counts[said]
        if not self._language.is_glued:
            return read_number(said, self._language.tag)
        if any(letter.isdecimal() for letter in said) and not boundaries.isdisjoint(range(start + 1, end)):
            return None  # "50 10" is two numbers
        return read_number(("".join(said),), self._language.tag)


@cache
def _reader(language: Language) -> _Reader:
    return _Reader(language)
