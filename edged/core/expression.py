"""Regular expressions over bytes, and their code for the C core.

An expression says which byte strings are legal. `encode` writes it as postfix operations; what they are stands at
`edc_program_new` in edged_core.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TypeAlias

from edged.errors import CoreError

LARGEST_COUNT = 0xFFFF
"""Most bytes of a literal, items of a sequence or choice, and states of a graph: counts take 16 bits."""

LARGEST_REPEAT = 0xFFFE
"""Most repetitions with an end; one more stands for no end."""

_KEPT_BITMAPS = 256
"""Bitmaps of byte classes that are kept: expressions use few different ones, again and again."""

_COUNT = struct.Struct("<H")
_LENGTH = struct.Struct("<I")
_EDGE = struct.Struct("<HBBH")
_BY_ENDS = itemgetter(0, 3)


@dataclass(frozen=True, slots=True)
class Literal:
    """Exactly these bytes."""

    text: bytes


@dataclass(frozen=True, slots=True)
class ByteClass:
    """Any one byte of a set; an empty set matches nothing."""

    members: frozenset[int]

    @classmethod
    def of(cls, members: Iterable[int]) -> ByteClass:
        """The class of the given byte values: a range, a list, or bytes."""
        return cls(frozenset(members))


@dataclass(frozen=True, slots=True)
class Words:
    """Any one of several texts. Such as begin alike should lie side by side: they then share those states."""

    text: bytes
    """All of them, zero bytes in between."""


@dataclass(frozen=True, slots=True)
class Digits:
    """All strings of decimal digits from one to another of the same length."""

    low: bytes
    high: bytes


@dataclass(frozen=True, slots=True)
class Sequence:
    """The items one after the other; none is the empty string."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any one of the items; none matches nothing."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The item `least` to `greatest` times; a `greatest` of None has no end."""

    item: Expression
    least: int
    greatest: int | None


@dataclass(frozen=True, slots=True)
class Graph:
    """The texts that lead from state 0 of an automaton to an accepting state; for what is no tree."""

    n_states: int
    edges: tuple[tuple[int, int, int, int], ...]
    """(from, first byte, last byte, to): any byte of the range leads on. In any order; they may overlap."""
    accepting: frozenset[int]


@dataclass(frozen=True, slots=True)
class Encoded:
    """An expression that `encode` has written already: what is used again and again need not be written anew."""

    code: bytes
    """Whole, as `encode` gave it: it is taken as it is, and only `Program` looks at it."""


Expression: TypeAlias = Literal | ByteClass | Words | Digits | Sequence | Choice | Repeat | Graph | Encoded


def encode(expression: Expression) -> bytes:
    """The code of an expression for `Program`.

    Depth is bounded by memory alone: operations are written outermost and last first, and turned round at the end.

    Raises:
        CoreError: a count, a byte value or a state of a graph is out of range.
    """
    operations: list[bytes] = []
    waiting = [expression]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Encoded):
            operations.append(item.code)
        elif isinstance(item, Literal):
            operations.append(b"\x01" + _count(len(item.text), "bytes in a literal") + item.text)
        elif isinstance(item, Sequence):
            operations.append(b"\x03" + _count(len(item.items), "items in a sequence"))
            waiting += item.items
        elif isinstance(item, Choice):
            operations.append(b"\x04" + _count(len(item.items), "items in a choice"))
            waiting += item.items
        elif isinstance(item, Repeat):
            operations.append(b"\x05" + _bounds(item.least, item.greatest))
            waiting.append(item.item)
        else:
            operations.append(_leaf(item))
    operations.reverse()
    return b"".join(operations)


def _leaf(item: ByteClass | Words | Digits | Graph) -> bytes:
    match item:
        case Words(text):
            return b"\x07" + _LENGTH.pack(len(text)) + text
        case Digits(low, high):
            return b"\x08" + _count(len(low), "digits") + _same_length(low, high)
        case ByteClass(members):
            return b"\x02" + _bitmap(members)
        case Graph():
            return b"\x06" + _graph(item)


def _same_length(low: bytes, high: bytes) -> bytes:
    if len(low) != len(high):
        raise CoreError(f"digits from {low!r} to {high!r}", remedy="Give both ends the same length.")
    return low + high


def _count(count: int, what: str) -> bytes:
    if count > LARGEST_COUNT:
        raise CoreError(f"{count} {what}", remedy=f"Split it: {LARGEST_COUNT} is the most that one takes.")
    return _COUNT.pack(count)


@lru_cache(maxsize=_KEPT_BITMAPS)
def _bitmap(members: frozenset[int]) -> bytes:
    if any(not 0 <= member <= 0xFF for member in members):
        raise CoreError("a byte class holds a number outside 0..255", remedy="Give it byte values only.")
    return sum(1 << member for member in members).to_bytes(32, "little")


def _bounds(least: int, greatest: int | None) -> bytes:
    if not 0 <= least <= (LARGEST_REPEAT if greatest is None else greatest) <= LARGEST_REPEAT:
        raise CoreError(
            f"a repeat from {least} to {'no end' if greatest is None else greatest}",
            remedy=f"Both ends lie in 0..{LARGEST_REPEAT}, the lower one first.",
        )
    return struct.pack("<HH", least, LARGEST_COUNT if greatest is None else greatest)


def _graph(graph: Graph) -> bytes:
    n_states = graph.n_states
    if not 1 <= n_states <= LARGEST_COUNT:
        raise CoreError(f"a graph of {n_states} states", remedy=f"One has 1..{LARGEST_COUNT}: split it or simplify it.")
    for edge in graph.edges:
        source, first, last, target = edge
        if not (0 <= source < n_states and 0 <= target < n_states and 0 <= first <= last <= 0xFF):
            raise CoreError(
                f"the edge {edge} in a graph of {n_states} states",
                remedy="It is (from, first byte, last byte, to): states that exist, and bytes 0..255, the lower first.",
            )
    if any(not 0 <= state < n_states for state in graph.accepting):
        raise CoreError(f"a graph of {n_states} states accepts in another one", remedy="Number its states from 0.")
    marks = bytearray((n_states + 7) // 8)
    for state in graph.accepting:
        marks[state >> 3] |= 1 << (state & 7)
    edges = b"".join(_EDGE.pack(*edge) for edge in sorted(graph.edges, key=_BY_ENDS))
    return struct.pack("<HI", n_states, len(graph.edges)) + marks + edges
