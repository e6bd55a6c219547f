"""The short form of answers: what is written, what is taken, and what is read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from edged.errors import CoreError
from edged.intents.accept import takes, text_matcher
from edged.intents.catalog import Catalog
from edged.intents.grounding import Grounding, ground
from edged.intents.short import MAX_LISTED, compile_short, read_short, write_short
from tests.unit.intents.test_compile import FAN, one_intent

TWO_ROOMS = "dim the kitchen light to thirty and the hall light to forty"
CASES: list[tuple[str, list[dict[str, Any]], str]] = [
    ("what a lovely day", [], " none"),
    ("lights on", [{"intent": "light", "action": "on"}], " light on\n"),
    ("kitchen light on", [{"intent": "light", "action": "on", "area": "kitchen"}], " light on area\n"),
    ("kitchen light on", [{"intent": "light", "action": "on"}], " light on\n"),
    (
        TWO_ROOMS,
        [
            {"intent": "light", "action": "set", "area": "kitchen", "brightness": 30},
            {"intent": "light", "action": "set", "area": "hall", "brightness": 40},
        ],
        " light set area first brightness first, light set area second brightness second\n",
    ),
    (
        "hall to 20 degrees and lights off",
        [
            {"intent": "thermostat", "action": "set", "area": "hall", "temperature": 20},
            {"intent": "light", "action": "off"},
        ],
        " thermostat set area temperature, light off\n",
    ),
]


def is_taken(catalog: Catalog, said: Grounding, answer: str, needed: frozenset[str] = frozenset()) -> bool:
    return takes(text_matcher(compile_short(catalog, said, needed)), answer.encode())


@pytest.mark.parametrize(("text", "meant", "answer"), CASES)
def test_an_answer_is_written_taken_and_read_back(
    catalog: Catalog, text: str, meant: Sequence[Mapping[str, Any]], answer: str
) -> None:
    said = ground(catalog, text, "en")
    assert write_short(meant, catalog, said) == answer
    assert is_taken(catalog, said, answer)
    assert [part.fields for part in read_short(answer.encode(), catalog, said)] == meant


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " ",
        " none\n",
        " light",
        " light on",
        " light on area",
        " light area\n",
        " light on area kitchen\n",
        " light on area third\n",
        " light on brightness first area first\n",
        " light on device\n",
        " light explode\n",
        " light on,light off\n",
        " light on, none\n",
        " light on, light on, light on, light on\n",
        " coffee on\n",
    ],
)
def test_nothing_else_is_taken(catalog: Catalog, answer: str) -> None:
    assert not is_taken(catalog, ground(catalog, TWO_ROOMS, "en"), answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "none",
        " light",
        " light on",
        " coffee on\n",
        " light on area third\n",
        " light on area\n more",
        ' "',
        " light\n",
    ],
)
def test_what_is_no_answer_is_an_error_to_the_reader(catalog: Catalog, answer: str) -> None:
    with pytest.raises(CoreError, match="the grammar let through"):
        read_short(answer.encode(), catalog, ground(catalog, "kitchen and hall light on", "en"))


def test_the_places_of_what_was_said_are_known(catalog: Catalog) -> None:
    said = ground(catalog, TWO_ROOMS, "en")
    answer = b" light set area first brightness second, light off\n"
    first, other = read_short(answer, catalog, said)
    assert [answer[part.span.start : part.span.stop] for part in (first, other)] == [
        b" light set area first brightness second,",
        b" light off\n",
    ]
    assert [answer[place.start : place.stop] for place in first.said] == [b" area first ", b" second,"]
    assert other.said == ()


def test_three_intents_and_no_more_are_taken(catalog: Catalog) -> None:
    said = ground(catalog, "lights", "en")
    for count, taken in ((1, True), (3, True), (4, False)):
        assert is_taken(catalog, said, ",".join([" light on"] * count) + "\n") == taken


def test_a_needed_slot_must_be_there(catalog: Catalog) -> None:
    said = ground(catalog, "kitchen light on", "en")
    assert is_taken(catalog, said, " light on area\n", frozenset({"area"}))
    assert not is_taken(catalog, said, " light on\n", frozenset({"area"}))
    assert is_taken(catalog, said, " none", frozenset({"area"}))


def test_without_an_intent_only_nothing_is_said(catalog: Catalog) -> None:
    empty = replace(catalog, intents={})
    assert is_taken(empty, {}, " none")
    assert text_matcher(compile_short(empty, {})).forced() == b" none"


def test_an_intent_whose_required_slot_was_not_said_is_left_out(catalog: Catalog) -> None:
    gate = replace(catalog, intents={"gate": catalog.intents["gate"]})
    assert text_matcher(compile_short(gate, {"gate": {"device": ()}})).forced() == b" none"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("on", "on"),
        ("none", '"none"'),
        ("first", '"first"'),
        ("true", '"true"'),
        ("two words", '"two words"'),
        ("불", '"불"'),
        (True, "true"),
        (None, "null"),
        (2, "2"),
        (0.5, "0.5"),
        ({"a": "on"}, '{"a":"on"}'),
        (["on"], '["on"]'),
    ],
)
def test_what_is_no_plain_word_is_written_as_json(value: Any, written: str) -> None:
    schema = {**FAN, "properties": {"intent": {"const": "fan"}, "action": {"enum": ["x", value]}}}
    plain = {key: schema[key] for key in ("type", "properties", "required", "additionalProperties")}
    catalog = one_intent(plain)
    fields = {"intent": "fan", "action": value}
    answer = write_short([fields], catalog, {"fan": {}})
    assert answer == f" fan {written}\n"
    assert is_taken(catalog, {"fan": {}}, answer)
    assert [part.fields for part in read_short(answer.encode(), catalog, {"fan": {}})] == [fields]


@pytest.mark.parametrize(("count", "written"), [(MAX_LISTED, " fan w1\n"), (MAX_LISTED + 1, ' fan "w1"\n')])
def test_of_too_many_values_the_texts_are_json(count: int, written: str) -> None:
    words = {"enum": [f"w{number}" for number in range(count)]}
    plain = {"type": "object", "required": ["intent", "action"], "additionalProperties": False}
    catalog = one_intent({**plain, "properties": {"intent": {"const": "fan"}, "action": words}})
    assert write_short([{"intent": "fan", "action": "w1"}], catalog, {"fan": {}}) == written
    assert is_taken(catalog, {"fan": {}}, written)


def test_a_condition_that_leaves_few_of_many_values_changes_no_spelling() -> None:
    words = {"enum": [f"w{number}" for number in range(MAX_LISTED + 1)]}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"intent": {"const": "fan"}, "action": words, "speed": {"enum": [1, 2]}},
        "required": ["intent", "action"],
        "additionalProperties": False,
        "if": {"properties": {"action": {"enum": ["w0", "w1"]}}},
        "then": {"required": ["speed"]},
    }
    catalog = one_intent(schema)
    meanings: list[dict[str, Any]] = [{"intent": "fan", "action": "w1", "speed": 2}, {"intent": "fan", "action": "w7"}]
    for fields in meanings:
        assert is_taken(catalog, {"fan": {}}, write_short([fields], catalog, {"fan": {}}))
    assert not is_taken(catalog, {"fan": {}}, ' fan "w1"\n')


@pytest.mark.parametrize(
    ("said", "answer", "taken"),
    [
        ({}, " fan on\n", True),
        ({}, " fan set\n", False),
        ({}, " fan set speed 3\n", True),
        ({}, " fan on speed 3\n", False),
        ({"speed": (3,)}, " fan set speed\n", True),
        ({"speed": (9, 3)}, " fan set speed second\n", True),
        ({"speed": (9, 3)}, " fan set speed first\n", False),
        ({"speed": ()}, " fan on\n", True),
        ({"speed": ()}, " fan set speed\n", False),
        ({}, " fan on flag true\n", False),
        ({}, " fan on area hall flag true\n", True),
    ],
)
def test_conditions_between_slots_hold(said: Mapping[str, Any], answer: str, taken: bool) -> None:
    assert is_taken(one_intent(FAN), {"fan": said}, answer) == taken


def test_one_and_true_are_two_values() -> None:
    catalog = one_intent(FAN)
    said: Grounding = {"fan": {"flag": (True, 1)}}
    for flag, word in ((True, "first"), (1, "second")):
        fields: dict[str, Any] = {"intent": "fan", "action": "on", "area": "hall", "flag": flag}
        answer = write_short([fields], catalog, said)
        assert answer == f" fan on area hall flag {word}\n"
        (read,) = read_short(answer.encode(), catalog, said)
        assert read.fields["flag"] is flag
