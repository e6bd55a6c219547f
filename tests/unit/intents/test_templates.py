import json
from dataclasses import replace
from typing import Any

import pytest

from edged.intents.catalog import Catalog, IntentFile
from edged.intents.load import load_intent
from edged.intents.templates import begins_example, match_examples

KETTLE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "intent": {"const": "kettle"},
        "action": {"enum": ["boil", "keep"]},
        "drink": {"enum": ["green_tea", "coffee", "cocoa"]},
        "temperature": {"type": "integer", "minimum": 40, "maximum": 100},
        "area": {"$ref": "urn:edged:home#/areas"},
    },
    "required": ["intent", "action"],
    "additionalProperties": False,
    "x-edged": {
        "spoken": {"drink": {"green_tea": {"en": ["green tea", "sencha"], "ko": ["녹차"]}}},
        "examples": {
            "en": [
                {"text": "boil some water", "slots": {"action": "boil"}},
                {"text": "boil water for {drink} in the {area}", "slots": {"action": "boil"}},
                {"text": "I would like a coffee", "slots": {"action": "boil", "drink": "coffee"}},
                {"text": "keep the water at {temperature}°", "slots": {"action": "keep"}},
            ],
            "ko": [
                {"text": "{area} 물 끓여 줘", "slots": {"action": "boil"}},
                {"text": "물을 {temperature} 도로 유지해 줘", "slots": {"action": "keep"}},
                {"text": "{drink} 물 끓여 줘", "slots": {"action": "boil"}},
            ],
        },
        "refused": {"en": ["do not boil some water", "boil the water down"]},
    },
}


def with_intent(catalog: Catalog, parsed: dict[str, Any]) -> Catalog:
    intent, faults = load_intent(json.dumps(parsed), "kettle.json", catalog.home)
    assert isinstance(intent, IntentFile), faults
    return replace(catalog, intents={intent.name: intent})


@pytest.fixture(scope="module")
def kettle(catalog: Catalog) -> Catalog:
    return with_intent(catalog, KETTLE)


def read(catalog: Catalog, text: str, lang: str = "en") -> list[list[dict[str, object]]]:
    return [[dict(match.slots) for match in way] for way in match_examples(catalog, text, lang)]


@pytest.mark.parametrize(
    ("lang", "text", "slots"),
    [
        ("en", "boil some water", {"action": "boil"}),
        ("en", "Boil some water, please!", {"action": "boil"}),
        ("en", "boil water for sencha in the kitchen", {"action": "boil", "drink": "green_tea", "area": "kitchen"}),
        ("en", "boil water for cocoa in the sitting room", {"action": "boil", "drink": "cocoa", "area": "living_room"}),
        ("en", "keep the water at eighty degrees", {"action": "keep", "temperature": 80}),
        ("en", "keep the water at 80°", {"action": "keep", "temperature": 80}),
        ("ko", "부엌 물 끓여 줘", {"action": "boil", "area": "kitchen"}),
        ("ko", "부엌물끓여줘", {"action": "boil", "area": "kitchen"}),
        ("ko", "녹차 물 끓여 줘", {"action": "boil", "drink": "green_tea"}),
        ("ko", "물을 팔십도로 유지해 줘", {"action": "keep", "temperature": 80}),
        ("ko", "물을 80도로 유지해줘", {"action": "keep", "temperature": 80}),
    ],
)
def test_an_example_is_read_with_the_values_that_were_said(
    kettle: Catalog, lang: str, text: str, slots: dict[str, object]
) -> None:
    assert read(kettle, text, lang) == [[slots]]


@pytest.mark.parametrize("drink", ["coffee", "cocoa", "green tea"])
def test_a_value_that_an_example_spells_out_may_be_another(kettle: Catalog, drink: str) -> None:
    assert read(kettle, f"I would like a {drink}") == [[{"action": "boil", "drink": drink.replace(" ", "_")}]]


@pytest.mark.parametrize(
    "text",
    [
        "boil some",
        "boil some water today",
        "some water boil",
        "boil water for whisky in the kitchen",
        "keep the water at 39 degrees",
        "keep the water at eighty point five degrees",
        "boil water for in the kitchen",
        "",
    ],
)
def test_what_is_no_example_to_the_last_word_is_not_read(kettle: Catalog, text: str) -> None:
    assert read(kettle, text) == []


