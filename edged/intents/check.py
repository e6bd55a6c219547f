"""What a schema cannot say about an intent file: whether its parts fit each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import jsonschema

from edged.intents.capabilities import CAPABILITIES
from edged.intents.catalog import CommandRules, IntentFile, Json, Rule, SlotTerm

Finding: TypeAlias = tuple[tuple[str | int, ...], str, str]
"""JSON pointer, what is wrong, what to write instead."""

PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_]+)\}")


def check_intent(intent: IntentFile, parsed: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that does not fit; `parsed` is the file itself, which still has slots that this house cannot fill."""
    declared = [key for key in parsed["properties"] if key != "intent"]
    yield from _check_names(intent, declared)
    yield from _check_examples(intent, declared)
    if intent.command is not None:
        yield from _check_command(intent.command, declared)


def _check_names(intent: IntentFile, declared: list[str]) -> Iterator[Finding]:
    if next(iter(intent.schema["properties"])) != "intent":
        yield ("properties",), '"intent" is not the first property', 'put "intent" first'
    for slot in sorted(intent.said):
        yield from _check_slot(slot, declared, ("x-edged", "said"))
    for slot, values in intent.spoken.items():
        place = ("x-edged", "spoken", slot)
        yield from _check_slot(slot, declared, place)
        if slot in intent.schema["properties"]:
            for value in values:
                yield from _check_value(intent, slot, value, (*place, value))


def _check_value(intent: IntentFile, slot: str, value: str, place: tuple[str | int, ...]) -> Iterator[Finding]:
    schema = intent.schema["properties"][slot]
    if not jsonschema.Draft202012Validator(schema).is_valid(spoken_value(schema, value)):
        yield place, f'"{value}" is no value of "{slot}"', "name a value that the slot allows"


def spoken_value(schema: Mapping[str, Any], text: str) -> Json:
    """The value that a key of `spoken` stands for: JSON text for numbers and the like, itself for a string."""
    if schema.get("type") in ("integer", "number", "boolean"):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def _check_slot(slot: str, declared: list[str], place: tuple[str | int, ...]) -> Iterator[Finding]:
    if slot not in declared:
        yield place, f'there is no slot "{slot}"', f"use one of: {', '.join(declared)}"


def _check_examples(intent: IntentFile, declared: list[str]) -> Iterator[Finding]:
    for lang, examples in intent.examples.items():
        for index, example in enumerate(examples):
            place = ("x-edged", "examples", lang, index)
            for slot in PLACEHOLDER.findall(example.text):
                yield from _check_slot(slot, declared, (*place, "text"))
            for slot, value in example.slots.items():
                yield from _check_slot(slot, declared, (*place, "slots", slot))
                schema = intent.schema["properties"].get(slot, {})
                if not jsonschema.Draft202012Validator(schema).is_valid(value):
                    yield (*place, "slots", slot), f"{json.dumps(value)} is no value of it", "name an allowed value"


def _check_command(command: CommandRules, declared: list[str]) -> Iterator[Finding]:
    for role, slot in (("area", command.area), ("device", command.device)):
        if slot is not None:
            yield from _check_slot(slot, declared, ("x-edged", "command", role))
    for index, rule in enumerate(command.rules):
        yield from _check_rule(rule, declared, ("x-edged", "command", "rules", index))


def _check_rule(rule: Rule, declared: list[str], place: tuple[str | int, ...]) -> Iterator[Finding]:
    for slot in rule.when:
        yield from _check_slot(slot, declared, (*place, "when", slot))
    for name, value in rule.change.items():
        here = (*place, "change", name)
        capability = CAPABILITIES.get(name)
        if capability is None:
            yield here, f'there is no capability "{name}"', f"use one of: {', '.join(CAPABILITIES)}"
        elif isinstance(value, SlotTerm):
            yield from _check_slot(value.slot, declared, here)
            if value.unit is not None:
                yield from _check_slot(value.unit, declared, here)
        elif capability.choices and value not in capability.choices:
            yield here, f"{json.dumps(value)} is no {name}", f"use one of: {', '.join(capability.choices)}"
        elif not capability.choices and (isinstance(value, bool) or not isinstance(value, int | float)):
            yield here, f"{json.dumps(value)} is no {name}", f"use a number of {capability.unit}"
