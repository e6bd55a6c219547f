"""JSON Schema -> an expression over bytes: exactly the canonical JSON texts that the schema allows.

Keys come in the schema's order, without blanks, and numbers in their shortest form. A schema becomes a set of values by
kind (`schema`, `values`, `texts`), on which "oneOf", "if" and "not" are plain set algebra, and the set an expression
(`program`). What cannot be reduced so is refused, never ignored; all work is bounded (`refusal`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from edged.core.expression import Expression
from edged.intents.catalog import Schema
from edged.intents.lower.canonical import KeyOrder, json_text
from edged.intents.lower.number import allows
from edged.intents.lower.plain import plain_expression, words_expression
from edged.intents.lower.program import Writer, array_expression, list_texts_of, object_expression
from edged.intents.lower.refusal import LoweringError, Pointer, Report
from edged.intents.lower.schema import KEYWORDS, Reader, crosses_slots
from edged.intents.lower.texts import is_empty
from edged.intents.lower.values import ANYTHING

__all__ = [
    "KEYWORDS",
    "KeyOrder",
    "Lowered",
    "LoweringError",
    "Slot",
    "allows",
    "array_expression",
    "crosses_slots",
    "find_refusals",
    "json_text",
    "list_texts",
    "lower",
    "lower_object",
    "lower_schema",
    "object_expression",
    "plain_expression",
    "takes_numbers",
    "words_expression",
]


class Lowered(NamedTuple):
    """A schema as the core takes it."""

    expression: Expression
    keys: KeyOrder
    """The order in which the expression expects the keys of objects."""


class Slot(NamedTuple):
    """A key of an object that a schema allows."""

    expression: Expression
    """Its values as JSON."""
    required: bool


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


def lower_object(schema: Schema) -> tuple[Mapping[str, Slot], ...]:
    """The objects that `schema`, of objects alone, allows as alternatives in each of which no key depends on another.

    Raises:
        LoweringError: a keyword is outside the subset, or a cap was met.
    """
    report, keys = Report(), KeyOrder()
    values = Reader(schema, report).read(schema, (), ANYTHING, keys)
    writer = Writer(report)
    return tuple(
        {
            name: Slot(
                writer.write(member.values, keys.key(name), ("properties", name)),
                not member.optional,
            )
            for name, member in objects.members.items()
            if not member.values.is_empty
        }
        for objects in values.objects
    )


def list_texts(schema: Schema | bool, limit: int) -> tuple[str, ...] | None:
    """The values that `schema` allows as JSON; None where there are more than `limit`.

    Raises:
        LoweringError: a keyword is outside the subset, or a cap was met.
    """
    report, keys = Report(), KeyOrder()
    values = Reader(schema, report).read(schema, (), ANYTHING, keys)
    return list_texts_of(values, keys, limit, report.work)


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
