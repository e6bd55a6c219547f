"""Whether the spoken forms of an intent file tell its values apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal

from edged.intents.catalog import Finding, Json, Pointer, Schema
from edged.intents.home import Home
from edged.intents.lint.draft import Draft, check_slot, describe_values
from edged.intents.lint.sentences import plain_words
from edged.intents.references import HOME
from edged.intents.spoken.forms import spoken_value
from edged.intents.spoken.numbers import find_numbers
from edged.intents.suggest import quote


def check_spoken(draft: Draft) -> Iterator[Finding]:
    """Values that no slot has, forms that two values share, and forms that the house has taken."""
    for slot, values in draft.extension.get("spoken", {}).items():
        pointer: Pointer = ("x-edged", "spoken", slot)
        yield from check_slot(slot, draft, pointer, at_key=True)
        if draft.is_open(slot):
            continue
        schema = draft.schema["properties"][slot]
        for text in values:
            if not draft.takes(slot, spoken_value(schema, text)):
                remedy = describe_values(draft, slot, text)
                yield Finding((*pointer, text), f"{quote(text)} is no value of {quote(slot)}", remedy, at_key=True)
        yield from _check_forms(draft, slot, values, schema)


def _check_forms(
    draft: Draft, slot: str, values: Mapping[str, Mapping[str, list[str | None]]], schema: Schema
) -> Iterator[Finding]:
    taken = _labels(draft, slot, values, schema)
    names: dict[str, Mapping[str, str]] = {}
    for text, languages in values.items():
        for lang, forms in languages.items():
            if lang not in names:
                names[lang] = _names_of_home(draft, lang)
            for index, form in enumerate(forms):
                if form is None:
                    continue
                pointer = ("x-edged", "spoken", slot, text, lang, index)
                plain = plain_words(form, lang)
                yield from _check_form(form, plain, lang, schema, spoken_value(schema, text), pointer)
                other = taken.setdefault((lang, plain), text)
                if other != text:
                    what = f"{quote(form)} says both {quote(other)} and {quote(text)}"
                    yield Finding(pointer, what, "give one of the two another form")
                elif plain in names[lang]:
                    what = f"{quote(form)} is also a name of {quote(names[lang][plain])} in home.toml"
                    yield Finding(pointer, what, "give one of the two another name", "warning")


def _labels(
    draft: Draft, slot: str, values: Mapping[str, Mapping[str, Json]], schema: Schema
) -> dict[tuple[str, str], str]:
    """(language, form) -> value, of the values without forms of their own: they are said as they are written."""
    languages = {lang for forms in values.values() for lang in forms}
    silent = [value for value in schema.get("enum", ()) if isinstance(value, str) and value not in values]
    return {
        (lang, plain_words(value.replace("_", " "), lang)): value
        for lang in languages
        for value in silent
        if not draft.reference(slot)
    }


def _check_form(form: str, plain: str, lang: str, schema: Schema, value: Json, pointer: Pointer) -> Iterator[Finding]:
    if not plain:
        yield Finding(pointer, f"{quote(form)} has nothing that can be spoken", "write a word")
    elif schema.get("type") in ("integer", "number") and isinstance(value, int | float):
        words = plain.split()
        for said in find_numbers(words, lang):
            is_whole = said.start == 0 and said.end == len(words)
            if is_whole and said.value != Decimal(str(value)):
                what = f"{quote(form)} says the number {said.value}, not {json.dumps(value)}"
                yield Finding(pointer, what, "numbers need no forms of their own: remove it")


def _names_of_home(draft: Draft, lang: str) -> Mapping[str, str]:
    """Name -> area or device, of all that the intent has a slot for."""
    names: dict[str, str] = {}
    for slot, schema in draft.schema["properties"].items():
        if draft.reference(slot).startswith(HOME):
            for key in schema.get("enum", ()):
                names.update((name, key) for name in _normalized_names(draft.home, key, lang))
    return names


def _normalized_names(home: Home, key: str, lang: str) -> Iterator[str]:
    for table in (home.areas, home.floors, home.devices):
        if key in table:
            yield from (plain_words(name, lang) for name in table[key].names.get(lang, ()))
