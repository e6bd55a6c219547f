"""Which values a slot takes and which intent objects are valid; no regular expression here can run for ever."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import jsonschema

from edged.errors import CoreError
from edged.intents.accept import Acceptor, exact_validator
from edged.intents.catalog import Json, Schema
from edged.intents.lower import LoweringError, allows
from edged.types import SlotValue

MAX_TRIED: Final = 500
"""Combinations of values that are tried until one makes a valid intent object."""
MAX_CANDIDATES: Final = 50
"""Values of one slot among these combinations."""

_PLAIN_OBJECT: Final = frozenset({"type", "properties", "required", "additionalProperties"})
"""With these keywords alone an object is valid where each of its values is and none that is required is missing."""
_ANNOTATIONS: Final = frozenset(
    {"$schema", "$comment", "$defs", "title", "description", "default", "examples", "x-edged"}
)


class SlotValues:
    """The values that one slot takes."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._known: dict[str, bool] = {}
        self._acceptor: Acceptor | None = None
        self._candidates: tuple[SlotValue, ...] | None = None
        self._listed = (
            {_key(value) for value in schema["enum"]}
            if "enum" in schema and set(schema) <= {"enum", *_ANNOTATIONS}
            else None
        )

    def takes(self, value: Json) -> bool:
        """Whether `value` is one of them; True where the schema itself is refused."""
        key = _key(value)
        if self._listed is not None:
            return key in self._listed
        if key not in self._known:
            self._known[key] = self._accepts(value)
        return self._known[key]

    def candidates(self) -> tuple[SlotValue, ...]:
        """Some of the values, those first that are named; none where none can be told."""
        if self._candidates is None:
            self._candidates = self._find_candidates()
        return self._candidates

    def _find_candidates(self) -> tuple[SlotValue, ...]:
        schema = self.schema
        listed = schema["enum"] if "enum" in schema else [schema["const"]] if "const" in schema else None
        if listed is None and schema.get("type") == "boolean":
            listed = [True, False]
        if listed is None and schema.get("type") in ("integer", "number"):
            listed = list(_numbers(schema))
        return tuple(value for value in (listed or ())[:MAX_CANDIDATES] if self.takes(value))

    def _accepts(self, value: Json) -> bool:
        if self.schema.get("type") in ("integer", "number") and "enum" not in self.schema:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return is_number and allows(self.schema, Decimal(str(value)))
        if self._acceptor is None:
            try:
                self._acceptor = Acceptor(self.schema)
            except (LoweringError, CoreError):
                return True
        return self._acceptor.accepts(value)


class IntentValues:
    """The values of every slot of one intent, and the objects that are valid under its schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self.slots = {slot: SlotValues(value) for slot, value in schema["properties"].items()}
        self._is_plain = set(schema) <= _PLAIN_OBJECT | _ANNOTATIONS
        self._validator: jsonschema.protocols.Validator | None = None

    def complete(self, given: Mapping[str, SlotValue], open_slots: Sequence[str]) -> dict[str, SlotValue] | None:
        """A valid intent object of the given values and any for the open slots, in the schema's order; None: none is.

        Where too many combinations would have to be tried, the answer is the last one that was.
        """
        last: dict[str, SlotValue] | None = None
        for tried, chosen in enumerate(self._choices(given, open_slots)):
            if self.is_valid(chosen):
                return chosen
            last = chosen
            if tried == MAX_TRIED:
                return last
        return None

    def can_hold(self, given: Mapping[str, SlotValue], open_slots: Sequence[str]) -> bool:
        """Whether some value of each open slot makes a valid intent object with the given ones."""
        if not self._is_plain:
            return self.complete(given, open_slots) is not None
        return all(
            key == "intent" or key in open_slots or given.get(key) is not None for key in self._schema["required"]
        )

    def is_valid(self, instance: Mapping[str, SlotValue]) -> bool:
        """Whether the object is valid as a whole, where each of its values is valid on its own."""
        if any(key not in instance for key in self._schema["required"]):
            return False
        if self._is_plain:
            return True
        if self._validator is None:
            conditions = {key: value for key, value in self._schema.items() if key != "properties"}
            conditions["properties"] = dict.fromkeys(self._schema["properties"], True)
            self._validator = exact_validator(conditions, is_linear=True)
        return bool(self._validator.is_valid(dict(instance)))

    def _choices(self, given: Mapping[str, SlotValue], open_slots: Sequence[str]) -> Iterator[dict[str, SlotValue]]:
        free = [slot for slot in open_slots if slot not in given]
        lists = [self.slots[slot].candidates() or ("",) for slot in free]
        intent = {"intent": self._schema["properties"].get("intent", {}).get("const")}
        for values in itertools.product(*lists):
            known = {**intent, **given, **dict(zip(free, values, strict=True))}
            yield {slot: known[slot] for slot in self._schema["properties"] if known.get(slot) is not None}


def _numbers(schema: Schema) -> Iterator[SlotValue]:
    """The middle, the ends and what lies beside them, on the grid of the schema's step."""
    step = Decimal(str(schema.get("multipleOf", 1)))
    ends = [
        Decimal(str(schema[key]))
        for key in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
        if key in schema
    ]
    if not ends or step <= 0:
        return
    for value in ((min(ends) + max(ends)) / 2, *ends):
        first = (value / step).to_integral_value("ROUND_FLOOR") * step
        for near in (first, first - step, first + step):
            yield int(near) if near == near.to_integral_value() else float(near)


def _key(value: Json) -> str:
    """Equal for equal JSON values alone: 1 and 1.0 are one number, true is none."""
    if isinstance(value, str):
        return f'"{value}'
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value, sort_keys=True)
