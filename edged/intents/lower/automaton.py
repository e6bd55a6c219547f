"""Deterministic automata over code points, and the set algebra on what they accept."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from edged.intents.lower.refusal import MAX_STATES, Refusal, Work

LAST_CHARACTER: Final = 0x10FFFF
_DEAD: Final = -1
_STEPS_OF_AN_EDGE: Final = 5
"""What an edge, and a state, costs in steps."""

Edge: TypeAlias = tuple[int, int, int]
"""First and last code point, and the state that they lead to."""

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    """State 0 is the start; every state is reached from it and reaches acceptance, unless nothing is accepted."""

    edges: tuple[tuple[Edge, ...], ...]
    """The edges of each state, in rising order and without overlap."""
    accepting: frozenset[int]

    def accepts(self, text: str) -> bool:
        """Whether the whole text is in the language."""
        state = 0
        for character in map(ord, text):
            row = self.edges[state]
            place = bisect_right(row, (character, LAST_CHARACTER, LAST_CHARACTER)) - 1
            if place < 0 or row[place][1] < character:
                return False
            state = row[place][2]
        return state in self.accepting

    @property
    def is_empty(self) -> bool:
        """Whether nothing is accepted."""
        return not self.accepting


def explore(
    start: State,
    step: Callable[[State], Iterable[tuple[int, int, State]]],
    is_accepting: Callable[[State], bool],
    work: Work,
) -> Automaton:
    """The automaton of all states that `step` leads to, less those without a way to acceptance.

    Raises:
        Refusal: there are too many.
    """
    numbers: dict[State, int] = {start: 0}
    found = [start]
    rows: list[list[Edge]] = []
    for state in found:
        row: list[Edge] = []
        for first, last, target in step(state):
            number = numbers.setdefault(target, len(found))
            if number == len(found):
                found.append(target)
            row.append((first, last, number))
        work.spend(_STEPS_OF_AN_EDGE * (1 + len(row)))
        rows.append(row)
        if len(found) > MAX_STATES:
            raise Refusal(
                f"needs more than {MAX_STATES} states",
                "shorten the bounds, or write a simpler pattern or list the values",
            )
    return _trim(rows, [number for number, state in enumerate(found) if is_accepting(state)])


def _trim(rows: list[list[Edge]], accepting: list[int]) -> Automaton:
    sources: list[list[int]] = [[] for _ in rows]
    for state, row in enumerate(rows):
        for _, _, target in row:
            sources[target].append(state)
    alive = set(accepting)
    waiting = list(accepting)
    while waiting:
        fresh = set(sources[waiting.pop()]) - alive
        alive |= fresh
        waiting.extend(fresh)
    if 0 not in alive:
        return NOTHING
    numbers = {state: number for number, state in enumerate(sorted(alive))}
    edges = tuple(tuple(_merge(row, numbers)) for state, row in enumerate(rows) if state in alive)
    return Automaton(edges, frozenset(numbers[state] for state in accepting))


def _merge(row: list[Edge], numbers: dict[int, int]) -> Iterator[Edge]:
    """The row's living edges in order, neighbours that lead to one state as one."""
    kept = sorted((first, last, numbers[target]) for first, last, target in row if target in numbers)
    if not kept:
        return
    start, end, to = kept[0]
    for first, last, target in kept[1:]:
        if target == to and first == end + 1:
            end = last
        else:
            yield start, end, to
            start, end, to = first, last, target
    yield start, end, to


NOTHING: Final = Automaton(((),), frozenset())


def intersect(one: Automaton, other: Automaton, work: Work) -> Automaton:
    """What both accept."""
    return _combine(one, other, lambda left, right: left and right, work, (True, True))


def unite(one: Automaton, other: Automaton, work: Work) -> Automaton:
    """What either accepts."""
    return _combine(one, other, lambda left, right: left or right, work, (False, False))


def subtract(one: Automaton, other: Automaton, work: Work) -> Automaton:
    """What `one` accepts and `other` does not."""
    return _combine(one, other, lambda left, right: left and not right, work, (True, False))


