"""A catalog, and what an utterance says, -> the program that the sampling core follows."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from edged.core import Program
from edged.core.expression import Choice, Encoded, Expression, Literal, encode
from edged.core.expression import Sequence as Chain
from edged.intents.catalog import Catalog, IntentFile, Schema
from edged.intents.grounding import Grounding
from edged.intents.lower import (
    array_expression,
    crosses_slots,
    json_text,
    lower_schema,
    object_expression,
    plain_expression,
    words_expression,
)
from edged.intents.memo import per_catalog
from edged.types import SlotValue

MAX_INTENTS: Final = 3
"""Intents in one utterance: more are never said in one breath."""

KEPT_RESTRICTIONS: Final = 50
"""Of one intent with conditions between its slots: so many combinations of said values are kept ready."""

Said: TypeAlias = Mapping[str, Sequence[SlotValue]]
"""Slot that must have been said -> the values that were, in the order of speech."""
SaidTexts: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
"""The same as texts of JSON."""


def compile_catalog(
    catalog: Catalog,
    grounding: Grounding | None = None,
    needed: Collection[str] = frozenset(),
    *,
    blank: bool = False,
    least: int = 0,
) -> Program:
    """The program of all arrays of `least` to three intents of `catalog`.

    Args:
        catalog: what can be said.
        grounding: a slot that must have been said has no other values than those, and is left out if it has none; an
            intent that requires such a slot is then left out whole.
        needed: slots that every intent must have, as if its schema required them.
        blank: the array stands behind a blank.
        least: how many there are at least, where there can be one.
    """
    intents = [
        expression
        for intent in catalog.intents.values()
        if (expression := _intent_expression(catalog, intent, (grounding or {}).get(intent.name, {}), needed))
        is not None
    ]
    item = Encoded(encode(Choice(tuple(intents))))  # written once, as the array holds it in two places
    array = array_expression(item, least, MAX_INTENTS) if intents else array_expression(item, 0, 0)
    return Program(Chain((Literal(b" "), array)) if blank else array)


def _intent_expression(catalog: Catalog, intent: IntentFile, said: Said, needed: Collection[str]) -> Expression | None:
    """All objects of an intent that the utterance can mean; None if there are none."""
    required = {*intent.schema["required"], *needed}
    if not required <= set(intent.schema["properties"]):
        return None
    if crosses_slots(intent.schema):
        return _restricted(catalog, intent.name)(said_texts(said), tuple(sorted(needed)))
    slots = _slots(catalog)
    members: list[tuple[str, Expression, bool]] = []
    for name in intent.schema["properties"]:
        if name not in said:
            members.append((name, slots[intent.name, name], name in required))
        elif said[name]:
            members.append((name, words_expression(map(json_text, said[name])), name in required))
        elif name in required:
            return None
    return object_expression(members)


@per_catalog
def _slots(catalog: Catalog) -> Mapping[tuple[str, str], Encoded]:
    """Every slot of every intent, ready for the core."""
    return {
        (intent.name, slot): Encoded(encode(plain_expression(schema) or lower_schema(schema)))
        for intent in catalog.intents.values()
        if not crosses_slots(intent.schema)
        for slot, schema in intent.schema["properties"].items()
    }


@per_catalog
def _restricted(catalog: Catalog, intent: str) -> Callable[[SaidTexts, tuple[str, ...]], Encoded]:
    """Gives an intent whose slots depend on each other for what was said, as texts of JSON, and the slots needed."""
    schema = catalog.intents[intent].schema

    @lru_cache(maxsize=KEPT_RESTRICTIONS)
    def restrict(said: SaidTexts, needed: tuple[str, ...]) -> Encoded:
        return Encoded(encode(lower_schema(restricted_schema(schema, said, needed))))

    return restrict


def restricted_schema(schema: Schema, said: SaidTexts, needed: Collection[str]) -> Schema:
    """The schema with no other values for said slots than those, and with these slots required."""
    restriction: Schema = {
        "properties": {
            slot: {"enum": [json.loads(text) for text in texts]} if texts else False for slot, texts in said
        },
        "required": list(needed),
    }
    return {**schema, "allOf": [restriction, *schema.get("allOf", ())]}


def said_texts(said: Said) -> SaidTexts:
    """What was said as JSON, which can be a key."""
    return tuple((slot, tuple(map(json_text, values))) for slot, values in said.items())
