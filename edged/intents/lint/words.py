"""Which words of the intent files and of the house a speech model can never hear."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from edged.intents.catalog import PLACEHOLDER, Finding, IntentFile, Pointer
from edged.intents.home import Home
from edged.intents.spoken.text import normalize_text
from edged.intents.suggest import quote

Knows: TypeAlias = Callable[[str], bool]
"""Whether the speech model of a language can hear a word."""


def find_unknown_words(intent: IntentFile, knows: Mapping[str, Knows]) -> Iterator[Finding]:
    """Warnings for the words of an intent's sentences and spoken forms, in the languages whose models are there."""
    place: Pointer = ("x-edged", "examples")
    for lang in intent.examples.keys() & knows.keys():
        for index, example in enumerate(intent.examples[lang]):
            text = PLACEHOLDER.sub(" ", example.text)
            yield from _unheard(text, lang, knows[lang], (*place, lang, index, "text"), "this sentence")
    for slot, values in intent.spoken.items():
        for value, languages in values.items():
            for lang in languages.keys() & knows.keys():
                for index, form in enumerate(languages[lang]):
                    pointer = ("x-edged", "spoken", slot, value, lang, index)
                    yield from _unheard(form, lang, knows[lang], pointer, "this form")


def find_unknown_names(home: Home, knows: Mapping[str, Knows]) -> Iterator[Finding]:
    """Warnings for the words of all names of the house; the pointer names the keys in home.toml."""
    groups = {key: device for key, device in home.devices.items() if device.is_group}
    devices = {key: device for key, device in home.devices.items() if not device.is_group}
    for table, things in (("areas", home.areas), ("floors", home.floors), ("devices", devices), ("groups", groups)):
        for key, thing in things.items():
            for lang in thing.names.keys() & knows.keys():
                for index, name in enumerate(thing.names[lang]):
                    yield from _unheard(name, lang, knows[lang], (table, key, "names", lang, index), "this name")


def _unheard(text: str, lang: str, knows: Knows, pointer: Pointer, what: str) -> Iterator[Finding]:
    for word in normalize_text(text, lang).split():
        if not any(map(str.isdigit, word)) and not knows(word):
            told = f"the speech model does not know {quote(word)}: {what} is never heard"
            yield Finding(pointer, told, "use another word; typed text still works", "warning")
