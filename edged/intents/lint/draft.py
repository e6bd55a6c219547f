"""An intent file under test: what is in it, as far as it can be read at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from edged.intents.catalog import Finding, Json, Pointer, Schema
from edged.intents.home import Home
from edged.intents.lint.values import IntentValues
from edged.intents.references import MAX_FOLLOWED
from edged.intents.suggest import offer, quote

BOUNDS: Final = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
"""The keywords of the lower and of the upper end of a number."""


MAX_RESOLVED: Final = 20_000
"""Parts of a schema with its references replaced: ten times the largest that makes sense."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The file with everything left out that has not the right form, so that the rest can be looked at."""

    parsed: Mapping[str, Json]
    """The file; a list keeps its length, with None for what is left out."""
    declared: tuple[str, ...]
    """The slots that the file names, in its order, usable or not."""
    schema: Schema
    """Of the intent object, with every reference replaced; it lacks slots that this house cannot fill."""
    refused: frozenset[str]
    """Slots whose own schema is refused: nothing is known about their values."""
    home: Home
    is_whole: bool
    """Nothing is refused beside the slots, so that objects can be tested."""
    values: IntentValues = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", IntentValues(self.schema))

    @property
    def extension(self) -> Mapping[str, Json]:
        """What stands under `x-edged`."""
        found = self.parsed.get("x-edged")
        return found if isinstance(found, Mapping) else {}

    def takes(self, slot: str, value: Json) -> bool:
        """Whether the slot can have the value; True where nothing is known about it."""
        known = self.values.slots.get(slot)
        return known is None or slot in self.refused or known.takes(value)

    def is_open(self, slot: str) -> bool:
        """Whether nothing can be said about the slot's values: it is refused, or this house has none."""
        return slot in self.refused or slot not in self.values.slots

    def examples(self) -> Iterator[tuple[str, int, str, Mapping[str, Json]]]:
        """Language, index, text and slots of every example."""
        for lang, items in self.extension.get("examples", {}).items():
            for index, item in enumerate(items):
                if item is not None:
                    yield lang, index, item["text"], item["slots"]

    def reference(self, slot: str) -> str:
        """The `$ref` of a slot, through `$defs`; empty where it has none."""
        node = self.parsed["properties"].get(slot, {})
        for _ in range(len(self.parsed.get("$defs", {})) + 1):
            reference = node.get("$ref", "") if isinstance(node, Mapping) else ""
            if not isinstance(reference, str) or not reference.startswith("#/$defs/"):
                return reference if isinstance(reference, str) else ""
            node = self.parsed.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
        return ""


def prune(root: Json, findings: Sequence[Finding]) -> Json:
    """A copy of a file without what the findings are about; in lists None stands in its place. `x-edged` stays."""
    dropped = {finding.pointer for finding in findings} - {("x-edged",)}

    def copy(node: Json, pointer: Pointer) -> Json:
        if isinstance(node, dict):
            return {key: copy(value, (*pointer, key)) for key, value in node.items() if (*pointer, key) not in dropped}
        if isinstance(node, list):
            return [
                None if (*pointer, index) in dropped else copy(value, (*pointer, index))
                for index, value in enumerate(node)
            ]
        return node

    return copy(root, ())


def measure_references(schema: Mapping[str, Json]) -> Finding | None:
    """One fault where the schema grows beyond all bounds once every reference to `$defs` is replaced."""
    definitions = schema.get("$defs", {})
    sizes: dict[str, int] = {}

    def measure(node: Json, followed: int = 0) -> int:
        if followed > MAX_FOLLOWED:
            return MAX_RESOLVED + 1
        if isinstance(node, dict):
            name = node.get("$ref")
            name = name.removeprefix("#/$defs/") if isinstance(name, str) else ""
            if name in definitions and name not in sizes:
                sizes[name] = 1  # as long as it is being measured: a circle is told by who resolves it
                sizes[name] = measure(definitions[name], followed + 1)
            return 1 + sizes.get(name, 0) + sum(measure(value, followed) for value in node.values())
        return 1 + sum(measure(item, followed) for item in node) if isinstance(node, list) else 1

    if definitions and measure({key: value for key, value in schema.items() if key != "$defs"}) > MAX_RESOLVED:
        what = f"references go through more than {MAX_FOLLOWED} definitions or make more than {MAX_RESOLVED} parts"
        return Finding(("$defs",), what, "refer to fewer definitions from within definitions", at_key=True)
    return None


def check_slot(slot: str, draft: Draft, pointer: Pointer, *, at_key: bool = False) -> Iterator[Finding]:
    """One fault where the file has no such slot."""
    if slot not in draft.declared:
        yield Finding(pointer, f"there is no slot {quote(slot)}", offer(slot, draft.declared), at_key=at_key)


def check_value(draft: Draft, slot: str, value: Json, pointer: Pointer) -> Iterator[Finding]:
    """One fault where there is no such slot or it never has that value."""
    if slot not in draft.declared:
        yield from check_slot(slot, draft, pointer, at_key=True)
    elif not draft.takes(slot, value):
        yield Finding(pointer, f"{quote(value)} is no value of {quote(slot)}", describe_values(draft, slot, value))


def describe_values(draft: Draft, slot: str, value: Json) -> str:
    """What to write instead of a value that the slot does not take."""
    schema = draft.schema["properties"][slot]
    if "enum" in schema:
        return offer(str(value), [one if isinstance(one, str) else json.dumps(one) for one in schema["enum"]])
    if schema.get("type") in ("integer", "number"):
        low, high = (schema.get(key, schema.get(other)) for key, other in BOUNDS)
        step = f" in steps of {schema['multipleOf']}" if "multipleOf" in schema else ""
        return f"write {'a whole' if schema['type'] == 'integer' else 'a'} number from {low} to {high}{step}"
    return "write a value that the slot's schema allows"
