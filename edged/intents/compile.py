"""A catalog, and what an utterance says, -> the program that the sampling core follows."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from edged.core import Program
from edged.core.expression import Choice, Encoded, Expression, encode
from edged.intents.catalog import Catalog, IntentFile, Schema
from edged.intents.grounding import Grounding
from edged.intents.lower import (
    array_expression,
    crosses_slots,
    json_literal,
    json_text,
    lower_schema,
    object_expression,
)
from edged.intents.memo import per_catalog
from edged.types import SlotValue

MAX_INTENTS: Final = 3
"""Intents in one utterance: more are never said in one breath."""

_KEPT_RESTRICTIONS: Final = 50
"""Of one intent with conditions between its slots: so many combinations of said values are kept ready."""

_Said: TypeAlias = Mapping[str, Sequence[SlotValue]]
_SaidTexts: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


def compile_catalog(
    catalog: Catalog, grounding: Grounding | None = None, needed: Collection[str] = frozenset()
) -> Program:
    """The program of all arrays of zero to three intents of `catalog`.

    Args:
        catalog: what can be said.
        grounding: a slot that must have been said has no other values than those, and is left out if it has none; an
            intent that requires such a slot is then left out whole.
        needed: slots that every intent must have, as if its schema required them.
    """
    intents = [
        expression
        for intent in catalog.intents.values()
        if (expression := _intent_expression(catalog, intent, (grounding or {}).get(intent.name, {}), needed))
        is not None
    ]
    return Program(array_expression(Choice(tuple(intents)), 0, MAX_INTENTS if intents else 0))


def _intent_expression(catalog: Catalog, intent: IntentFile, said: _Said, needed: Collection[str]) -> Expression | None:
    """All objects of an intent that the utterance can mean; None if there are none."""
    required = {*intent.schema["required"], *needed}
    if not required <= set(intent.schema["properties"]):
        return None
    if crosses_slots(intent.schema):
        key = tuple((slot, tuple(map(json_text, values))) for slot, values in said.items())
        return _restricted(catalog, intent.name)(key, tuple(sorted(needed)))
    slots = _slots(catalog)
    members: list[tuple[str, Expression, bool]] = []
    for name in intent.schema["properties"]:
        if name not in said:
            members.append((name, slots[intent.name, name], name in required))
        elif said[name]:
            members.append((name, Choice(tuple(json_literal(value) for value in said[name])), name in required))
        elif name in required:
            return None
    return object_expression(members)


@per_catalog
def _slots(catalog: Catalog) -> Mapping[tuple[str, str], Encoded]:
    """Every slot of every intent, ready for the core."""
    return {
        (intent.name, slot): Encoded(encode(lower_schema(schema)))
        for intent in catalog.intents.values()
        if not crosses_slots(intent.schema)
        for slot, schema in intent.schema["properties"].items()
    }


@per_catalog
def _restricted(catalog: Catalog, intent: str) -> Callable[[_SaidTexts, tuple[str, ...]], Encoded]:
    """Gives an intent whose slots depend on each other for what was said, as texts of JSON, and the slots needed."""
    schema = catalog.intents[intent].schema

    @lru_cache(maxsize=_KEPT_RESTRICTIONS)
    def restrict(said: _SaidTexts, needed: tuple[str, ...]) -> Encoded:
        restriction: Schema = {
            "properties": {
                slot: {"enum": [json.loads(text) for text in texts]} if texts else False for slot, texts in said
            },
            "required": list(needed),
        }
        return Encoded(encode(lower_schema({**schema, "allOf": [restriction, *schema.get("allOf", ())]})))

    return restrict
