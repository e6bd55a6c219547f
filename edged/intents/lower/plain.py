"""What most slots are, texts and bounded numbers, as expressions; and the schemas that say just that, read at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring
from typing import Final

from edged.core.expression import Choice, Digits, Expression, Literal, Words
from edged.core.expression import Sequence as Chain
from edged.intents.catalog import Json, Schema
from edged.intents.lower.refusal import MAX_LISTED

_RANGE: Final = frozenset({"type", "minimum", "maximum"})
_STEPS: Final = _RANGE | {"multipleOf"}
_LONGEST_NUMBER: Final = 15
"""Characters: a plain number has no more; what is longer is left to exact arithmetic, and to its refusals."""


def plain_expression(schema: Json) -> Expression | None:
    """The same as `lower_schema` for a schema of a text or texts, or of numbers with both bounds on a grid.

    It takes a tenth of the time. None for every other schema, those that allow nothing, and grids too long to list.
    """
    if not isinstance(schema, dict):
        return None
    if len(schema) == 1:
        texts = schema.get("enum", [schema.get("const")])
        if isinstance(texts, list) and texts and len(texts) <= MAX_LISTED and set(map(type, texts)) == {str}:
            return words_expression(map(encode_basestring, texts))
        return None
    if schema.keys() == _RANGE and schema["type"] == "integer":
        first, last = schema["minimum"], schema["maximum"]
        whole = type(first) is int and type(last) is int and first <= last
        return integer_expression(first, last) if whole and last - first < 10**_LONGEST_NUMBER else None
    return _read_steps(schema) if schema.keys() == _STEPS and schema["type"] == "number" else None


def _read_steps(schema: Schema) -> Expression | None:
    parts = [_decimals(schema[key]) for key in ("minimum", "maximum", "multipleOf")]
    places = max((len(part[1]) if part is not None else 0 for part in parts), default=0)
    scaled = [int(part[0] + part[1].ljust(places, "0")) for part in parts if part is not None]
    if len(scaled) < len(parts) or scaled[2] <= 0:
        return None
    least, greatest, step = scaled
    return stepped_expression(-(-least // step) * step, greatest // step * step, step, places)


def _decimals(number: Json) -> tuple[str, str] | None:
    """The digits of a number before its point, with its sign, and behind it."""
    text = repr(number)
    whole, _, decimals = text.partition(".")
    if type(number) not in (int, float) or len(text) > _LONGEST_NUMBER or not (whole[1:] + decimals + "0").isdigit():
        return None
    return whole, decimals.rstrip("0")


def words_expression(texts: Iterable[str]) -> Expression:
    """Any one of several texts without a zero byte."""
    return Words("\0".join(sorted(texts)).encode())


def integer_expression(first: int, last: int) -> Expression:
    """All whole numbers from `first` to `last`, in a number of parts that grows with their digits alone."""
    parts: list[Expression] = []
    if first < 0:
        parts.append(Chain((Literal(b"-"), integer_expression(max(1, -last), -first))))
    low = max(first, 0)
    for length in range(len(str(low)), len(str(max(last, 0))) + 1) if low <= last else ():
        shortest = 0 if length == 1 else 10 ** (length - 1)
        digits = max(low, shortest), min(last, 10**length - 1)
        parts.append(Digits(*(str(number).encode() for number in digits)))
    return choice_of(parts)


def stepped_expression(least: int, greatest: int, step: int, places: int) -> Expression | None:
    """All multiples of a step from one of them to another, each number given times 10 ** `places`.

    None where there are none, or too many to be listed and no grid that is the same between any two whole numbers.
    """
    unit = 10**places
    if least > greatest:
        return None
    if unit % step == 0 and unit // step <= MAX_LISTED:
        parts = [_decimal_expression(max(least, 0), greatest, step, places)] if greatest >= 0 else []
        if least < 0:
            negative = _decimal_expression(max(step, -greatest), -least, step, places)
            parts.append(Chain((Literal(b"-"), negative)))
        return choice_of(parts)
    if (greatest - least) // step >= MAX_LISTED:
        return None
    return words_expression(_decimal_text(number, places) for number in range(least, greatest + 1, step))


def _decimal_text(number: int, places: int) -> str:
    whole, rest = divmod(abs(number), 10**places)
    return f"{'-' if number < 0 else ''}{whole}{_behind_point(rest, places)}"


def _behind_point(rest: int, places: int) -> str:
    return f".{rest:0{places}}".rstrip("0") if rest else ""


def _decimal_expression(least: int, greatest: int, step: int, places: int) -> Expression:
    """The same for numbers of 0 or more, with a step that divides 1: a whole part, and what may stand behind it."""
    unit = 10**places
    if unit == step:
        return integer_expression(least // unit, greatest // unit)
    (first, low), (last, high) = divmod(least, unit), divmod(greatest, unit)
    if first == last:
        return _with_decimals(first, last, range(low, high + 1, step), places)
    parts: list[Expression] = []
    if low > 0:
        parts.append(_with_decimals(first, first, range(low, unit, step), places))
        first += 1
    if high < unit - step:
        parts.append(_with_decimals(last, last, range(0, high + 1, step), places))
        last -= 1
    if first <= last:
        parts.append(_with_decimals(first, last, range(0, unit, step), places))
    return choice_of(parts)


def _with_decimals(first: int, last: int, rests: Sequence[int], places: int) -> Expression:
    behind = words_expression(_behind_point(rest, places) for rest in rests)
    return Chain((integer_expression(first, last), behind))


def choice_of(parts: Sequence[Expression]) -> Expression:
    """Any one of several, or the only one."""
    return parts[0] if len(parts) == 1 else Choice(tuple(parts))
