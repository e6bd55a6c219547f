"""A JSON Schema -> the set of values that it allows. A keyword outside the subset is refused, never ignored."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from typing import Final
from urllib.parse import unquote

from edged.intents.catalog import Json, Schema
from edged.intents.lower.canonical import KeyOrder
from edged.intents.lower.formats import FORMATS
from edged.intents.lower.number import NUMBER_KEYWORDS, exact, schema_interval
from edged.intents.lower.refusal import MAX_BRANCHES, MAX_COUNT, MAX_NESTING, Pointer, Refusal, Report
from edged.intents.lower.search import search_automaton
from edged.intents.lower.texts import ALL_STRINGS, NO_TEXTS, Texts, lengths, meet
from edged.intents.lower.values import (
    ANYTHING,
    NOTHING,
    PLAIN,
    Arrays,
    Member,
    Objects,
    Values,
    difference,
    exactly,
    intersection,
    make_arrays,
    make_objects,
    union,
)

_KINDS: Final = ("object", "array", "string", "integer", "number", "boolean", "null")
_ANNOTATIONS: Final = frozenset(
    {
        "title", "description", "$comment", "default", "examples", "deprecated", "readOnly", "writeOnly", "$defs",
        "$schema", "x-edged",
    }
)  # fmt: skip
_TYPED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("properties", "required", "additionalProperties", "dependentRequired"), "object"),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems", "uniqueItems"), "array"),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), "string"),
    **dict.fromkeys(NUMBER_KEYWORDS, "number"),
}
"""Keywords that say something about values of one kind alone."""
_STEPS_OF_A_SCHEMA: Final = 10
"""What reading one costs, in steps."""
_COMBINING: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentRequired"})
KEYWORDS: Final = frozenset({"type", "const", "enum", *_TYPED, *_COMBINING})
"""The subset; annotations besides."""


def crosses_slots(schema: Schema) -> bool:
    """Whether a keyword at the root of an intent lets one slot depend on another."""
    return not _COMBINING.isdisjoint(schema)


class Reader:
    """Reads one schema and the schemas in it."""

    def __init__(self, root: Schema | bool, report: Report) -> None:
        self._root = root
        self._report = report
        self._work = report.work
        self._depth = 0
        self._following: list[str] = []

    def read(self, schema: Json, pointer: Pointer, within: Values, keys: KeyOrder) -> Values:
        """What `schema` allows of `within`.

        Raises:
            LoweringError: it cannot be reduced, unless the report collects refusals.
        """
        self._depth += 1
        try:
            return self._read(schema, pointer, within, keys)
        except Refusal as refusal:
            self._report.refuse(pointer, refusal.what, refusal.remedy)
            return _IN_PLACE
        finally:
            self._depth -= 1

    def _read(self, schema: Json, pointer: Pointer, within: Values, keys: KeyOrder) -> Values:
        self._work.spend(_STEPS_OF_A_SCHEMA)
        if isinstance(schema, bool):
            return within if schema else NOTHING
        if not isinstance(schema, dict):
            raise Refusal("is no schema", 'write an object such as {"type": "string"}')
        if self._depth > MAX_NESTING:
            raise Refusal(f"is nested more than {MAX_NESTING} deep", "make the schema flatter")
        self._check_keywords(schema, pointer)
        values = intersection(within, self._plain(schema, pointer, keys), self._work)
        return values if _COMBINING.isdisjoint(schema) else self._combine(schema, pointer, values, keys)

    def _check_keywords(self, schema: Schema, pointer: Pointer) -> None:
        for keyword in schema:
            if keyword in KEYWORDS or keyword in _ANNOTATIONS or (keyword == "$id" and not pointer):
                continue
            near = difflib.get_close_matches(str(keyword), sorted(KEYWORDS), 1)
            self._report.refuse(
                (*pointer, keyword),
                f'"{keyword}" is not supported',
                f'did you mean "{near[0]}"?' if near else f"leave it out; there are: {', '.join(sorted(KEYWORDS))}",
            )
        for keyword in ("then", "else"):
            if keyword in schema and "if" not in schema:
                self._report.refuse((*pointer, keyword), f'"{keyword}" does nothing without "if"', 'add "if"')

    # ---- keywords of one kind

    def _plain(self, schema: Schema, pointer: Pointer, keys: KeyOrder) -> Values:
        listed = self._listed(schema, pointer, keys)
        typed = [keyword for keyword in schema if keyword in _TYPED]
        if "type" not in schema and not typed:
            return ANYTHING if listed is None else listed
        kinds = _read_kinds(schema)
        self._check_kinds(typed, kinds if "type" in schema or listed is None else _kinds_of(listed), pointer)
        values = Values(
            frozenset(PLAIN if "boolean" in kinds else ()) - {"null"} | ({"null"} & set(kinds)),
            self._numbers(schema, kinds),
            self._strings(schema, pointer) if "string" in kinds else NO_TEXTS,
            self._arrays(schema, pointer, keys) if "array" in kinds else (),
            self._objects(schema, pointer, keys) if "object" in kinds else (),
        )
        if listed is not None and not listed.is_empty:
            values = intersection(listed, values, self._work)
        if values.is_empty:
            raise Refusal("allows no value at all", "loosen the keywords that contradict each other")
        return values if listed is None or not listed.is_empty else listed

    def _listed(self, schema: Schema, pointer: Pointer, keys: KeyOrder) -> Values | None:
        """What "enum" and "const" list; None where there is neither."""
        if "enum" not in schema and "const" not in schema:
            return None
        found = ANYTHING
        if "enum" in schema:
            several = schema["enum"]
            if not isinstance(several, list | tuple):
                raise Refusal('"enum" is no list', "list the values in brackets")
            found = exactly(several, pointer)
            self._work.spend(len(several))
            for value in several:
                keys.learn(value)
        if "const" in schema:
            keys.learn(schema["const"])
            found = intersection(found, exactly((schema["const"],), pointer), self._work)
        return found

    def _check_kinds(self, typed: list[str], kinds: frozenset[str], pointer: Pointer) -> None:
        for keyword in typed:
            if _TYPED[keyword] not in kinds:
                self._report.refuse(
                    (*pointer, keyword),
                    f'"{keyword}" says nothing about values of type {" or ".join(sorted(kinds)) or "none"}',
                    f'drop it, or use "type": "{_TYPED[keyword]}"',
                )

    def _numbers(self, schema: Schema, kinds: frozenset[str]) -> Texts:
        if "number" not in kinds:
            return NO_TEXTS
        return schema_interval(schema, whole="whole" in kinds) or NO_TEXTS

    def _strings(self, schema: Schema, pointer: Pointer) -> Texts:
        texts: Texts = ALL_STRINGS
        if "minLength" in schema or "maxLength" in schema:
            texts = lengths(_count(schema, "minLength") or 0, _count(schema, "maxLength"))
        if "pattern" in schema:
            if not isinstance(schema["pattern"], str):
                raise Refusal('"pattern" is no string', "write a regular expression in quotes")
            try:
                texts = meet(search_automaton(schema["pattern"], self._work), texts, self._work)
            except Refusal as refusal:
                self._report.refuse((*pointer, "pattern"), refusal.what, refusal.remedy)
        if "format" in schema:
            known = FORMATS.get(schema["format"]) if isinstance(schema["format"], str) else None
            if known is None:
                what = f"{json.dumps(schema['format'], default=str)} is no format that is known"
                self._report.refuse((*pointer, "format"), what, f"use one of {', '.join(FORMATS)}, or a pattern")
            else:
                texts = meet(known(), texts, self._work)
        return texts

    def _arrays(self, schema: Schema, pointer: Pointer, keys: KeyOrder) -> tuple[Arrays, ...]:
        unique = schema.get("uniqueItems", False)
        first = schema.get("prefixItems", [])
        if not isinstance(unique, bool) or not isinstance(first, list):
            raise Refusal('"uniqueItems" is no boolean or "prefixItems" no list', "write true or false, or a list")
        if len(first) > MAX_COUNT:
            raise Refusal(f'"prefixItems" has more than {MAX_COUNT} items', "use fewer")
        items = tuple(
            self.read(item, (*pointer, "prefixItems", index), ANYTHING, keys.items) for index, item in enumerate(first)
        )
        rest = self.read(schema["items"], (*pointer, "items"), ANYTHING, keys.items) if "items" in schema else ANYTHING
        least, greatest = _count(schema, "minItems") or 0, _count(schema, "maxItems")
        return make_arrays(Arrays(items, rest, least, greatest, unique, pointer))

    def _objects(self, schema: Schema, pointer: Pointer, keys: KeyOrder) -> tuple[Objects, ...]:
        properties, required = schema.get("properties", {}), schema.get("required", ())
        if not isinstance(properties, dict) or isinstance(required, str) or not _are_names(required):
            raise Refusal('"properties" is no object or "required" no list of names', "write {...} and [...]")
        members = {
            name: Member(self.read(value, (*pointer, "properties", name), ANYTHING, keys.key(name)), True)
            for name, value in properties.items()
        }
        rest = ANYTHING
        if "additionalProperties" in schema:
            further = schema["additionalProperties"]
            rest = self.read(further, (*pointer, "additionalProperties"), ANYTHING, KeyOrder())
        for name in required:
            keys.key(name)
            if name not in members and rest.is_empty:
                what = f'requires "{name}", which is no property'
                self._report.refuse((*pointer, "required"), what, "define the property or drop the name")
                continue
            members[name] = Member(members[name].values if name in members else rest, False)
        return make_objects(members, rest, pointer)

    # ---- keywords that combine schemas

    def _combine(self, schema: Schema, pointer: Pointer, values: Values, keys: KeyOrder) -> Values:
        for keyword, apply in self._combinations.items():
            if keyword in schema:
                values = apply(self, schema, pointer, values, keys)
        return values

    def _refer(self, schema: Schema, _pointer: Pointer, values: Values, keys: KeyOrder) -> Values:
        reference = schema["$ref"]
        if not isinstance(reference, str):
            raise Refusal('"$ref" is no string', 'write "#/$defs/NAME"')
        if reference in self._following:
            raise Refusal(f'"$ref": "{reference}" leads in a circle', "recursion cannot be decoded: unroll it")
        place = _split_reference(reference)
        target: Json = self._root
        for part in place if place is not None else ():
            target = _enter(target, part)
        if place is None or target is None:
            raise Refusal(f'"$ref": "{reference}" leads nowhere', 'use "#/$defs/NAME", of this file')
        self._following.append(reference)
        try:
            return self.read(target, place, values, keys)
        finally:
            self._following.pop()

    def _all(self, schema: Schema, pointer: Pointer, values: Values, keys: KeyOrder) -> Values:
        # What combines comes last: it is the easier to reduce, the fewer values are left.
        for place, branch in sorted(_branches(schema, "allOf"), key=lambda it: _is_combining(it[1])):
            values = self.read(branch, (*pointer, "allOf", place), values, keys)
        return values

    def _any(self, schema: Schema, pointer: Pointer, values: Values, keys: KeyOrder) -> Values:
        found = NOTHING
        for place, branch in _branches(schema, "anyOf"):
            found = union(found, self.read(branch, (*pointer, "anyOf", place), values, keys), self._work)
        return found

    def _one(self, schema: Schema, pointer: Pointer, values: Values, keys: KeyOrder) -> Values:
        branches = list(_branches(schema, "oneOf"))
        if len(branches) > MAX_BRANCHES:
            raise Refusal(f'"oneOf" has more than {MAX_BRANCHES} branches', 'use "anyOf", or "enum" for plain values')
        sets = [self.read(branch, (*pointer, "oneOf", place), values, keys) for place, branch in branches]
        found = NOTHING
        for chosen, values_of_one in enumerate(sets):
            others = (other for place, other in enumerate(sets) if place != chosen)
            only = reduce(lambda left, other: difference(left, other, self._work), others, values_of_one)
            found = union(found, only, self._work)
        return found

    def _if(self, schema: Schema, pointer: Pointer, values: Values, keys: KeyOrder) -> Values:
        met = self.read(schema["if"], (*pointer, "if"), values, keys)
        missed = difference(values, met, self._work)
        if "then" in schema:
            met = self.read(schema["then"], (*pointer, "then"), met, keys)
        if "else" in schema:
            missed = self.read(schema["else"], (*pointer, "else"), missed, keys)
        return union(met, missed, self._work)

    def _not(self, schema: Schema, pointer: Pointer, values: Values, keys: KeyOrder) -> Values:
        return difference(values, self.read(schema["not"], (*pointer, "not"), values, keys), self._work)

    def _depend(self, schema: Schema, _pointer: Pointer, values: Values, keys: KeyOrder) -> Values:
        dependent = schema["dependentRequired"]
        if not isinstance(dependent, dict) or not all(map(_are_names, dependent.values())):
            raise Refusal('"dependentRequired" is no object of lists of names', 'write {"slot": ["other"]}')
        for key, needed in dependent.items():
            for name in (key, *needed):
                keys.key(name)
            absent = Objects({key: Member(NOTHING, True)}, ANYTHING)
            present = Objects({name: Member(ANYTHING, False) for name in (key, *needed)}, ANYTHING)
            values = intersection(values, replace(ANYTHING, objects=(absent, present)), self._work)
        return values

    _combinations: Final[Mapping[str, Callable[[Reader, Schema, Pointer, Values, KeyOrder], Values]]] = {
        "$ref": _refer,
        "allOf": _all,
        "anyOf": _any,
        "dependentRequired": _depend,
        "oneOf": _one,
        "if": _if,
        "not": _not,
    }


_IN_PLACE: Final = Values(plain=frozenset({"null"}))
"""Stands for what was refused while further refusals are collected."""


def _read_kinds(schema: Schema) -> frozenset[str]:
    """The types, "number" for both sorts of numbers; "whole" besides where only whole ones are allowed."""
    if "type" not in schema:
        return _ALL_KINDS
    several = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if not isinstance(several, list) or not several or not all(kind in _KINDS for kind in several):
        raise Refusal(f'has no usable "type": {json.dumps(schema["type"], default=str)}', f"use {', '.join(_KINDS)}")
    if "integer" in several and "number" not in several:
        return frozenset((*several, "number", "whole"))
    return frozenset(several)


_ALL_KINDS: Final = frozenset(_KINDS)


def _kinds_of(values: Values) -> frozenset[str]:
    found = {"object": values.objects, "array": values.arrays, "string": values.strings != NO_TEXTS}
    return frozenset(kind for kind, some in {**found, "number": values.numbers != NO_TEXTS}.items() if some)


def _are_names(several: Json) -> bool:
    return isinstance(several, list | tuple) and all(isinstance(name, str) for name in several)


def _count(schema: Schema, keyword: str) -> int | None:
    if keyword not in schema:
        return None
    number = exact(schema[keyword])
    if number is None or number < 0 or number.denominator != 1:
        raise Refusal(f'"{keyword}" is no count', "write a whole number, 0 or more")
    if number > MAX_COUNT:
        raise Refusal(f'"{keyword}" is more than {MAX_COUNT}', "use a smaller one, or leave it out")
    return int(number)


def _branches(schema: Schema, keyword: str) -> Iterator[tuple[int, Json]]:
    branches = schema[keyword]
    if not isinstance(branches, list) or not branches:
        raise Refusal(f'"{keyword}" is no list of schemas', "list one or more schemas in brackets")
    yield from enumerate(branches)


def _is_combining(schema: Json) -> bool:
    return isinstance(schema, dict) and not _COMBINING.isdisjoint(schema)


def _split_reference(reference: str) -> Pointer | None:
    """The parts of a pointer within the file; None for one that leads out of it."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in unquote(reference).split("/")[1:])


def _enter(target: Json, part: str | int) -> Json:
    if isinstance(target, dict):
        return target.get(str(part))
    if isinstance(target, list) and str(part).isascii() and str(part).isdigit() and int(part) < len(target):
        return target[int(part)]
    return None
