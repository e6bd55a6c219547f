"""JSON Schema -> an expression over bytes: exactly the compact JSON texts that the schema allows.

Keys come in the schema's order, without blanks, and numbers in their shortest form. A keyword outside the subset is
refused, never ignored; so is what has too many values to be listed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from edged.core.expression import ByteClass, Choice, Expression, Literal, Repeat
from edged.core.expression import Sequence as Chain
from edged.intents.catalog import Schema

MAX_LISTED: Final = 2000
"""Values of an enum, or of a number with a step other than 1: each becomes a path of the automaton of its own."""
MAX_DIGITS: Final = 15
"""Of a whole number: what every JSON reader gives back as it was."""
MAX_LENGTH: Final = 1000
"""Characters of a string, items of an array."""
MAX_NESTING: Final = 16

_ANNOTATIONS: Final = frozenset(
    {"title", "description", "$comment", "default", "examples", "$defs", "$schema", "x-edged"}
)
_KEYWORDS: Final[Mapping[str, frozenset[str]]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength"}),
    "integer": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "boolean": frozenset(),
    "null": frozenset(),
}


class LoweringError(ValueError):
    """A part of a schema is refused: `pointer` says which, `remedy` what to write instead."""

    def __init__(self, pointer: Sequence[str | int], what: str, remedy: str) -> None:
        self.pointer = tuple(pointer)
        self.remedy = remedy
        super().__init__(what)


Pointer = tuple[str | int, ...]


def lower_schema(schema: Schema, pointer: Pointer = ()) -> Expression:
    """The expression of all JSON texts of values that `schema` allows.

    Raises:
        LoweringError: a keyword is outside the subset, or there are too many values.
    """
    if len(pointer) > 2 * MAX_NESTING:
        raise LoweringError(pointer, f"is nested more than {MAX_NESTING} deep", "make the schema flatter")
    if not isinstance(schema, Mapping):
        raise LoweringError(pointer, "is no schema object", 'write an object such as {"type": "string"}')
    for keyword in ("const", "enum", "anyOf"):
        if keyword in schema:
            return _lower_alternatives(schema, keyword, pointer)
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _KEYWORDS:
        raise LoweringError(pointer, f'has no usable "type": {json.dumps(kind)}', f"use one of: {', '.join(_KEYWORDS)}")
    _check_keywords(schema, {"type"} | _KEYWORDS[kind], pointer)
    return _LOWER[kind](schema, pointer)


def json_literal(value: object) -> Literal:
    """The one way that a value is written."""
    return Literal(json_text(value).encode())


def json_text(value: object) -> str:
    """Compact JSON; a number without a fraction is written as a whole one."""
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".") if value % 1 else f"{value.to_integral_value():f}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def object_expression(members: Sequence[tuple[str, Expression, bool]]) -> Expression:
    """An object whose members (key, value, required) come in this order, the optional ones each present or not."""
    rests: list[Expression] = []
    for key, value, required in members:
        member = Chain((Literal(b"," + json_text(key).encode() + b":"), value))
        rests.append(member if required else Repeat(member, 0, 1))
    bodies: list[Expression] = []
    for first, (key, value, required) in enumerate(members):
        bodies.append(Chain((Literal(json_text(key).encode() + b":"), value, *rests[first + 1 :])))
        if required:
            break
    else:
        bodies.append(Literal(b""))
    return Chain((Literal(b"{"), Choice(tuple(bodies)), Literal(b"}")))


def array_expression(item: Expression, least: int, greatest: int) -> Expression:
    """An array of `least` to `greatest` items."""
    if greatest == 0:
        return Literal(b"[]")
    more = Repeat(Chain((Literal(b","), item)), max(0, least - 1), greatest - 1)
    body: Expression = Chain((item, more))
    if least == 0:
        body = Repeat(body, 0, 1)
    return Chain((Literal(b"["), body, Literal(b"]")))


def _lower_alternatives(schema: Schema, keyword: str, pointer: Pointer) -> Expression:
    if keyword == "anyOf":
        _check_keywords(schema, {"anyOf"}, pointer)
        branches = enumerate(schema["anyOf"])
        return Choice(tuple(lower_schema(branch, (*pointer, "anyOf", index)) for index, branch in branches))
    _check_keywords(schema, {keyword, "type"}, pointer)
    values = [schema["const"]] if keyword == "const" else schema["enum"]
    if len(values) > MAX_LISTED:
        raise LoweringError(pointer, f"lists more than {MAX_LISTED} values", "list fewer")
    for index, value in enumerate(values):
        if isinstance(value, Mapping | list):
            raise LoweringError((*pointer, keyword, index), "is no plain value", "list strings, numbers or booleans")
    return Choice(tuple(json_literal(value) for value in values))


def _lower_object(schema: Schema, pointer: Pointer) -> Expression:
    if schema.get("additionalProperties") is not False:
        raise LoweringError(pointer, "allows unknown keys", 'add "additionalProperties": false')
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    for key in required:
        if key not in properties:
            raise LoweringError((*pointer, "required"), f'requires "{key}", which is no property', "define or drop it")
    return object_expression(
        [
            (key, lower_schema(value, (*pointer, "properties", key)), key in required)
            for key, value in properties.items()
        ]
    )


def _lower_array(schema: Schema, pointer: Pointer) -> Expression:
    least, greatest = schema.get("minItems", 0), schema.get("maxItems", MAX_LENGTH)
    _check_count(least, greatest, ("minItems", "maxItems"), pointer)
    if "items" not in schema:
        raise LoweringError(pointer, 'has no "items"', "say what the items are")
    return array_expression(lower_schema(schema["items"], (*pointer, "items")), least, greatest)


def _lower_string(schema: Schema, pointer: Pointer) -> Expression:
    least, greatest = schema.get("minLength", 0), schema.get("maxLength")
    if greatest is None:
        raise LoweringError(pointer, "has no bound on its length", 'add "maxLength" or list the values in "enum"')
    _check_count(least, greatest, ("minLength", "maxLength"), pointer)
    return Chain((Literal(b'"'), Repeat(_CHARACTER, least, greatest), Literal(b'"')))


def _lower_number(schema: Schema, pointer: Pointer) -> Expression:
    least, greatest = _bounds(schema)
    step = Decimal(str(schema["multipleOf"])) if "multipleOf" in schema else None
    if step is None and schema["type"] == "integer":
        step = Decimal(1)
    if least is None or greatest is None or step is None or step <= 0:
        raise LoweringError(
            pointer,
            "is a number without both bounds and a step",
            'add "minimum", "maximum" and, unless it is an integer, "multipleOf"',
        )
    first = int((least / step).to_integral_value("ROUND_CEILING"))
    last = int((greatest / step).to_integral_value("ROUND_FLOOR"))
    first += "exclusiveMinimum" in schema and first * step == least
    last -= "exclusiveMaximum" in schema and last * step == greatest
    if max(len(str(abs(first * step))), len(str(abs(last * step)))) > MAX_DIGITS:
        raise LoweringError(pointer, f"has bounds of more than {MAX_DIGITS} digits", "narrow them")
    if step == 1:
        return integer_expression(first, last)
    if last - first >= MAX_LISTED:
        raise LoweringError(pointer, f"has more than {MAX_LISTED} values", "narrow the bounds or widen the step")
    values = (step * number for number in range(first, last + 1))
    return Choice(tuple(json_literal(value) for value in values if schema["type"] == "number" or not value % 1))


def integer_expression(first: int, last: int) -> Expression:
    """All whole numbers from `first` to `last`, in a number of parts that grows with their digits alone."""
    parts: list[Expression] = []
    if first < 0:
        parts.append(Chain((Literal(b"-"), integer_expression(max(1, -last), -first))))
    low = max(first, 0)
    for length in range(len(str(low)), len(str(max(last, 0))) + 1):
        shortest, longest = (0 if length == 1 else 10 ** (length - 1)), 10**length - 1
        if low <= last and max(low, shortest) <= min(last, longest):
            parts.append(_between(str(max(low, shortest)), str(min(last, longest))))
    return Choice(tuple(parts))


def _between(low: str, high: str) -> Expression:
    """Digit strings of one length, from `low` to `high`."""
    rest = len(low) - 1
    if rest < 0:
        return Literal(b"")
    if low == "0" * (rest + 1) and high == "9" * (rest + 1):
        return Repeat(_bytes(0x30, 0x39), rest + 1, rest + 1)
    if low[0] == high[0]:
        return Chain((Literal(low[0].encode()), _between(low[1:], high[1:])))
    parts: list[Expression] = [
        Chain((Literal(low[0].encode()), _between(low[1:], "9" * rest))),
        Chain((Literal(high[0].encode()), _between("0" * rest, high[1:]))),
    ]
    if int(high[0]) - int(low[0]) > 1:
        between = _bytes(ord(low[0]) + 1, ord(high[0]) - 1)
        parts.append(Chain((between, Repeat(_bytes(0x30, 0x39), rest, rest))))
    return Choice(tuple(parts))


def _bounds(schema: Schema) -> tuple[Decimal | None, Decimal | None]:
    least = [Decimal(str(schema[key])) for key in ("minimum", "exclusiveMinimum") if key in schema]
    greatest = [Decimal(str(schema[key])) for key in ("maximum", "exclusiveMaximum") if key in schema]
    return max(least, default=None), min(greatest, default=None)


def _is_inside(value: Decimal, schema: Schema) -> bool:
    above = "exclusiveMinimum" not in schema or value > Decimal(str(schema["exclusiveMinimum"]))
    below = "exclusiveMaximum" not in schema or value < Decimal(str(schema["exclusiveMaximum"]))
    return above and below


def _check_count(least: object, greatest: object, names: tuple[str, str], pointer: Pointer) -> None:
    if not (isinstance(least, int) and isinstance(greatest, int) and 0 <= least <= greatest <= MAX_LENGTH):
        raise LoweringError(
            pointer, f'"{names[0]}" and "{names[1]}" are impossible', f"use 0 to {MAX_LENGTH}, in order"
        )


def _check_keywords(schema: Schema, known: set[str] | frozenset[str], pointer: Pointer) -> None:
    for keyword in schema:
        if keyword not in known and keyword not in _ANNOTATIONS:
            raise LoweringError(
                (*pointer, keyword),
                f'"{keyword}" is not supported here',
                f"leave it out or use: {', '.join(sorted(known))}",
            )


def _bytes(first: int, last: int) -> ByteClass:
    return ByteClass(frozenset(range(first, last + 1)))


def _character() -> Expression:
    """One character of a JSON string: UTF-8 of RFC 3629 section 4, a quote or backslash only behind a backslash."""
    plain = ByteClass(frozenset(range(0x20, 0x80)) - {0x22, 0x5C, 0x7F})
    tail = _bytes(0x80, 0xBF)
    return Choice(
        (
            plain,
            Choice((Literal(b'\\"'), Literal(b"\\\\"))),
            Chain((_bytes(0xC2, 0xDF), tail)),
            Chain((Literal(b"\xe0"), _bytes(0xA0, 0xBF), tail)),
            Chain((_bytes(0xE1, 0xEC), tail, tail)),
            Chain((Literal(b"\xed"), _bytes(0x80, 0x9F), tail)),
            Chain((_bytes(0xEE, 0xEF), tail, tail)),
            Chain((Literal(b"\xf0"), _bytes(0x90, 0xBF), tail, tail)),
            Chain((_bytes(0xF1, 0xF3), tail, tail, tail)),
            Chain((Literal(b"\xf4"), _bytes(0x80, 0x8F), tail, tail)),
        )
    )


_CHARACTER: Final = _character()

_LOWER: Final[Mapping[str, Callable[[Schema, Pointer], Expression]]] = {
    "object": _lower_object,
    "array": _lower_array,
    "string": _lower_string,
    "integer": _lower_number,
    "number": _lower_number,
    "boolean": lambda _schema, _pointer: Choice((Literal(b"true"), Literal(b"false"))),
    "null": lambda _schema, _pointer: Literal(b"null"),
}


def allows(schema: Mapping[str, Any], value: Decimal) -> bool:
    """Whether a number is one that `schema`, of type integer or number, allows."""
    least, greatest = _bounds(schema)
    if (least is not None and value < least) or (greatest is not None and value > greatest):
        return False
    if schema.get("type") == "integer" and value % 1:
        return False
    step = schema.get("multipleOf")
    return _is_inside(value, schema) and (step is None or value % Decimal(str(step)) == 0)
