"""Spoken forms: how each value of each slot is said.

They come from the intent file's `spoken`, the names in home.toml, and the language's entry: its numbers, and its names
of levels ("half", "maximum") for a slot of percents. What the recogniser is taught, what the grammar lets through and
what is shown to a person all start here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal

from edged.intents.catalog import Catalog, IntentFile, Json, Schema
from edged.intents.home import names_in
from edged.intents.spoken.language import LEVELS, language_of
from edged.intents.spoken.numbers import number_forms
from edged.intents.spoken.text import normalize_text
from edged.types import SlotValue


def value_forms(intent: IntentFile, slot: str, value: SlotValue, catalog: Catalog, lang: str) -> tuple[str, ...]:
    """The ways to say `value` of `slot`, normalised, the usual one first."""
    names = name_forms(intent, slot, value, catalog, lang)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return tuple(dict.fromkeys((*names, *number_forms(Decimal(str(value)), lang))))
    return names


def name_forms(intent: IntentFile, slot: str, value: SlotValue, catalog: Catalog, lang: str) -> tuple[str, ...]:
    """Forms that are names, normalised: for numbers without the number words, which `find_numbers` reads."""
    forms = list(_file_words(intent, slot, _key(value), lang))
    if isinstance(value, str):
        forms += _home_names(intent, slot, value, catalog, lang)
        forms = forms or [value.replace("_", " ")]
    return tuple(dict.fromkeys(normalize_text(form, lang) for form in forms))


def named_values(intent: IntentFile, slot: str, lang: str) -> tuple[SlotValue, ...]:
    """The values of `slot` that have names: all of a list, some of a range of numbers."""
    schema = intent.schema["properties"][slot]
    if "enum" in schema:
        return tuple(schema["enum"])
    keys = [*intent.spoken.get(slot, {}), *(key for key in LEVELS if _level_words(intent, slot, key, lang))]
    return tuple(dict.fromkeys(spoken_value(schema, key) for key in keys))


def _file_words(intent: IntentFile, slot: str, key: str, lang: str) -> tuple[str, ...]:
    """The file's words, then the language's; the file's words of other languages where there are none of this."""
    words = intent.spoken.get(slot, {}).get(key, {})
    levels = _level_words(intent, slot, key, lang)
    return (*(_own(words, lang) if levels else names_in(words, lang)), *levels)


def _level_words(intent: IntentFile, slot: str, key: str, lang: str) -> tuple[str, ...]:
    """The language's names of a level of percents; none where `slot` is not the only one, or the file uses the word."""
    if key not in LEVELS or [other for other in intent.slots if _is_percent(intent, other)] != [slot]:
        return ()
    if int(key) % Decimal(str(intent.schema["properties"][slot].get("multipleOf", 1))):
        return ()
    taken = {word for word, meant in _words_of_file(intent, lang) if meant != (slot, key)}
    return tuple(word for word in language_of(lang).levels.get(key, ()) if word not in taken)


def _is_percent(intent: IntentFile, slot: str) -> bool:
    schema = intent.schema["properties"][slot]
    return schema.get("type") in ("integer", "number") and (schema.get("minimum"), schema.get("maximum")) == (0, 100)


def _words_of_file(intent: IntentFile, lang: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """What the file itself calls a value, with the slot and the value."""
    for slot, values in intent.spoken.items():
        for key, words in values.items():
            yield from ((normalize_text(word, lang), (slot, key)) for word in _own(words, lang))
    for slot in intent.slots:
        if slot not in intent.homes:
            for value in intent.schema["properties"][slot].get("enum", ()):
                yield normalize_text(str(value), lang), (slot, str(value))


def _key(value: SlotValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _home_names(intent: IntentFile, slot: str, value: str, catalog: Catalog, lang: str) -> tuple[str, ...]:
    source = intent.homes.get(slot)
    if source == "areas":
        return names_in(catalog.home.place(value).names, lang)
    if source == "devices":
        return names_in(catalog.home.devices[value].names, lang)
    return ()


def _own(names: Mapping[str, tuple[str, ...]], lang: str) -> tuple[str, ...]:
    """The forms in `lang`, else in its primary language."""
    return names.get(lang, names.get(lang.split("-")[0], ()))


def spoken_value(schema: Schema, text: str) -> Json:
    """The value that a key of `spoken` stands for: JSON text for numbers and the like, itself for a string."""
    if schema.get("type") in ("integer", "number", "boolean"):
        try:
            return json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            return text
    return text
