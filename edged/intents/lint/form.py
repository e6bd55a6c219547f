"""Whether a file has the form that schemas/meta/intent.json says, every fault at once and in plain words.

The meta-schema is turned once into nested checks, so that four hundred files take a fraction of a second; the messages
use its descriptions. It may use the keywords of `_CHECKS` and no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from edged.intents.catalog import Finding, Json, Pointer, Schema
from edged.intents.suggest import find_nearest, list_words, offer, quote

Check: TypeAlias = Callable[[Json, Pointer, list[Finding]], None]
"""Adds what is wrong with the value at the pointer."""

MAX_FOUND: Final = 100
"""Faults after which the rest of a file is not looked at: it is no intent."""

_NAMES: Final = {
    "object": "an object { }",
    "array": "a list [ ]",
    "string": 'a text "..."',
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def compile_form(meta: Schema) -> Check:
    """The check of a meta-schema.

    Raises:
        KeyError: it uses a keyword that is not known here.
    """
    return _Compiler(meta).compile(meta)


class _Compiler:
    def __init__(self, meta: Schema) -> None:
        self._meta = meta

    def compile(self, schema: Schema) -> Check:
        if "$ref" in schema:
            schema = self._meta["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        remedy = f"write {schema['description']}" if "description" in schema else ""
        checks = [_CHECKS[key](self, schema, remedy) for key in schema if key not in _SILENT | _READ_ALONG]
        types = _types(schema, remedy) if "type" in schema else None

        def check(value: Json, pointer: Pointer, found: list[Finding]) -> None:
            before = len(found)
            if before >= MAX_FOUND:
                return
            if types is not None:
                types(value, pointer, found)
            if len(found) == before:
                for part in checks:
                    part(value, pointer, found)

        return check

    def members(self, schema: Schema) -> Check:
        """The check of an object's keys and of what stands behind them."""
        known = {key: self.compile(value) for key, value in schema.get("properties", {}).items()}
        further = schema.get("additionalProperties")
        return _Members(
            known=known,
            others=self.compile(further) if isinstance(further, Mapping) else None,
            names=self.compile(schema.get("propertyNames", {})),
            is_closed=further is False,
            additions={
                key: _addition(key, schema.get("properties", {}).get(key, {}), self._meta)
                for key in schema.get("required", ())
            },
        )


@dataclass(frozen=True, slots=True)
class _Members:
    known: Mapping[str, Check]
    others: Check | None
    """Of what stands behind further keys."""
    names: Check
    """Of further keys themselves."""
    is_closed: bool
    additions: Mapping[str, str]
    """Key that must be there -> how to write it."""

    def __call__(self, value: Json, pointer: Pointer, found: list[Finding]) -> None:
        if not isinstance(value, dict):
            return
        for key in value:
            if len(found) < MAX_FOUND:
                self._check_key(key, value, pointer, found)
        for key, addition in self.additions.items():
            if key not in value and not (self.is_closed and _is_misspelt(key, value, self.known)):
                found.append(Finding(pointer, f'the key "{key}" is missing', addition))

    def _check_key(self, key: str, value: dict[str, Json], pointer: Pointer, found: list[Finding]) -> None:
        check = self.known.get(key, self.others)
        if check is None:
            if self.is_closed:
                found.append(_unknown_key(key, value, self.known, pointer))
        elif key in self.known or _is_named(key, self.names, pointer, found):
            check(value[key], (*pointer, key), found)


def _is_misspelt(key: str, value: Mapping[str, Json], known: Mapping[str, Check]) -> bool:
    """Whether a key that is missing is told already, at the unknown one that was probably meant."""
    return find_nearest(key, [other for other in value if other not in known]) is not None


def _is_named(key: str, check: Check, pointer: Pointer, found: list[Finding]) -> bool:
    wrong: list[Finding] = []
    check(key, (*pointer, key), wrong)
    found.extend(Finding(one.pointer, f"{quote(key)} cannot be a key here", one.remedy, at_key=True) for one in wrong)
    return not wrong


def _unknown_key(key: str, value: Mapping[str, Json], known: Mapping[str, Check], pointer: Pointer) -> Finding:
    meant = find_nearest(key, known)
    if meant in value:
        remedy = f"did you mean {quote(meant)}? that is here already: put the two together"
    else:
        remedy = offer(key, [name for name in known if name not in value])
    return Finding((*pointer, key), f"there is no key {quote(key)} here", remedy, at_key=True)


