"""Refusals of a schema, and the caps that keep the work on a hostile one small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

MAX_LISTED: Final = 2000
"""Values of an enum, or of a number that is listed value by value: each becomes a path of the automaton of its own."""
MAX_COUNT: Final = 1000
"""Characters of a string, items of an array: each costs states of its own."""
MAX_DIGITS: Final = 400
"""Of a bound or a step: the largest binary fraction has 309 before the point, the smallest some 330 behind it."""
MAX_NESTING: Final = 32
"""Schemas inside each other."""
MAX_ALTERNATIVES: Final = 256
"""Forms of an object or an array at one place: every condition between keys can double them."""
MAX_BRANCHES: Final = 64
"""Branches of a oneOf: each is compared with each."""
MAX_STATES: Final = 16_000
"""Of one automaton: a date-time with its leap seconds takes 11,000."""
MAX_WORK: Final = 600_000
"""Steps to reduce one schema, counted in states, edges and set operations: less than half a second on one slow core."""
MAX_PROGRAM_STATES: Final = 65_000
"""Of the automaton of one schema: a graph of the core takes 65,535, a program 1,048,576 with three intents in a row."""

Pointer: TypeAlias = tuple[str | int, ...]


class LoweringError(ValueError):
    """A part of a schema is refused: `pointer` says which, `remedy` what to write instead."""

    def __init__(self, pointer: Sequence[str | int], what: str, remedy: str) -> None:
        self.pointer = tuple(pointer)
        self.remedy = remedy
        super().__init__(what)


class Refusal(Exception):  # noqa: N818 - an answer, not an error, until somebody knows where in the schema it is
    """A set cannot be worked out; whoever knows the pointer makes a `LoweringError` of it."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(what)


class Work:
    """Counts the steps of one lowering, so that none takes long."""

    def __init__(self, limit: int = MAX_WORK) -> None:
        self._left = limit
        self._limit = limit

    @property
    def is_spent(self) -> bool:
        """Whether the cap was met."""
        return self._left < 0

    @property
    def spent(self) -> int:
        """The steps taken so far."""
        return self._limit - self._left

    def spend(self, steps: int = 1) -> None:
        """Takes steps off what is left.

        Raises:
            Refusal: there are none left.
        """
        self._left -= steps
        if self._left < 0:
            raise Refusal(
                f"takes more than {self._limit} steps to reduce",
                "use smaller bounds, fewer branches or a simpler pattern",
            )


class Report:
    """What becomes of refusals: the first is raised, or all are collected."""

    def __init__(self, *, collects: bool = False) -> None:
        self.found: list[LoweringError] = []
        self.work = Work()
        self._collects = collects

    def refuse(self, pointer: Pointer, what: str, remedy: str) -> None:
        """Takes a refusal.

        Raises:
            LoweringError: none is collected, or there is no more work to be spent.
        """
        error = LoweringError(pointer, what, remedy)
        if not any(known.pointer == error.pointer and str(known) == what for known in self.found):
            self.found.append(error)
        if not self._collects or self.work.is_spent:
            raise error
