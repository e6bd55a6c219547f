"""References in an intent's schema: to its own definitions, and to the things of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edged.intents.catalog import Json, Schema
from edged.intents.home import Home
from edged.intents.lower import LoweringError

HOME: Final = "urn:edged:home#/"
"""How a reference into the house begins."""
MAX_FOLLOWED: Final = 8
"""References that lead from one to the next: nobody follows more."""


def home_source(slot: Json, definitions: Schema, followed: int = 0) -> str | None:
    """Which things of the house a slot refers to: "areas" or "devices"; None where it refers to none, or to both.

    The slot may be damaged in any way, or lead in a circle.
    """
    if not isinstance(slot, Mapping) or followed > MAX_FOLLOWED:
        return None
    reference, choices = slot.get("$ref"), slot.get("anyOf")
    if isinstance(reference, str):
        if reference.startswith(HOME):
            return "devices" if reference.startswith(f"{HOME}devices/") else "areas"
        return home_source(definitions.get(reference.removeprefix("#/$defs/")), definitions, followed + 1)
    sources = (
        {home_source(choice, definitions, followed + 1) for choice in choices} if isinstance(choices, list) else ()
    )
    return next(iter(sources)) if len(sources) == 1 else None


def resolve_references(schema: Schema, home: Home) -> Schema:
    """The intent's schema with every `$ref` replaced; a slot for which the house has no value is left out.

    Raises:
        LoweringError: a reference leads nowhere, leaves the file and the house, or leads to itself.
    """
    definitions = schema.get("$defs", {})
    body = {key: value for key, value in schema.items() if key not in ("x-edged", "$defs")}
    resolved: dict[str, Any] = _resolve(body, definitions, home, (), 0)
    resolved["properties"] = {
        key: value
        for key, value in ((key, _one_list(value)) for key, value in resolved["properties"].items())
        if value.get("enum") != [] or key in resolved["required"]
    }
    return resolved


def _one_list(slot: Json) -> Json:
    """Alternatives that are all lists, such as devices of several kinds, as one list."""
    choices = slot.get("anyOf") if isinstance(slot, dict) and set(slot) == {"anyOf"} else None
    if not choices or not all(isinstance(choice, dict) and set(choice) == {"enum"} for choice in choices):
        return slot
    return {"enum": list(dict.fromkeys(value for choice in choices for value in choice["enum"]))}


def _resolve(node: Json, definitions: Schema, home: Home, pointer: tuple[str | int, ...], followed: int) -> Json:
    if isinstance(node, list):
        return [_resolve(item, definitions, home, (*pointer, index), followed) for index, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if reference is None or not isinstance(reference, str):
        return {key: _resolve(value, definitions, home, (*pointer, key), followed) for key, value in node.items()}
    if followed >= MAX_FOLLOWED:
        raise LoweringError(
            pointer, f'"$ref": "{reference}" leads in a circle', "recursion cannot be decoded: unroll it"
        )
    target = _find_reference(reference, definitions, home)
    if target is None:
        raise LoweringError(
            (*pointer, "$ref"),
            f'"{reference}" leads nowhere',
            'use "#/$defs/NAME", "urn:edged:home#/areas", "urn:edged:home#/floors" or "urn:edged:home#/devices/KIND"',
        )
    beside = {key: value for key, value in node.items() if key != "$ref"}
    resolved = _resolve(target, definitions, home, pointer, followed + 1)
    if beside.keys() <= {"title", "description", "$comment"}:
        return {**resolved, **beside}
    around = _resolve(beside, definitions, home, pointer, followed)
    return {**around, "allOf": [resolved, *around.get("allOf", ())]}


def _find_reference(reference: str, definitions: Schema, home: Home) -> Schema | None:
    if reference == f"{HOME}areas":
        return {"enum": [*home.areas, *home.floors]}
    if reference == f"{HOME}floors":
        return {"enum": list(home.floors)}
    if reference.startswith(f"{HOME}devices/"):
        kind = reference.removeprefix(f"{HOME}devices/")
        return {"enum": [device.key for device in home.devices_of(kind)]}
    found = definitions.get(reference.removeprefix("#/$defs/")) if reference.startswith("#/$defs/") else None
    return found if isinstance(found, Mapping) else None
