"""Sets of texts and their algebra: the strings that a schema allows, and its numbers by their one text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias

from edged.intents.lower.automaton import (
    Automaton,
    from_texts,
    intersect,
    list_texts,
    of_lengths,
    subtract,
    unite,
)
from edged.intents.lower.number import Interval, number_text
from edged.intents.lower.refusal import Work


@dataclass(frozen=True, slots=True)
class Listed:
    """Exactly these, each once."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lengths:
    """All texts of so many characters; None has no end."""

    least: int
    greatest: int | None


Texts: TypeAlias = Listed | Lengths | Interval | Automaton

NO_TEXTS: Final = Listed(())
ALL_NUMBERS: Final = Interval()
ALL_STRINGS: Final = Lengths(0, None)


def listed(texts: Iterable[str]) -> Listed:
    """Exactly these."""
    return Listed(tuple(dict.fromkeys(texts)))


def is_empty(texts: Texts) -> bool:
    """Whether there is none."""
    return (isinstance(texts, Listed) and not texts.texts) or (isinstance(texts, Automaton) and texts.is_empty)


def contains(texts: Texts, text: str) -> bool:
    """Whether `text` is one of them; for numbers it must be the text of one."""
    match texts:
        case Listed(several):
            return text in several
        case Lengths(least, greatest):
            return least <= len(text) and (greatest is None or len(text) <= greatest)
        case Interval():
            return Fraction(Decimal(text)) in texts
        case _:
            return texts.accepts(text)


def meet(one: Texts, other: Texts, work: Work) -> Texts:
    """What is in both."""
    work.spend()
    if one is other or _is_all(other):
        return one
    if _is_all(one):
        return other
    for some, rest in ((one, other), (other, one)):
        if isinstance(some, Listed):
            work.spend(len(some.texts))
            return Listed(tuple(text for text in some.texts if contains(rest, text)))
    if isinstance(one, Lengths) and isinstance(other, Lengths):
        ends = [end for end in (one.greatest, other.greatest) if end is not None]
        return lengths(max(one.least, other.least), min(ends, default=None))
    if isinstance(one, Interval) and isinstance(other, Interval):
        return one.narrowed(other) or NO_TEXTS
    return intersect(automaton_of(one, work), automaton_of(other, work), work)


def join(one: Texts, other: Texts, work: Work) -> Texts:
    """What is in either."""
    work.spend()
    if is_empty(other) or _is_all(one) or one is other:
        return one
    if is_empty(one) or _is_all(other):
        return other
    if isinstance(one, Listed) and isinstance(other, Listed):
        work.spend(len(one.texts) + len(other.texts))
        return listed(one.texts + other.texts)
    return unite(automaton_of(one, work), automaton_of(other, work), work)


def minus(one: Texts, other: Texts, work: Work) -> Texts:
    """What is in `one` alone."""
    work.spend()
    if is_empty(one) or is_empty(other):
        return one
    if _is_all(other) or one is other:
        return NO_TEXTS
    if isinstance(one, Listed):
        work.spend(len(one.texts))
        return Listed(tuple(text for text in one.texts if not contains(other, text)))
    return subtract(automaton_of(one, work), automaton_of(other, work), work)


def automaton_of(texts: Texts, work: Work) -> Automaton:
    """The same set as an automaton."""
    match texts:
        case Listed(several):
            return from_texts(several, work)
        case Lengths(least, greatest):
            return of_lengths(least, greatest, work)
        case Interval():
            return texts.automaton(work)
        case _:
            return texts


def enumerate_texts(texts: Texts, limit: int, work: Work) -> tuple[str, ...] | None:
    """Every one of them; None where there are more than `limit`."""
    match texts:
        case Listed(several):
            return several if len(several) <= limit else None
        case Lengths(_, greatest):
            return ("",) if greatest == 0 else None
        case Interval():
            numbers = texts.listed(limit)
            return None if numbers is None else tuple(map(number_text, numbers))
        case _:
            return list_texts(texts, limit, work)


def lengths(least: int, greatest: int | None) -> Texts:
    """All texts of so many characters."""
    return Lengths(least, greatest) if greatest is None or least <= greatest else NO_TEXTS


def _is_all(texts: Texts) -> bool:
    return texts in (ALL_NUMBERS, ALL_STRINGS) if isinstance(texts, Interval | Lengths) else False
