"""Numbers, exactly: their one text, and the automata of all that lie between bounds on a grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from typing import Any, Final, TypeAlias

from edged.intents.lower.automaton import Automaton, explore, intersect
from edged.intents.lower.refusal import MAX_DIGITS, MAX_LISTED, Refusal, Work

MAX_RESIDUES: Final = 2000
"""Remainders that an automaton tells apart, for a step whose multiples are too many to be listed."""


def exact(value: object) -> Fraction | None:
    """The number that a JSON number stands for; None for what is no number.

    Raises:
        Refusal: it is infinite, or has too many digits.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, int):
        if value.bit_length() > 4 * MAX_DIGITS:
            raise _TOO_LONG
        return Fraction(value)
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else value
    except InvalidOperation:
        raise _TOO_LONG from None
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS or len(number.as_tuple().digits) > MAX_DIGITS:
        raise _TOO_LONG
    return Fraction(number)


_TOO_LONG: Final = Refusal(f"is a number of more than {MAX_DIGITS} digits", "use one of fewer digits")


def number_text(number: Fraction) -> str:
    """The shortest decimal without an exponent, whole numbers without a point.

    Raises:
        Refusal: the number has no end in decimals.
    """
    if number.denominator == 1:
        return str(number.numerator)
    places = decimal_places(number)
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def decimal_places(number: Fraction) -> int:
    """The digits that a number has behind its point; what comes from JSON has but the factors two and five."""
    places = 0
    while 10**places % number.denominator:
        places += 1
        if places > 2 * MAX_DIGITS:
            raise _TOO_LONG
    return places


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers between two bounds, None for no bound, and, with a step, its multiples alone."""

    least: Fraction | None = None
    greatest: Fraction | None = None
    above: bool = False
    """Without `least` itself; never with a step."""
    below: bool = False
    """Without `greatest` itself; never with a step."""
    step: Fraction | None = None

    def __contains__(self, number: Fraction) -> bool:
        """Whether the number is one of them."""
        if self.least is not None and (number < self.least or (self.above and number == self.least)):
            return False
        if self.greatest is not None and (number > self.greatest or (self.below and number == self.greatest)):
            return False
        return self.step is None or (number / self.step).denominator == 1

    def narrowed(self, other: Interval) -> Interval | None:
        """The numbers in both; None if there are none."""
        lows = [(it.least, it.above) for it in (self, other) if it.least is not None]
        highs = [(-it.greatest, it.below) for it in (self, other) if it.greatest is not None]
        least, above = max(lows, default=(None, False))
        negated, below = max(highs, default=(None, False))
        greatest = None if negated is None else -negated
        steps = [it.step for it in (self, other) if it.step is not None]
        return interval(least, greatest, above, below, _common_step(steps) if steps else None)

    def listed(self, limit: int) -> list[Fraction] | None:
        """Every one of them; None where there are more than `limit`."""
        if self.least is None or self.greatest is None or self.step is None:
            return None
        first, last = int(self.least / self.step), int(self.greatest / self.step)
        return [number * self.step for number in range(first, last + 1)] if last - first < limit else None

    def automaton(self, work: Work) -> Automaton:
        """The texts of all of them."""
        automaton, cost = _automaton(self)
        work.spend(cost)
        return automaton


def interval(
    least: Fraction | None, greatest: Fraction | None, above: bool, below: bool, step: Fraction | None
) -> Interval | None:
    """An interval with its bounds on its grid; None if it is empty."""
    if step is not None:
        if least is not None:
            least = (least // step + 1 if above else -(-least // step)) * step
        if greatest is not None:
            greatest = (-(-greatest // step) - 1 if below else greatest // step) * step
        above = below = False
    if least is not None and greatest is not None and (least > greatest or (least == greatest and (above or below))):
        return None
    return Interval(least, greatest, above, below, step)


def _common_step(steps: list[Fraction]) -> Fraction:
    numerators, denominators = [step.numerator for step in steps], [step.denominator for step in steps]
    return Fraction(lcm(*numerators), gcd(*denominators))


_KEPT: Final = 64
"""Slots share few sorts of numbers; the largest automaton takes some 5 MB."""


@lru_cache(maxsize=_KEPT)
def _automaton(numbers: Interval) -> tuple[Automaton, int]:
    work = Work()
    parts = []
    if numbers.least is not None:
        parts.append(_Comparison(numbers.least, {1} if numbers.above else {0, 1}).automaton(work))
    if numbers.greatest is not None:
        parts.append(_Comparison(numbers.greatest, {-1} if numbers.below else {-1, 0}).automaton(work))
    if numbers.step is not None:
        parts.append(_stepped(numbers.step, work))
    automaton = parts[0] if parts else _stepped(None, work)
    for part in parts[1:]:
        automaton = intersect(automaton, part, work)
    return automaton, work.spent


# The form of a number's text: a sign, a whole part without leading zeros, a fraction without trailing ones.
_START, _SIGN, _ZERO, _WHOLE, _POINT, _CUT, _FRACTION = range(7)
_ENDS: Final = frozenset({_ZERO, _WHOLE, _FRACTION})


def _next_forms(form: int) -> Iterator[tuple[str, int]]:
    """The characters that may come next and the form that they lead to."""
    if form in (_START, _SIGN):
        if form == _START:
            yield "-", _SIGN
        yield "0", _ZERO
        yield from ((digit, _WHOLE) for digit in "123456789")
        return
    if form in (_ZERO, _WHOLE):
        yield ".", _POINT
        if form == _WHOLE:
            yield from ((digit, _WHOLE) for digit in "0123456789")
        return
    yield "0", _CUT
    yield from ((digit, _FRACTION) for digit in "123456789")


_Read: TypeAlias = tuple[int, bool, int, int]
"""Of a number's text so far: its form, whether it is negative, and what its automaton counts."""


