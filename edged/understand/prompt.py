"""What the LM reads: the catalog once, then one line an utterance, which it answers with the intents as JSON.

    light(action, area, device, ...)
    thermostat(action, area, ...)

    turn on the kitchen light
    [{"intent":"light","action":"on","area":"kitchen"}]

The house is not in it: values that depend on the house reach the answer through the grammar alone.
"""

from __future__ import annotations

from edged.intents.catalog import Catalog
from edged.intents.spoken.text import normalize_text


def catalog_prefix(catalog: Catalog) -> str:
    """The part of the prompt that stays the same for a catalog: each intent with its slots, then an empty line."""
    lines = [f"{intent.name}({', '.join(intent.slots)})" for intent in catalog.intents.values()]
    return "\n".join(lines) + "\n\n"


def utterance_line(text: str, lang: str) -> str:
    """The part of the prompt that is new with each utterance."""
    return normalize_text(text, lang) + "\n"


def json_line(text: str, lang: str) -> str:
    """The same where the answer is to be JSON in full."""
    return "json: " + utterance_line(text, lang)
