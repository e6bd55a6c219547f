"""A draft of the answer: what the words of an utterance mean most often in the examples of the intent files.

The LM checks a draft in the batch in which it reads the utterance. A good one saves a call for each token of the
answer, a bad one costs a few tokens more; it changes no answer. So naive Bayes over words is enough: kinds of examples,
alike in what they mean, compete, and the utterance's own names and numbers fill the slots. Where the LM writes
something else, the likeliest kind that begins so is the next draft.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from edged.intents.catalog import PLACEHOLDER, Catalog, Example, IntentFile, is_sayable
from edged.intents.grounding import Grounding, is_glued
from edged.intents.memo import per_catalog
from edged.intents.spoken.language import language_of
from edged.intents.spoken.text import normalize_text
from edged.types import SlotValue

MIN_KNOWN: Final = 0.6
"""The share of an utterance's words that must stand in examples for a draft: most of what is said near a microphone is
no command. Of 645 such sentences by other people 24 got a draft, of 73 commands that no example says 50."""
SMOOTHING: Final = 0.3
"""How often a word counts in a kind of example that does not have it."""
UNUSED_WEIGHT: Final = 2.0
"""What each number that a kind does not use takes off its logarithm."""


@dataclass(slots=True)
class _Kind:
    """Examples that mean the same but for what is said of the house."""

    intent: IntentFile
    slots: Mapping[str, SlotValue]
    said: tuple[str, ...]
    """The slots of numbers and other values that must have been said, those of the house aside."""
    examples: int = 0
    words: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Kinds:
    """All kinds of examples in one language."""

    kinds: tuple[_Kind, ...]
    words: frozenset[str]

    def score(self, kind: _Kind, words: Sequence[str], unused: int) -> float:
        """The logarithm of how likely a kind is, up to a constant."""
        total = kind.words.total() + SMOOTHING * len(self.words)
        fit = sum(math.log((kind.words[word] + SMOOTHING) / total) for word in words)
        return fit + math.log(kind.examples) - UNUSED_WEIGHT * unused


def draft_fields(
    catalog: Catalog, text: str, lang: str, said: Grounding, names: Collection[int]
) -> Mapping[str, SlotValue] | None:
    """The intent that an utterance is likely to mean; None where its words say too little.

    Args:
        catalog: what can be said.
        text: what was said.
        lang: its language.
        said: the values that it says.
        names: the words, or letters in a language that glues them, that are part of such a value.
    """
    known = _kinds(catalog, lang)
    words = _features(text, lang, names)
    if not words or sum(word in known.words for word in words) < MIN_KNOWN * len(words):
        return None
    best = max(_fitting(known, said), key=lambda kind: known.score(kind, words, _unused(kind, said)), default=None)
    fields = _fields(best, said[best.intent.name]) if best else {}
    return fields if best and fields.keys() >= set(best.intent.schema["required"]) else None


def rank_fields(
    catalog: Catalog, text: str, lang: str, said: Grounding, names: Collection[int]
) -> Iterator[Mapping[str, SlotValue]]:
    """All that an utterance can mean as one intent, the likeliest first; the arguments are those of `draft_fields`."""
    known = _kinds(catalog, lang)
    words = _features(text, lang, names)
    for kind in sorted(_fitting(known, said), key=lambda kind: -known.score(kind, words, _unused(kind, said))):
        yield _fields(kind, said[kind.intent.name])


class Continuation:
    """What an answer is likely to go on with once its beginning is known: of one utterance."""

    def __init__(self, answers: Iterable[str], tokenize: Callable[[bytes], list[int]]) -> None:
        """`answers` of one intent each, the likeliest first, are made as they are needed."""
        self._answers = iter(answers)
        self._made: list[str] = []
        self._tokenize = tokenize

    def after(self, written: bytes) -> list[int]:
        """The tokens that are likely behind what is written, but for the last; none where nothing is."""
        try:
            *before, begun = written.decode().split(",")
        except UnicodeDecodeError:
            return []
        for answer in self._each():
            if answer.startswith(begun) and len(answer) > len(begun) + 1 and answer.rstrip("\n") not in before:
                return self._rest(written, ",".join((*before, answer)).encode())
        return []

    def _each(self) -> Iterator[str]:
        yield from self._made
        for answer in self._answers:
            self._made.append(answer)
            yield answer

    def _rest(self, written: bytes, whole: bytes) -> list[int]:
        """The tokens of the whole behind those of what is written, where one of them ends there."""
        known = self._tokenize(written)
        tokens = self._tokenize(whole)
        return tokens[len(known) : -1] if tokens[: len(known)] == known else []


def _fitting(known: _Kinds, said: Grounding) -> list[_Kind]:
    return [kind for kind in known.kinds if _fits(kind, said[kind.intent.name])]


def _fits(kind: _Kind, said: Mapping[str, Sequence[SlotValue]]) -> bool:
    """Whether the utterance says all that a kind needs to be said."""
    return all(said[slot] for slot in kind.said) and all(
        value in said.get(slot, (value,)) for slot, value in kind.slots.items()
    )


def _unused(kind: _Kind, said: Grounding) -> int:
    """How many numbers were said that a kind has no slot for."""
    values = said[kind.intent.name]
    numbers = {value for found in values.values() for value in found if not isinstance(value, str)}
    return len(numbers.difference(*(values[slot] for slot in kind.said)))


def _fields(kind: _Kind, said: Mapping[str, Sequence[SlotValue]]) -> Mapping[str, SlotValue]:
    """The kind's slots, and of the house a device that was said, else an area."""
    homes = {source: slot for slot, source in kind.intent.homes.items() if said.get(slot)}
    place = homes.get("devices") or homes.get("areas")
    slots = {"intent": kind.intent.name, **kind.slots}
    slots |= {slot: said[slot][0] for slot in (*kind.said, *([place] if place else ()))}
    return {name: slots[name] for name in ("intent", *kind.intent.slots) if name in slots}


def _features(text: str, lang: str, names: Collection[int]) -> list[str]:
    """What tells sentences apart: stems of words, or pairs of letters in a language that glues words together."""
    words = normalize_text(text, lang).split()
    if is_glued(lang):
        kept = "".join(" " if place in names else letter for place, letter in enumerate("".join(words)))
        return [one + other for one, other in pairwise(kept) if " " not in (one, other)]
    stem = language_of(lang).stem
    return [stem(word) for place, word in enumerate(words) if place not in names]


@per_catalog
def _kinds(catalog: Catalog, lang: str) -> _Kinds:
    kinds: dict[tuple[object, ...], _Kind] = {}
    for intent in catalog.intents.values():
        for example in intent.examples.get(lang, ()):
            if is_sayable(intent, example):
                _count(example, intent, lang, kinds)
    return _Kinds(tuple(kinds.values()), frozenset(word for kind in kinds.values() for word in kind.words))


def _count(example: Example, intent: IntentFile, lang: str, kinds: dict[tuple[object, ...], _Kind]) -> None:
    said = tuple(slot for slot in PLACEHOLDER.findall(example.text) if slot in intent.said and slot not in intent.homes)
    key = (intent.name, str(sorted(example.slots.items())), said)
    kind = kinds.setdefault(key, _Kind(intent, example.slots, said))
    kind.examples += 1
    kind.words.update(_features(PLACEHOLDER.sub(" ", example.text), lang, ()))
