"""Sentences that the intent files spell out, as templates: which examples an utterance equals.

All examples of a language stand in one trie of words, or of letters where the language glues words together. An edge is
a word, or a slot: any stretch of the utterance that says one of its values. Politeness and articles may be left out or
put in anywhere. What it costs depends on the utterance and not on how many examples there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from edged.intents.catalog import PLACEHOLDER, Catalog, Example, IntentFile, is_sayable
from edged.intents.compile import MAX_INTENTS
from edged.intents.free_text import FreeText, is_text, takes_text
from edged.intents.grounding import Mention, SlotIndex, find_mentions, find_number_spans, is_glued
from edged.intents.memo import per_catalog
from edged.intents.spoken.language import language_of
from edged.intents.spoken.text import fold_text, normalize_text
from edged.types import SlotValue

MAX_STEPS: Final = 20_000
"""Ways that are tried for one utterance; ordinary commands take less than 200."""

UNFINISHED_WORDS: Final = 2
"""So many words at the end of what was said so far may be the beginning of a name or a number."""

SlotKey: TypeAlias = tuple[str, ...]
"""What a placeholder stands for: slots with the same values share an edge."""


@dataclass(frozen=True, slots=True)
class Match:
    """An example that an utterance, or one part of it, equals."""

    intent: str
    slots: tuple[tuple[str, SlotValue], ...]
    """Each slot with its value, in the order of the schema."""
    covered: int
    """How many words, or letters, of the utterance say values."""
    refused: bool
    """The sentence is listed as one that must not be obeyed."""


@dataclass(frozen=True, slots=True)
class _End:
    intent: str
    slots: Mapping[str, SlotValue]
    places: tuple[str, ...]
    """The slots that the edges on the way stand for, in their order."""
    refused: bool


@dataclass(slots=True)
class _Node:
    units: dict[str, _Node] = field(default_factory=dict)
    slots: dict[SlotKey, _Node] = field(default_factory=dict)
    ends: list[_End] = field(default_factory=list)


_Reached: TypeAlias = tuple[int, _Node, tuple[Mention, ...]]
"""Where in the utterance, which node, and what was said on the way."""


@dataclass(frozen=True, slots=True)
class _Trie:
    root: _Node
    slots: Mapping[SlotKey, tuple[str, str]]
    """One intent and slot for each key, to find its values by."""
    texts: frozenset[SlotKey]
    """Those that take any text."""
    index: SlotIndex[SlotKey]


def match_examples(catalog: Catalog, text: str, lang: str) -> tuple[tuple[Match, ...], ...]:
    """Every way to read the whole of `text` as one to three examples or refused sentences.

    A name that two things share gives two ways; so does a sentence that two files claim.
    """
    walk = _Walk(catalog, text, lang)
    return tuple(dict.fromkeys(walk.ways()))


def begins_example(catalog: Catalog, text: str, lang: str) -> bool:
    """Whether `text` may go on to equal examples; a name or a number at its end may be unfinished."""
    return _Walk(catalog, text, lang).may_go_on()


class _Walk:
    """One utterance on its way through the trie."""

    def __init__(self, catalog: Catalog, text: str, lang: str) -> None:
        self._catalog, self._lang = catalog, lang
        self._words = words = _words(text, lang)
        self._free_text = FreeText(normalize_text(text, lang).split(), lang)
        self._trie = _trie(catalog, lang)
        self._units = _units(words, lang)
        numbers = {start for start, _, _ in find_number_spans(words, lang)}
        skips = _phrase_spans(words, language_of(lang).skippable, lang)
        self._skips = {start: end for start, end in skips if end not in numbers}
        self._joins = dict(_phrase_spans(words, language_of(lang).conjunctions, lang))
        self._said = self._trie.texts | self._trie.index.said(words)
        self._mentions: dict[SlotKey, dict[int, list[Mention]]] = {}
        self._steps = 0

    def ways(self, start: int = 0, before: tuple[Match, ...] = ()) -> Iterator[tuple[Match, ...]]:
        """Each way to read the utterance from `start` to its end."""
        for at, node, said in self._read(start, self._trie.root, ()):
            for end in node.ends:
                match = self._match(end, said)
                if at == len(self._units):
                    yield (*before, match)
                elif at in self._joins and len(before) + 1 < MAX_INTENTS:
                    yield from self.ways(self._joins[at], (*before, match))

    def may_go_on(self, start: int = 0, before: int = 0) -> bool:
        """Whether the utterance from `start` on, behind so many examples, is the beginning of one."""
        unfinished = len(_units(self._words[-UNFINISHED_WORDS:], self._lang))
        for at, node, _ in self._read(start, self._trie.root, ()):
            if at + (unfinished if node.slots else 0) >= len(self._units):
                return True
            joined = self._joins.get(at) if node.ends and before + 1 < MAX_INTENTS else None
            if joined is not None and self.may_go_on(joined, before + 1):
                return True
        return False

    def _read(self, at: int, node: _Node, said: tuple[Mention, ...]) -> Iterator[_Reached]:
        """Every node that can be reached from a node."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            return
        yield at, node, said
        if at in self._skips:
            yield from self._read(self._skips[at], node, said)
        if at < len(self._units) and self._units[at] in node.units:
            yield from self._read(at + 1, node.units[self._units[at]], said)
        for key in _common(node.slots, self._said):
            following = node.slots[key]
            for mention in self._starting(key, at):
                yield from self._read(mention.end, following, (*said, mention))

    def _match(self, end: _End, said: tuple[Mention, ...]) -> Match:
        values = {**end.slots, **{slot: mention.value for slot, mention in zip(end.places, said, strict=True)}}
        order = self._catalog.intents[end.intent].slots
        slots = tuple((slot, values[slot]) for slot in order if slot in values)
        intent = self._catalog.intents[end.intent]
        named = [mention for slot, mention in zip(end.places, said, strict=True) if not takes_text(intent.schema, slot)]
        return Match(end.intent, slots, sum(mention.end - mention.start for mention in named), end.refused)

    def _starting(self, key: SlotKey, at: int) -> Sequence[Mention]:
        """The values of a slot that are said from here on; looked up once an utterance."""
        name, slot = self._trie.slots[key]
        intent = self._catalog.intents[name]
        if key in self._trie.texts:
            return [mention for mention in self._free_text.starting(at) if is_text(self._catalog, name, slot, mention)]
        if key not in self._mentions:
            places = self._mentions.setdefault(key, {})
            for mention in find_mentions(self._catalog, intent, slot, self._words, self._lang):
                places.setdefault(mention.start, []).append(mention)
        return self._mentions[key].get(at, ())


