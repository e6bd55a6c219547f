"""A catalog, and what an utterance says, -> the program that the sampling core follows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

from edged.core import Program
from edged.core.expression import Choice, Expression
from edged.intents.catalog import Catalog, IntentFile
from edged.intents.lower import array_expression, json_literal, lower_schema, object_expression
from edged.intents.spoken import Grounding
from edged.types import SlotValue

MAX_INTENTS: Final = 3
"""Intents in one utterance: more are never said in one breath."""

_KEPT_SLOTS: Final = 4000
"""Expressions of slots that are kept ready: 400 intents of ten slots."""


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


def _intent_expression(
    catalog: Catalog, intent: IntentFile, said: Mapping[str, Sequence[SlotValue]], needed: Collection[str]
) -> Expression | None:
    required = {*intent.schema["required"], *needed}
    if not required <= set(intent.schema["properties"]):
        return None
    members = []
    for name in intent.schema["properties"]:
        if name not in said:
            members.append((name, _slot_expression(catalog, intent.name, name), name in required))
        elif said[name]:
            members.append((name, Choice(tuple(json_literal(value) for value in said[name])), name in required))
        elif name in required:
            return None
    return object_expression(members)


@lru_cache(maxsize=_KEPT_SLOTS)
def _slot_expression(catalog: Catalog, intent: str, slot: str) -> Expression:
    return lower_schema(catalog.intents[intent].schema["properties"][slot])
