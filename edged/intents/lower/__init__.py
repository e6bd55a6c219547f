"""JSON Schema -> an expression over bytes: exactly the canonical JSON texts that the schema allows.

Keys come in the schema's order, without blanks, and numbers in their shortest form. A schema becomes a set of values by
kind (`schema`, `values`, `texts`), on which "oneOf", "if" and "not" are plain set algebra, and the set an expression
(`program`). What cannot be reduced so is refused, never ignored; all work is bounded (`refusal`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from edged.core.expression import Expression
from edged.intents.catalog import Schema
from edged.intents.lower.canonical import KeyOrder, json_text
from edged.intents.lower.number import allows
from edged.intents.lower.program import Writer, array_expression, json_literal, object_expression
from edged.intents.lower.refusal import LoweringError, Pointer, Report
from edged.intents.lower.schema import KEYWORDS, Reader, crosses_slots
from edged.intents.lower.texts import is_empty
from edged.intents.lower.values import ANYTHING

__all__ = [
    "KEYWORDS",
    "KeyOrder",
    "Lowered",
    "LoweringError",
    "allows",
    "array_expression",
    "crosses_slots",
    "find_refusals",
    "json_literal",
    "json_text",
    "lower",
    "lower_schema",
    "object_expression",
    "takes_numbers",
]


class Lowered(NamedTuple):
    """A schema as the core takes it."""

    expression: Expression
    keys: KeyOrder
    """The order in which the expression expects the keys of objects."""


def lower_schema(schema: Schema | bool, pointer: Pointer = ()) -> Expression:
    """The expression of all JSON texts of values that `schema` allows.

    Raises:
        LoweringError: a keyword is outside the subset, or a cap was met.
    """
    return _lower(schema, pointer, Report()).expression


def lower(schema: Schema | bool) -> Lowered:
    """The same, with the order of keys.

    Raises:
        LoweringError: a keyword is outside the subset, or a cap was met.
    """
    return _lower(schema, (), Report())


def find_refusals(schema: Schema | bool) -> tuple[LoweringError, ...]:
    """Everything in a schema that does not compile; none if all of it does."""
    report = Report(collects=True)
    with suppress(LoweringError):  # the report has it: there was no work left to look for more
        _lower(schema, (), report)
    return tuple(report.found)


def takes_numbers(schema: Schema) -> bool:
    """Whether any number is among the values that `schema` allows; False where it does not compile."""
    if "enum" not in schema and schema.get("type") in ("integer", "number"):
        return True
    try:
        return not is_empty(Reader(schema, Report()).read(schema, (), ANYTHING, KeyOrder()).numbers)
    except LoweringError:
        return False


def _lower(schema: Schema | bool, pointer: Pointer, report: Report) -> Lowered:
    keys = KeyOrder()
    try:
        values = Reader(schema, report).read(schema, pointer, ANYTHING, keys)
        writer = Writer(report)
        expression = writer.write(values, keys, pointer)
        writer.check_size(expression, pointer)
    except RecursionError:  # the expression is several times as deep as the schema
        error = LoweringError(pointer, "is nested too deeply", "make the schema flatter")
        report.found.append(error)
        raise error from None
    return Lowered(expression, keys)
