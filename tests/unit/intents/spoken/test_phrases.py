import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from edged.intents.catalog import Catalog, Example, IntentFile
from edged.intents.load import load_intent
from edged.intents.spoken import phrases as module
from edged.intents.spoken.language import LANGUAGES
from edged.intents.spoken.phrases import MAX_NUMBERS, MAX_PHRASES, REPEATS, list_phrases, slot_forms
from edged.intents.spoken.text import normalize_text


def make_intent(catalog: Catalog, slots: Mapping[str, Any], name: str = "oven", lang: str = "en") -> IntentFile:
    texts = [f"{name} {{{slot}}}" for slot in slots] + [f"set {name} to {{{slot}}}" for slot in slots]
    parsed = {
        "type": "object",
        "properties": {"intent": {"const": name}, **slots},
        "required": ["intent"],
        "additionalProperties": False,
        "x-edged": {"examples": {lang: [{"text": text, "slots": {}} for text in texts]}},
    }
    intent, faults = load_intent(json.dumps(parsed), f"{name}.json", catalog.home)
    assert isinstance(intent, IntentFile), faults
    return intent


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_phrases_hold_every_area_and_every_percent(catalog: Catalog, lang: str) -> None:
    phrases = list_phrases(catalog, lang)
    assert 500 < len(phrases) < MAX_PHRASES
    assert phrases == list_phrases(replace(catalog), lang)
    text = "\n".join(phrases)
    light = catalog.intents["light"]
    for slot in ("area", "device", "brightness"):
        for form in slot_forms(light, slot, catalog, lang):
            assert form in text
    assert "{" not in text


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", {"nineteen", "maximum", "halfway", "point", "half"}),
        ("ko", {"십구", "최대", "반"}),
        ("de", {"neunzehn", "neunzehneinhalb", "maximum", "hälfte"}),
        ("pt-BR", {"dezenove", "duas", "máximo", "metade"}),
        ("pl", {"dziewiętnaście", "dziewiętnastu", "maksimum", "połowę"}),
        ("el", {"δεκαεννέα", "δεκαεννιά", "δεκαεννιάμισι", "μέγιστο", "μισό"}),
    ],
)
def test_every_language_is_taught_levels_inflections_and_halves(catalog: Catalog, lang: str, words: set[str]) -> None:
    oven = make_intent(catalog, {"power": {"type": "number", "minimum": 0, "maximum": 100, "multipleOf": 0.5}})
    assert words <= {word for form in slot_forms(oven, "power", catalog, lang) for word in form.split()}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_further_way_to_say_a_number_is_taught_for_its_words_alone(catalog: Catalog, lang: str) -> None:
    oven = make_intent(catalog, {"heat": {"type": "integer", "minimum": 1000, "maximum": 9000}})
    forms = slot_forms(oven, "heat", catalog, lang)
    assert len(forms) == len(set(forms)) < 3 * MAX_NUMBERS


def test_bounds_that_are_excluded_are_not_taught(catalog: Catalog) -> None:
    slot = {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 6}
    loaded = make_intent(catalog, {"heat": {"type": "integer", "minimum": 1, "maximum": 9}})
    oven = replace(loaded, schema={"properties": {"heat": slot}})
    assert slot_forms(oven, "heat", catalog, "en") == ("four", "five")
    endless = replace(loaded, schema={"properties": {"heat": {"type": "integer", "minimum": 3}}})
    assert slot_forms(endless, "heat", catalog, "en") == ()


def phrases_of(catalog: Catalog, intents: Mapping[str, IntentFile], lang: str = "en") -> Counter[str]:
    return Counter(list_phrases(replace(catalog, intents=intents), lang))


def with_texts(intent: IntentFile, *texts: str) -> IntentFile:
    return replace(intent, examples={"en": tuple(Example(text, {}) for text in texts)})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_example_stands_beside_every_form_of_its_places(catalog: Catalog, lang: str) -> None:
    pairs = {pair for phrase in list_phrases(catalog, lang) for pair in pairwise(phrase.split())}
    for intent in catalog.intents.values():
        for example in intent.examples[lang]:
            before, *places = re.split(r"\{(\w+)\}", example.text)
            texts = [before, *places]
            for at in range(1, len(texts), 2):
                for form in slot_forms(intent, texts[at], catalog, lang):
                    said = normalize_text(
                        f"{texts[at - 1].partition(' ')[2] if at > 1 else before}{form}{texts[at + 1]}", lang
                    ).split()
                    assert set(pairwise(said)) <= pairs


def test_a_form_is_said_no_more_often_than_wanted_between_the_same_neighbours(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPEATS", 1)
    percent = {"type": "integer", "minimum": 1, "maximum": 50}
    oven, grill = (make_intent(catalog, {"power": percent}, name) for name in ("oven", "grill"))
    texts = "set it to {power} now", "put that up to {power} now please"
    forms = slot_forms(oven, "power", catalog, "en")
    phrases = phrases_of(catalog, {"oven": with_texts(oven, *texts), "grill": with_texts(grill, texts[1])})
    assert sorted(phrase.split(" to ")[1].split(" now")[0] for phrase in phrases.elements()) == sorted(forms)
    other = phrases_of(catalog, {"oven": with_texts(oven, "set it to {power} now", "set it to {power}")})
    assert other.total() == 2 * len(forms)


def test_an_example_without_places_is_said_as_often_as_a_short_one_with_them(catalog: Catalog) -> None:
    oven = make_intent(catalog, {"power": {"type": "integer", "minimum": 1, "maximum": 2}})
    phrases = phrases_of(catalog, {"oven": with_texts(oven, "all off", "set it to {power}", "all off")})
    assert phrases == {"all off": REPEATS, "set it to one": REPEATS / 2, "set it to two": REPEATS / 2}


def test_every_intent_is_heard_where_there_are_too_many_phrases(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PHRASES", 120)
    percent = {"type": "integer", "minimum": 1, "maximum": 100}
    intents = {name: make_intent(catalog, {"power": percent}, name) for name in ("oven", "grill")}
    phrases = phrases_of(catalog, intents)
    assert phrases.total() == 120
    for name in intents:
        assert sum(name in phrase for phrase in phrases.elements()) == 60


def test_an_example_with_a_place_that_nothing_fills_is_left_out(catalog: Catalog) -> None:
    oven = make_intent(catalog, {"power": {"type": "integer", "minimum": 1, "maximum": 2}})
    empty = Example("ask {nothing}", {})
    assert list_phrases(replace(catalog, intents={"oven": replace(oven, examples={"en": (empty,)})}), "en") == ()
    assert list_phrases(replace(catalog, intents={}), "en") == ()
