"""Whether the rules of `command` and `asks` can hold, and change or tell what devices have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

from edged.intents.capabilities import CAPABILITIES, TOLD, Capability
from edged.intents.catalog import PLACEHOLDER, Finding, Json, Pointer, Schema
from edged.intents.lint.draft import BOUNDS, Draft, check_slot, check_value
from edged.intents.references import HOME
from edged.intents.suggest import list_words, offer, quote

UNITS: Final = ("celsius", "fahrenheit")
"""Values of a slot that says the unit of a number: the only units that are converted."""


def check_command(draft: Draft) -> Iterator[Finding]:
    """Every rule that never holds or never does what it says, and roles of slots that are none."""
    command = draft.extension.get("command")
    if command is None:
        return
    place: Pointer = ("x-edged", "command")
    yield from _check_kind(draft, command["kind"], place)
    for role in ("area", "device"):
        if role in command:
            yield from _check_role(draft, role, command[role], command["kind"], (*place, role))
    for index, rule in enumerate(command["rules"]):
        if rule is not None:
            here = (*place, "rules", index)
            for slot, condition in rule.get("when", {}).items():
                yield from check_condition(draft, slot, condition, (*here, "when", slot))
            for name, value in rule["change"].items():
                yield from _check_change(draft, name, value, (*here, "change", name))


def check_asks(draft: Draft) -> Iterator[Finding]:
    """Every rule of an answer that never holds or tells what no device says, and roles of slots that are none."""
    asks = draft.extension.get("asks")
    if not isinstance(asks, Mapping):
        return
    place: Pointer = ("x-edged", "asks")
    if "command" in draft.extension:
        yield Finding(("x-edged", "command"), "a question commands nothing", "remove it", at_key=True)
    rules = [(index, rule) for index, rule in enumerate(asks["rules"]) if rule is not None]
    if "area" in asks and rules:
        yield from _check_role(draft, "area", asks["area"], rules[0][1]["kind"], (*place, "area"))
    for index, rule in rules:
        yield from _check_telling(draft, rule, (*place, "rules", index))


def _check_telling(draft: Draft, rule: Mapping[str, Json], here: Pointer) -> Iterator[Finding]:
    yield from _check_kind(draft, rule["kind"], here)
    if "device" in rule:
        yield from _check_role(draft, "device", rule["device"], rule["kind"], (*here, "device"))
    yield from _check_conditions(draft, rule, here)
    for number, name in enumerate(rule["tell"]):
        if name is not None and name not in TOLD:
            what = f"{quote(name)} is nothing that a device tells"
            yield Finding((*here, "tell", number), what, offer(name, TOLD))


def check_dialogue(draft: Draft) -> Iterator[Finding]:
    """Every slot and value that `confirm` and `questions` name and the intent does not have."""
    confirm = draft.extension.get("confirm")
    if isinstance(confirm, dict):
        yield from _check_conditions(draft, confirm, ("x-edged", "confirm"))
    for index, question in enumerate(draft.extension.get("questions", ())):
        if question is not None:
            yield from _check_question(draft, question, ("x-edged", "questions", index))


def _check_conditions(draft: Draft, part: Mapping[str, Json], here: Pointer) -> Iterator[Finding]:
    for slot, condition in part.get("when", {}).items():
        yield from check_condition(draft, slot, condition, (*here, "when", slot))


def _check_question(draft: Draft, question: Mapping[str, Json], here: Pointer) -> Iterator[Finding]:
    for index, slot in enumerate(question["slots"]):
        if slot is not None:
            yield from check_slot(slot, draft, (*here, "slots", index))
    yield from _check_conditions(draft, question, here)
    for lang, items in question.get("examples", {}).items():
        for index, item in enumerate(items):
            if item is not None:
                yield from _check_incomplete(draft, question, item, (*here, "examples", lang, index))


def _check_incomplete(
    draft: Draft, question: Mapping[str, Json], item: Mapping[str, Json], place: Pointer
) -> Iterator[Finding]:
    """A sentence that lacks a value says values of other slots alone."""
    for slot, value in item["slots"].items():
        yield from check_value(draft, slot, value, (*place, "slots", slot))
    placed = PLACEHOLDER.findall(item["text"])
    for slot in placed:
        yield from check_slot(slot, draft, (*place, "text"))
    for slot in (*item["slots"], *placed):
        if slot in question["slots"]:
            yield Finding((*place, "text"), f"this gives {quote(slot)}, which is asked for", "leave the value out")


def _check_kind(draft: Draft, kind: str, place: Pointer) -> Iterator[Finding]:
    is_told = any(draft.reference(slot) == f"{HOME}devices/{kind}" for slot in draft.declared)
    if not is_told and not draft.home.devices_of(kind):
        kinds = dict.fromkeys(device.kind for device in draft.home.devices.values())
        remedy = f"add one to home.toml, or {offer(kind, kinds)}" if kinds else "add one to home.toml"
        yield Finding((*place, "kind"), f"the house has no device of the kind {quote(kind)}", remedy, "warning")


def _check_role(draft: Draft, role: str, slot: str, kind: str, pointer: Pointer) -> Iterator[Finding]:
    if slot not in draft.declared:
        yield from check_slot(slot, draft, pointer)
        return
    if slot in draft.refused:
        return
    reference = draft.reference(slot)
    wanted = ("areas", "floors") if role == "area" else (f"devices/{kind}",)
    if reference in [HOME + name for name in wanted]:
        return
    home = draft.home
    keys = home.areas.keys() | home.floors if role == "area" else {device.key for device in home.devices_of(kind)}
    values = draft.schema["properties"].get(slot, {}).get("enum", ())
    if not values or not all(value in keys for value in values):
        what = (
            f"the values of {quote(slot)} are no {'areas' if role == 'area' else f'devices of the kind {quote(kind)}'}"
        )
        yield Finding(pointer, what, f'name a slot that is {{"$ref": "{HOME}{wanted[0]}"}}')


def check_condition(draft: Draft, slot: str, condition: Json, pointer: Pointer) -> Iterator[Finding]:
    """A condition of a rule that can never hold."""
    if slot not in draft.declared:
        yield from check_slot(slot, draft, pointer, at_key=True)
    elif condition is False and slot in draft.schema["required"]:
        what = f"this never holds: every such intent has {quote(slot)}"
        yield Finding(pointer, what, "remove the rule, or name a value")
    elif isinstance(condition, list):
        for index, value in enumerate(condition):
            if value is not None:
                yield from check_value(draft, slot, value, (*pointer, index))
    elif not isinstance(condition, bool):
        yield from check_value(draft, slot, condition, pointer)


def _check_change(draft: Draft, name: str, value: Json, pointer: Pointer) -> Iterator[Finding]:
    capability = CAPABILITIES.get(name)
    if capability is None:
        yield Finding(pointer, f"there is no capability {quote(name)}", offer(name, CAPABILITIES), at_key=True)
    elif isinstance(value, Mapping):
        yield from _check_term(draft, name, capability, value, pointer)
    elif capability.choices:
        if value not in capability.choices:
            yield Finding(pointer, f"{quote(value)} is no {_words(name)}", offer(str(value), capability.choices))
    elif isinstance(value, bool) or not isinstance(value, int | float):
        yield Finding(pointer, f"{quote(value)} is no {_words(name)}", f"write a number of {capability.unit}")
    elif not capability.least <= value <= capability.greatest:
        yield Finding(pointer, f"{quote(value)} is out of the range of {_words(name)}", _range(capability))


def _check_term(
    draft: Draft, name: str, capability: Capability, term: Mapping[str, Json], pointer: Pointer
) -> Iterator[Finding]:
    slot = term["slot"]
    if slot not in draft.declared:
        yield from check_slot(slot, draft, (*pointer, "slot"))
    elif not draft.is_open(slot):
        schema = draft.schema["properties"][slot]
        if capability.choices:
            yield from _check_choices(slot, name, capability, schema, pointer)
        else:
            yield from _check_number(slot, name, capability, schema, term, pointer)
    if "unit" in term:
        yield from _check_unit(draft, name, capability, term["unit"], (*pointer, "unit"))
    if capability.choices and "factor" in term:
        yield Finding(
            (*pointer, "factor"), f"{_words(name)} is no number: a factor does nothing", "leave it out", at_key=True
        )


def _check_choices(slot: str, name: str, capability: Capability, schema: Schema, pointer: Pointer) -> Iterator[Finding]:
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if values is None:
        what = f"{quote(slot)} is no list of values, and {_words(name)} takes only some"
        yield Finding((*pointer, "slot"), what, f"name a slot with an enum of: {list_words(capability.choices)}")
        return
    wrong = [str(value) for value in values if value not in capability.choices]
    if wrong:
        what = f"{quote(slot)} has values that are no {_words(name)}: {list_words(wrong)}"
        yield Finding(
            (*pointer, "slot"), what, f"leave them out of the slot; it takes: {list_words(capability.choices)}"
        )


def _check_number(
    slot: str, name: str, capability: Capability, schema: Schema, term: Mapping[str, Json], pointer: Pointer
) -> Iterator[Finding]:
    values = schema.get("enum", ())
    is_number = schema.get("type") in ("integer", "number") or (
        values and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    )
    if not is_number:
        what = f"{quote(slot)} is no number, and {_words(name)} is one"
        yield Finding((*pointer, "slot"), what, f"name a slot with numbers of {capability.unit}")
        return
    factor = term.get("factor", 1)
    low, high = (schema.get(key, schema.get(other)) for key, other in BOUNDS)
    ends = sorted(factor * end for end in (*values, low, high) if isinstance(end, int | float))
    if "unit" not in term and ends and (ends[0] > capability.greatest or ends[-1] < capability.least):
        what = f"{quote(slot)} goes from {ends[0]:g} to {ends[-1]:g}, which no {_words(name)} takes"
        yield Finding((*pointer, "slot"), what, _range(capability))
    if not math.isfinite(factor) or factor == 0:
        yield Finding((*pointer, "factor"), "a factor of 0 makes every value 0", "write another factor", at_key=True)


def _check_unit(draft: Draft, name: str, capability: Capability, slot: str, pointer: Pointer) -> Iterator[Finding]:
    if slot not in draft.declared:
        yield from check_slot(slot, draft, pointer)
        return
    if capability.quantity == "plain":
        yield Finding(
            pointer, f"{_words(name)} is no temperature: its unit is never converted", "leave it out", at_key=True
        )
    elif not draft.is_open(slot):
        values = draft.schema["properties"][slot].get("enum", [None])
        unknown = [str(value) for value in values if value not in UNITS]
        if unknown:
            what = f"{quote(slot)} has values that are no unit: {list_words(unknown)}"
            yield Finding(pointer, what, f"use a slot with an enum of: {list_words(UNITS)}")


def _range(capability: Capability) -> str:
    return f"use {capability.least:g} to {capability.greatest:g} {capability.unit}"


def _words(key: str) -> str:
    return key.replace("_", " ")
