"""What a model that was not trained for edged is told: the intents of a catalog, and sentences with their answers.

Where a sentence wants a place or a device, one of the house stands in it: so it is said, and so it is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Final, TypeVar

from edged.intents.accept import intent_validator
from edged.intents.catalog import PLACEHOLDER, Catalog, Example, IntentFile, Schema, is_sayable
from edged.intents.free_text import takes_text
from edged.intents.grounding import ground
from edged.intents.lower import json_text
from edged.intents.spoken.forms import name_forms
from edged.intents.spoken.text import normalize_text
from edged.intents.templates import match_examples
from edged.types import SlotValue

MAX_LISTED: Final = 8
"""Values of a slot that the instruction lists."""
COMMANDS_A_REFUSAL: Final = 3
"""So many commands stand between two sentences that mean nothing: with as many of these a small model answers nothing
but nothing."""
NOTHING: Final = "[]"
"""The answer to what is no command."""
_TASK: Final = (
    "Somebody talks to a house. Write what is to be done as a JSON array of at most three intents, "
    f"with the slots that were said and no others. Write {NOTHING} where none of the intents is meant.\n"
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A sentence and its answer."""

    said: str
    answer: str


def make_instruction(catalog: Catalog, *, brief: bool = False) -> str:
    """The task, then a line an intent; `brief` leaves out what the slots may hold."""
    return _TASK + "\n".join(_describe(intent, brief=brief) for intent in catalog.intents.values())


def _describe(intent: IntentFile, *, brief: bool) -> str:
    slots = (slot if brief else f"{slot}{_values(intent, slot)}" for slot in intent.slots)
    return f"{intent.name}({', '.join(slots)})"


def _values(intent: IntentFile, slot: str) -> str:
    """What a slot may hold; nothing of the house, which is not the model's business."""
    schema = intent.schema["properties"].get(slot, {})
    if slot in intent.homes:
        return ""
    if "enum" in schema:
        shown = "|".join(str(value) for value in schema["enum"][:MAX_LISTED])
        return f": {shown}" + ("|..." if len(schema["enum"]) > MAX_LISTED else "")
    if "minimum" in schema and "maximum" in schema:
        return f": {schema['minimum']}..{schema['maximum']}"
    return ": any words" if takes_text(intent.schema, slot) else ""


def make_lessons(catalog: Catalog, lang: str) -> Iterator[Lesson]:
    """Sentences of each intent in turn, the most different ones first, and among them some that mean nothing."""
    commands = _in_turn(_commands(catalog, intent, lang) for intent in catalog.intents.values())
    refusals = _in_turn(_refusals(catalog, intent, lang) for intent in catalog.intents.values())
    for number, command in enumerate(commands, 1):
        yield command
        if number % COMMANDS_A_REFUSAL == 0:
            yield from islice(refusals, 1)


def _in_turn(lessons: Iterable[Iterator[Lesson]]) -> Iterator[Lesson]:
    """The first of each, then the second of each, and so on."""
    return (lesson for row in zip_longest(*lessons) for lesson in row if lesson)


def _commands(catalog: Catalog, intent: IntentFile, lang: str) -> Iterator[Lesson]:
    """Examples of an intent with values: one of each kind that means the same, then a second of each, and so on."""
    kinds: dict[str, list[Example]] = {}
    for example in _in_language(intent.examples, lang):
        if is_sayable(intent, example):
            kinds.setdefault(str(sorted(example.slots.items())), []).append(example)
    for alike in kinds.values():  # those with one placeholder first: they show most in few words
        alike.sort(key=lambda example: abs(len(PLACEHOLDER.findall(example.text)) - 1))
    examples = (example for row in zip_longest(*kinds.values()) for example in row if example)
    for turn, example in enumerate(examples):
        filled = _fill(catalog, intent, example.text, lang, turn)
        if filled is not None:
            slots = {"intent": intent.name, **example.slots, **filled[1]}
            fields = {name: slots[name] for name in ("intent", *intent.slots) if name in slots}
            if _is_grounded(catalog, fields, filled[0], lang) and intent_validator(catalog, intent.name).is_valid(
                fields
            ):
                yield Lesson(filled[0], f"[{json_text(fields)}]")


def _is_grounded(catalog: Catalog, fields: Mapping[str, SlotValue], text: str, lang: str) -> bool:
    """Whether a sentence says what its answer has: the grammar lets nothing else be answered."""
    said = ground(catalog, text, lang)[str(fields["intent"])]
    return all(fields[slot] in values for slot, values in said.items() if slot in fields)


def _refusals(catalog: Catalog, intent: IntentFile, lang: str) -> Iterator[Lesson]:
    """Sentences that are no command to this intent, nor to another one whose examples have them."""
    for turn, text in enumerate(_in_language(intent.refused, lang)):
        filled = _fill(catalog, intent, text, lang, turn)
        if filled is not None and all(m.refused for way in match_examples(catalog, filled[0], lang) for m in way):
            yield Lesson(filled[0], NOTHING)


def _in_language(by_lang: Mapping[str, Sequence[_T]], lang: str) -> Sequence[_T]:
    """What there is in a language, else in English, else in any."""
    for known in (lang, lang.split("-")[0], "en", *by_lang):
        if by_lang.get(known):
            return by_lang[known]
    return ()


def _fill(
    catalog: Catalog, intent: IntentFile, text: str, lang: str, turn: int
) -> tuple[str, Mapping[str, SlotValue]] | None:
    """A sentence with a value for each placeholder, and these values; None where there is none."""
    values: dict[str, SlotValue] = {}
    words = {}
    for slot in PLACEHOLDER.findall(text):
        value = _choose(intent, slot, turn)
        if value is None:
            return None
        values[slot] = value
        forms = name_forms(intent, slot, value, catalog, lang) if isinstance(value, str) else ()
        words[slot] = forms[0] if forms else str(value)
    return normalize_text(PLACEHOLDER.sub(lambda found: words[found[1]], text), lang), values


def _choose(intent: IntentFile, slot: str, turn: int) -> SlotValue | None:
    """A value of a slot, another one each turn; for any words the slot's own name."""
    schema = intent.schema["properties"].get(slot, {})
    if schema.get("enum"):
        value: SlotValue = schema["enum"][turn % len(schema["enum"])]
        return value
    if schema.get("type") in ("integer", "number"):
        return _choose_number(schema, turn)
    return slot.replace("_", " ") if takes_text(intent.schema, slot) else None


def _choose_number(schema: Schema, turn: int) -> SlotValue:
    """A number in the middle of a range, in its steps."""
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 100))
    step = schema.get("multipleOf", 1)
    step = step if step >= 1 else 1
    share = (0.5, 0.3, 0.7, 0.4, 0.6)[turn % 5]
    return int(round(low + (high - low) * share) // step * step)
