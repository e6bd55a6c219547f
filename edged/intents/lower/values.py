"""Sets of JSON values by kind, and their algebra: what a schema allows, before it is written as an automaton."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from edged.intents.lower.number import exact, number_text
from edged.intents.lower.refusal import MAX_ALTERNATIVES, MAX_LISTED, Pointer, Refusal, Work
from edged.intents.lower.texts import ALL_NUMBERS, ALL_STRINGS, NO_TEXTS, Texts, is_empty, join, listed, meet, minus


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """A set of JSON values: the union of what it holds of each kind."""

    plain: frozenset[str] = frozenset()
    """Of null, true and false."""
    numbers: Texts = NO_TEXTS
    strings: Texts = NO_TEXTS
    arrays: tuple[Arrays, ...] = ()
    objects: tuple[Objects, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no value is in it; False as well where only the uniqueness of items rules every value out."""
        return not (self.plain or self.arrays or self.objects) and is_empty(self.numbers) and is_empty(self.strings)


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """Arrays whose first items are from `first`, one set each, and all others from `rest`."""

    first: tuple[Values, ...]
    rest: Values
    least: int = 0
    greatest: int | None = None
    unique: bool = False
    pointer: Pointer = ()
    """The part of the schema that they come from."""

    def item(self, place: int) -> Values:
        """What may stand at a place."""
        return self.first[place] if place < len(self.first) else self.rest


