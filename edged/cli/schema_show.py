"""What one intent file lets a person say, and what comes out of it, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from edged.intents.capabilities import CAPABILITIES
from edged.intents.catalog import PLACEHOLDER, Catalog, CommandRules, Condition, Example, IntentFile, Schema, SlotTerm
from edged.intents.lint.draft import BOUNDS
from edged.intents.lint.values import IntentValues
from edged.intents.spoken.forms import value_forms
from edged.intents.spoken.numbers import number_forms
from edged.intents.suggest import list_words
from edged.types import SlotValue

_SHOWN_VALUES: Final = 8
"""Values of a slot that are shown with their spoken forms; the rest is counted."""

_ROUND: Final = (20, 30, 10, 50, 5, 2, 100, 3000, 1)
"""Numbers that a filled-in sentence takes where the slot allows one of them."""


def show_intent(intent: IntentFile, catalog: Catalog, node: str, lang: str | None = None) -> Iterator[str]:
    """The lines about one intent; `lang` limits the languages to one."""
    languages = [known for known in intent.examples if lang in (None, known)]
    description = intent.schema.get("description", "")
    yield f"{intent.name}: {description}" if description else intent.name
    yield f"  file: {intent.file}"
    for slot in intent.slots:
        yield from _show_slot(intent, slot, catalog, languages)
    values = IntentValues(intent.schema)
    for known in languages:
        yield f"  say in {known}, and get:"
        for turn, example in enumerate(intent.examples[known]):
            yield from _show_example(intent, example, catalog, known, values, turn)
    for known in [known for known in intent.refused if lang in (None, known)]:
        yield f"  not meant in {known}: {'; '.join(intent.refused[known])}"
    said = [slot for slot in intent.slots if slot in intent.said]
    yield f"  must be said, never made up: {', '.join(said) or 'nothing'}"
    yield from _show_outcome(intent, catalog, node)
    yield ""


def _show_slot(intent: IntentFile, slot: str, catalog: Catalog, languages: list[str]) -> Iterator[str]:
    schema = intent.schema["properties"][slot]
    need = "required" if slot in intent.schema["required"] else "optional"
    yield f"  {slot} ({need}): {_describe_values(schema)}{_unit_of(intent, slot)}"
    named = list(schema.get("enum", ())) or [_read(text) for text in intent.spoken.get(slot, {})]
    for value in named[:_SHOWN_VALUES]:
        said = [
            f"{lang}: {list_words(forms)}"
            for lang in languages
            if (forms := _forms(intent, slot, value, catalog, lang))
        ]
        if said:
            yield f"    {value} = {' | '.join(said)}"
    if len(named) > _SHOWN_VALUES:
        yield f"    and {len(named) - _SHOWN_VALUES} more values"


def _describe_values(schema: Schema) -> str:
    if "enum" in schema:
        return list_words(map(str, schema["enum"]))
    if schema.get("type") in ("integer", "number"):
        low, high = (schema.get(key, schema.get(other)) for key, other in BOUNDS)
        step = schema.get("multipleOf", 1)
        return f"{low} to {high}" + (f" in steps of {step}" if step != 1 else "")
    return str(schema.get("type", "see the file"))


def _unit_of(intent: IntentFile, slot: str) -> str:
    """The unit of a number, as the command takes it."""
    for rule in intent.command.rules if intent.command else ():
        for name, term in rule.change.items():
            if isinstance(term, SlotTerm) and term.slot == slot and name in CAPABILITIES and CAPABILITIES[name].unit:
                return f" {CAPABILITIES[name].unit}" + (f", or as {term.unit} says" if term.unit else "")
    return ""


def _forms(intent: IntentFile, slot: str, value: SlotValue, catalog: Catalog, lang: str) -> tuple[str, ...]:
    """How a value is said, where that is more than the value itself."""
    forms = value_forms(intent, slot, value, catalog, lang)
    return forms if forms != (str(value).replace("_", " "),) else ()


def _show_example(
    intent: IntentFile, example: Example, catalog: Catalog, lang: str, values: IntentValues, turn: int
) -> Iterator[str]:
    placed = PLACEHOLDER.findall(example.text)
    if any(slot not in values.slots for slot in placed):
        yield f"    {example.text}  (this house has nothing for it)"
        return
    wanted = dict(example.slots)
    for slot in placed:
        slot_values = values.slots[slot]
        round_ones = [number for number in _ROUND if "enum" not in slot_values.schema and slot_values.takes(number)]
        candidates = round_ones or slot_values.candidates()
        if candidates and values.can_hold({**wanted, slot: candidates[turn % len(candidates)]}, placed):
            wanted[slot] = candidates[turn % len(candidates)]
    instance = values.complete(wanted, placed) or {"intent": intent.name, **wanted}
    text = PLACEHOLDER.sub(lambda match: _first_form(intent, match[1], instance, catalog, lang), example.text)
    yield f"    {text}"
    yield f"      {json.dumps(instance, ensure_ascii=False)}"


def _first_form(intent: IntentFile, slot: str, instance: Mapping[str, SlotValue], catalog: Catalog, lang: str) -> str:
    value = instance.get(slot)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_forms(Decimal(str(value)), lang)[0]
    forms = value_forms(intent, slot, value, catalog, lang) if value is not None else ()
    return forms[0] if forms else f"{{{slot}}}"


def _show_outcome(intent: IntentFile, catalog: Catalog, node: str) -> Iterator[str]:
    yield f"  published: edged/{node}/intent/{intent.name}, valid for {intent.expires_s:g} s"
    if intent.answer is not None:
        yield f"  it only asks: answered on edged/{node}/answer from what devices last said"
        for question in intent.answer.rules:
            scope = CommandRules(question.kind, intent.answer.area, question.device, ())
            words = ", ".join(name.replace("_", " ") for name in question.tell)
            yield f"    {_describe_when(question.when)}{words} of {_describe_devices(scope, catalog)}"
    elif intent.asks:
        yield "  it only asks: nothing is commanded"
    elif intent.timers is not None:
        for timer_rule in intent.timers.rules:
            when = " and ".join(_describe_condition(slot, condition) for slot, condition in timer_rule.when.items())
            yield f"  {f'if {when}: ' if when else 'always: '}{timer_rule.act.replace('_', ' ')} the timers"
    elif intent.command is None:
        yield "  no device is commanded: whoever reads that topic acts"
    else:
        yield f"  commanded: {_describe_devices(intent.command, catalog)}"
        for rule in intent.command.rules:
            change = ", ".join(_describe_change(name, value) for name, value in rule.change.items())
            yield f"    {_describe_when(rule.when)}{change}"


def _describe_devices(command: CommandRules, catalog: Catalog) -> str:
    kind = command.kind.replace("_", " ")
    count = len(catalog.home.devices_of(command.kind))
    places = [f"the {kind} that {command.device} names"] if command.device else []
    places += [f"all of the kind {kind} in the {command.area}"] if command.area else []
    return f"{', else '.join([*places, f'those in the own area, else all of the kind {kind}'])} ({count} in this house)"


def _describe_when(conditions: Mapping[str, Condition]) -> str:
    when = " and ".join(_describe_condition(slot, condition) for slot, condition in conditions.items())
    return f"if {when}: " if when else "always: "


def _describe_condition(slot: str, condition: Condition) -> str:
    if isinstance(condition, bool):
        return f"{slot} is {'given' if condition else 'not given'}"
    return f"{slot} is {' or '.join(map(str, condition))}"


def _describe_change(name: str, value: SlotValue | SlotTerm) -> str:
    words = name.replace("_", " ")
    if not isinstance(value, SlotTerm):
        unit = CAPABILITIES[name].unit if name in CAPABILITIES else ""
        return f"{words} becomes {value}{f' {unit}' if unit else ''}"
    factor = f" times {value.factor:g}" if value.factor != 1 else ""
    return f"{words} becomes {{{value.slot}}}{factor}{f' in {value.unit}' if value.unit else ''}"


def _read(text: str) -> SlotValue:
    """The value that a key of `spoken` stands for, where the slot lists no values: a number or a text."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    return float(number) if number % 1 else int(number)
