"""Does a schema allow a value? The automaton's word and jsonschema's, side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, Final, TypeVar

import jsonschema
from jsonschema.exceptions import ValidationError

from edged.core import Matcher, Program, Vocab
from edged.errors import CoreError
from edged.intents.catalog import Catalog, Json, Schema
from edged.intents.lower import lower
from edged.intents.lower.formats import EMAIL, UUID
from edged.intents.lower.number import exact
from edged.intents.lower.pattern import WORD, Assertion, Chain, Characters, Either, Node, Ranges, parse_pattern
from edged.intents.lower.refusal import Refusal
from edged.intents.memo import per_catalog


def parse_instance(text: str) -> Json:
    """The JSON value in `text`, its fractions as decimals.

    Raises:
        ValueError: it is no JSON, or holds a number of too many digits.
    """
    try:
        return json.loads(text, parse_float=_bounded_decimal, parse_int=_bounded_int, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def accepts(schema: Schema | bool, instance: Json) -> bool:
    """Whether the automaton of `schema` takes the canonical text of `instance`.

    Raises:
        LoweringError: the schema does not compile.
    """
    return Acceptor(schema).accepts(instance)


class Acceptor:
    """One schema, asked again and again.

    Raises:
        LoweringError: the schema does not compile.
        CoreError: the core takes no such automaton.
    """

    def __init__(self, schema: Schema | bool) -> None:
        lowered = lower(schema)
        self._keys = lowered.keys
        self._matcher = text_matcher(Program(lowered.expression))
        self._schema = schema

    def accepts(self, instance: Json) -> bool:
        """What the automaton says."""
        try:
            text = self.canonical_text(instance).encode()
        except (Refusal, UnicodeEncodeError):
            return False
        return self.accepts_text(text)

    def canonical_text(self, instance: Json) -> str:
        """The one text of a value, with keys in the schema's order.

        Raises:
            Refusal: a number is infinite or has too many digits.
        """
        return self._keys.text(instance)

    def next_bytes(self, start: bytes) -> bytes:
        """The bytes with which the automaton lets a text go on that it has taken so far; none where it has not."""
        self._matcher.reset()
        try:
            self._matcher.advance_bytes(start)
        except CoreError:
            return b""
        return self._matcher.next_bytes()

    def accepts_text(self, text: bytes) -> bool:
        """What the automaton says of a text as it is."""
        return takes(self._matcher, text)

    def is_valid(self, instance: Json) -> bool:
        """What jsonschema says."""
        return bool(self._validator.is_valid(instance))

    @cached_property
    def _validator(self) -> jsonschema.protocols.Validator:
        return exact_validator(self._schema)


def text_matcher(program: Program) -> Matcher:
    """What follows texts byte by byte, without any language model."""
    return Matcher(_bytes_vocab(), program)


def takes(matcher: Matcher, text: bytes) -> bool:
    """Whether a matcher, wherever it stands, takes a text from the start to the end."""
    matcher.reset()
    try:
        matcher.advance_bytes(text)
    except CoreError:
        return False
    return matcher.is_accepting


@lru_cache(maxsize=1)
def _bytes_vocab() -> Vocab:
    return Vocab([bytes((byte,)) for byte in range(256)])


def _bounded_decimal(text: str) -> Decimal:
    return _bounded(Decimal(text))


def _bounded_int(text: str) -> int:
    return _bounded(int(text))


_Number = TypeVar("_Number", int, Decimal)


def _bounded(number: _Number) -> _Number:
    try:
        exact(number)
    except Refusal as refusal:
        raise ValueError(refusal.what) from None
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# ---- jsonschema, exact where it counts in binary fractions, matches as Python does or lacks a library


def exact_validator(schema: Schema | bool, *, is_linear: bool = False) -> jsonschema.protocols.Validator:
    """A validator of draft 2020-12 with exact decimals, ECMA patterns and the formats of the subset.

    Args:
        schema: what is to be valid.
        is_linear: patterns are matched by the automaton, whose time is bounded; Python's own can take for ever.
    """
    make = _LINEAR if is_linear else _EXACT
    validator: jsonschema.protocols.Validator = make(_with_decimals(schema), format_checker=_FORMATS)
    return validator


@per_catalog
def intent_validator(catalog: Catalog, name: str) -> jsonschema.protocols.Validator:
    """Says whether an object is valid under the schema of an intent."""
    return exact_validator(catalog.intents[name].schema, is_linear=True)


def _with_decimals(value: Json) -> Json:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key: _with_decimals(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_decimals(inner) for inner in value]
    return value


def _is_integer(_checker: object, instance: Json) -> bool:
    if isinstance(instance, bool):
        return False
    if isinstance(instance, Decimal):
        return instance == instance.to_integral_value()
    return isinstance(instance, int) or (isinstance(instance, float) and instance.is_integer())


def _multiple_of(_validator: object, step: Json, instance: Json, _schema: object) -> Iterator[ValidationError]:
    whole, part = exact(instance), exact(step)
    if whole is not None and part is not None and (whole / part).denominator != 1:
        yield ValidationError(f"{instance} is not a multiple of {step}")


def _pattern(_validator: object, pattern: str, instance: Json, _schema: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _python_pattern(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _linear_pattern(_validator: object, pattern: str, instance: Json, _schema: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _pattern_acceptor(pattern).accepts(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@lru_cache(maxsize=200)
def _pattern_acceptor(pattern: str) -> Acceptor:
    return Acceptor({"type": "string", "pattern": pattern})


@lru_cache(maxsize=200)
def _python_pattern(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(python_source(parse_pattern(pattern)))
    except Refusal:
        return re.compile(pattern)


def python_source(node: Node) -> str:
    """A pattern as Python writes it, with the meaning that it has in ECMA-262."""
    match node:
        case Characters(ranges):
            return _python_class(ranges)
        case Assertion(kind):
            return _ASSERTIONS[kind]
        case Chain(items):
            return "".join(map(python_source, items))
        case Either(items):
            return f"(?:{'|'.join(map(python_source, items))})"
        case _:
            greatest = "" if node.greatest is None else node.greatest
            return f"(?:{python_source(node.item)}){{{node.least},{greatest}}}"


def _python_class(ranges: Ranges) -> str:
    if not ranges:
        return "(?!)"
    inner = "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in ranges)
    return f"[{inner}]"


_WORD: Final = _python_class(WORD)
_ASSERTIONS: Final = {
    "start": r"\A",
    "end": r"\Z",
    "boundary": f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))",
    "inside": f"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))",
}

_FORMATS: Final = jsonschema.FormatChecker(formats=())
_TIME: Final = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _is_date(text: object) -> bool:
    return not isinstance(text, str) or bool(_DATE.fullmatch(text) and date.fromisoformat(text))


def _is_time(text: object) -> bool:
    if not isinstance(text, str):
        return True
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    hour, minute, second = (int(found[group]) for group in (1, 2, 3))
    away_hour, away_minute = int(found[5] or 0), int(found[6] or 0)
    if hour > 23 or minute > 59 or away_hour > 23 or away_minute > 59:
        return False
    away = (60 * away_hour + away_minute) * (-1 if found[4] == "-" else 1)
    return second < 60 or (second == 60 and (60 * hour + minute - away + 1) % (24 * 60) == 0)


def _is_date_time(text: object) -> bool:
    if not isinstance(text, str):
        return True
    return _is_date(text[:10]) and text[10:11] in ("T", "t") and _is_time(text[11:])


def _is_uuid(text: object) -> bool:
    return not isinstance(text, str) or bool(_python_pattern(UUID).search(text))


def _is_email(text: object) -> bool:
    return not isinstance(text, str) or bool(_python_pattern(EMAIL).search(text))


for _name, _check in (
    ("date", _is_date), ("time", _is_time), ("date-time", _is_date_time), ("uuid", _is_uuid), ("email", _is_email),
):  # fmt: skip
    _FORMATS.checks(_name, raises=ValueError)(_check)

_EXACT: Final[Any] = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator,
    validators={"multipleOf": _multiple_of, "pattern": _pattern},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)

_LINEAR: Final[Any] = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    _EXACT, validators={"pattern": _linear_pattern}
)
