"""A set of JSON values -> the expression over bytes of their canonical texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice, product
from typing import Final, NamedTuple

from edged.core.expression import Choice, Digits, Encoded, Expression, Graph, Literal, Repeat, Words, encode
from edged.core.expression import Sequence as Chain
from edged.intents.lower.automaton import LAST_CHARACTER, Automaton
from edged.intents.lower.canonical import KeyOrder, json_text
from edged.intents.lower.number import Interval, decimal_places
from edged.intents.lower.plain import choice_of, stepped_expression, words_expression
from edged.intents.lower.refusal import MAX_LISTED, MAX_PROGRAM_STATES, Pointer, Refusal, Report, Work
from edged.intents.lower.texts import NO_TEXTS, Lengths, Listed, Texts, automaton_of, enumerate_texts
from edged.intents.lower.unique import distinct_items
from edged.intents.lower.utf8 import plain_graph, string_graph
from edged.intents.lower.values import ANYTHING, Arrays, Objects, Values

_EMPTY: Final = Literal(b"")
_QUOTE: Final = Literal(b'"')
_CHARACTER: Final = string_graph(Automaton((((0, LAST_CHARACTER, 1),), ()), frozenset({1})))
_KEPT_LEAVES: Final = 1000
"""Sets of numbers and of strings that are kept written: many slots share them."""
_KEPT_TEXTS: Final = 200
"""Values of an enum that is kept: longer ones are seldom shared."""
_KEPT_GRAPHS: Final = 32
"""Strings of patterns and formats that are kept written: the largest takes 0.5 MB."""
_CLOSE: Final = Literal(b"}")


def object_expression(members: Sequence[tuple[str, Expression, bool]]) -> Expression:
    """An object whose members (key, value, required) come in this order, the optional ones each present or not."""
    keys = [json_text(key).encode() for key, _, _ in members]
    rests: list[tuple[Expression, ...]] = []
    for key, (_, value, required) in zip(keys, members, strict=True):
        member = (Literal(b"," + key + b":"), value)
        rests.append(member if required else (Repeat(Chain(member), 0, 1),))
    bodies: list[Expression] = []
    for first, (_, value, required) in enumerate(members):
        bodies.append(
            Chain((Literal(b"{" + keys[first] + b":"), value, *chain.from_iterable(rests[first + 1 :]), _CLOSE))
        )
        if required:
            break
    else:
        bodies.append(Literal(b"{}"))
    return choice_of(bodies)


def array_expression(
    item: Expression, least: int, greatest: int | None, first: Sequence[Expression] = ()
) -> Expression:
    """An array of `least` to `greatest` items, those at its start as `first` says."""
    if greatest == 0:
        return Literal(b"[]")
    items = tuple(first) or (item,)
    more = None if greatest is None else greatest - len(items)
    body: Expression = _EMPTY if more == 0 else Repeat(Chain((Literal(b","), item)), max(0, least - len(items)), more)
    for place in range(len(items) - 1, -1, -1):
        body = Chain((Literal(b","), items[place], body) if place else (items[place], body))
        if place >= least:
            body = Repeat(body, 0, 1)
    return Chain((Literal(b"["), body, Literal(b"]")))


class Writer:
    """Writes sets as expressions."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._work = report.work
        self._sizes: dict[int, int] = {}
        """States of the leaves, by their identity."""

    def check_size(self, expression: Expression, pointer: Pointer) -> None:
        """Refuses an expression with too many states."""
        if _count_states(expression, self._sizes) > MAX_PROGRAM_STATES:
            what = f"needs more than {MAX_PROGRAM_STATES} states"
            advice = 'use smaller bounds ("maxLength", "maxItems", "minItems") or fewer values'
            self._report.refuse(pointer, what, advice)

    def write(self, values: Values, keys: KeyOrder, pointer: Pointer) -> Expression:
        """The expression of all texts of `values`.

        Raises:
            LoweringError: they cannot be written so, unless the report collects refusals.
        """
        try:
            return self._write(values, keys, pointer)
        except Refusal as refusal:
            self._report.refuse(pointer, refusal.what, refusal.remedy)
            return _EMPTY

    def _write(self, values: Values, keys: KeyOrder, pointer: Pointer) -> Expression:
        self._work.spend()
        if values is ANYTHING:
            raise Refusal("allows any JSON value", 'say what it is with "type", "enum" or "const"')
        parts: list[Expression] = [Literal(word.encode()) for word in sorted(values.plain)]
        if values.numbers != NO_TEXTS:
            parts.append(self._leaf(_number_leaf(values.numbers)))
        if values.strings != NO_TEXTS:
            if isinstance(values.strings, Automaton):
                self._work.spend(2 * len(values.strings.edges))
            parts.append(self._leaf(_string_leaf(values.strings)))
        parts += [self._array(arrays, keys, pointer) for arrays in values.arrays]
        parts += [self._object(objects, keys, pointer) for objects in values.objects]
        return choice_of(parts)

    def _leaf(self, leaf: _Leaf) -> Expression:
        self._sizes[id(leaf.expression)] = leaf.n_states
        return leaf.expression

    def _array(self, arrays: Arrays, keys: KeyOrder, pointer: Pointer) -> Expression:
        pointer = arrays.pointer or pointer
        if arrays.unique and (arrays.greatest is None or arrays.greatest > 1):
            return self._distinct(arrays, keys)
        if arrays.rest is ANYTHING and (arrays.greatest is None or arrays.greatest > len(arrays.first)):
            self._report.refuse(pointer, 'is an array without "items"', "say what the items are")
            return _EMPTY
        first = [self.write(values, keys.items, (*pointer, "items")) for values in arrays.first]
        some = not arrays.first or arrays.greatest is None or arrays.greatest > len(arrays.first)
        item = self.write(arrays.rest, keys.items, (*pointer, "items")) if some and arrays.greatest != 0 else _EMPTY
        return array_expression(item, arrays.least, arrays.greatest, first)

    def _distinct(self, arrays: Arrays, keys: KeyOrder) -> Expression:
        first = [self._every_text(values, keys.items) for values in arrays.first]
        rest = self._every_text(arrays.rest, keys.items)
        return distinct_items(first, rest, arrays.least, arrays.greatest, self._work)

    def _every_text(self, values: Values, keys: KeyOrder) -> tuple[str, ...]:
        texts = list_texts_of(values, keys, MAX_LISTED, self._work)
        if texts is None:
            raise Refusal(
                f'asks for "uniqueItems" of more than {MAX_LISTED} values', 'list the values of "items" in "enum"'
            )
        return texts

    def _object(self, objects: Objects, keys: KeyOrder, pointer: Pointer) -> Expression:
        pointer = objects.pointer or pointer
        if not objects.rest.is_empty:
            self._report.refuse(pointer, "allows unknown keys", 'add "additionalProperties": false')
            return _EMPTY
        members = []
        for name in keys.sorted(objects.members):
            values, optional = objects.members[name]
            if not values.is_empty:
                value = self.write(values, keys.key(name), (*pointer, "properties", name))
                members.append((name, value, not optional))
        self._work.spend(len(members))
        return object_expression(members)


