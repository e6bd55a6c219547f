"""An automaton over code points -> the graph over the bytes of JSON text: UTF-8 of RFC 3629, and JSON's escapes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, TypeAlias

from edged.core.expression import Graph
from edged.intents.lower.automaton import Automaton
from edged.intents.lower.refusal import MAX_PROGRAM_STATES, Refusal

_Bytes: TypeAlias = tuple[tuple[int, int], ...]
"""Ranges of bytes, one after the other."""
_Rest: TypeAlias = frozenset[_Bytes]
"""What may follow, until the character is complete."""

_LENGTHS: Final = ((0x20, 0x7F), (0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF))
"""Code points of one to four bytes, without controls and surrogates."""
_SHORT: Final = {0x08: b"\\b", 0x09: b"\\t", 0x0A: b"\\n", 0x0C: b"\\f", 0x0D: b"\\r", 0x22: b'\\"', 0x5C: b"\\\\"}
_KEPT: Final = 5000
_COMPLETE: Final[_Rest] = frozenset(((),))


def plain_graph(automaton: Automaton) -> Graph:
    """The graph of texts that are all printable ASCII and need no escape, as numbers are."""
    edges = tuple((state, *edge) for state, row in enumerate(automaton.edges) for edge in row)
    return Graph(len(automaton.edges), edges, automaton.accepting)


def string_graph(automaton: Automaton) -> Graph:
    """The graph of what stands between the quotes of a JSON string.

    Raises:
        Refusal: it has too many states.
    """
    within = _Characters(len(automaton.edges))
    edges: list[tuple[int, int, int, int]] = []
    for state, row in enumerate(automaton.edges):
        targets: dict[int, list[tuple[int, int]]] = {}
        for first, last, target in row:
            targets.setdefault(target, []).append((first, last))
        for target, ranges in targets.items():
            edges += within.edges(state, _encode(tuple(ranges)), target)
    for number, (rest, target) in enumerate(within.places):
        edges += within.edges(len(automaton.edges) + number, rest, target)
        if len(within.places) + len(automaton.edges) > MAX_PROGRAM_STATES:
            raise Refusal(f"needs more than {MAX_PROGRAM_STATES} states", "shorten the bounds or simplify the pattern")
    return Graph(len(automaton.edges) + len(within.places), tuple(edges), automaton.accepting)


class _Characters:
    """The places within characters: what may follow there, and the state that the whole character leads to."""

    def __init__(self, offset: int) -> None:
        self.places: list[tuple[_Rest, int]] = []
        self._numbers: dict[tuple[_Rest, int], int] = {}
        self._offset = offset

    def edges(self, source: int, rest: _Rest, target: int) -> Iterator[tuple[int, int, int, int]]:
        """The edges from a state or place for the next byte."""
        for low, high, after in _next_bytes(rest):
            yield source, low, high, target if after == _COMPLETE else self._number(after, target)

    def _number(self, rest: _Rest, target: int) -> int:
        number = self._numbers.setdefault((rest, target), self._offset + len(self.places))
        if number == self._offset + len(self.places):
            self.places.append((rest, target))
        return number


@lru_cache(maxsize=_KEPT)
def _next_bytes(rest: _Rest) -> tuple[tuple[int, int, _Rest], ...]:
    after: dict[tuple[int, int], set[_Bytes]] = {}
    for several in rest:
        after.setdefault(several[0], set()).add(several[1:])
    merged: dict[_Rest, list[tuple[int, int]]] = {}
    for key, rests in sorted(after.items()):
        ranges = merged.setdefault(frozenset(rests), [])
        if ranges and ranges[-1][1] + 1 == key[0]:
            ranges[-1] = (ranges[-1][0], key[1])
        else:
            ranges.append(key)
    return tuple((low, high, later) for later, ranges in merged.items() for low, high in ranges)


@lru_cache(maxsize=_KEPT)
def _encode(ranges: tuple[tuple[int, int], ...]) -> _Rest:
    return frozenset(several for first, last in ranges for several in _encode_range(first, last))


def _encode_range(first: int, last: int) -> Iterator[_Bytes]:
    for code in (*range(first, min(last, 0x1F) + 1), *(code for code in (0x22, 0x5C) if first <= code <= last)):
        escape = _SHORT.get(code) or rb"\u%04x" % code
        yield tuple((byte, byte) for byte in escape)
    for low, high in _LENGTHS:
        for start, end in _without_escaped(max(low, first), min(high, last)):
            yield from _split(start, end)


def _without_escaped(first: int, last: int) -> Iterator[tuple[int, int]]:
    for code in (0x22, 0x5C):
        if first <= code <= last:
            yield first, code - 1
            first = code + 1
    yield first, last


def _split(first: int, last: int) -> Iterator[_Bytes]:
    """Byte ranges for code points of one length, split where the tails are not full."""
    if first > last:
        return
    start, end = chr(first).encode(), chr(last).encode()
    for tail in range(1, len(start)):
        mask = (1 << 6 * tail) - 1
        if first & ~mask != last & ~mask:
            if first & mask:
                yield from _split(first, first | mask)
                yield from _split((first | mask) + 1, last)
                return
            if last & mask != mask:
                yield from _split(first, (last & ~mask) - 1)
                yield from _split(last & ~mask, last)
                return
    yield tuple(zip(start, end, strict=True))