def _combine(
    one: Automaton, other: Automaton, decide: Callable[[bool, bool], bool], work: Work, needed: tuple[bool, bool]
) -> Automaton:
    """Both at once; `needed` says which of the two has to be alive for anything to be accepted."""

    def step(pair: tuple[int, int]) -> Iterator[tuple[int, int, tuple[int, int]]]:
        left = one.edges[pair[0]] if pair[0] != _DEAD else ()
        right = other.edges[pair[1]] if pair[1] != _DEAD else ()
        for first, last, to_left, to_right in _overlay(left, right):
            if (to_left != _DEAD or not needed[0]) and (to_right != _DEAD or not needed[1]):
                yield first, last, (to_left, to_right)

    return explore((0, 0), step, lambda pair: decide(pair[0] in one.accepting, pair[1] in other.accepting), work)


_BEYOND: Final = (LAST_CHARACTER + 1, LAST_CHARACTER + 1, _DEAD)


def _overlay(one: tuple[Edge, ...], other: tuple[Edge, ...]) -> Iterator[tuple[int, int, int, int]]:
    """Ranges in which neither row changes, with both targets; none where both have a gap."""
    left, right, position = 0, 0, 0
    while left < len(one) or right < len(other):
        a = one[left] if left < len(one) else _BEYOND
        b = other[right] if right < len(other) else _BEYOND
        position = max(position, min(a[0], b[0]))
        in_a, in_b = a[0] <= position, b[0] <= position
        last = min(a[1] if in_a else a[0] - 1, b[1] if in_b else b[0] - 1)
        yield position, last, a[2] if in_a else _DEAD, b[2] if in_b else _DEAD
        position = last + 1
        left += in_a and a[1] == last
        right += in_b and b[1] == last


def append(one: Automaton, other: Automaton, work: Work) -> Automaton:
    """A text of `one`, then a text of `other`, where no text of `one` goes on into a longer one."""
    work.spend(len(one.edges) + len(other.edges))
    offset = len(one.edges)
    moved = [tuple((first, last, target + offset) for first, last, target in row) for row in other.edges]
    edges = [moved[0] if state in one.accepting else row for state, row in enumerate(one.edges)]
    return Automaton((*edges, *moved), frozenset(state + offset for state in other.accepting))


def list_texts(automaton: Automaton, limit: int, work: Work) -> tuple[str, ...] | None:
    """Every text that is accepted; None where there are more than `limit`."""
    found: list[str] = []
    waiting: list[tuple[int, str]] = [(0, "")]
    while waiting:
        state, text = waiting.pop()
        work.spend()
        if len(text) > len(automaton.edges):
            return None
        if state in automaton.accepting:
            found.append(text)
        for first, last, target in automaton.edges[state]:
            if last - first + len(found) >= limit:
                return None
            waiting.extend((target, text + chr(character)) for character in range(first, last + 1))
        if len(found) > limit:
            return None
    return tuple(found)


def from_texts(texts: Iterable[str], work: Work) -> Automaton:
    """Exactly these texts."""

    def step(rests: frozenset[str]) -> Iterator[tuple[int, int, frozenset[str]]]:
        work.spend(len(rests))
        heads: dict[str, list[str]] = {}
        for rest in rests:
            if rest:
                heads.setdefault(rest[0], []).append(rest[1:])
        for head, tails in heads.items():
            yield ord(head), ord(head), frozenset(tails)

    return explore(frozenset(texts), step, lambda rests: "" in rests, work)


def of_lengths(least: int, greatest: int | None, work: Work) -> Automaton:
    """All texts of `least` to `greatest` characters."""

    def step(length: int) -> Iterator[tuple[int, int, int]]:
        if greatest is None or length < greatest:
            yield 0, LAST_CHARACTER, length if greatest is None and length == least else length + 1

    return explore(0, step, lambda length: length >= least, work)