def test_commands_are_joined_and_no_more_than_three(kettle: Catalog) -> None:
    boil = "boil some water"
    two = [{"action": "boil"}, {"action": "keep", "temperature": 80}]
    assert read(kettle, f"{boil} and then keep the water at eighty degrees") == [two]
    assert read(kettle, f"{boil} and {boil} and {boil}") == [[{"action": "boil"}] * 3]
    assert read(kettle, f"{boil} and {boil} and {boil} and {boil}") == []


def test_a_refused_sentence_is_told_apart(kettle: Catalog) -> None:
    ((match,),) = match_examples(kettle, "do not boil some water", "en")
    assert match.refused
    assert not any(match.refused for (match,) in match_examples(kettle, "boil some water", "en"))


def test_every_shipped_example_reads_as_itself(catalog: Catalog) -> None:
    for intent in catalog.intents.values():
        for lang, examples in intent.examples.items():
            for example in examples:
                if "{" not in example.text:
                    ways = match_examples(catalog, example.text, lang)
                    slots = sorted(example.slots.items())
                    assert any(sorted(way[0].slots) == slots and way[0].intent == intent.name for way in ways), example


@pytest.mark.parametrize(
    ("lang", "text", "begins"),
    [
        ("en", "", True),
        ("en", "please boil", True),
        ("en", "boil water for green", True),
        ("en", "boil water for green tea in the living", True),
        ("en", "boil some water and keep the", True),
        ("en", "do not boil", True),
        ("ko", "거실 물", True),
        ("ko", "물을 구십", True),
        ("en", "boil an egg", False),
        ("en", "boil some water tomorrow", False),
        ("en", "boil water for something that nobody", False),
        ("ko", "오늘 날씨가 어떨까", False),
        ("en", "boil some water and boil some water and boil some water and boil", False),
    ],
)
def test_what_was_said_so_far_begins_an_example_or_none(kettle: Catalog, lang: str, text: str, begins: bool) -> None:
    assert begins_example(kettle, text, lang) is begins


def test_hostile_examples_cost_a_bounded_number_of_steps(catalog: Catalog) -> None:
    parsed = json.loads(json.dumps(KETTLE))
    slots = ["drink"] * 12
    parsed["x-edged"]["examples"] = {
        "en": [
            {"text": " ".join(f"{{{slot}}}" for slot in slots[:length]), "slots": {"action": "boil"}}
            for length in range(1, 12)
        ]
    }
    for name in ("green_tea", "coffee", "cocoa"):
        parsed["x-edged"]["spoken"]["drink"][name] = {"en": ["x", "x x", "x x x"]}
    loaded, _ = load_intent(json.dumps(parsed), "kettle.json", catalog.home)
    if loaded is not None:  # the loader may well refuse what clashes
        match_examples(replace(catalog, intents={"kettle": loaded}), " ".join("x" * 60), "en")


LIST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "intent": {"const": "list"},
        "item": {"type": "string", "minLength": 2, "maxLength": 40},
        "urgent": {"type": "boolean"},
    },
    "required": ["intent", "item"],
    "additionalProperties": False,
    "x-edged": {
        "examples": {
            "en": [
                {"text": "add {item} to the list", "slots": {}},
                {"text": "we need {item} at once", "slots": {"urgent": True}},
                {"text": "put bread on the list", "slots": {"item": "bread"}},
            ],
            "ko": [{"text": "{item}를 목록에 넣어 줘", "slots": {}}],
            "de": [{"text": "setze {item} auf die Liste", "slots": {}}],
        },
    },
}


@pytest.mark.parametrize(
    ("lang", "text", "slots"),
    [
        ("en", "add milk to the list", {"item": "milk"}),
        ("en", "please add two bottles of milk to the list", {"item": "two bottles of milk"}),
        ("en", "we need some eggs at once", {"item": "some eggs", "urgent": True}),
        ("en", "put oat milk on the list", {"item": "oat milk"}),
        ("ko", "고양이 사료를 목록에 넣어 줘", {"item": "고양이 사료"}),
        ("de", "Setze Äpfel auf die Liste", {"item": "äpfel"}),
    ],
)
def test_a_slot_of_any_text_takes_what_was_said(
    catalog: Catalog, lang: str, text: str, slots: dict[str, object]
) -> None:
    assert read(with_intent(catalog, LIST), text, lang) == [[slots]]


@pytest.mark.parametrize("text", ["add to the list", "add x to the list", f"add {'very ' * 12} much to the list"])
def test_a_text_that_the_schema_does_not_take_is_no_value(catalog: Catalog, text: str) -> None:
    assert read(with_intent(catalog, LIST), text) == []
