"""Expressions and their code."""

from __future__ import annotations

import pytest

from edged.core import Matcher, Program, Vocab
from edged.core.expression import (
    ByteClass,
    Choice,
    Digits,
    Encoded,
    Expression,
    Graph,
    Literal,
    Repeat,
    Sequence,
    Words,
    encode,
)
from edged.errors import CoreError


def test_operands_come_before_their_operation() -> None:
    code = encode(Sequence((Literal(b"a"), Choice((Literal(b"b"), Literal(b"c"))))))
    assert code == b"\x01\x01\x00a\x01\x01\x00b\x01\x01\x00c\x04\x02\x00\x03\x02\x00"


def test_a_class_is_a_bitmap_of_its_bytes() -> None:
    assert encode(ByteClass.of([0, 9, 255])) == b"\x02\x01\x02" + bytes(29) + b"\x80"


@pytest.mark.parametrize(("greatest", "written"), [(3, b"\x03\x00"), (None, b"\xff\xff")])
def test_a_repeat_without_end_is_written_as_all_ones(greatest: int | None, written: bytes) -> None:
    assert encode(Repeat(Literal(b""), 2, greatest)) == b"\x01\x00\x00\x05\x02\x00" + written


def test_words_and_digits_are_written_as_they_are() -> None:
    assert encode(Words(b"on\0off")) == b"\x07\x06\x00\x00\x00on\0off"
    assert encode(Digits(b"07", b"42")) == b"\x08\x02\x000742"


@pytest.mark.parametrize("ends", [(b"7", b"42"), (b"42", b"07"), (b"0a", b"99"), (b"", b"")])
def test_digits_that_are_no_range_are_refused(ends: tuple[bytes, bytes]) -> None:
    with pytest.raises(CoreError):
        Program(Digits(*ends))


def test_a_graph_is_its_counts_its_marks_and_its_edges_in_order() -> None:
    graph = Graph(9, ((8, 0, 255, 0), (0, 98, 99, 1), (0, 97, 97, 8), (0, 97, 97, 1)), frozenset({0, 8}))
    assert encode(graph) == (
        b"\x06\x09\x00\x04\x00\x00\x00"
        b"\x01\x01"
        b"\x00\x00bc\x01\x00"
        b"\x00\x00aa\x01\x00"
        b"\x00\x00aa\x08\x00"
        b"\x08\x00\x00\xff\x00\x00"
    )


def test_a_graph_shares_states_that_a_tree_would_copy() -> None:
    """Any order of six letters, each once: a state for each set of those that came, as against 1,957 orders."""
    sets = range(1 << 6)
    edges = tuple((come, 97 + k, 97 + k, come | 1 << k) for come in sets for k in range(6) if not come >> k & 1)
    program = Program(Graph(1 << 6, edges, frozenset(sets)))
    matcher = Matcher(Vocab([b"abc", b"aba"]), program)
    assert matcher.legal() == [0]
    matcher.advance(0)
    assert matcher.next_bytes() == b"def"
    assert matcher.is_accepting


def test_a_graph_that_accepts_nothing_matches_nothing() -> None:
    assert Program(Graph(2, ((0, 97, 97, 1),), frozenset())).n_states == 0


def test_an_encoded_expression_stands_where_the_expression_would() -> None:
    inner = Sequence((Literal(b"b"), Repeat(Literal(b"c"), 0, 1)))
    whole = Choice((Literal(b"a"), inner, Literal(b"d")))
    assert encode(Choice((Literal(b"a"), Encoded(encode(inner)), Literal(b"d")))) == encode(whole)


def test_a_graph_as_large_as_the_code_holds_is_taken() -> None:
    n_states = 65_535
    edges = tuple((state, 97, 97, state + 1) for state in range(n_states - 1))
    assert Program(Graph(n_states, edges, frozenset({n_states - 1}))).n_states == n_states


@pytest.mark.parametrize(
    "expression",
    [
        Graph(0, (), frozenset()),
        Graph(65_536, (), frozenset()),
        Graph(2, ((0, 97, 97, 2),), frozenset()),
        Graph(2, ((2, 97, 97, 0),), frozenset()),
        Graph(2, ((-1, 97, 97, 0),), frozenset()),
        Graph(2, ((0, 97, 97, -1),), frozenset()),
        Graph(2, ((0, 98, 97, 1),), frozenset()),
        Graph(2, ((0, 97, 256, 1),), frozenset()),
        Graph(2, ((0, -1, 97, 1),), frozenset()),
        Graph(2, (), frozenset({2})),
        Graph(2, (), frozenset({-1})),
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
