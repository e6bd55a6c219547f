"""What the automaton accepts is what jsonschema accepts, on every JSON text in reach of the schema."""

import json
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core import Matcher, Program, Vocab
from edged.errors import CoreError
from edged.intents.lower import LoweringError, allows, find_refusals, json_text, lower_schema

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


decimals = st.decimals(-200, 200, places=3) | st.decimals(-2, 2, places=1) | st.integers(-200, 200).map(Decimal)


@given(decimals, decimals, st.lists(decimals, max_size=20))
def test_a_number_is_accepted_between_its_bounds(one: Decimal, other: Decimal, numbers: list[Decimal]) -> None:
    least, greatest = min(one, other), max(one, other) + 1
    both = Program(lower_schema({"type": "number", "minimum": least, "exclusiveMaximum": greatest}))
    above = Program(lower_schema({"type": "number", "exclusiveMinimum": least}))
    near = [
        bound + Decimal(shift) for bound in (least, greatest) for shift in ("0", "0.001", "-0.001", "0.1", "-0.0001")
    ]
    for number in (*numbers, *near):
        assert accepts(both, json_text(number)) == (least <= number < greatest), number
        assert accepts(above, json_text(number)) == (number > least), number


@pytest.mark.parametrize("text", ["05", "5.0", "1e1", " 5", "5 ", "+5", "", "0x5", "5\n", "٥"])
def test_there_is_one_way_to_write_a_number(text: str) -> None:
    assert not accepts(Program(lower_schema({"type": "integer", "minimum": 0, "maximum": 100})), text)


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\n",
        b"\\u000a",
        b"\\u001F",
        b"\\/",
        b"\\u0041",
        b'"',
    ],
)
def test_there_is_one_way_to_write_a_character(raw: bytes) -> None:
    for schema in ({"type": "string", "maxLength": 9}, {"type": "string", "pattern": "", "maxLength": 9}):
        matcher = Matcher(BYTES, Program(lower_schema(schema)))
        with pytest.raises(CoreError):
            matcher.advance_bytes(b'"' + raw + b'" ')


EDGES = (
    0x00,
    0x1F,
    0x20,
    0x21,
    0x22,
    0x23,
    0x5B,
    0x5C,
    0x5D,
    0x7E,
    0x7F,
    0x80,
    0x7FF,
    0x800,
    0xD7FF,
    0xE000,
    0xFFFF,
    0x10000,
    0x10FFFF,
)


@pytest.mark.parametrize("code", [*range(0x24), *EDGES], ids=hex)
def test_every_character_is_written_as_json_writes_it(code: int) -> None:
    for schema in ({"type": "string", "maxLength": 1}, {"type": "string", "pattern": r"^[\0-\u{10ffff}]$"}):
        assert accepts(Program(lower_schema(schema)), json.dumps(chr(code), ensure_ascii=False))
    without = Program(lower_schema({"type": "string", "pattern": f"^[^\\u{{{code:x}}}]$"}))
    for other in EDGES:
        assert accepts(without, json.dumps(chr(other), ensure_ascii=False)) == (other != code)


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({}, ()),
        (True, ()),
        ([], ()),
        ({"type": "widget"}, ()),
        ({"type": []}, ()),
        ({"type": "object", "properties": {}}, ()),
        ({"type": "object", "properties": [], "additionalProperties": False}, ()),
        ({"type": "object", "properties": {"a": 3}, "additionalProperties": False}, ("properties", "a")),
        ({"type": "object", "properties": {}, "additionalProperties": False, "minProperties": 1}, ("minProperties",)),
        ({"type": "object", "properties": {}, "additionalProperties": False, "required": ["a"]}, ("required",)),
        ({"type": "object", "additionalProperties": False, "required": "a"}, ()),
        ({"type": "array"}, ()),
        ({"type": "array", "items": {}}, ()),
        ({"type": "array", "items": {"type": "null"}, "minItems": 3, "maxItems": 2}, ()),
        ({"type": "array", "items": {"type": "null"}, "minItems": -1}, ()),
        ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, ()),
        ({"type": "array", "items": {"type": "null"}, "contains": {}}, ("contains",)),
        ({"type": "string", "pattern": "(?=a)"}, ("pattern",)),
        ({"type": "string", "pattern": r"(a)\1"}, ("pattern",)),
        ({"type": "string", "pattern": 3}, ()),
        ({"type": "string", "format": "ipv4"}, ("format",)),
        ({"type": "string", "maxLength": "3"}, ()),
        ({"type": "string", "maxLength": 2.5}, ()),
        ({"type": "string", "minimum": 3}, ("minimum",)),
        ({"enum": ["a"], "minimum": 3}, ("minimum",)),
        ({"enum": 3}, ()),
        ({"type": "integer", "minimum": 0, "maximum": 10, "multipleOf": 0}, ()),
        ({"type": "integer", "minimum": "0"}, ()),
        ({"type": "integer", "minimum": True}, ()),
        ({"type": "integer", "minimum": 3, "maximum": 2}, ()),
        ({"enum": ["a"], "pattern": "b"}, ()),
        ({"enum": ["a"], "type": "integer"}, ()),
        ({"type": "number", "minimum": float("inf")}, ()),
        ({"type": "number", "multipleOf": 0.12345}, ()),
        ({"anyOf": []}, ()),
        ({"anyOf": {"type": "null"}}, ()),
        ({"type": "null", "then": {}}, ("then",)),
        ({"$ref": "#"}, ("$ref",)[:0]),
        ({"$ref": "#/$defs/none"}, ()),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, ()),
        ({"$ref": 3}, ()),
        ({"type": "object", "additionalProperties": False, "dependentRequired": {"a": "b"}}, ()),
        ({"not": {"type": "null"}}, ()),
        ({"type": "string", "$dynamicRef": "#x"}, ("$dynamicRef",)),
    ],
    ids=str,
)
def test_what_does_not_compile_is_refused_and_never_ignored(schema: Any, pointer: tuple[str, ...]) -> None:
    with pytest.raises(LoweringError) as caught:
        lower_schema(schema)
    assert caught.value.pointer == pointer
    assert caught.value.remedy
    assert find_refusals(schema)


def test_all_refusals_are_found_at_once_each_with_its_pointer() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "Pattern": "x", "format": "colour"},
            "b": {"type": "array"},
            "c": {"type": "integer", "minimum": 3, "maximum": 2},
            "d": {"type": "object", "properties": {"e": {"type": "text"}}},
            "f": {"enum": [1]},
        },
        "additionalProperties": False,
        "maxProperties": 3,
    }
    found = {refusal.pointer: refusal for refusal in find_refusals(schema)}
    assert set(found) == {
        ("maxProperties",),
        ("properties", "a", "Pattern"),
        ("properties", "a", "format"),
        ("properties", "b"),
        ("properties", "c"),
        ("properties", "d"),
        ("properties", "d", "properties", "e"),
    }
    assert found["properties", "a", "Pattern"].remedy == 'did you mean "pattern"?'


def test_a_schema_that_compiles_has_no_refusals() -> None:
    assert [find_refusals(schema) for schema in SCHEMAS] == [()] * len(SCHEMAS)


@pytest.mark.parametrize("schema", [False, {"enum": []}, {"type": "null", "not": {"type": "null"}}], ids=str)
def test_what_allows_nothing_takes_nothing(schema: Any) -> None:
    assert Program(lower_schema(schema)).n_states == 0
