"""Numbers as people say them, in both directions, from the language's entry.

Forward: 20.5 -> "twenty point five", "twenty and a half". Inverse: where in a transcript is a number, and which. The
inverse looks up what the forward direction says, so that both can never disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Final

from num2words import num2words

from edged.intents.spoken.entry import Cardinals, Language, NumberWords
from edged.intents.spoken.language import language_of

_EVERY: Final = 1000
"""Every whole number below this has its words in the table ..."""
_HIGHEST: Final = 10_000
"""... and every fiftieth up to this: what a house measures (kelvin) is spoken in such steps."""
_STEP: Final = 50
_EVERY_TENTH: Final = 100
"""Below this also every tenth, where words are glued and the point is inside one."""
_LONGEST: Final = 8
"""A number of the table has at most this many words."""
_DECIMALS: Final = 3
"""Further decimals are not read."""

_BEGINNING: Final = 3
"""Most words are told from number words by so many letters; where a letter is a syllable, by one."""

HALF: Final = Decimal("0.5")

_DIGITS: Final = re.compile(r"-?\d{1,6}(?:[.,]\d{1,3})?")


@dataclass(frozen=True, slots=True)
class NumberMention:
    """The number that words `start` to `end` (exclusive) say; its unit is outside, unless a half follows the unit."""

    start: int
    end: int
    value: Decimal


def number_forms(value: Decimal, lang: str) -> tuple[str, ...]:
    """The ways to say `value` in words, the usual one first; its digits where the language has no words for it."""
    words = language_of(lang).numbers
    whole, fraction = divmod(abs(value), 1)
    forms = _free(_whole_forms(int(whole), words), words)
    if not forms:
        return (f"{value:f}",)
    if fraction:
        halves = _half_forms(int(whole), forms, words) if fraction == HALF else []
        forms = _free([*_pointed_forms(forms, fraction, words), *halves], words)
    sign = f"{words.minus[0]} " if value < 0 else ""
    return tuple(dict.fromkeys(sign + form for form in forms))


def find_numbers(words: Sequence[str], lang: str) -> list[NumberMention]:
    """Every number said in `words`, normalised, the longest reading at each place, in digits or in words."""
    language = language_of(lang)
    reader = _reader(language)
    folded = list(map(language.fold, words))
    found: list[NumberMention] = []
    position = 0
    while position < len(folded):
        mention = reader.read(folded, position)
        if mention is None:
            position += 1
            continue
        found.append(mention)
        position = mention.end + reader.unit_length(folded, mention.end)
    return found


def read_number(words: Sequence[str], lang: str) -> Decimal | None:
    """The number that all of the normalised words say together, where a unit is known to follow; None if none."""
    language = language_of(lang)
    return _reader(language).whole(list(map(language.fold, words)))


def _whole_forms(value: int, words: NumberWords) -> list[str]:
    """The usual form first; none where the language has no words for the number."""
    usual = _cardinal(value, words.cardinals)
    if usual is None:
        return []
    forms = [usual]
    if words.hundreds and value >= _EVERY and value % 100 == 0 and value % _EVERY:
        forms.append(f"{_cardinal(value // 100, words.cardinals)}{words.hundreds}")
    for pattern, other in words.variants:
        forms += [re.sub(pattern, other, form) for form in forms]
    for inflection in words.inflections:
        forms.append(" ".join(inflection.get(word, word) for word in usual.split()))
    forms.extend(words.spoken.get(value, ()))
    return list(dict.fromkeys(forms))


def _cardinal(value: int, cardinals: str | Cardinals | None) -> str | None:
    if isinstance(cardinals, str):
        return str(num2words(value, lang=cardinals)).replace(",", "").replace("-", " ")
    if cardinals is None or value > _HIGHEST:
        return None
    return " ".join(_compose(value, cardinals))


def _compose(value: int, parts: Cardinals) -> Iterator[str]:
    thousands, rest = divmod(value, 1000)
    if thousands == 1:
        yield parts.thousand
    elif thousands:
        yield parts.counting_thousands.get(thousands, parts.small[thousands])
        yield parts.thousands
    hundreds, below = divmod(rest, 100)
    if hundreds:
        yield parts.hundred_and if hundreds == 1 and below else parts.hundreds[hundreds - 1]
    if below >= len(parts.small):
        yield parts.tens[below // 10 - 2]
        below %= 10
    if below or not value:
        yield parts.small[below]


def _pointed_forms(wholes: Iterable[str], fraction: Decimal, words: NumberWords) -> Iterator[str]:
    decimals = " ".join(_cardinal(int(digit), words.cardinals) or digit for digit in f"{fraction.normalize():f}"[2:])
    return (f"{whole} {words.point[0]} {decimals}" for whole in wholes)


def _half_forms(whole: int, wholes: Iterable[str], words: NumberWords, *, apart: bool = True) -> list[str]:
    """A half more than `whole`, whose forms are `wholes`; without `apart` not as words behind them."""
    forms: list[str] = []
    for form in wholes:
        before, _, last = form.rpartition(" ")
        own = words.halved.get(last, ())
        forms += [f"{before} {half}".lstrip() for half in own]
        forms += [form + half for half in words.half if (apart if half.startswith(" ") else not own)]
    return [*forms, *words.spoken.get(whole + 0.5, ())]


def _free(forms: Sequence[str], words: NumberWords) -> list[str]:
    """Without the forms that are numbers only beside something else, unless there is no other."""
    return [form for index, form in enumerate(forms) if index == 0 or form not in words.bound]


class _Reader:
    """Finds numbers in folded words of one language."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._words = language.numbers
        self._usual = {
            language.fold(inflected): language.fold(usual)
            for inflection in reversed(self._words.inflections)
            for usual, inflected in inflection.items()
        }
        self._bound = frozenset(map(language.fold, self._words.bound))
        self._points = frozenset(map(language.fold, self._words.point))
        self._minus = frozenset(map(language.fold, self._words.minus))
        self._halves = self._split(half.strip() for half in self._words.half)
        self._degrees = self._split(language.units.get("degrees", ()))
        self._units = self._split(form for forms in language.units.values() for form in forms)
        self._glueable = {*self._words.counters, *("".join(unit) for unit in self._units)}
        self._tails = ("", *self._words.counters)
        self._glued_halves = tuple("".join(half.split()) for half in self._words.half)
        self._no_minus = [phrase for phrase in language.skippable if phrase[-1] in self._minus]
        self._table = self._read_forward()
        self._tenths = self._glued_tenths()
        self._beginning = 1 if language.is_glued else _BEGINNING
        self._beginnings = {key[:length] for key in self._table for length in range(1, self._beginning + 1)}

    def read(self, words: Sequence[str], start: int) -> NumberMention | None:
        """The number that begins at `start`, if one does."""
        whole = self._digits(words, start) or self._spoken(words, start)
        if whole is None:
            return None
        mention = self._with_fraction(words, whole)
        if (
            words[start] in self._bound
            and mention.end == start + 1
            and not self.unit_length(words, mention.end)
            and not self._is_usual_at_end(words, start, mention.value)
        ):
            return None
        return self._with_minus(words, mention)

    def whole(self, words: Sequence[str]) -> Decimal | None:
        """The number that these are, also where they are bound words."""
        if len(words) == 1 and _DIGITS.fullmatch(words[0]):
            return _written(words[0], self._words.thousands_sign)
        key = self._key(words)
        value = self._table.get(key, self._tenths.get(key))
        if value is not None:
            return value
        for half in self._halves:
            before = words[: len(words) - len(half)]
            if before and tuple(words[len(before) :]) == half:
                value = self.whole(before)
                return value + HALF if value is not None and value % 1 == 0 else None
        return None

    def unit_length(self, words: Sequence[str], start: int) -> int:
        """How many words at `start` are a unit."""
        if self._language.is_glued:
            return int(start < len(words) and words[start].startswith(self._words.counters))
        return _length(words, start, self._units)

    def _read_forward(self) -> dict[str, Decimal]:
        """Number words without blanks -> the number; empty for a language without number words."""
        forms: list[tuple[str, Decimal]] = []
        for value in (*range(_EVERY), *range(_EVERY, _HIGHEST + 1, _STEP)):
            wholes = _whole_forms(value, self._words)
            halves = _half_forms(value, _free(wholes, self._words), self._words, apart=self._language.is_glued)
            forms += [(form, Decimal(value)) for form in wholes] + [(form, value + HALF) for form in halves]
        forms += [(form, Decimal(str(value))) for value, known in self._words.heard.items() for form in known]
        forms += self._half_thousands()
        table: dict[str, Decimal] = {}
        for form, number in forms:
            for words in self._with_and_without_silent(form):
                table.setdefault(self._key(words), number)
        return table

    def _glued_tenths(self) -> dict[str, Decimal]:
        """The words of numbers with one decimal, written as one word, where people do so."""
        return {
            self._key(form.split()): value + Decimal(tenth) / 10
            for value in range(_EVERY_TENTH if self._language.is_glued else 0)
            for tenth in range(1, 10)
            for form in _pointed_forms(_whole_forms(value, self._words), Decimal(tenth) / 10, self._words)
        }

    def _half_thousands(self) -> Iterator[tuple[str, Decimal]]:
        for value in range(1, 10) if self._words.half_thousands else ():
            wholes = _free(_whole_forms(value, self._words), self._words)
            for half, behind in product(_half_forms(value, wholes, self._words), self._words.half_thousands):
                yield half + behind, Decimal(value * 1000 + 500)

    def _with_and_without_silent(self, form: str) -> Iterator[Sequence[str]]:
        words = list(map(self._language.fold, form.split()))
        return product(*(((word,), (word, ""))[word in self._words.silent] for word in words))

    def _key(self, words: Iterable[str]) -> str:
        return "".join(self._usual.get(word, word) for word in words)

    def _split(self, phrases: Iterable[str]) -> list[tuple[str, ...]]:
        """Each as folded words, the longest first."""
        return sorted((tuple(map(self._language.fold, phrase.split())) for phrase in phrases), key=len, reverse=True)

    def _digits(self, words: Sequence[str], start: int) -> NumberMention | None:
        digits = _DIGITS.match(words[start])
        if digits is None:
            return None
        rest, value = words[start][digits.end() :], _written(digits[0], self._words.thousands_sign)
        if not self._language.is_glued:
            return None if rest and rest not in self._glueable else NumberMention(start, start + 1, value)
        if rest.startswith(self._glued_halves):
            return NumberMention(start, start + 1, value + HALF)
        return None if rest and not rest.startswith(self._words.counters) else NumberMention(start, start + 1, value)

    def _spoken(self, words: Sequence[str], start: int) -> NumberMention | None:
        if self._key(words[start : start + 1])[: self._beginning] not in self._beginnings:
            return None
        for end in range(min(len(words), start + _LONGEST), start, -1):
            value = self._value(words[start:end])
            if value is not None:
                return NumberMention(start, end, value)
        return None

    def _value(self, words: Sequence[str]) -> Decimal | None:
        key = self._key(words)
        if key in self._table or not self._words.counters:
            return self._table.get(key)
        tables = (self._table, self._tenths) if len(words) == 1 else (self._table,)
        for length in range(len(words[-1])):
            if length and not key[-length:].startswith(self._words.counters):
                continue
            for table in tables:
                if key[: len(key) - length] in table:
                    return table[key[: len(key) - length]]
        return None

    def _with_fraction(self, words: Sequence[str], mention: NumberMention) -> NumberMention:
        if mention.value % 1:
            return mention
        for after in (mention.end, mention.end + _length(words, mention.end, self._degrees)):
            length = self._half_length(words, after)
            if length:
                return NumberMention(mention.start, after + length, mention.value + HALF)
        if mention.end < len(words) and words[mention.end] in self._points:
            decimals = "".join(self._decimals(words[mention.end + 1 :]))
            if decimals:
                end = mention.end + 1 + len(decimals)
                return NumberMention(mention.start, end, mention.value + Decimal(f"0.{decimals}"))
        return mention

    def _half_length(self, words: Sequence[str], start: int) -> int:
        """How many words at `start` are a half more; where they are glued, a particle may follow."""
        if self._language.is_glued and start < len(words):
            return int(any(words[start] == f"{half[-1]}{tail}" for half in self._halves for tail in self._tails))
        return _length(words, start, self._halves)

    def _decimals(self, words: Sequence[str]) -> Iterator[str]:
        for word in words[:_DECIMALS]:
            value = Decimal(word) if word.isdecimal() else self._value((word,))
            if value is None or value not in range(10):
                return
            yield str(value)

    def _is_usual_at_end(self, words: Sequence[str], start: int, value: Decimal) -> bool:
        usual = number_forms(value, self._language.tag)[0]
        return start + 1 == len(words) and words[start] == self._language.fold(usual)

    def _with_minus(self, words: Sequence[str], mention: NumberMention) -> NumberMention:
        before = words[: mention.start]
        if not before or before[-1] not in self._minus:
            return mention
        if any(tuple(before[-len(phrase) :]) == phrase for phrase in self._no_minus):
            return mention
        return NumberMention(mention.start - 1, mention.end, -mention.value)


@cache
def _reader(language: Language) -> _Reader:
    return _Reader(language)


def _length(words: Sequence[str], start: int, phrases: Iterable[tuple[str, ...]]) -> int:
    """How many words at `start` are one of `phrases`, 0 if none is there."""
    return next((len(phrase) for phrase in phrases if tuple(words[start : start + len(phrase)]) == phrase), 0)


def _written(digits: str, thousands_sign: str) -> Decimal:
    """The value of digits: "20,5" and "20.5" are one, three digits behind the language's sign are thousands."""
    whole, sign, rest = digits.partition(thousands_sign) if thousands_sign else (digits, "", "")
    if sign and len(rest) == 3 and whole.strip("-0"):
        return Decimal(whole + rest)
    return Decimal(digits.replace(",", "."))
