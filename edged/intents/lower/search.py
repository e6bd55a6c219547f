"""The parts of a regular expression -> the automaton of all texts in which it is found."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, TypeAlias

from edged.intents.lower.automaton import LAST_CHARACTER, Automaton, explore
from edged.intents.lower.pattern import (
    WORD,
    Assertion,
    Chain,
    Characters,
    Either,
    Node,
    Ranges,
    Repeated,
    find_parts,
    parse_pattern,
)
from edged.intents.lower.refusal import Refusal, Work

MAX_PARTS: Final = 5000
"""Places in a pattern, its repetitions written out."""
_PATTERNS_KEPT: Final = 32
"""Slots share few patterns; the largest automaton takes some 5 MB."""

_START, _WORD, _OTHER, _END = range(4)
"""What stands before or behind a place: the edge of the text, or a character of these kinds."""
_FINAL: Final = 0
_EVERY: Final[Ranges] = ((0, LAST_CHARACTER),)

_Key: TypeAlias = tuple[frozenset[int], int]


def search_automaton(pattern: str, work: Work) -> Automaton:
    """All texts that hold a match of the pattern, anywhere unless it is anchored.

    Raises:
        Refusal: the pattern is outside the subset, or too large.
    """
    found, cost = _search(pattern)
    work.spend(cost)
    if isinstance(found, Refusal):
        raise Refusal(found.what, found.remedy)
    return found


@lru_cache(maxsize=_PATTERNS_KEPT)
def _search(pattern: str) -> tuple[Automaton | Refusal, int]:
    """The automaton or why there is none, and the steps that it took."""
    work = Work()
    try:
        node = parse_pattern(pattern)
        if count_parts(node) > MAX_PARTS:
            raise _TOO_LONG
        return _Search(node, work).automaton(), work.spent
    except Refusal as refusal:
        return refusal, work.spent


_TOO_LONG: Final = Refusal(
    f"the pattern has more than {MAX_PARTS} places when its repetitions are written out", "use smaller counts"
)


def count_parts(node: Node) -> int:
    """Places of the pattern with its repetitions written out."""
    if isinstance(node, Chain | Either):
        return 1 + sum(count_parts(item) for item in node.items)
    if isinstance(node, Repeated):
        return 1 + count_parts(node.item) * max(1, node.least + 1 if node.greatest is None else node.greatest)
    return 1


class _Search:
    """A nondeterministic automaton, and its states together as those of a deterministic one."""

    def __init__(self, node: Node, work: Work) -> None:
        self._work = work
        parts = list(find_parts(node))
        self._sees_words = any(isinstance(part, Assertion) and part.kind in ("boundary", "inside") for part in parts)
        self._letters = _Letters({part.ranges for part in parts if isinstance(part, Characters)}, self._sees_words)
        self._free: list[list[tuple[str | None, int]]] = [[]]
        self._moves: list[tuple[Ranges, int] | None] = [None]
        start = self._state(None)
        self._free[start].append((None, self._build(node, _FINAL)))
        self._moves[start] = (_EVERY, start)
        self._start = start

    def automaton(self) -> Automaton:
        """The deterministic one."""
        return explore((frozenset((self._start,)), _START), self._step, self._is_accepting, self._work)

    def _state(self, move: tuple[Ranges, int] | None) -> int:
        self._free.append([])
        self._moves.append(move)
        self._work.spend()
        return len(self._moves) - 1

    def _build(self, node: Node, after: int) -> int:
        """The state from which a match of the node leads to `after`."""
        if isinstance(node, Characters):
            return self._state((node.ranges, after))
        if isinstance(node, Chain):
            for item in reversed(node.items):
                after = self._build(item, after)
            return after
        if isinstance(node, Repeated):
            return self._build_repeated(node, after)
        state = self._state(None)
        if isinstance(node, Assertion):
            self._free[state].append((node.kind, after))
        else:
            self._free[state] += [(None, self._build(item, after)) for item in node.items]
        return state

    def _build_repeated(self, node: Repeated, after: int) -> int:
        entry = after
        if node.greatest is None:
            entry = self._state(None)
            self._free[entry] += [(None, self._build(node.item, entry)), (None, after)]
        else:
            for _ in range(node.greatest - node.least):
                skip = self._state(None)
                self._free[skip] += [(None, self._build(node.item, entry)), (None, after)]
                entry = skip
        for _ in range(node.least):
            entry = self._build(node.item, entry)
        return entry

    def _step(self, key: _Key) -> Iterator[tuple[int, int, _Key]]:
        states, before = key
        if _FINAL in states:
            yield 0, LAST_CHARACTER, key
            return
        for kind in (_WORD, _OTHER) if self._sees_words else (_OTHER,):
            closure = self._close(states, before, kind)
            for letter, after in self._moves_of(closure, kind):
                yield from ((first, last, after) for first, last in self._letters.ranges[letter])

    def _moves_of(self, closure: set[int], kind: int) -> Iterator[tuple[int, _Key]]:
        """Where each letter of a kind leads."""
        if _FINAL in closure:
            yield from ((letter, _FOUND) for letter in self._letters.of_kind(kind))
            return
        targets: dict[int, set[int]] = {}
        for state in closure:
            move = self._moves[state]
            if move is None:
                continue
            letters = self._letters.of(move[0], kind)
            self._work.spend(len(letters))
            for letter in letters:
                targets.setdefault(letter, set()).add(move[1])
        for letter, reached in targets.items():
            yield letter, _FOUND if _FINAL in reached else (frozenset(reached), kind)

    def _is_accepting(self, key: _Key) -> bool:
        return _FINAL in key[0] or _FINAL in self._close(key[0], key[1], _END)

    def _close(self, states: frozenset[int], before: int, behind: int) -> set[int]:
        """The states that these lead to without a character, between what stands before and behind."""
        found = set(states)
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            self._work.spend(1 + len(self._free[state]))
            for kind, target in self._free[state]:
                if target not in found and (kind is None or _holds(kind, before, behind)):
                    found.add(target)
                    waiting.append(target)
        return found


_FOUND: Final[_Key] = (frozenset((_FINAL,)), _OTHER)


def _holds(kind: str, before: int, behind: int) -> bool:
    if kind == "start":
        return before == _START
    if kind == "end":
        return behind == _END
    return ((before == _WORD) != (behind == _WORD)) == (kind == "boundary")


class _Letters:
    """Characters that no part of the pattern tells apart, as one letter."""

    def __init__(self, sets: set[Ranges], sees_words: bool) -> None:
        every = [*(sets - {_EVERY, WORD}), _EVERY, WORD] if sees_words else [*(sets - {_EVERY}), _EVERY]
        cuts = sorted({cut for ranges in every for first, last in ranges for cut in (first, last + 1)})
        members: list[list[int]] = [[] for _ in cuts]
        places = {cut: place for place, cut in enumerate(cuts)}
        for number, ranges in enumerate(every):
            for first, last in ranges:
                for place in range(places[first], places[last + 1]):
                    members[place].append(number)
        self.ranges: list[list[tuple[int, int]]] = []
        numbers: dict[tuple[int, ...], int] = {}
        for place, cut in enumerate(cuts[:-1]):
            letter = numbers.setdefault(tuple(members[place]), len(numbers))
            if letter == len(self.ranges):
                self.ranges.append([])
            self.ranges[letter].append((cut, cuts[place + 1] - 1))
        word = len(every) - 1 if sees_words else -1
        self._by_kind: dict[int, list[int]] = {_WORD: [], _OTHER: []}
        self._of: dict[tuple[Ranges, int], list[int]] = {
            (ranges, kind): [] for ranges in every for kind in (_WORD, _OTHER)
        }
        for signature, letter in numbers.items():
            kind = _WORD if word in signature else _OTHER
            self._by_kind[kind].append(letter)
            for number in dict.fromkeys(signature):
                self._of[every[number], kind].append(letter)

    def of_kind(self, kind: int) -> list[int]:
        """All letters of word characters, or of others."""
        return self._by_kind[kind]

    def of(self, ranges: Ranges, kind: int) -> list[int]:
        """The letters in a set, those of a kind."""
        return self._of[ranges, kind]