class Member(NamedTuple):
    """A key of an object."""

    values: Values
    optional: bool
    """It may be left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """Objects with these keys, and any other key with a value from `rest`."""

    members: Mapping[str, Member]
    rest: Values
    pointer: Pointer = field(default=())
    """The part of the schema that they come from."""

    def member(self, key: str) -> Member:
        """What the key may have."""
        return self.members.get(key) or Member(self.rest, True)


NOTHING: Final = Values()
PLAIN: Final = frozenset({"null", "true", "false"})


def _anything() -> Values:
    """Every JSON value: the one set that holds itself, so it is only ever asked for by identity."""
    anything = Values(PLAIN, ALL_NUMBERS, ALL_STRINGS)
    object.__setattr__(anything, "arrays", (Arrays((), anything),))
    object.__setattr__(anything, "objects", (Objects({}, anything),))
    return anything


ANYTHING: Final = _anything()


def make_arrays(arrays: Arrays) -> tuple[Arrays, ...]:
    """The same arrays with their bounds made as narrow as their items allow; none if there are none."""
    least, greatest = arrays.least, arrays.greatest
    if arrays.rest.is_empty and (greatest is None or greatest > len(arrays.first)):
        greatest = len(arrays.first)
    for place, values in enumerate(arrays.first):
        if values.is_empty and (greatest is None or greatest > place):
            greatest = place
    if greatest is not None and least > greatest:
        return ()
    return (replace(arrays, first=arrays.first[:greatest], greatest=greatest),)


def make_objects(members: Mapping[str, Member], rest: Values, pointer: Pointer) -> tuple[Objects, ...]:
    """Objects with these keys; none if a key that they need has no value."""
    for member in members.values():
        if not member.optional and member.values.is_empty:
            return ()
    return (Objects(members, rest, pointer),)


def exactly(values: Sequence[Any], pointer: Pointer) -> Values:
    """The set of these JSON values.

    Raises:
        Refusal: they are too many, or one is no JSON value.
    """
    if len(values) > MAX_LISTED:
        raise Refusal(f"lists more than {MAX_LISTED} values", "list fewer")
    plain, numbers, strings = set(), [], []
    arrays: list[Arrays] = []
    objects: list[Objects] = []
    for value in values:
        if isinstance(value, str):
            strings.append(value)
        elif value is None or isinstance(value, bool):
            plain.add({None: "null", True: "true", False: "false"}[value])
        elif isinstance(value, dict):
            members = {key: Member(exactly((inner,), pointer), False) for key, inner in value.items()}
            objects.append(Objects(members, NOTHING, pointer))
        elif isinstance(value, list):
            items = tuple(exactly((inner,), pointer) for inner in value)
            arrays.append(Arrays(items, NOTHING, len(items), len(items), False, pointer))
        elif (number := exact(value)) is not None:
            numbers.append(number_text(number))
        else:
            raise Refusal("lists what is no JSON value", "list JSON values")
    return Values(frozenset(plain), listed(numbers), listed(strings), tuple(_bounded(arrays)), tuple(_bounded(objects)))


def intersection(one: Values, other: Values, work: Work) -> Values:
    """What is in both."""
    if one is ANYTHING or one is other:
        return other
    if other is ANYTHING:
        return one
    work.spend(5)
    return Values(
        one.plain & other.plain,
        meet(one.numbers, other.numbers, work),
        meet(one.strings, other.strings, work),
        _bounded([both for a in one.arrays for b in other.arrays for both in _meet_arrays(a, b, work)]),
        _bounded([both for a in one.objects for b in other.objects for both in _meet_objects(a, b, work)]),
    )


def union(one: Values, other: Values, work: Work) -> Values:
    """What is in either."""
    if one is ANYTHING or other is ANYTHING:
        return ANYTHING
    work.spend(5)
    return Values(
        one.plain | other.plain,
        join(one.numbers, other.numbers, work),
        join(one.strings, other.strings, work),
        _bounded([*one.arrays, *(arrays for arrays in other.arrays if arrays not in one.arrays)]),
        _bounded([*one.objects, *(objects for objects in other.objects if objects not in one.objects)]),
    )


def difference(one: Values, other: Values, work: Work) -> Values:
    """What is in `one` alone.

    Raises:
        Refusal: it is no finite union of such sets.
    """
    if other is ANYTHING or one is other:
        return NOTHING
    work.spend(5)
    arrays, objects = one.arrays, one.objects
    for taken in other.arrays:
        arrays = _bounded([left for it in arrays for left in _subtract_arrays(it, taken, work)])
    for removed in other.objects:
        objects = _bounded([left for it in objects for left in _subtract_objects(it, removed, work)])
    return Values(
        one.plain - other.plain,
        minus(one.numbers, other.numbers, work),
        minus(one.strings, other.strings, work),
        arrays,
        objects,
    )


def _bounded(alternatives: list[Any]) -> tuple[Any, ...]:
    if len(alternatives) > MAX_ALTERNATIVES:
        raise Refusal(
            f"comes to more than {MAX_ALTERNATIVES} forms of an object or an array",
            "use fewer conditions and branches, or split the intent in two",
        )
    return tuple(alternatives)


def _meet_arrays(one: Arrays, other: Arrays, work: Work) -> tuple[Arrays, ...]:
    work.spend()
    greatest = min((end for end in (one.greatest, other.greatest) if end is not None), default=None)
    n_first = max(len(one.first), len(other.first))
    return make_arrays(
        Arrays(
            tuple(intersection(one.item(place), other.item(place), work) for place in range(n_first)[:greatest]),
            intersection(one.rest, other.rest, work),
            max(one.least, other.least),
            greatest,
            one.unique or other.unique,
            one.pointer or other.pointer,
        )
    )


def _subtract_arrays(one: Arrays, other: Arrays, work: Work) -> Iterator[Arrays]:
    """The arrays of `one` that are too short, too long, or have an item that `other` does not allow."""
    if not _meet_arrays(one, other, work):
        yield one
        return
    if other.unique and not one.unique and (one.greatest is None or one.greatest > 1):
        raise Refusal(
            'cannot tell arrays apart by "uniqueItems"', 'say "uniqueItems" outside of "not", "if" and "oneOf"'
        )
    if other.least:
        yield from make_arrays(replace(one, greatest=min(other.least - 1, _end(one.greatest))))
    if other.greatest is not None:
        yield from make_arrays(replace(one, least=max(one.least, other.greatest + 1)))
    n_first = max(len(one.first), len(other.first))
    beyond = difference(one.rest, other.rest, work)
    if one.greatest is None and not beyond.is_empty:
        raise Refusal("cannot tell arrays of any length apart by their items", 'add "maxItems"')
    for place in range(n_first if beyond.is_empty else _end(one.greatest))[: one.greatest]:
        left = beyond if place >= n_first else difference(one.item(place), other.item(place), work)
        if not left.is_empty:
            work.spend(place)
            first = (*(one.item(before) for before in range(place)), left, *one.first[place + 1 :])
            yield from make_arrays(replace(one, first=first, least=max(one.least, place + 1)))


def _end(greatest: int | None) -> int:
    return 1 << 30 if greatest is None else greatest


def _meet_objects(one: Objects, other: Objects, work: Work) -> tuple[Objects, ...]:
    members = {}
    for key in {**one.members, **other.members}:
        work.spend()
        mine, its = one.member(key), other.member(key)
        members[key] = Member(intersection(mine.values, its.values, work), mine.optional and its.optional)
        if not members[key].optional and members[key].values.is_empty:
            return ()
    return (Objects(members, intersection(one.rest, other.rest, work), one.pointer or other.pointer),)


def _subtract_objects(one: Objects, other: Objects, work: Work) -> Iterator[Objects]:
    """The objects of `one` in which some key has a value, or is missing, as `other` does not allow."""
    if not _meet_objects(one, other, work):
        yield one
        return
    if not difference(one.rest, other.rest, work).is_empty:
        raise Refusal(
            "cannot tell objects apart by keys that they do not name", 'add "additionalProperties": false around them'
        )
    for key in {**one.members, **other.members}:
        work.spend()
        mine, its = one.member(key), other.member(key)
        left = difference(mine.values, its.values, work)
        if not left.is_empty:
            yield Objects({**one.members, key: Member(left, False)}, one.rest, one.pointer)
        if mine.optional and not its.optional:
            yield Objects({**one.members, key: Member(NOTHING, True)}, one.rest, one.pointer)
