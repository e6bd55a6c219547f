"""The short form of an answer: only what the utterance itself does not decide.

     light on area
     thermostat set area second temperature, light off
     none

An intent is its name, then its slots in the schema's order: first those that it always has, as values alone, then the
others, as a key and a value. A value that must have been said is not written: where the utterance says one, nothing
stands for it, where it says several, which of them in the order of speech. So the language model neither spells the
names of a house nor computes numbers, and most answers take three to five tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from edged.core import Program
from edged.core.expression import Choice, Encoded, Expression, Literal, Repeat, encode
from edged.core.expression import Sequence as Chain
from edged.errors import CoreError
from edged.intents.accept import takes, text_matcher
from edged.intents.catalog import Catalog, IntentFile, Schema
from edged.intents.compile import KEPT_RESTRICTIONS, MAX_INTENTS, Said, SaidTexts, restricted_schema, said_texts
from edged.intents.grounding import Grounding
from edged.intents.lower import Slot, crosses_slots, json_text, list_texts, lower_object, lower_schema
from edged.intents.memo import per_catalog
from edged.types import SlotValue

Fields: TypeAlias = Mapping[str, SlotValue]
"""An intent with its slots, as its schema describes it."""

NOTHING: Final = "none"
"""The answer to what is no command."""
ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
"""Which of several said values is meant; what is said after the ninth cannot be."""
MAX_LISTED: Final = 64
"""Values of a slot that are written as words; of more, numbers above all, the texts of JSON are."""
_RESERVED: Final = frozenset({NOTHING, "true", "false", "null", *ORDINALS})
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")
_DECODER: Final = json.JSONDecoder()
_END: Final = Literal(b"\n")


# ---- writing


def write_short(intents: Sequence[Fields], catalog: Catalog, said: Mapping[str, Said]) -> str:
    """The short form of intents in an utterance that says what `said` has, by the intents' names."""
    if not intents:
        return f" {NOTHING}"
    return ",".join(" " + " ".join(_words(catalog, fields, said)) for fields in intents) + "\n"


def _words(catalog: Catalog, fields: Fields, said: Mapping[str, Said]) -> Iterator[str]:
    intent = catalog.intents[str(fields["intent"])]
    yield _word_of(intent.name)
    always, others = _slots_of(intent)
    for slot in (*always, *others):
        if slot in fields:
            if slot in others:
                yield _word_of(slot)
            values = said[intent.name].get(slot)
            if values is None:
                is_listed = _texts(catalog, intent.name, slot) is not None
                yield _word_of(fields[slot]) if is_listed else json_text(fields[slot])
            elif len(values) > 1:
                yield ORDINALS[list(map(json_text, values)).index(json_text(fields[slot]))]


def _word_of(value: SlotValue) -> str:
    """A plain word as it is, all else as JSON."""
    if isinstance(value, str) and _WORD.fullmatch(value) and value not in _RESERVED:
        return value
    return json_text(value)


def _slots_of(intent: IntentFile) -> tuple[list[str], list[str]]:
    """The slots that every such intent has, and the others."""
    required = intent.schema["required"]
    return [slot for slot in intent.slots if slot in required], [slot for slot in intent.slots if slot not in required]


# ---- reading


@dataclass(frozen=True, slots=True)
class Written:
    """An intent as it stands in an answer."""

    fields: Fields
    span: range
    """Its bytes, and those behind it up to the next intent."""
    said: tuple[range, ...]
    """Those that stand for what was said: values of said slots, and slots of the house and needed ones with keys."""


def read_short(text: bytes, catalog: Catalog, said: Grounding, needed: Collection[str] = ()) -> tuple[Written, ...]:
    """What a short answer stands for in an utterance that says `said`; `needed` slots had to be written.

    Raises:
        CoreError: it is none, which the grammar should have made impossible.
    """
    answer = text.decode()
    if answer == f" {NOTHING}":
        return ()
    try:
        return tuple(_Reading(answer, catalog, said, needed).intents())
    except (ValueError, KeyError, IndexError) as error:
        raise CoreError(f"the grammar let through what is no answer: {text!r}") from error