def _addition(key: str, schema: Schema, meta: Schema) -> str:
    """How to write a key that is missing."""
    if "$ref" in schema:
        schema = meta["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    value = quote(schema["const"]) if "const" in schema else schema.get("description", "...")
    return f'add "{key}": {value}'


def _types(schema: Schema, remedy: str) -> Check:
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    wanted = list_words(_NAMES[name] for name in types)
    allowed: dict[type, bool] = {
        dict: "object" in types,
        list: "array" in types,
        str: "string" in types,
        int: "number" in types,
        float: "number" in types,
        bool: "boolean" in types,
        type(None): "null" in types,
    }

    def check(value: Json, pointer: Pointer, found: list[Finding]) -> None:
        if not allowed[type(value)]:
            found.append(Finding(pointer, f"{quote(value)} where {wanted} must stand", remedy or f"write {wanted}"))

    return check


def _const(_compiler: _Compiler, schema: Schema, _remedy: str) -> Check:
    wanted = schema["const"]

    def check(value: Json, pointer: Pointer, found: list[Finding]) -> None:
        if value != wanted or isinstance(value, bool) != isinstance(wanted, bool):
            found.append(Finding(pointer, f"must be {quote(wanted)}, not {quote(value)}", f"write {quote(wanted)}"))

    return check


def _pattern(_compiler: _Compiler, schema: Schema, remedy: str) -> Check:
    pattern = re.compile(schema["pattern"].removesuffix("$") + r"\Z")

    def check(value: Json, pointer: Pointer, found: list[Finding]) -> None:
        if isinstance(value, str) and not pattern.search(value):
            found.append(Finding(pointer, f"{quote(value)} cannot stand here", remedy))

    return check


def _count(
    kind: type[list[Json]] | type[str] | type[dict[str, Json]], what: str
) -> Callable[[_Compiler, Schema, str], Check]:
    """The check of how long a text, a list or an object is."""
    name = "Items" if kind is list else "Length" if kind is str else "Properties"
    least_key, greatest_key = f"min{name}", f"max{name}"

    def make(_compiler: _Compiler, schema: Schema, remedy: str) -> Check:
        least, greatest = schema.get(least_key, 0), schema.get(greatest_key)

        def check(value: Json, pointer: Pointer, found: list[Finding]) -> None:
            if not isinstance(value, kind):
                return
            count = len(value)
            if count < least:
                found.append(Finding(pointer, "must not be empty", remedy))
            elif greatest is not None and count > greatest:
                found.append(Finding(pointer, f"has {count} {what}, {greatest} at most", f"leave {what} out"))

        return check

    return make


def _range(_compiler: _Compiler, schema: Schema, remedy: str) -> Check:
    above, highest = schema.get("exclusiveMinimum"), schema.get("maximum")

    def check(value: Json, pointer: Pointer, found: list[Finding]) -> None:
        if isinstance(value, int | float) and (
            (above is not None and value <= above) or (highest is not None and value > highest)
        ):
            found.append(Finding(pointer, f"{quote(value)} is out of range", remedy))

    return check


def _items(compiler: _Compiler, schema: Schema, _remedy: str) -> Check:
    item_check = compiler.compile(schema["items"])

    def check(value: Json, pointer: Pointer, found: list[Finding]) -> None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                item_check(item, (*pointer, index), found)

    return check


def _contains(_compiler: _Compiler, schema: Schema, remedy: str) -> Check:
    wanted = schema["contains"]["const"]

    def check(value: Json, pointer: Pointer, found: list[Finding]) -> None:
        if isinstance(value, list) and wanted not in value:
            found.append(Finding(pointer, f"{quote(wanted)} is missing in the list", remedy))

    return check


def _unique(_compiler: _Compiler, _schema: Schema, _remedy: str) -> Check:
    def check(value: Json, pointer: Pointer, found: list[Finding]) -> None:
        if isinstance(value, list):
            found.extend(
                Finding((*pointer, index), f"{quote(value[index])} stands twice in the list", "remove one of the two")
                for index in _repeated(value)
            )

    return check


def _repeated(items: Sequence[Json]) -> list[int]:
    texts = [item for item in items if isinstance(item, str)]
    if len(set(texts)) == len(texts):
        return []
    return [index for index, item in enumerate(items) if isinstance(item, str) and item in items[:index]]


def _members(compiler: _Compiler, schema: Schema, _remedy: str) -> Check:
    return compiler.members(schema)


_SILENT: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "type"})

_CHECKS: Final[Mapping[str, Callable[[_Compiler, Schema, str], Check]]] = {
    "const": _const,
    "pattern": _pattern,
    "items": _items,
    "contains": _contains,
    "uniqueItems": _unique,
    "additionalProperties": _members,
    "maxItems": _count(list, "entries"),
    "maxLength": _count(str, "characters"),
    "maxProperties": _count(dict, "entries"),
    "maximum": _range,
}
_READ_ALONG: Final = frozenset(
    {"properties", "required", "propertyNames", "minItems", "minLength", "minProperties", "exclusiveMinimum"}
)
"""Keywords that the check of another keyword reads along: the meta-schema never has one without the other."""
