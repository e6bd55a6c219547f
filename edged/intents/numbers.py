"""Numbers as people say them, in both directions, from one table a language.

Forward: 20.5 -> "twenty point five", "twenty and a half". Inverse: where in a transcript is a number, and which. The
inverse looks up what the forward direction says, so that both can never disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Final

from num2words import num2words


@dataclass(frozen=True, slots=True)
class NumberWords:
    """What a language says around its number words."""

    library: str
    """The language's name in num2words."""
    point: str
    """Between the whole part and the decimals."""
    half: tuple[str, ...]
    """After the whole part, for a half more."""
    minus: tuple[str, ...]
    silent: tuple[str, ...] = ()
    """Words inside a number that some people leave out."""
    counters: tuple[str, ...] = ()
    """What may follow a number without a blank."""
    hundreds: str = ""
    """The word after a number of hundreds above nine: twenty-seven hundred."""
    spoken: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Further forms that num2words does not give."""


NUMBER_WORDS: Final[dict[str, NumberWords]] = {
    "en": NumberWords(
        library="en",
        point="point",
        half=("and a half",),
        minus=("minus", "negative"),
        silent=("and",),
        counters=("k", "c", "f", "s"),
        hundreds="hundred",
        spoken={100: ("a hundred",), 1000: ("a thousand",)},
    ),
    "ko": NumberWords(
        library="ko",
        point="점",
        half=("반", "도 반"),
        minus=("영하", "마이너스"),
        counters=("도", "퍼센트", "프로", "초", "분", "켈빈", "단계", "으로", "로", "만큼", "까지"),
        spoken={0: ("공",)},
    ),
}

_EVERY: Final = 1000
"""Every whole number below this has its words in the table ..."""
_HIGHEST: Final = 10_000
"""... and every fiftieth up to this: what a house measures (kelvin) is spoken in such steps."""
_STEP: Final = 50
_LONGEST: Final = 8
"""A number of the table has at most this many words."""

HALF: Final = Decimal("0.5")

_DIGITS: Final = re.compile(r"-?\d{1,6}(?:[.,]\d{1,3})?")


@dataclass(frozen=True, slots=True)
class NumberMention:
    """The number that words `start` to `end` (exclusive) say."""

    start: int
    end: int
    value: Decimal


def number_forms(value: Decimal, lang: str) -> tuple[str, ...]:
    """The ways to say `value` in words, the usual one first; its digits where the language has no table."""
    words = NUMBER_WORDS.get(lang.split("-")[0])
    if words is None:
        return (_digits(value),)
    sign = f"{words.minus[0]} " if value < 0 else ""
    whole, fraction = divmod(abs(value), 1)
    forms = list(_whole_forms(int(whole), lang.split("-")[0]))
    if fraction:
        decimals = " ".join(str(num2words(int(digit), lang=words.library)) for digit in _digits(fraction)[2:])
        pointed = [f"{form} {words.point} {decimals}" for form in forms]
        forms = pointed + ([f"{form} {half}" for form in forms for half in words.half] if fraction == HALF else [])
    return tuple(sign + form for form in forms)


def find_numbers(words: Sequence[str], lang: str) -> list[NumberMention]:
    """Every number said in `words`, the longest reading at each place, in digits or in words."""
    primary = lang.split("-")[0]
    found: list[NumberMention] = []
    position = 0
    while position < len(words):
        mention = _whole_at(words, position, primary)
        if mention is None:
            position += 1
            continue
        mention = _with_minus(words, _with_fraction(words, mention, primary), primary)
        found.append(mention)
        position = mention.end
    return found


def _whole_at(words: Sequence[str], start: int, primary: str) -> NumberMention | None:
    digits = _DIGITS.match(words[start])
    if digits:
        rest = words[start][digits.end() :]
        if not rest or _is_counted(rest, primary):
            return NumberMention(start, start + 1, Decimal(digits[0].replace(",", ".")))
        return None
    table = _table(primary)
    for end in range(min(len(words), start + _LONGEST), start, -1):
        value = _read(words[start:end], table, primary)
        if value is not None:
            return NumberMention(start, end, Decimal(value))
    return None


def _read(words: Sequence[str], table: Mapping[str, int], primary: str) -> int | None:
    known = NUMBER_WORDS.get(primary)
    if known is None:
        return None
    joined = "".join(words)
    if joined in table:
        return table[joined]
    last = len(words[-1])
    for length in range(1, last):
        if joined[-length:].startswith(known.counters) and joined[:-length] in table:
            return table[joined[:-length]]
    return None


def _is_counted(rest: str, primary: str) -> bool:
    known = NUMBER_WORDS.get(primary)
    return known is not None and rest.startswith(known.counters)


def _with_fraction(words: Sequence[str], mention: NumberMention, primary: str) -> NumberMention:
    known = NUMBER_WORDS.get(primary)
    if known is None or mention.value % 1:
        return mention
    for half in known.half:
        parts = half.split()
        if list(words[mention.end : mention.end + len(parts)]) == parts:
            return NumberMention(mention.start, mention.end + len(parts), mention.value + HALF)
    if mention.end + 1 < len(words) and words[mention.end] == known.point:
        digits, end = "", mention.end + 1
        while end < len(words) and len(digits) < 3:
            digit = _read(words[end : end + 1], _table(primary), primary)
            if digit is None or digit > 9:
                break
            digits, end = digits + str(digit), end + 1
        if digits:
            return NumberMention(mention.start, end, mention.value + Decimal(f"0.{digits}"))
    return mention


def _with_minus(words: Sequence[str], mention: NumberMention, primary: str) -> NumberMention:
    known = NUMBER_WORDS.get(primary)
    if known and mention.start > 0 and words[mention.start - 1] in known.minus:
        return NumberMention(mention.start - 1, mention.end, -mention.value)
    return mention


@cache
def _table(primary: str) -> Mapping[str, int]:
    """Number words without blanks -> the number; empty for a language without words here."""
    words = NUMBER_WORDS.get(primary)
    if words is None:
        return {}
    table: dict[str, int] = {}
    for value in (*range(_EVERY), *range(_EVERY, _HIGHEST + 1, _STEP)):
        for form in _whole_forms(value, primary):
            table.setdefault(form.replace(" ", ""), value)
            table.setdefault("".join(word for word in form.split() if word not in words.silent), value)
    return table


def _whole_forms(value: int, primary: str) -> tuple[str, ...]:
    words = NUMBER_WORDS[primary]
    forms = [_plain(str(num2words(value, lang=words.library)))]
    if words.hundreds and value >= _EVERY and value % 100 == 0 and value % _EVERY:
        forms.append(f"{_plain(str(num2words(value // 100, lang=words.library)))} {words.hundreds}")
    forms.extend(words.spoken.get(value, ()))
    return tuple(forms)


def _plain(form: str) -> str:
    return form.replace(",", "").replace("-", " ")


def _digits(value: Decimal) -> str:
    return f"{value:f}"
