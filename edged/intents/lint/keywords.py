"""The keywords of JSON Schema: which words of a slot's schema are none, and which were probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from edged.intents.catalog import Finding, Json, Pointer
from edged.intents.suggest import find_nearest, quote

_BY_NAME: Final = frozenset({"properties", "$defs", "patternProperties", "dependentSchemas"})
"""Keywords that hold schemas by names."""
_LISTED: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_SINGLE: Final = frozenset(
    {"items", "not", "if", "then", "else", "contains", "propertyNames", "additionalProperties", "unevaluatedItems",
     "unevaluatedProperties"}
)  # fmt: skip

_OTHERS: Final = (
    "$schema $id $ref $comment $anchor title description default examples deprecated readOnly writeOnly type const "
    "enum required dependentRequired minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength "
    "pattern format minItems maxItems uniqueItems minContains maxContains minProperties maxProperties"
)
KEYWORDS: Final = _BY_NAME | _LISTED | _SINGLE | frozenset(_OTHERS.split())
"""Of draft 2020-12, also those that do not compile: which of them do is told by what compiles them."""


def find_unknown_keywords(schema: Json, pointer: Pointer = ()) -> Iterator[Finding]:
    """One error for each key of a schema, and of those inside of it, that is no keyword."""
    if not isinstance(schema, Mapping):
        return
    for key, value in schema.items():
        here = (*pointer, key)
        if key not in KEYWORDS:
            nearest = find_nearest(key, KEYWORDS)
            remedy = f"did you mean {quote(nearest)}?" if nearest else "leave it out: nothing would come of it"
            yield Finding(here, f"{quote(key)} is no keyword of JSON Schema", remedy, at_key=True)
        for way, part in _parts(key, value):
            yield from find_unknown_keywords(part, (*here, *way))


def _parts(keyword: str, value: Json) -> Iterable[tuple[Pointer, Json]]:
    """The schemas that stand behind a keyword, and the way to each."""
    if keyword in _SINGLE:
        return [((), value)]
    if keyword in _BY_NAME and isinstance(value, Mapping):
        return [((name,), part) for name, part in value.items()]
    if keyword in _LISTED and isinstance(value, list):
        return [((index,), part) for index, part in enumerate(value)]
    return []
