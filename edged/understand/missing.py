"""An utterance that equals an example but for a value that had to be said: a question can ask for it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from edged.intents.catalog import PLACEHOLDER, Catalog, Example, IntentFile
from edged.intents.memo import per_catalog
from edged.intents.spoken.text import normalize_text
from edged.intents.templates import match_examples
from edged.types import Intent, Question, Utterance

MIN_WORDS: Final = 2
"""A single word is heard anywhere; a question about it would be noise too."""
_BETWEEN: Final = "."
"""Between an intent and the slot that it lacks; in no name of either."""


def find_listed(catalog: Catalog, utterance: Utterance) -> tuple[Intent, ...]:
    """The intent of a sentence that its file lists as one that lacks a value; nothing where there is not one alone."""
    ways = match_examples(_listed(catalog), utterance.text, utterance.lang)
    found = {(match.intent.partition(_BETWEEN)[0], match.slots) for way in ways if len(way) == 1 for match in way}
    if len(found) != 1 or any(match.refused for way in ways for match in way):
        return ()
    name, slots = found.pop()
    return (Intent(utterance.id, name, dict(slots), 1.0, math.inf),)


@per_catalog
def _listed(catalog: Catalog) -> Catalog:
    """The intents once for each question that lists sentences, with these alone."""
    files = {
        f"{intent.name}{_BETWEEN}{number}": _without(intent, question.slots, str(number), question.examples)
        for intent in catalog.intents.values()
        for number, question in enumerate(intent.questions)
        if question.examples
    }
    return Catalog(files, catalog.home, ())


def _without(
    intent: IntentFile, slots: Collection[str], name: str, examples: Mapping[str, tuple[Example, ...]]
) -> IntentFile:
    """An intent without some slots, with other examples and another name."""
    properties = {slot: schema for slot, schema in intent.schema["properties"].items() if slot not in slots}
    return replace(
        intent,
        name=f"{intent.name}{_BETWEEN}{name}",
        schema={**intent.schema, "properties": properties},
        slots=tuple(slot for slot in intent.slots if slot not in slots),
        homes={slot: source for slot, source in intent.homes.items() if slot not in slots},
        examples=examples,
    )


def find_missing(catalog: Catalog, utterance: Utterance) -> Question | None:
    """The question for the one value that an utterance lacks; None where it lacks more, or may be several intents."""
    text, lang = utterance.text, utterance.lang
    if len(normalize_text(text, lang).split()) < MIN_WORDS:
        return None
    ways = match_examples(_lacking(catalog), text, lang)
    if any(match.refused for way in ways for match in way):
        return None
    found = {(match.intent, match.slots) for way in ways if len(way) == 1 for match in way}
    if len(found) != 1:
        return None
    name, slots = found.pop()
    intent, _, slot = name.partition(_BETWEEN)
    file = catalog.intents[intent]
    texts = [entry.text for entry in file.questions if slot in entry.slots]
    asked = next((forms[0] for text_of in texts if (forms := text_of.get(lang))), "")
    return Question((Intent(utterance.id, intent, dict(slots), 1.0, math.inf),), 0, (slot,), text=asked)


@per_catalog
def _lacking(catalog: Catalog) -> Catalog:
    """The intents once for each slot that has to be given and said, without it."""
    files = {file.name: file for intent in catalog.intents.values() for file in _variants(intent)}
    return Catalog(files, catalog.home, ())


def _variants(intent: IntentFile) -> Iterator[IntentFile]:
    for slot in intent.slots:
        if slot not in intent.said or slot not in intent.schema["required"]:
            continue
        place = f"{{{slot}}}"
        examples = {
            lang: tuple(
                Example(example.text.replace(place, " "), example.slots)
                for example in some
                if PLACEHOLDER.findall(example.text).count(slot) == 1 and slot not in example.slots
            )
            for lang, some in intent.examples.items()
        }
        yield _without(intent, (slot,), slot, examples)
