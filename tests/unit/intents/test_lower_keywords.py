"""Each keyword of the subset beside jsonschema, with every value in reach and every text that must be refused."""

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest

from edged.intents.accept import Acceptor, accepts
from edged.intents.lower import LoweringError, json_text, lower_schema

CLOSED = {
    "type": "object",
    "properties": {"a": {"enum": [1, 2]}, "b": {"enum": ["on", "off"]}, "c": {"type": "null"}},
    "additionalProperties": False,
}
PAIRS = {"type": "array", "items": {"enum": [1, 2]}, "maxItems": 3}

OBJECTS: list[Any] = [
    {key: value for key, value in zip("abc", chosen, strict=True) if value != "absent"}
    for chosen in itertools.product((1, 2, 3, "absent"), ("on", "off", 1, "absent"), (None, 0, "absent"))
]
ARRAYS: list[Any] = [list(items) for length in range(5) for items in itertools.product((1, 2, "x"), repeat=length)]
PLAIN: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 5, 7, 10, 12, 35, 10**20, Decimal("0.5"), Decimal("20.5"), Decimal("20.3"), Decimal("35.5"),
    Decimal("-0.5"), Decimal("1e3"), Decimal("0.0001"), "", "a", "ab", "abc", "on", "off", "ä", "불", "𝄞x", "a\n", "2024-02-29", "a b",
]  # fmt: skip
VALUES = PLAIN + OBJECTS + ARRAYS

