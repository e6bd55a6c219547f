"""The immutable set of everything that can be said: intents, the house, and what was refused while loading."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

from edged.intents.home import Home
from edged.intents.suggest import shorten
from edged.types import SlotValue

Json: TypeAlias = Any
"""A JSON value: no narrower type of Python's says more."""

Schema: TypeAlias = Mapping[str, Json]
"""A JSON Schema or a part of one."""


PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_]+)\}")
"""Stands in an example for anything that says a value of the slot."""


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence and the slots that it means; `{slot}` in the text stands for any spoken form of that slot."""

    text: str
    slots: Mapping[str, SlotValue]


@dataclass(frozen=True, slots=True)
class SlotTerm:
    """A number that a rule takes from a slot: the slot's value times `factor`, in the unit that slot `unit` names."""

    slot: str
    factor: float = 1
    unit: str | None = None


Condition: TypeAlias = bool | tuple[SlotValue, ...]
"""Of a slot: True, it was given; False, it was not; else its value is one of these."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where every condition holds, each capability changes to its value; later rules win."""

    when: Mapping[str, Condition]
    change: Mapping[str, SlotValue | SlotTerm]


@dataclass(frozen=True, slots=True)
class CommandRules:
    """How an intent's slots become changes of the capabilities of devices."""

    kind: str
    """The kind of the devices that are meant."""
    area: str | None
    """The slot that names an area."""
    device: str | None
    """The slot that names a device."""
    rules: tuple[Rule, ...]


TimerAct: TypeAlias = Literal["list", "cancel", "cancel_all"]
"""What is done with timers; cancel: the one that was set last."""


@dataclass(frozen=True, slots=True)
class TimerRule:
    """Where every condition holds, this is done; later rules win."""

    when: Mapping[str, Condition]
    act: TimerAct


@dataclass(frozen=True, slots=True)
class TimerRules:
    """What an intent does with the timers that run."""

    area: str | None
    """The slot that names an area: only timers about it are meant."""
    device: str | None
    """The slot that names a device: the same."""
    rules: tuple[TimerRule, ...]


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """Where every condition holds, these capabilities and readings of the devices of a kind are told."""

    when: Mapping[str, Condition]
    kind: str
    device: str | None
    """The slot that names a device."""
    tell: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """How a question is answered from the state of devices; the first rule that holds does it."""

    area: str | None
    """The slot that names an area."""
    rules: tuple[AnswerRule, ...]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Which intents are to be confirmed before they are carried out."""

    scope: Literal["always", "house"]
    """house: those that name neither a place nor a device and concern devices of several areas."""
    when: Mapping[str, Condition]
    """All of these hold, as in a rule."""


@dataclass(frozen=True, slots=True)
class SlotQuestion:
    """What to ask where every condition holds and none of the slots was given."""

    slots: tuple[str, ...]
    when: Mapping[str, Condition]
    text: Mapping[str, tuple[str, ...]]
    """Language -> the question, the first of them."""
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    """Language -> sentences that give none of the slots."""


@dataclass(frozen=True, slots=True)
class IntentFile:
    """One loaded intent."""

    name: str
    schema: Schema
    """The JSON Schema of one intent object, every reference resolved."""
    slots: tuple[str, ...]
    """The slots in their order."""
    homes: Mapping[str, str]
    """Slot -> "areas" or "devices", where its values are those of the house."""
    examples: Mapping[str, tuple[Example, ...]]
    """Language -> sentences."""
    refused: Mapping[str, tuple[str, ...]]
    """Language -> sentences that look like this intent and are not."""
    spoken: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
    """Slot -> value (as JSON text where it is no string) -> language -> words."""
    said: frozenset[str]
    """The slots whose value must have been said: places, devices and numbers that are not implied, and those listed."""
    expires_s: float
    """How long a command stays valid."""
    asks: bool
    """It only asks and never acts."""
    command: CommandRules | None
    file: str = ""
    """Where it was read."""
    answer: AnswerRules | None = None
    """How it is answered here; None where whoever reads its topic answers."""
    timers: TimerRules | None = None
    examples_only: bool = False
    """Its examples alone say it: the LM is not asked about it, and reads nothing of it."""
    confirm: Confirmation | None = None
    questions: tuple[SlotQuestion, ...] = ()
    """In the order in which they are tried."""


def holds(when: Mapping[str, Condition], slots: Mapping[str, SlotValue]) -> bool:
    """Whether every condition holds for the slots of an intent."""
    return all(_holds(condition, slots.get(slot)) for slot, condition in when.items())


def _holds(condition: Condition, value: SlotValue) -> bool:
    if isinstance(condition, bool):
        return (value is not None) == condition
    return any(value == allowed and isinstance(value, bool) == isinstance(allowed, bool) for allowed in condition)


Pointer: TypeAlias = tuple[str | int, ...]
"""The way from the root of a JSON value to a part of it: keys and 0-based indexes."""

Severity: TypeAlias = Literal["error", "warning"]


def is_sayable(intent: IntentFile, example: Example) -> bool:
    """Whether the house has something for each placeholder of an example."""
    return all(slot in intent.schema["properties"] for slot in PLACEHOLDER.findall(example.text))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a JSON value, before its file and line are known."""

    pointer: Pointer
    what: str
    remedy: str
    severity: Severity = "error"
    at_key: bool = False
    """The key itself is wrong, not what stands behind it."""


MAX_SHOWN_POINTER: Final = 500
"""Characters of a JSON pointer that are printed: of names of 64, more than any file nests."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in an intent file."""

    file: str
    pointer: str
    """JSON pointer of the place; empty for the whole file."""
    line: int
    """1-based; 0 where it is not known."""
    column: int
    """1-based, in characters; 0 where it is not known."""
    what: str
    remedy: str
    severity: Severity = "error"
    """With an error the file is left out; with a warning it is in force, and a part of it does nothing."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        pointer = f" at {shorten(self.pointer, MAX_SHOWN_POINTER)}" if self.pointer else ""
        return f"{place}{pointer}: {self.what}" + (f"\n  {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Catalog:
    """Everything that is in force at one time; equal to itself alone, so that what is made from it can be cached."""

    intents: Mapping[str, IntentFile]
    home: Home
    faults: tuple[Fault, ...]
    """What is wrong with the files, by file: errors, for which one is left out, and warnings."""


def without_examples(catalog: Catalog) -> Catalog:
    """The catalog under which no sentence is understood but by the LM."""
    return replace(
        catalog, intents={key: replace(intent, examples={}, refused={}) for key, intent in catalog.intents.items()}
    )


def restrict(catalog: Catalog, names: Collection[str]) -> Catalog:
    """The catalog with only those of its intents that are among `names`."""
    return replace(catalog, intents={name: intent for name, intent in catalog.intents.items() if name in names})