class _Comparison:
    """All numbers that are less than (-1), equal to (0) or greater than (1) a bound, as wanted.

    A state counts the digits of the part at hand, and knows how the sizes compare as far as they were read.
    """

    def __init__(self, bound: Fraction, wanted: set[int]) -> None:
        self._whole, _, self._fraction = number_text(abs(bound)).partition(".")
        self._negative = bound < 0
        self._wanted = wanted

    def automaton(self, work: Work) -> Automaton:
        return explore((_START, False, 0, 0), self._step, self._is_accepting, work)

    def _step(self, state: _Read) -> Iterator[tuple[int, int, _Read]]:
        form, negative, place, order = state
        for mark, to in _next_forms(form):
            if mark == "-":
                after = (to, True, 0, 0)
            elif mark == ".":
                after = (to, negative, 0, _whole_order(place, order, len(self._whole)))
            else:
                after = (to, negative, *self._count(mark, to in (_ZERO, _WHOLE), place, order))
            yield ord(mark), ord(mark), after

    def _count(self, digit: str, whole: bool, place: int, order: int) -> tuple[int, int]:
        other = self._whole if whole else self._fraction
        known = other[place] if place < len(other) else "0"
        order = order or (digit > known) - (digit < known)
        if not whole:
            return (0 if order else min(place + 1, len(other))), order
        return min(place + 1, len(other) + 1), order if place < len(other) else 0

    def _is_accepting(self, state: _Read) -> bool:
        form, negative, place, order = state
        if form not in _ENDS or (negative and form == _ZERO):
            return False
        if negative != self._negative:
            return (-1 if negative else 1) in self._wanted
        if form in (_ZERO, _WHOLE):
            order, place = _whole_order(place, order, len(self._whole)), 0
        size = order or (-1 if place < len(self._fraction) else 0)
        return (-size if negative else size) in self._wanted


def _whole_order(place: int, order: int, length: int) -> int:
    """Of a whole part of `place` digits against one of `length`: the longer one is the larger."""
    return order if place == length else (1 if place > length else -1)


def _stepped(grid: Fraction | None, work: Work) -> Automaton:
    """All multiples of a step; without one, all numbers."""
    places = decimal_places(grid) if grid is not None else 0
    modulus = int(grid * 10**places) if grid is not None else 1
    if modulus * (places + 2) > MAX_RESIDUES:
        raise Refusal(
            f"has too many values for a list ({MAX_LISTED}) and too fine a step for an automaton",
            "narrow the bounds, or use a step with fewer digits",
        )

    def step(state: _Read) -> Iterator[tuple[int, int, _Read]]:
        form, negative, decimals, rest = state
        for mark, to in _next_forms(form):
            if mark in "-.":
                after = (to, negative or mark == "-", decimals, rest)
            else:
                more = decimals + 1 if grid is not None and to in (_CUT, _FRACTION) else decimals
                after = (to, negative, more, (rest * 10 + int(mark)) % modulus)
            if after[2] <= places:
                yield ord(mark), ord(mark), after

    def is_accepting(state: _Read) -> bool:
        form, negative, decimals, rest = state
        return form in _ENDS and not (negative and form == _ZERO) and not rest * 10 ** (places - decimals) % modulus

    return explore((_START, False, 0, 0), step, is_accepting, work)


def allows(schema: Mapping[str, Any], value: Decimal) -> bool:
    """Whether a number is one that `schema`, of type integer or number, allows."""
    wanted = schema_interval(schema, schema.get("type") == "integer")
    number = exact(value)
    return wanted is not None and number is not None and number in wanted


def schema_interval(schema: Mapping[str, Any], whole: bool) -> Interval | None:
    """What the keywords on numbers allow; None if that is nothing.

    Raises:
        Refusal: a keyword's value is no number, or a step not above zero.
    """
    numbers: dict[str, Fraction] = {}
    for keyword in NUMBER_KEYWORDS & schema.keys():
        number = exact(schema[keyword])
        if number is None or (keyword == "multipleOf" and number <= 0):
            raise Refusal(f'"{keyword}" is no number{" above zero" * (keyword == "multipleOf")}', "write a number")
        numbers[keyword] = number
    step = numbers.get("multipleOf")
    if whole:
        step = Fraction(1) if step is None else _common_step([step, Fraction(1)])
    lows = [(numbers[key], key != "minimum") for key in ("minimum", "exclusiveMinimum") if key in numbers]
    highs = [(-numbers[key], key != "maximum") for key in ("maximum", "exclusiveMaximum") if key in numbers]
    least, above = max(lows, default=(None, False))
    negated, below = max(highs, default=(None, False))
    return interval(least, None if negated is None else -negated, above, below, step)


NUMBER_KEYWORDS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
