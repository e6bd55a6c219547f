"""Sentences that the recogniser is taught: the examples, with the spoken forms of this house in their places."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import chain, count, cycle
from typing import Any, Final, Literal, TypeAlias

from edged.intents.catalog import PLACEHOLDER, Catalog, IntentFile
from edged.intents.lower import allows
from edged.intents.spoken.forms import named_values, value_forms
from edged.intents.spoken.numbers import HALF, number_forms
from edged.intents.spoken.text import normalize_text

MAX_PHRASES: Final = 40_000
"""The shipped intents need half of it; 29,000 are listed and made a recogniser in half a second (Korean model)."""
REPEATS: Final = 2
"""How often an example is said at least, and a form between the same neighbours at most (once for each example).

Measured with 1 to 8 on six Korean recordings: from 2 on each command is heard right, and more is only slower.
"""
MAX_NUMBERS: Final = 120
"""Values of one number that are said: all percents and half degrees of a house; wider ranges are thinned evenly."""

_CACHED_SCHEMAS: Final = 500
"""Numbers that differ in their bounds, in all languages of a house; each takes some ten milliseconds."""

_FIRST_WORD: Final = re.compile(r"^(?:\S*\s+)?\S+")
_LAST_WORD: Final = re.compile(r"\S+(?:\s+\S*)?$")
"""With what is glued to the place, and a part of the same word as what fills it."""

_STRIDES: Final = tuple(lead * 10**power for power in range(16) for lead in (1, 2, 5))
"""Up to the largest number that a slot can have."""

_Forms: TypeAlias = tuple[str, ...]
"""All that can stand in a place; slots with the same forms are the same to a recogniser."""


@dataclass(frozen=True, slots=True)
class _Context:
    """A placeholder between its neighbours: words, or the forms of another placeholder; empty at an end."""

    before: str | _Forms
    forms: _Forms
    behind: str | _Forms


def list_phrases(catalog: Catalog, lang: str) -> tuple[str, ...]:
    """Example sentences of `lang`, normalised, in which each spoken form stands between all words that it can follow.

    Vosk learns from them how often one word follows another, and nothing about longer stretches. So a form is said only
    `REPEATS` times between the same two neighbours, however many examples and intents have them. Sentences may be the
    same: how often one is there is its weight. The intents take turns, so that all are heard where there is too much.
    """
    supply = _Supply()
    waiting = deque(_sentences(intent, catalog, lang, supply) for intent in catalog.intents.values())
    phrases: list[str] = []
    while waiting and len(phrases) < MAX_PHRASES:
        sentences = waiting.popleft()
        sentence = next(sentences, None)
        if sentence is not None:
            phrases.append(normalize_text(sentence, lang))
            waiting.append(sentences)
    return tuple(phrases)


def slot_forms(intent: IntentFile, slot: str, catalog: Catalog, lang: str) -> tuple[str, ...]:
    """Every way to name a value of `slot`; of a wide range of numbers, some.

    Of the ways to say a number the usual one is here, and the others where they have a word that is in none before.
    """
    schema = intent.schema["properties"][slot]
    named = [
        form for value in named_values(intent, slot, lang) for form in value_forms(intent, slot, value, catalog, lang)
    ]
    is_number = schema.get("type") in ("integer", "number") and "enum" not in schema
    numbers = _number_words(json.dumps(schema, sort_keys=True), lang) if is_number else ()
    return tuple(dict.fromkeys(normalize_text(form, lang) for form in (*named, *numbers)))


@lru_cache(maxsize=_CACHED_SCHEMAS)
def _number_words(schema_text: str, lang: str) -> tuple[str, ...]:
    """The words of some numbers of a slot's schema, given as JSON; once for each, as many intents share them."""
    return tuple(_list_number_words(json.loads(schema_text), lang))


