"""A catalog's program: what an utterance can mean, with the slots restricted to what it says."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest

from edged.core import Matcher, Program, Vocab
from edged.errors import CoreError
from edged.intents.catalog import Catalog, IntentFile
from edged.intents.compile import compile_catalog
from edged.intents.grounding import ground
from edged.intents.home import Home
from edged.types import SlotValue

BYTES = Vocab([bytes((byte,)) for byte in range(256)])


def accepts(program: Program, text: str) -> bool:
    matcher = Matcher(BYTES, program)
    try:
        matcher.advance_bytes(text.encode())
    except CoreError:
        return False
    return matcher.is_accepting


def test_a_catalog_accepts_zero_to_three_valid_intents(catalog: Catalog) -> None:
    program = compile_catalog(catalog)
    one = '{"intent":"light","action":"on","area":"kitchen","brightness":30}'
    other = '{"intent":"thermostat","action":"set","temperature":20.5}'
    for count in range(4):
        for chosen in itertools.product((one, other), repeat=count):
            assert accepts(program, f"[{','.join(chosen)}]")
    assert not accepts(program, f"[{','.join((one,) * 4)}]")
    assert not accepts(program, one)
    assert not accepts(program, "")


@pytest.mark.parametrize(
    "wrong",
    [
        '{"intent":"light"}',
        '{"intent":"light","action":"explode"}',
        '{"intent":"light","action":"on","area":"attic"}',
        '{"intent":"light","action":"on","brightness":101}',
        '{"intent":"light","action":"on","brightness":30.5}',
        '{"intent":"light","area":"kitchen","action":"on"}',
        '{"intent":"light","action":"on","action":"off"}',
        '{"intent":"thermostat","action":"set","temperature":900}',
        '{"intent":"thermostat","action":"set","temperature":20.3}',
        '{"intent":"coffee","action":"on"}',
    ],
)
def test_a_catalog_accepts_nothing_else(catalog: Catalog, wrong: str) -> None:
    assert not accepts(compile_catalog(catalog), f"[{wrong}]")


def test_a_grounded_catalog_accepts_only_what_was_said(catalog: Catalog) -> None:
    program = compile_catalog(catalog, ground(catalog, "dim the kitchen lights to thirty percent", "en"))
    assert accepts(program, '[{"intent":"light","action":"dim","area":"kitchen","brightness":30}]')
    assert accepts(program, '[{"intent":"light","action":"dim"}]')
    assert not accepts(program, '[{"intent":"light","action":"dim","area":"bedroom"}]')
    assert not accepts(program, '[{"intent":"light","action":"dim","brightness":20}]')
    assert not accepts(program, '[{"intent":"light","action":"dim","color":"red"}]')


FAN = {
    "type": "object",
    "properties": {
        "intent": {"const": "fan"},
        "action": {"enum": ["on", "off", "set"]},
        "speed": {"type": "integer", "minimum": 1, "maximum": 5},
        "area": {"enum": ["kitchen", "hall"]},
        "flag": {"enum": [1, True]},
    },
    "required": ["intent", "action"],
    "additionalProperties": False,
    "if": {"properties": {"action": {"const": "set"}}},
    "then": {"required": ["speed"]},
    "else": {"not": {"required": ["speed"]}},
    "dependentRequired": {"flag": ["area"]},
}


def one_intent(schema: Mapping[str, Any]) -> Catalog:
    name = schema["properties"]["intent"]["const"]
    intent = IntentFile(
        name=name, schema=schema, slots=tuple(schema["properties"])[1:], homes={}, examples={}, refused={}, spoken={},
        said=frozenset(), expires_s=1, asks=False, command=None,
    )  # fmt: skip
    return Catalog({name: intent}, Home({}, {}), ())


@pytest.mark.parametrize(
    ("said", "slots", "accepted"),
    [
        ({}, {"action": "on"}, True),
        ({}, {"action": "on", "speed": 3}, False),
        ({}, {"action": "set"}, False),
        ({}, {"action": "set", "speed": 3}, True),
        ({}, {"action": "on", "flag": True}, False),
        ({}, {"action": "on", "area": "hall", "flag": True}, True),
        ({"speed": (3,)}, {"action": "set", "speed": 3}, True),
        ({"speed": (3,)}, {"action": "set", "speed": 4}, False),
        ({"speed": (3,)}, {"action": "off"}, True),
        ({"speed": ()}, {"action": "set", "speed": 3}, False),
        ({"speed": ()}, {"action": "on"}, True),
        ({"area": (), "flag": (True,)}, {"action": "on", "flag": True}, False),
        ({"flag": (1,)}, {"action": "on", "area": "hall", "flag": True}, False),
        ({"flag": (True,)}, {"action": "on", "area": "hall", "flag": True}, True),
    ],
)
def test_conditions_between_slots_hold_with_what_was_said(
    said: Mapping[str, tuple[SlotValue, ...]], slots: Mapping[str, SlotValue], accepted: bool
) -> None:
    text = json.dumps([{"intent": "fan", **slots}], separators=(",", ":"))
    catalog = one_intent(FAN)
    assert accepts(compile_catalog(catalog, {"fan": said}), text) == accepted


def test_a_needed_slot_is_required_besides_the_conditions() -> None:
    program = compile_catalog(one_intent(FAN), needed={"area"})
    assert accepts(program, '[{"intent":"fan","action":"on","area":"hall"}]')
    assert not accepts(program, '[{"intent":"fan","action":"on"}]')
    assert accepts(compile_catalog(one_intent(FAN), needed={"no_slot"}), "[]")


def test_no_intent_is_left_where_its_required_slot_was_not_said() -> None:
    schema = {**FAN, "required": ["intent", "action", "area"]}
    program = compile_catalog(one_intent(schema), {"fan": {"area": ()}})
    assert accepts(program, "[]")
    assert not accepts(program, '[{"intent":"fan","action":"on"}]')
