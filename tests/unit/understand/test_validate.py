import math
from dataclasses import replace

import pytest

from edged.errors import CoreError
from edged.intents.catalog import Catalog
from edged.intents.short import Written
from edged.types import Intent, SlotValue
from edged.understand.answers import FORMS
from edged.understand.decode import Choice
from edged.understand.validate import validate

ON = b'{"intent":"light","action":"on"}'
SET = b'{"intent":"light","action":"set","color":"red"}'


def judge(text: bytes, catalog: Catalog, *choices: Choice) -> tuple[Intent, ...]:
    """What becomes of an answer in full."""
    return validate(FORMS["json"].read(text, catalog, {}), choices, catalog, "u")


def choice(start: int, probability: float, margin: float, share: float = 1.0) -> Choice:
    return Choice(start, probability, share, margin)


def test_an_empty_answer_has_no_intents(catalog: Catalog) -> None:
    assert judge(b"[]", catalog, choice(0, 0.9, 1.0)) == ()


def test_each_intent_has_the_confidence_of_its_own_choices(catalog: Catalog) -> None:
    text = b"[" + ON + b"," + SET + b"]"
    second = 2 + len(ON)
    choices = [(0, 0.9, 3.0), (2, 0.8, math.inf), (second - 1, 0.7, 2.0), (second, 0.6, 5.0), (second + 9, 0.5, 1.0)]
    first, other = judge(text, catalog, *(choice(*one) for one in choices))
    assert (first.name, first.slots, first.confidence, first.margin) == ("light", {"action": "on"}, 0.7, 2.0)
    assert (other.slots["color"], other.confidence, other.margin) == ("red", 0.5, 1.0)


def test_what_the_utterance_decided_counts_by_its_share_of_what_was_legal(catalog: Catalog) -> None:
    text = b'[{"intent":"light","action":"set","area":"kitchen","brightness":30,"color":"red"}]'
    key, value, number, color = (text.index(part) for part in (b'area"', b"kitchen", b"30", b'color"'))

    def confidence(start: int) -> float:
        (intent,) = judge(text, catalog, choice(start, 0.001, 1.0, share=0.8))
        return intent.confidence

    assert [confidence(start) for start in (key, value, number)] == [0.8, 0.8, 0.8]
    assert [confidence(start) for start in (0, key - 2, color)] == [0.001, 0.001, 0.001]


def test_an_intent_without_a_choice_is_certain(catalog: Catalog) -> None:
    (intent,) = judge(b"[" + ON + b"]", catalog)
    assert (intent.confidence, intent.margin) == (1.0, math.inf)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[1]",
        b'[{"intent":{"a":1}}]',
        b'[{"intent":"coffee"}]',
        b'[{"intent":"light"}]',
        b'[{"intent":"light","action":"on","brightness":101}]',
        b'[{"intent":"light","action":"on","brightness":"30"}]',
        b'[{"intent":"light","action":"on","volume":1}]',
        b"[" + b",".join([ON] * 4) + b"]",
    ],
)
def test_what_the_grammar_should_have_stopped_is_stopped_here(catalog: Catalog, text: bytes) -> None:
    with pytest.raises(CoreError, match="the grammar let through"):
        judge(text, catalog)


def test_a_slot_may_hold_a_list(catalog: Catalog) -> None:
    colors = {"type": "array", "items": {"enum": ["red", "blue"]}, "uniqueItems": True, "minItems": 1}
    light = catalog.intents["light"]
    schema = {**light.schema, "properties": {**light.schema["properties"], "colors": colors}}
    house = replace(catalog, intents={"light": replace(light, schema=schema, slots=(*light.slots, "colors"))})
    text = b'[{"intent":"light","action":"on","colors":["red","blue"]}]'
    (intent,) = judge(text, house)
    assert intent.slots["colors"] == ["red", "blue"]


def test_a_step_of_a_tenth_is_counted_exactly(catalog: Catalog) -> None:
    light = catalog.intents["light"]
    level = {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.1}
    schema = {**light.schema, "properties": {**light.schema["properties"], "level": level}}
    house = replace(catalog, intents={"light": replace(light, schema=schema, slots=(*light.slots, "level"))})
    (intent,) = judge(b'[{"intent":"light","action":"on","level":0.3}]', house)
    assert intent.slots["level"] == 0.3


def test_each_intent_of_a_short_answer_has_the_confidence_of_its_own_choices(catalog: Catalog) -> None:
    said = {"light": {"area": ("kitchen", "hall")}}
    text = b" light on area second, light off\n"
    written = FORMS["short"].read(text, catalog, {**{name: {} for name in catalog.intents}, **said})
    starts = (text.index(part) for part in (b" on", b" area", b" second", b",", b" off", b"\n"))
    chances = ((0.9, 0.9), (0.01, 0.8), (0.01, 0.7), (0.95, 1.0), (0.5, 0.6), (0.4, 0.9))
    choices = [Choice(start, chance, share, 1.0) for start, (chance, share) in zip(starts, chances, strict=True)]
    first, other = validate(written, choices, catalog, "u")
    assert (first.slots, first.confidence) == ({"action": "on", "area": "hall"}, 0.7)
    assert (other.slots, other.confidence) == ({"action": "off"}, 0.4)


@pytest.mark.parametrize("area", ["attic", None, 1])
def test_what_a_reader_makes_up_is_stopped_here(catalog: Catalog, area: SlotValue) -> None:
    made_up = Written({"intent": "light", "action": "on", "area": area}, range(5), ())
    with pytest.raises(CoreError, match="the grammar let through"):
        validate([made_up], [], catalog, "u")