def _list_number_words(schema: Mapping[str, Any], lang: str) -> Iterator[str]:
    """Some numbers, and from the greatest down what needs further words, halves too ("neunzehneinhalb")."""
    numbers = list(_thinned(schema))
    usual = [number_forms(number, lang)[0] for number in numbers]
    yield from usual
    said = {word for form in usual for word in form.split()}
    for number in reversed(numbers):
        for more in (number, number + HALF):
            for form in number_forms(more, lang) if allows(schema, more) else ():
                words = form.split()
                if not said.issuperset(words):
                    said.update(words)
                    yield form


def _thinned(schema: Mapping[str, Any]) -> Iterator[Decimal]:
    bounds = [
        [schema[key] for key in (f"{end}imum", f"exclusive{end.title()}imum") if key in schema]
        for end in ("min", "max")
    ]
    if not all(bounds):
        return
    least, greatest = Decimal(str(max(bounds[0]))), Decimal(str(min(bounds[1])))
    step = Decimal(str(schema.get("multipleOf", 1)))
    stride = next(step * wider for wider in _STRIDES if (greatest - least) / (step * wider) <= MAX_NUMBERS)
    first = (least / stride).to_integral_value("ROUND_CEILING")
    for number in range(int(first), int(greatest / stride) + 1):
        if allows(schema, stride * number):
            yield stride * number


class _Supply:
    """The forms that each context still lacks."""

    def __init__(self) -> None:
        self._missing: dict[_Context, deque[str]] = {}
        self._users: Counter[_Context] = Counter()
        self._repeated: dict[_Forms, Iterator[str]] = {}

    def add(self, context: _Context) -> None:
        """Asks for each of its forms once more, for one more example that has it."""
        self._users[context] += 1
        if self._users[context] <= REPEATS:
            self._missing.setdefault(context, deque()).extend(context.forms)

    def lacks(self, contexts: Iterable[_Context]) -> bool:
        """Whether some form has not been said in one of them."""
        return any(self._missing[context] for context in contexts)

    def fill(self, text: str, contexts: Iterable[_Context]) -> str:
        """An example with the next form in each of its places."""
        forms = map(self._take, contexts)
        return PLACEHOLDER.sub(lambda _: next(forms), text)

    def _take(self, context: _Context) -> str:
        """A form that was not said there; where all have been, one of them, each as often as the others."""
        missing = self._missing[context]
        if missing:
            return missing.popleft()
        return next(self._repeated.setdefault(context.forms, cycle(context.forms)))


def _sentences(intent: IntentFile, catalog: Catalog, lang: str, supply: _Supply) -> Iterator[str]:
    """The filled examples of an intent: each `REPEATS` times, and on while one of its contexts lacks a form."""
    forms = {slot: slot_forms(intent, slot, catalog, lang) for slot in intent.slots}
    texts = dict.fromkeys(example.text for example in intent.examples.get(lang, ()))
    said = [text for text in texts if all(forms.get(slot) for slot in PLACEHOLDER.findall(text))]
    waiting = [(text, _contexts(text, forms)) for text in said]
    for context in chain.from_iterable(contexts for _, contexts in waiting):
        supply.add(context)
    for turn in count():
        waiting = [entry for entry in waiting if turn < REPEATS or supply.lacks(entry[1])]
        if not waiting:
            return
        for text, contexts in waiting:
            if turn < REPEATS or supply.lacks(contexts):
                yield supply.fill(text, contexts)


def _contexts(text: str, forms: Mapping[str, _Forms]) -> tuple[_Context, ...]:
    """Where the placeholders of an example stand, in their order."""
    parts = PLACEHOLDER.split(text)
    return tuple(
        _Context(_beside(parts, at, -1, forms), forms[parts[at]], _beside(parts, at, 1, forms))
        for at in range(1, len(parts), 2)
    )


def _beside(parts: Sequence[str], at: int, side: Literal[-1, 1], forms: Mapping[str, _Forms]) -> str | _Forms:
    """The word beside a placeholder, with the blank between if there is one, or what fills the next placeholder."""
    between = parts[at + side]
    if between.strip() or not 0 < at + 2 * side < len(parts):
        pattern = _FIRST_WORD if side == 1 else _LAST_WORD
        return "".join(pattern.findall(between)[:1])
    return forms[parts[at + 2 * side]]
