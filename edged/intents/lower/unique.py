"""Arrays whose items all differ, as a graph that remembers which have been used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from edged.core.expression import Expression, Graph, Literal
from edged.core.expression import Sequence as Chain
from edged.intents.lower.refusal import Refusal, Work

MAX_UNIQUE_STATES: Final = 50_000
"""Ten words in any order take 40,703; a graph of the core has 65,535."""

_Place: TypeAlias = tuple[bytes, bool, frozenset[str]]
"""What is left of the item at hand, whether it may end there, and the items used with it."""


def distinct_items(
    first: Sequence[tuple[str, ...]], rest: tuple[str, ...], least: int, greatest: int | None, work: Work
) -> Expression:
    """All arrays of `least` to `greatest` different items: at its place in `first`, later of `rest`.

    Raises:
        Refusal: there are too many orders.
    """
    start: _Place = (b"", False, frozenset())
    numbers: dict[_Place, int] = {start: 0}
    waiting = [start]
    edges: list[tuple[int, int, int, int]] = []
    for place in waiting:
        source = numbers[place]
        for byte, target in _next_places(place, first, rest, greatest):
            number = numbers.setdefault(target, len(waiting))
            if number == len(waiting):
                waiting.append(target)
            edges.append((source, byte, byte, number))
            work.spend()
        if len(waiting) > MAX_UNIQUE_STATES:
            raise Refusal(
                f'needs more than {MAX_UNIQUE_STATES} states for "uniqueItems"',
                'use a smaller "maxItems" or fewer values',
            )
    ends = {
        number for (left, complete, used), number in numbers.items() if complete and not left and len(used) >= least
    }
    accepting = frozenset(ends | ({0} if least == 0 else set()))
    return Chain((Literal(b"["), Graph(len(waiting), tuple(edges), accepting), Literal(b"]")))


def _next_places(
    place: _Place, first: Sequence[tuple[str, ...]], rest: tuple[str, ...], greatest: int | None
) -> list[tuple[int, _Place]]:
    left, complete, used = place
    if left:
        return [(left[0], (left[1:], True, used))]
    if complete:
        return [(ord(","), (b"", False, used))] if greatest is None or len(used) < greatest else []
    texts = first[len(used)] if len(used) < len(first) else rest
    fresh = [(text.encode(), used | {text}) for text in texts if text not in used]
    return [(text[0], (text[1:], True, after)) for text, after in fresh]
