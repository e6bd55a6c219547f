"""What the automaton accepts is what jsonschema accepts, on every JSON text in reach of the schema."""

import itertools
import json
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core import Matcher, Program, Vocab
from edged.errors import CoreError
from edged.intents.catalog import Catalog
from edged.intents.compile import compile_catalog
from edged.intents.lower import LoweringError, allows, json_text, lower_schema
from edged.intents.spoken import ground

BYTES = Vocab([bytes((byte,)) for byte in range(256)])


def accepts(program: Program, text: str) -> bool:
    matcher = Matcher(BYTES, program)
    try:
        matcher.advance_bytes(text.encode())
    except CoreError:
        return False
    return matcher.is_accepting


VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 5, 7, 20, 35, 36, 100, 101, 900, 5.5, 20.5, 20.3, 35.5, 0.1, 4.5, -0.5,
    "", "a", "ab", "abc", "abcd", "ä", "불", "𝄞x", 'say "x"', "back\\slash", "on", "off", [], [1], [1, 5], [1, 5, 7, 0], ["on"],
    {}, {"a": 1}, {"b": "on"}, {"a": 1, "b": "on"}, {"a": 1, "c": None}, {"a": 7, "b": "off", "c": None}, {"d": 1}, {"c": None},
]  # fmt: skip

SCHEMAS: list[dict[str, Any]] = [
    {"type": "integer", "minimum": 0, "maximum": 100},
    {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 100, "multipleOf": 5},
    {"type": "number", "minimum": 5, "maximum": 35, "multipleOf": 0.5},
    {"type": "number", "minimum": -1, "maximum": 1, "multipleOf": 0.1},
    {"type": "integer", "minimum": 0, "maximum": 40, "multipleOf": 2.5},
    {"enum": ["on", "off", 5, 5.5, None, True]},
    {"const": "on"},
    {"type": "string", "maxLength": 3},
    {"type": "string", "minLength": 2, "maxLength": 10},
    {"type": "boolean"},
    {"type": "null"},
    {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"enum": ["on"]}, {"type": "null"}]},
    {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "minItems": 1, "maxItems": 3},
    {"type": "array", "items": {"enum": ["on"]}, "maxItems": 0},
    {"type": "array", "items": {"enum": ["on"]}, "maxItems": 2},
    {
        "type": "object",
        "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9}, "b": {"enum": ["on", "off"]}, "c": {"type": "null"}},
        "required": ["a"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "properties": {"a": {"enum": [1]}, "b": {"enum": ["on"]}, "c": {"type": "null"}},
        "additionalProperties": False,
    },
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_the_automaton_accepts_what_jsonschema_accepts(schema: dict[str, Any]) -> None:
    program = Program(lower_schema(schema))
    validator = jsonschema.Draft202012Validator(schema)
    for value in VALUES:
        # jsonschema works in binary fractions, where 0.1 is no multiple of 0.1 from -1 on; Decimal is the judge there.
        valid = validator.is_valid(value)
        if isinstance(value, float) and schema.get("type") == "number":
            valid = allows(schema, Decimal(str(value)))
        assert accepts(program, json_text(value)) == valid, value


@given(st.integers(-3000, 3000), st.integers(0, 3000), st.lists(st.integers(-4000, 4000), max_size=20))
def test_an_integer_is_accepted_from_first_to_last(first: int, width: int, numbers: list[int]) -> None:
    program = Program(lower_schema({"type": "integer", "minimum": first, "maximum": first + width}))
    for number in (*numbers, first - 1, first, first + width, first + width + 1, 0):
        assert accepts(program, str(number)) == (first <= number <= first + width), number


@pytest.mark.parametrize("text", ["05", "5.0", "1e1", " 5", "5 ", "+5", "", "0x5", "5\n", "٥"])
def test_there_is_one_way_to_write_a_number(text: str) -> None:
    assert not accepts(Program(lower_schema({"type": "integer", "minimum": 0, "maximum": 100})), text)


@pytest.mark.parametrize("raw", [b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf5\x80\x80\x80"', b'"\n"', b'"\\n"'])
def test_strings_are_utf8_without_control_characters(raw: bytes) -> None:
    matcher = Matcher(BYTES, Program(lower_schema({"type": "string", "maxLength": 9})))
    with pytest.raises(CoreError):
        matcher.advance_bytes(raw + b'"')


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "widget"},
        {"type": ["string", "null"]},
        {"type": "string"},
        {"type": "string", "pattern": "a+", "maxLength": 3},
        {"type": "string", "format": "date", "maxLength": 3},
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "integer", "minimum": 0},
        {"type": "integer", "minimum": 0, "maximum": 10, "multipleOf": 0},
        {"type": "integer", "minimum": 0, "maximum": 10**16},
        {"type": "integer", "minimum": 0, "maximum": 10**9, "multipleOf": 7},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {}, "additionalProperties": False, "minProperties": 1},
        {"type": "array", "items": {"type": "null"}, "uniqueItems": True},
        {"type": "array", "items": {"type": "null"}, "minItems": 3, "maxItems": 2},
        {"type": "array"},
        {"oneOf": [{"type": "null"}]},
        {"enum": [["a"]]},
        {"enum": ["a"], "minimum": 3},
        {"not": {"type": "null"}},
    ],
    ids=json.dumps,
)
def test_what_does_not_compile_is_refused_and_never_ignored(schema: dict[str, Any]) -> None:
    with pytest.raises(LoweringError) as caught:
        lower_schema(schema)
    assert caught.value.remedy


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
