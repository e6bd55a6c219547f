"""Regular expressions over bytes, and their code for the C core.

An expression says which byte strings are legal. `encode` writes it as postfix operations; what they are stands at
`edc_program_new` in edged_core.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from edged.errors import CoreError

LARGEST_COUNT = 0xFFFF
"""Most bytes of a literal and most items of a sequence or choice: counts take 16 bits."""

LARGEST_REPEAT = 0xFFFE
"""Most repetitions with an end; one more stands for no end."""


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


Expression: TypeAlias = Literal | ByteClass | Sequence | Choice | Repeat


def encode(expression: Expression) -> bytes:
    """The code of an expression for `Program`.

    Depth is bounded by memory alone: operations are written outermost and last first, and turned round at the end.

    Raises:
        CoreError: a count or a byte value is out of range.
    """
    operations: list[bytes] = []
    waiting = [expression]
    while waiting:
        item = waiting.pop()
        operations.append(_operation(item))
        if isinstance(item, Sequence | Choice):
            waiting.extend(item.items)
        elif isinstance(item, Repeat):
            waiting.append(item.item)
    operations.reverse()
    return b"".join(operations)


def _operation(item: Expression) -> bytes:
    match item:
        case Literal(text):
            return b"\x01" + _count(len(text), "bytes in a literal") + text
        case ByteClass(members):
            return b"\x02" + _bitmap(members)
        case Sequence(items):
            return b"\x03" + _count(len(items), "items in a sequence")
        case Choice(items):
            return b"\x04" + _count(len(items), "items in a choice")
        case Repeat(_, least, greatest):
            return b"\x05" + _bounds(least, greatest)


def _count(count: int, what: str) -> bytes:
    if count > LARGEST_COUNT:
        raise CoreError(f"{count} {what}", remedy=f"Split it: {LARGEST_COUNT} is the most that one takes.")
    return struct.pack("<H", count)


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