def list_texts_of(values: Values, keys: KeyOrder, limit: int, work: Work) -> tuple[str, ...] | None:
    """The canonical texts of all values; None where there are more than `limit`."""
    if values is ANYTHING:
        return None
    work.spend()
    numbers = enumerate_texts(values.numbers, limit, work)
    strings = enumerate_texts(values.strings, limit, work)
    if numbers is None or strings is None:
        return None
    found = [*sorted(values.plain), *numbers, *map(json_text, strings)]
    for texts in (
        *(_list_arrays(arrays, keys, limit, work) for arrays in values.arrays),
        *(_list_objects(objects, keys, limit, work) for objects in values.objects),
    ):
        if texts is None:
            return None
        found += texts
    return tuple(dict.fromkeys(found)) if len(found) <= limit else None


def _list_arrays(arrays: Arrays, keys: KeyOrder, limit: int, work: Work) -> list[str] | None:
    if arrays.unique or arrays.greatest is None or arrays.greatest > limit:
        return None
    found: list[str] = []
    places = [list_texts_of(arrays.item(place), keys.items, limit, work) for place in range(arrays.greatest)]
    known = [texts for texts in places if texts is not None]
    for length in range(arrays.least, arrays.greatest + 1):
        if len(known) < length:
            return None
        found += [f"[{','.join(items)}]" for items in islice(product(*known[:length]), limit + 1)]
        work.spend(len(found))
        if len(found) > limit:
            return None
    return found


