"""The slow, obvious matcher that the C core is compared with: Brzozowski derivatives of the expression tree.

A language is an expression built by the functions below, so that the empty language is always `NOTHING` and nothing
else. What is left of it after a byte is again such an expression.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as AnySequence
from functools import lru_cache

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
)

NOTHING = Choice(())
EMPTY = Literal(b"")
NO_CODE = "the oracle reads expressions, not their code"
NOT_SIMPLE = "`simplify` leaves none"


def join(left: Expression, right: Expression) -> Expression:
    if NOTHING in (left, right):
        return NOTHING
    if left == EMPTY:
        return right
    return left if right == EMPTY else Sequence((left, right))


def either(parts: Iterable[Expression]) -> Expression:
    flat: dict[Expression, None] = {}
    for part in parts:
        flat.update(dict.fromkeys(part.items if isinstance(part, Choice) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else Choice(tuple(flat))


def repeat(item: Expression, least: int, greatest: int | None) -> Expression:
    if greatest == 0 or (item == NOTHING and least == 0):
        return EMPTY
    return NOTHING if item == NOTHING else Repeat(item, least, greatest)


@lru_cache(maxsize=100_000)
def started_at(graph: Graph, state: int) -> Graph:
    """The same graph, numbered anew so that it begins in `state`."""
    n = graph.n_states
    edges = [((source - state) % n, first, last, (target - state) % n) for source, first, last, target in graph.edges]
    return Graph(n, tuple(edges), frozenset((accepting - state) % n for accepting in graph.accepting))


def trim(graph: Graph) -> Expression:
    """The graph less the edges that lead where nothing is accepted."""
    alive = set(graph.accepting)
    for _ in range(graph.n_states):
        alive.update(source for source, _, _, target in graph.edges if target in alive)
    edges = tuple(edge for edge in graph.edges if edge[3] in alive)
    return Graph(graph.n_states, edges, graph.accepting) if 0 in alive else NOTHING


def simplify_leaf(expression: Graph | Words | Digits) -> Expression:
    if isinstance(expression, Graph):
        return trim(expression)
    if isinstance(expression, Words):
        return either(map(Literal, expression.text.split(b"\0")))
    numbers = range(int(expression.low), int(expression.high) + 1)
    return either(Literal(b"%0*d" % (len(expression.low), number)) for number in numbers)


def simplify(expression: Expression) -> Expression:
    match expression:
        case Literal() | ByteClass():
            return NOTHING if expression == ByteClass(frozenset()) else expression
        case Sequence(items):
            whole: Expression = EMPTY
            for item in reversed(items):
                whole = join(simplify(item), whole)
            return whole
        case Choice(items):
            return either(simplify(item) for item in items)
        case Repeat(item, least, greatest):
            return repeat(simplify(item), least, greatest)
        case Graph() | Words() | Digits():
            return simplify_leaf(expression)
        case Encoded():
            raise TypeError(NO_CODE)


@lru_cache(maxsize=100_000)
def has_empty(language: Expression) -> bool:
    match language:
        case Literal(text):
            return not text
        case ByteClass():
            return False
        case Sequence(items):
            return all(has_empty(item) for item in items)
        case Choice(items):
            return any(has_empty(item) for item in items)
        case Repeat(item, least, _):
            return least == 0 or has_empty(item)
        case Graph(_, _, accepting):
            return 0 in accepting
        case Words() | Digits() | Encoded():
            raise TypeError(NOT_SIMPLE)


@lru_cache(maxsize=100_000)
def after(language: Expression, byte: int) -> Expression:
    """What may follow the byte; `NOTHING` where it is not legal."""
    match language:
        case Literal(text):
            return Literal(text[1:]) if text[:1] == bytes([byte]) else NOTHING
        case ByteClass(members):
            return EMPTY if byte in members else NOTHING
        case Sequence(items):
            left, right = items
            first = join(after(left, byte), right)
            return either((first, after(right, byte))) if has_empty(left) else first
        case Choice(items):
            return either(after(item, byte) for item in items)
        case Repeat(item, least, greatest):
            rest = repeat(item, max(least - 1, 0), None if greatest is None else greatest - 1)
            return join(after(item, byte), rest)
        case Graph(_, edges):
            return either(
                started_at(language, target)
                for source, first, last, target in edges
                if source == 0 and first <= byte <= last
            )
        case Words() | Digits() | Encoded():
            raise TypeError(NOT_SIMPLE)


def after_bytes(language: Expression, text: bytes) -> Expression:
    for byte in text:
        language = after(language, byte)
    return language


def next_bytes_of(language: Expression) -> bytes:
    return bytes(byte for byte in range(256) if after(language, byte) != NOTHING)


class Oracle:
    """The C matcher's interface, less the logits."""

    def __init__(self, tokens: AnySequence[bytes], expression: Expression) -> None:
        self._tokens = tokens
        self._language = simplify(expression)

    def advance_bytes(self, text: bytes) -> bool:
        """False, and no move, where the bytes are not legal."""
        language = after_bytes(self._language, text)
        if text and language == NOTHING:
            return False
        self._language = language
        return True

    def legal(self) -> list[int]:
        return [
            token
            for token, text in enumerate(self._tokens)
            if 0 < len(text) <= 256 and after_bytes(self._language, text) != NOTHING
        ]

    def next_bytes(self) -> bytes:
        return next_bytes_of(self._language)

    def forced(self) -> bytes:
        language = self._language
        text = b""
        while not has_empty(language) and len(only := next_bytes_of(language)) == 1:
            language = after(language, only[0])
            text += only
        return text

    @property
    def is_accepting(self) -> bool:
        return has_empty(self._language)

    @property
    def is_finished(self) -> bool:
        return self.is_accepting and not self.next_bytes()