def _common(some: Collection[SlotKey], others: Collection[SlotKey]) -> list[SlotKey]:
    """What is in both, in order. Every key of the smaller is looked up: the larger may hold one for each intent."""
    fewer, more = (some, others) if len(some) < len(others) else (others, some)
    return sorted(key for key in fewer if key in more)


@per_catalog
def _trie(catalog: Catalog, lang: str) -> _Trie:
    """The trie of all examples and refused sentences of a language."""
    root = _Node()
    slots: dict[SlotKey, tuple[str, str]] = {}
    for intent in catalog.intents.values():
        refused = [Example(text, {}) for text in intent.refused.get(lang, ())]
        for example in (*intent.examples.get(lang, ()), *refused):
            _add(root, slots, catalog, intent, example, lang)
    texts = frozenset(key for key, (name, slot) in slots.items() if takes_text(catalog.intents[name].schema, slot))
    return _Trie(root, slots, texts, SlotIndex(catalog, slots, lang))


def _add(
    root: _Node,
    slots: dict[SlotKey, tuple[str, str]],
    catalog: Catalog,
    intent: IntentFile,
    example: Example,
    lang: str,
) -> None:
    if not is_sayable(intent, example):
        return
    node = root
    places = []
    for step in _template(catalog, intent, example, lang):
        if isinstance(step, _Place):
            key = _slot_key(intent, step.slot)
            slots.setdefault(key, (intent.name, step.slot))
            places.append(step.slot)
            node = node.slots.setdefault(key, _Node())
        else:
            node = node.units.setdefault(step, _Node())
    fixed = {slot: value for slot, value in example.slots.items() if slot not in places}
    end = _End(intent.name, fixed, tuple(places), refused=example.text in intent.refused.get(lang, ()))
    if node is not root and end not in node.ends:
        node.ends.append(end)


