"""Expressions and their code."""

from __future__ import annotations

import pytest

from edged.core import Program
from edged.core.expression import ByteClass, Choice, Expression, Literal, Repeat, Sequence, encode
from edged.errors import CoreError


def test_operands_come_before_their_operation() -> None:
    code = encode(Sequence((Literal(b"a"), Choice((Literal(b"b"), Literal(b"c"))))))
    assert code == b"\x01\x01\x00a\x01\x01\x00b\x01\x01\x00c\x04\x02\x00\x03\x02\x00"


def test_a_class_is_a_bitmap_of_its_bytes() -> None:
    assert encode(ByteClass.of([0, 9, 255])) == b"\x02\x01\x02" + bytes(29) + b"\x80"


@pytest.mark.parametrize(("greatest", "written"), [(3, b"\x03\x00"), (None, b"\xff\xff")])
def test_a_repeat_without_end_is_written_as_all_ones(greatest: int | None, written: bytes) -> None:
    assert encode(Repeat(Literal(b""), 2, greatest)) == b"\x01\x00\x00\x05\x02\x00" + written


@pytest.mark.parametrize(
    "expression",
    [
        Literal(bytes(65_536)),
        Sequence((Literal(b""),) * 65_536),
        Choice((Literal(b""),) * 65_536),
        ByteClass.of([256]),
        ByteClass.of([-1]),
        Repeat(Literal(b"a"), 3, 2),
        Repeat(Literal(b"a"), -1, 2),
        Repeat(Literal(b"a"), 0, 65_535),
        Repeat(Literal(b"a"), 65_535, None),
    ],
    ids=lambda expression: type(expression).__name__,
)
def test_what_the_code_cannot_hold_is_refused(expression: Expression) -> None:
    with pytest.raises(CoreError):
        encode(expression)


def test_depth_is_no_matter() -> None:
    expression: Expression = Literal(b"a")
    for _ in range(20_000):
        expression = Sequence((expression,))
    assert Program(expression).n_states == 2