def _list_objects(objects: Objects, keys: KeyOrder, limit: int, work: Work) -> list[str] | None:
    if not objects.rest.is_empty:
        return None
    choices: list[tuple[str, ...]] = []
    for name in keys.sorted(objects.members):
        values, optional = objects.members[name]
        texts = list_texts_of(values, keys.key(name), limit, work)
        if texts is None:
            return None
        members = tuple(f"{json_text(name)}:{text}" for text in texts)
        choices.append(("", *members) if optional else members)
    found = [f"{{{','.join(filter(None, parts))}}}" for parts in islice(product(*choices), limit + 1)]
    work.spend(len(found))
    return found if len(found) <= limit else None


def _count_states(expression: Expression, sizes: Mapping[int, int]) -> int:
    """The states that the core needs for an expression, about."""
    known = sizes.get(id(expression))
    if known is not None:
        return known
    match expression:
        case Literal(text):
            return len(text)
        case Chain(items) | Choice(items):
            return 1 + sum(_count_states(item, sizes) for item in items)
        case Repeat(item, least, greatest):
            return _count_states(item, sizes) * max(1, least if greatest is None else greatest)
        case Words(text):
            return len(text)
        case Digits(low):
            return 3 * len(low)
        case Graph(n_states):
            return n_states
        case _:
            return 1


class _Leaf(NamedTuple):
    """Numbers or strings, written for the core."""

    expression: Encoded
    n_states: int


def _leaf(expression: Expression) -> _Leaf:
    return _Leaf(Encoded(encode(expression)), _count_states(expression, {}))


def _number_leaf(numbers: Texts) -> _Leaf:
    if isinstance(numbers, Automaton):
        return _leaf(plain_graph(numbers))
    return _kept_numbers(numbers) if _is_small(numbers) else _write_numbers(numbers)


def _string_leaf(strings: Texts) -> _Leaf:
    if isinstance(strings, Automaton):
        return _graph_leaf(strings)
    return _kept_strings(strings) if _is_small(strings) else _write_strings(strings)


def _is_small(texts: Texts) -> bool:
    return not isinstance(texts, Listed) or len(texts.texts) <= _KEPT_TEXTS


def _write_numbers(numbers: Texts) -> _Leaf:
    if isinstance(numbers, Listed):
        return _leaf(words_expression(numbers.texts))
    if isinstance(numbers, Interval):
        stepped = _stepped(numbers)
        if stepped is not None:
            return _leaf(stepped)
    return _leaf(plain_graph(automaton_of(numbers, Work())))


def _stepped(numbers: Interval) -> Expression | None:
    if numbers.least is None or numbers.greatest is None or numbers.step is None:
        return None
    places = decimal_places(numbers.step)
    least, greatest, step = (int(number * 10**places) for number in (numbers.least, numbers.greatest, numbers.step))
    return stepped_expression(least, greatest, step, places)


def _write_strings(strings: Texts) -> _Leaf:
    if isinstance(strings, Listed):
        return _leaf(words_expression(map(json_text, strings.texts)))
    if isinstance(strings, Lengths):
        return _leaf(Chain((_QUOTE, Repeat(_CHARACTER, strings.least, strings.greatest), _QUOTE)))
    return _graph_leaf(automaton_of(strings, Work()))


_kept_numbers = lru_cache(maxsize=_KEPT_LEAVES)(_write_numbers)
_kept_strings = lru_cache(maxsize=_KEPT_LEAVES)(_write_strings)


@lru_cache(maxsize=_KEPT_GRAPHS)
def _graph_leaf(automaton: Automaton) -> _Leaf:
    return _leaf(Chain((_QUOTE, string_graph(automaton), _QUOTE)))