@dataclass(frozen=True, slots=True)
class _Place:
    slot: str


def _template(catalog: Catalog, intent: IntentFile, example: Example, lang: str) -> Iterator[str | _Place]:
    """An example as words and places; a value that it spells out is a place for the slot's other values too."""
    parts = PLACEHOLDER.split(example.text)
    for index, part in enumerate(parts):
        if index % 2:
            yield _Place(part)
        else:
            following = parts[index + 1] if index + 1 < len(parts) else ""
            yield from _literal(catalog, intent, example, part, lang, is_before_number=_is_number(intent, following))


def _is_number(intent: IntentFile, slot: str) -> bool:
    return intent.schema["properties"].get(slot, {}).get("type") in ("integer", "number")


def _literal(
    catalog: Catalog, intent: IntentFile, example: Example, part: str, lang: str, *, is_before_number: bool
) -> Iterator[str | _Place]:
    """The words between two placeholders; what stands before a number is kept: Portuguese "a 20" is "to 20"."""
    words = _words(part, lang)
    units = _units(words, lang)
    places = _spelled_out(catalog, intent, example, words, lang)
    skips = dict(_phrase_spans(words, language_of(lang).skippable, lang))
    at = 0
    while at < len(units):
        if at in places:
            slot, at = places[at]
            yield _Place(slot)
        elif at in skips and not (is_before_number and skips[at] == len(units)):
            at = skips[at]
        else:
            yield units[at]
            at += 1


def _spelled_out(
    catalog: Catalog, intent: IntentFile, example: Example, words: Sequence[str], lang: str
) -> dict[int, tuple[str, int]]:
    """Where an example says the value of one of its slots: start -> slot and end. Said twice, it is left as it is."""
    found: dict[int, tuple[str, int]] = {}
    for slot, value in example.slots.items():
        if slot in intent.schema["properties"]:
            spans = {
                (mention.start, mention.end)
                for mention in _said_in(catalog, intent, slot, words, lang)
                if mention.value == value
            }
            if len(spans) == 1:
                start, end = spans.pop()
                if not any(start < other and begin < end for begin, (_, other) in found.items()):
                    found[start] = (slot, end)
    return found


def _said_in(catalog: Catalog, intent: IntentFile, slot: str, words: Sequence[str], lang: str) -> Iterable[Mention]:
    if not takes_text(intent.schema, slot):
        return find_mentions(catalog, intent, slot, words, lang)
    text = FreeText(words, lang)
    return (mention for at in range(len(_units(words, lang))) for mention in text.starting(at))


def _slot_key(intent: IntentFile, slot: str) -> SlotKey:
    """Slots that refer to the same things of the house have one key."""
    if slot in intent.homes:
        return (intent.homes[slot], *intent.schema["properties"][slot].get("enum", ()))
    return (intent.name, slot)


def _words(text: str, lang: str) -> Sequence[str]:
    """A text's words as they are compared."""
    return fold_text(normalize_text(text, lang), lang).split()


def _units(words: Sequence[str], lang: str) -> Sequence[str]:
    """What the trie's edges are made of."""
    return "".join(words) if is_glued(lang) else words


def _phrase_spans(words: Sequence[str], phrases: frozenset[tuple[str, ...]], lang: str) -> Iterator[tuple[int, int]]:
    """Where a phrase starts and ends, in units; the longest one at each place."""
    longest = max(map(len, phrases), default=0)
    offset = 0
    for start, word in enumerate(words):
        for length in range(min(longest, len(words) - start), 0, -1):
            span = tuple(words[start : start + length])
            if span in phrases:
                yield (offset, offset + len("".join(span))) if is_glued(lang) else (start, start + length)
                break
        offset += len(word)