class _Reading:
    """A short answer and how far it has been read."""

    def __init__(self, text: str, catalog: Catalog, said: Grounding, needed: Collection[str]) -> None:
        self._text = text
        self._at = 0
        self._catalog = catalog
        self._said = said
        self._needed = needed

    def intents(self) -> Iterator[Written]:
        ended = False
        while not ended:
            start = self._byte()
            intent = self._catalog.intents[str(self._value())]
            fields, said = self._slots(intent)
            ended = self._text[self._at] == "\n"
            if not ended and self._text[self._at] != ",":
                raise ValueError(self._text[self._at :])
            self._at += 1
            yield Written(fields, range(start, self._byte()), said)
        if self._at != len(self._text):
            raise ValueError(self._text[self._at :])

    def _slots(self, intent: IntentFile) -> tuple[Fields, tuple[range, ...]]:
        always, others = _slots_of(intent)
        found: dict[str, SlotValue] = {"intent": intent.name}
        spans = []
        for slot in always:
            start = self._byte()
            found[slot] = self._slot_value(intent, slot)
            if slot in self._said[intent.name]:
                spans.append(range(start, self._byte()))
        while self._text[self._at] == " ":
            start = self._byte()
            slot = str(self._value())
            others = others[others.index(slot) + 1 :]
            if slot not in intent.homes and slot not in self._needed:
                start = self._byte()
            found[slot] = self._slot_value(intent, slot)
            if slot in self._said[intent.name]:
                spans.append(range(start, self._byte() + 1))
        fields = {name: found[name] for name in ("intent", *intent.slots) if name in found}
        return fields, tuple(spans)

    def _slot_value(self, intent: IntentFile, slot: str) -> SlotValue:
        said = self._said[intent.name].get(slot)
        if said is None:
            return self._value()
        return said[ORDINALS.index(str(self._value())) if len(said) > 1 else 0]

    def _value(self) -> SlotValue:
        """The next word, or JSON."""
        if self._text[self._at] != " ":
            raise ValueError(self._text[self._at :])
        word = _WORD.match(self._text, self._at + 1)
        if word is not None and word[0] not in ("true", "false", "null"):
            self._at = word.end()
            return word[0]
        value: SlotValue
        value, self._at = _DECODER.raw_decode(self._text, self._at + 1)
        return value

    def _byte(self) -> int:
        return len(self._text[: self._at].encode())


# ---- the grammar


def compile_short(catalog: Catalog, said: Grounding, needed: Collection[str] = frozenset()) -> Program:
    """The program of all short answers of zero to three intents to an utterance that says `said`.

    Args:
        catalog: what can be said.
        said: what was; an intent that requires what was not said is left out whole.
        needed: slots that every intent must have, as if its schema required them.
    """
    intents = tuple(
        expression
        for intent in catalog.intents.values()
        if (expression := _intent(catalog, intent, said[intent.name], needed)) is not None
    )
    nothing = Literal(f" {NOTHING}".encode())
    if not intents:
        return Program(nothing)
    intent = Choice(intents)
    more = Repeat(Chain((Literal(b","), intent)), 0, MAX_INTENTS - 1)
    return Program(Choice((nothing, Chain((intent, more, _END)))))


def _intent(catalog: Catalog, intent: IntentFile, said: Said, needed: Collection[str]) -> Expression | None:
    """All that can be written of an intent; None if that is nothing."""
    required = {*intent.schema["required"], *needed}
    if not required <= set(intent.schema["properties"]) or any(said.get(slot) == () for slot in required):
        return None
    if crosses_slots(intent.schema):
        return _crossing(catalog, intent.name)(said_texts(said), tuple(sorted(needed)))
    values = _values(catalog)
    free = {slot: values[intent.name, slot] for slot in intent.slots if slot not in said}
    pointed = {slot: _ordinals(range(len(values)), len(values)) for slot, values in said.items() if values}
    return _chain(intent, free | pointed, required)