SCHEMAS: list[Any] = [
    {"type": ["string", "null", "integer"]},
    {"type": ["integer", "number"]},
    {"type": "integer"},
    {"type": "number"},
    {"type": "number", "minimum": 5, "maximum": 35, "multipleOf": 0.5},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 35},
    {"type": "integer", "multipleOf": 5, "minimum": 3},
    {"type": "integer", "multipleOf": 2.5},
    {"type": "number", "multipleOf": 0.0001, "maximum": 35},
    {"type": "integer", "minimum": 0, "maximum": 10**9, "multipleOf": 7},
    {"type": "integer", "minimum": -(10**30), "maximum": 10**30},
    {"type": "string"},
    {"type": "string", "minLength": 2},
    {"type": "string", "minLength": 1, "maxLength": 2},
    {"type": "string", "pattern": "^[a-z]+$", "maxLength": 2},
    {"type": "string", "format": "date", "pattern": "^2024"},
    {"type": "string", "not": {"pattern": "a"}},
    {"type": ["string", "integer"], "not": {"enum": ["a", 1]}},
    {"type": "number", "not": {"type": "integer"}},
    {"type": "integer", "oneOf": [{"multipleOf": 2}, {"multipleOf": 5}]},
    {"oneOf": [{"type": "integer", "minimum": 1, "maximum": 5}, {"type": "number", "minimum": 3, "maximum": 7}]},
    {"anyOf": [{"const": "on"}, {"type": "integer", "maximum": 2}, {"enum": [None, "a"]}]},
    {"type": "integer", "allOf": [{"minimum": 1}, {"maximum": 5}, {"not": {"const": 3}}]},
    {"enum": ["a", [1, 2], {"b": "on", "a": 1}, {"a": 2}, [], {}, 20.5, None]},
    {"const": {"b": "on", "a": 1}},
    {"enum": [1, "a", 2], "type": "integer"},
    CLOSED,
    {**CLOSED, "required": ["b"]},
    {**CLOSED, "required": ["c", "a"]},
    {**CLOSED, "dependentRequired": {"a": ["b"], "b": ["c"]}},
    {**CLOSED, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    {**CLOSED, "oneOf": [{"required": ["a"], "properties": {"b": {"const": "on"}}}, {"required": ["b"]}, {"required": ["c"]}]},
    {**CLOSED, "anyOf": [{"required": ["a"]}, {"properties": {"b": {"const": "off"}}, "required": ["b"]}]},
    {**CLOSED, "if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
    {**CLOSED, "if": {"required": ["a"]}, "then": False},
    {**CLOSED, "if": {"required": ["a"]}, "else": {"properties": {"b": False}}},
    {**CLOSED, "not": {"required": ["a", "b"]}},
    {**CLOSED, "not": {"properties": {"a": {"const": 1}, "b": {"const": "on"}}}},
    {**CLOSED, "not": {"enum": [{}, {"a": 1}, {"a": 1, "b": "on"}]}},
    {"oneOf": [CLOSED, {**CLOSED, "required": ["a"]}]},
    PAIRS,
    {**PAIRS, "minItems": 2},
    {**PAIRS, "uniqueItems": True},
    {**PAIRS, "uniqueItems": True, "minItems": 1, "maxItems": 1},
    {**PAIRS, "not": {"minItems": 2}},
    {**PAIRS, "not": {"maxItems": 1}},
    {**PAIRS, "not": {"items": {"const": 1}}},
    {**PAIRS, "not": {"minItems": 1, "maxItems": 2, "items": {"const": 1}}},
    {**PAIRS, "not": {"enum": [[], [1], [1, 2], [2, 2, 2]]}},
    {**PAIRS, "oneOf": [{"minItems": 1}, {"maxItems": 2}]},
    {**PAIRS, "if": {"minItems": 2}, "then": {"uniqueItems": True}},
    {"type": "array", "items": {"enum": [1, "x"]}},
    {"type": "array", "items": {"enum": [1, "x"]}, "minItems": 3},
    {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": False},
    {"type": "array", "prefixItems": [{"const": 1}], "items": {"const": 2}, "minItems": 2, "uniqueItems": True},
    {"type": "array", "maxItems": 0},
    {"$defs": {"n": {"type": "integer", "minimum": 1}}, "$ref": "#/$defs/n", "maximum": 3},
    {"anyOf": [{"$ref": "#/$defs/a~1b~0c"}, {"$ref": "#/$defs/x"}], "$defs": {"a/b~c": {"const": "on"}, "x": {"const": 1}}},
    False,
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_a_keyword_means_what_jsonschema_means_by_it(schema: Any) -> None:
    acceptor = Acceptor(schema)
    wrong = [value for value in VALUES if acceptor.accepts(value) != acceptor.is_valid(value)]
    assert wrong == []


@pytest.mark.parametrize("schema", [schema for schema in SCHEMAS if schema is not False], ids=str)
def test_each_schema_of_this_test_takes_some_values_and_refuses_some(schema: Any) -> None:
    acceptor = Acceptor(schema)
    assert {acceptor.accepts(value) for value in VALUES} == {True, False}


@pytest.mark.parametrize("text", ["1.0", "-0", "01", "1e1", "1.50", "+1", ".5", "1.", "", "- 1", "0x1", "--1"])
def test_there_is_one_way_to_write_a_number_without_bounds(text: str) -> None:
    for schema in ({"type": "number"}, {"type": "number", "minimum": -100.5}, {"type": "number", "multipleOf": 0.25}):
        assert not Acceptor(schema).accepts_text(text.encode())


@pytest.mark.parametrize(
    ("format_", "right", "wrong"),
    [
        ("date", ["2024-02-29", "2000-02-29", "1999-12-31", "0001-01-01"], ["2023-02-29", "1900-02-29", "2024-13-01", "2024-04-31", "0000-01-01", "24-01-01", "2024-1-1", "２024-01-01"]),
        ("time", ["00:00:00Z", "23:59:59.123+01:00", "23:59:60Z", "01:29:60+01:30", "15:59:60-08:00", "12:00:00z"], ["24:00:00Z", "12:60:00Z", "12:00:60Z", "23:59:60+01:00", "12:00:00", "12:00Z", "12:00:00.Z", "12:00:00+24:00"]),
        ("date-time", ["2024-02-29T12:00:00Z", "1998-12-31t15:59:60.123-08:00"], ["2023-02-29T12:00:00Z", "2024-02-29 12:00:00Z", "2024-02-29", "1998-12-31T22:59:60Z"]),
        ("uuid", ["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380"], ["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4ga-73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638"]),
        ("email", ["joe.bloggs@example.com", '"joe bloggs"@example.com', "a+b@c", "x@[127.0.0.1]", "x@[IPv6:::1]"], ["joe", "@a", "a@", "a..b@c", ".a@c", "a@b_c", "a@-b", "a b@c", "x@[127.0.0.300]", "x@[IPv6:1::2::3]"]),
    ],
)  # fmt: skip
def test_a_format_is_checked(format_: str, right: list[str], wrong: list[str]) -> None:
    acceptor = Acceptor({"type": "string", "format": format_})
    assert [text for text in right if not (acceptor.accepts(text) and acceptor.is_valid(text))] == []
    assert [text for text in wrong if acceptor.accepts(text) or acceptor.is_valid(text)] == []


def test_keys_are_expected_in_the_order_of_the_schema_wherever_they_may_be_missing() -> None:
    schema = {**CLOSED, "required": ["b"]}
    acceptor = Acceptor(schema)
    assert acceptor.accepts_text(b'{"a":1,"b":"on","c":null}')
    assert acceptor.accepts_text(b'{"b":"on"}')
    assert not acceptor.accepts_text(b'{"b":"on","a":1}')
    assert not acceptor.accepts_text(b'{"b":"on",}')
    assert not acceptor.accepts_text(b'{"a":1,"a":1,"b":"on"}')
    assert acceptor.accepts({"c": None, "b": "on", "a": 1})


def test_keys_of_listed_objects_keep_the_order_in_which_they_are_named_first() -> None:
    acceptor = Acceptor({"enum": [{"b": 1, "a": 2}, {"a": 3, "b": 4}]})
    assert acceptor.accepts_text(b'{"b":1,"a":2}')
    assert acceptor.accepts_text(b'{"b":4,"a":3}')


def test_what_no_text_can_hold_is_not_taken() -> None:
    assert not accepts({"type": "string"}, "\ud800")
    assert not accepts({"type": "number"}, float("inf"))


def test_numbers_are_written_in_their_shortest_form() -> None:
    numbers = (20.0, Decimal("20.50"), Decimal("1E+2"), 1e-7, Decimal("-0.0"), 0.1, -3)
    assert [json_text(number) for number in numbers] == ["20", "20.5", "100", "0.0000001", "0", "0.1", "-3"]
    assert json_text({"b": [1.0, True, None, "é\n"]}) == json.dumps(
        {"b": [1, True, None, "é\n"]}, ensure_ascii=False, separators=(",", ":")
    )


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "null"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema, "maxItems": 1}
    return schema


def doubling(depth: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {"d0": {"type": "null"}}
    for level in range(1, depth):
        definitions[f"d{level}"] = {"anyOf": [{"$ref": f"#/$defs/d{level - 1}"}] * 4}
    return {"$defs": definitions, "$ref": f"#/$defs/d{depth - 1}"}


def wide(count: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {f"k{index}": {"enum": [0, 1]} for index in range(count)},
        "additionalProperties": False,
    }


WORDS = [f"word{index}" for index in range(20)]
HOSTILE: dict[str, tuple[Any, str]] = {
    "deep": (nested(40), "nested more than"),
    "references that double": (doubling(30), "nested more than|steps"),
    "references that double, less deep": (doubling(14), "steps"),
    "long enum": ({"enum": list(range(3000))}, "more than 2000 values"),
    "long string": ({"type": "string", "maxLength": 100_000}, "more than 1000"),
    "string times array": ({"type": "array", "items": {"type": "string", "maxLength": 1000}, "maxItems": 1000}, "states"),
    "array in array in array": ({"type": "array", "maxItems": 1000, "items": {"type": "array", "maxItems": 1000, "items": {"type": "array", "maxItems": 1000, "items": {"type": "boolean"}}}}, "states"),
    "orders of many": ({"type": "array", "items": {"enum": WORDS}, "uniqueItems": True}, 'states for "uniqueItems"|steps'),
    "oneOf of 400": ({"oneOf": [{"type": "integer", "minimum": index} for index in range(400)]}, "branches"),
    "oneOf of 60 ranges": ({"oneOf": [{"type": "number", "minimum": index, "maximum": 10**9 + index / 8} for index in range(60)]}, "steps"),
    "oneOf of pairs": ({**wide(30), "oneOf": [{"required": [f"k{index}", f"k{index + 1}"]} for index in range(0, 30, 2)]}, "forms|steps"),
    "not of many": ({**wide(30), "allOf": [{"not": {"required": [f"k{index}", f"k{index + 1}"]}} for index in range(29)]}, "forms|steps"),
    "dependencies": ({**wide(30), "dependentRequired": {f"k{index}": [f"k{index + 1}"] for index in range(0, 30, 2)}}, "forms|steps"),
    "not of long arrays": ({"type": "array", "items": {"enum": [1, 2]}, "maxItems": 1000, "not": {"items": {"const": 1}}}, "forms|steps"),
    "digits": ({"type": "number", "minimum": Decimal("1e5000")}, "digits"),
    "digits of an integer": ({"type": "integer", "minimum": 10**2000}, "digits"),
    "fine step": ({"type": "number", "multipleOf": 0.12345}, "step"),
    "pattern, counted in counted": ({"type": "string", "pattern": "(x{1000}){1000}"}, "repetitions are written out"),
    "pattern, many counts": ({"type": "string", "pattern": "x{100000}"}, "repeats more than"),
    "pattern, exponential": ({"type": "string", "pattern": "a.{30}b"}, "states|steps"),
    "pattern, ambiguous": ({"type": "string", "pattern": "^(a?){1000}$"}, "steps"),
    "pattern, long": ({"type": "string", "pattern": "a" * 5000}, "1000 characters"),
    "pattern, groups": ({"type": "string", "pattern": "(" * 100 + ")" * 100}, "nested"),
    "patterns against each other": ({"type": "string", "allOf": [{"pattern": f"^([ab]{{{prime}}})*$"} for prime in (31, 37, 41)]}, "states|steps"),
    "clocks that differ": ({"type": "string", "format": "date-time", "allOf": [{"not": {"pattern": f"{digit}.*{digit}.*{digit}"}} for digit in range(10)]}, "states|steps"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_explodes_is_refused_by_a_named_cap(name: str) -> None:
    schema, cap = HOSTILE[name]
    with pytest.raises(LoweringError, match=cap) as caught:
        lower_schema(schema)
    assert caught.value.remedy
