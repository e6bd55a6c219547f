"""The short way to write plain schemas gives the same language as set algebra does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edged.core import Matcher, Program, Vocab
from edged.core.expression import Expression
from edged.errors import CoreError
from edged.intents.catalog import Schema
from edged.intents.lower import LoweringError, allows, json_text, lower_schema, plain_expression

NOTHING_LEGAL = Vocab([b"0"])


def accepts(expression: Expression, text: str) -> bool:
    matcher = Matcher(NOTHING_LEGAL, Program(expression))
    try:
        matcher.advance_bytes(text.encode())
    except CoreError:
        return False
    return matcher.is_accepting


@st.composite
def ranges(draw: st.DrawFn) -> Schema:
    ends = sorted(draw(st.lists(st.integers(-1200, 1200), min_size=2, max_size=2)))
    if draw(st.booleans()):
        return {"type": "integer", "minimum": ends[0], "maximum": ends[1]}
    places = draw(st.integers(0, 2))
    least, greatest = (end / 10**places for end in ends)
    step = draw(st.sampled_from((1, 2, 7, 0.5, 0.25, 0.1, 0.3, 2.5, 0.01, 5.0)))
    return {"type": "number", "minimum": least, "maximum": greatest, "multipleOf": step}


@given(ranges(), st.lists(st.decimals(-1300, 1300, places=2), max_size=20))
@example({"type": "integer", "minimum": 0, "maximum": 0}, [])
@example({"type": "number", "minimum": 0.0, "maximum": 600.0, "multipleOf": 0.3}, [Decimal(0)])
@example({"type": "integer", "minimum": -10, "maximum": 1000}, [])
@example({"type": "number", "minimum": -0.5, "maximum": 0.5, "multipleOf": 0.5}, [])
@example({"type": "number", "minimum": 5, "maximum": 95, "multipleOf": 0.5}, [Decimal("94.5"), Decimal("95.5")])
@settings(max_examples=150, deadline=None)
def test_a_plain_range_holds_the_numbers_that_its_schema_allows(schema: Schema, numbers: list[Decimal]) -> None:
    try:
        general = lower_schema(schema)
    except LoweringError:
        assert plain_expression(schema) is None
        assert not any(allows(schema, number) for number in numbers)
        return
    expression = plain_expression(schema) or general
    ends = [Decimal(repr(schema[key])) for key in ("minimum", "maximum")]
    step = Decimal(repr(schema.get("multipleOf", 1)))
    near = [end // step * step + step * k for end in ends for k in (-1, 0, 1)]
    for number in (*numbers, *ends, *near, Decimal(0)):
        text = json_text(number)
        assert accepts(expression, text) == accepts(general, text) == allows(schema, number)
        assert not accepts(expression, f"0{text}")
        assert not accepts(expression, f"{text}.0")
        assert not accepts(expression, "-0")


@pytest.mark.parametrize(
    "schema",
    [
        {"const": 'a"b'},
        {"enum": ["on", "off", "offer", "", "on", "한\\\n", "\x7f\u2028"]},
    ],
)
def test_plain_texts_are_those_that_are_listed(schema: Schema) -> None:
    expression = plain_expression(schema)
    assert expression is not None
    for text in (*schema.get("enum", [schema.get("const")]), "of", "offe", "o", "한", "null"):
        assert accepts(expression, json_text(text)) == accepts(lower_schema(schema), json_text(text))


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": "string"},
        {"enum": []},
        {"enum": ["a", 1]},
        {"enum": "ab"},
        {"const": None},
        {"enum": ["a"], "description": "b"},
        {"type": "integer", "minimum": 0},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "integer", "minimum": 0.5, "maximum": 2},
        {"type": "integer", "minimum": True, "maximum": 2},
        {"type": "integer", "minimum": 0, "maximum": 10**400},
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0},
        {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": -0.5},
        {"type": "number", "minimum": 0, "maximum": 1e300, "multipleOf": 1},
        {"type": "number", "minimum": 0, "maximum": float("inf"), "multipleOf": 1},
        {"type": "number", "minimum": "0", "maximum": 1, "multipleOf": 1},
        {"type": "number", "minimum": 1, "maximum": 2, "multipleOf": 5},
        {"type": "number", "minimum": 0, "maximum": 1e9, "multipleOf": 7},
        {"type": "boolean", "minimum": 0, "maximum": 1},
    ],
)
def test_what_is_not_plain_is_left_to_set_algebra(schema: Schema) -> None:
    assert plain_expression(schema) is None