def _chain(intent: IntentFile, values: Mapping[str, Expression], required: Collection[str]) -> Expression:
    """The words of an intent whose slots have these values."""
    always, others = _slots_of(intent)
    parts: list[Expression] = [_word(intent.name)]
    parts += [values[slot] for slot in always]
    for slot in others:
        if slot in values:
            part = Chain((_word(slot), values[slot]))
            parts.append(part if slot in required else Repeat(part, 0, 1))
    return Chain(tuple(parts))


def _ordinals(places: Collection[int], count: int) -> Expression:
    """What is written for the values at these places among so many that were said."""
    if count == 1:
        return Literal(b"")
    return Choice(tuple(Literal(f" {ORDINALS[place]}".encode()) for place in places if place < len(ORDINALS)))


def _word(value: SlotValue) -> Literal:
    return Literal(f" {_word_of(value)}".encode())


@per_catalog
def _values(catalog: Catalog) -> Mapping[tuple[str, str], Encoded]:
    """What is written for every slot of every intent that need not be said, ready for the core."""
    return {
        (intent.name, slot): Encoded(encode(_value_expression(_texts(catalog, intent.name, slot), schema)))
        for intent in catalog.intents.values()
        if not crosses_slots(intent.schema)
        for slot, schema in intent.schema["properties"].items()
    }


@per_catalog
def _texts(catalog: Catalog, intent: str, slot: str) -> tuple[str, ...] | None:
    """All values of a slot as JSON, which are written as words; None where there are too many."""
    return list_texts(catalog.intents[intent].schema["properties"][slot], MAX_LISTED)


def _value_expression(texts: Sequence[str] | None, schema: Schema | bool) -> Expression:
    return _json(lower_schema(schema)) if texts is None else _listed(texts)


def _json(value: Expression) -> Expression:
    return Chain((Literal(b" "), value))


def _listed(texts: Iterable[str]) -> Expression:
    return Choice(tuple(_word(json.loads(text)) for text in texts))


@per_catalog
def _crossing(catalog: Catalog, name: str) -> Callable[[SaidTexts, tuple[str, ...]], Encoded]:
    """Gives an intent whose slots depend on each other for what was said and the slots needed."""
    intent = catalog.intents[name]
    texts = {slot: _texts(catalog, name, slot) for slot in intent.slots}

    @lru_cache(maxsize=KEPT_RESTRICTIONS)
    def restrict(said: SaidTexts, needed: tuple[str, ...]) -> Encoded:
        ways = lower_object(restricted_schema(intent.schema, said, needed))
        return Encoded(encode(Choice(tuple(_way(intent, slots, texts, dict(said)) for slots in ways))))

    return restrict


def _way(
    intent: IntentFile,
    slots: Mapping[str, Slot],
    texts: Mapping[str, Sequence[str] | None],
    said: Mapping[str, Sequence[str]],
) -> Expression:
    """The words of one of the alternatives that an intent comes down to."""
    values = {
        slot: _slot_expression(slots[slot].expression, texts[slot], said.get(slot))
        for slot in intent.slots
        if slot in slots
    }
    return _chain(intent, values, {slot for slot in values if slots[slot].required})


def _slot_expression(value: Expression, texts: Sequence[str] | None, said: Sequence[str] | None) -> Expression:
    """What is written for the values that are left of a slot."""
    if said is None and texts is None:
        return _json(value)
    matcher = text_matcher(Program(value))
    if said is not None:
        return _ordinals([place for place, text in enumerate(said) if takes(matcher, text.encode())], len(said))
    return _listed(text for text in texts or () if takes(matcher, text.encode()))
