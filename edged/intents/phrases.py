"""Sentences that the recogniser is taught: every example, with the spoken forms of this house in its places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from edged.intents.catalog import Catalog, IntentFile
from edged.intents.check import PLACEHOLDER, spoken_value
from edged.intents.numbers import number_forms
from edged.intents.spoken import value_forms
from edged.intents.text import normalize_text

MAX_PHRASES: Final = 4000
"""A recogniser with 1,000 phrases is made in 42 ms (measured with the Korean model, November 2026)."""
MAX_NUMBERS: Final = 120
"""Values of one number that are said: all percents and half degrees of a house; wider ranges are thinned evenly."""

_STRIDES: Final = tuple(lead * 10**power for power in range(9) for lead in (1, 2, 5))


def list_phrases(catalog: Catalog, lang: str) -> tuple[str, ...]:
    """All example sentences of `lang`, normalised; each spoken form of a slot stands in each of its examples once."""
    phrases: dict[str, None] = {}
    for intent in catalog.intents.values():
        forms = {slot: slot_forms(intent, slot, catalog, lang) for slot in intent.slots}
        for example in intent.examples.get(lang, ()):
            for text in _filled(example.text, forms):
                phrases[normalize_text(text, lang)] = None
                if len(phrases) == MAX_PHRASES:
                    return tuple(phrases)
    return tuple(phrases)


def slot_forms(intent: IntentFile, slot: str, catalog: Catalog, lang: str) -> tuple[str, ...]:
    """Every way to name a value of `slot`; of a wide range of numbers, some."""
    schema = intent.schema["properties"][slot]
    if "enum" in schema:
        return tuple(
            dict.fromkeys(form for value in schema["enum"] for form in value_forms(intent, slot, value, catalog, lang))
        )
    named = [spoken_value(schema, text) for text in intent.spoken.get(slot, {})]
    forms = [form for value in named for form in value_forms(intent, slot, value, catalog, lang)]
    if schema.get("type") in ("integer", "number"):
        forms += [number_forms(value, lang)[0] for value in _thinned(schema)]
    return tuple(dict.fromkeys(normalize_text(form, lang) for form in forms))


def _thinned(schema: Mapping[str, object]) -> Iterator[Decimal]:
    least, greatest = Decimal(str(schema["minimum"])), Decimal(str(schema["maximum"]))
    step = Decimal(str(schema.get("multipleOf", 1)))
    stride = next(step * wider for wider in _STRIDES if (greatest - least) / (step * wider) <= MAX_NUMBERS)
    first = (least / stride).to_integral_value("ROUND_CEILING")
    return (stride * number for number in range(int(first), int(greatest / stride) + 1))


def _filled(text: str, forms: Mapping[str, Sequence[str]]) -> Iterator[str]:
    slots = PLACEHOLDER.findall(text)
    if any(not forms.get(slot) for slot in slots):
        return
    for turn in range(max((len(forms[slot]) for slot in slots), default=1)):
        yield _fill(text, {slot: forms[slot][turn % len(forms[slot])] for slot in slots})


def _fill(text: str, chosen: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: chosen[match[1]], text)
