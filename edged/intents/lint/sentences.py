"""When two sentences are the same: their words, and what stands in their placeholders."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from edged.intents.catalog import PLACEHOLDER, Json, Schema
from edged.intents.spoken.text import normalize_text

Range: TypeAlias = tuple[float, float]
Spoken: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Sequence[str | None]]]]
"""Slot -> value -> language -> words."""

_BOUNDS: Final = (("minimum", "exclusiveMinimum", float("-inf")), ("maximum", "exclusiveMaximum", float("inf")))


_CACHED_TEXTS: Final = 20_000
"""The pieces of the sentences of 400 files: each is looked at alone, and once more beside the others."""


@lru_cache(maxsize=_CACHED_TEXTS)
def plain_words(text: str, lang: str) -> str:
    """`normalize_text`, once for each text."""
    return normalize_text(text, lang)


@dataclass(frozen=True, slots=True)
class SentenceKey:
    """What tells a sentence from another."""

    words: Hashable
    """Equal for two sentences that may be one: the language, the words, and what fills the placeholders."""
    ranges: tuple[Range, ...]
    """Of the numbers in it: where those of two sentences never meet, their values tell them apart."""

    def meets(self, other: SentenceKey) -> bool:
        """Whether some utterance is both sentences; to be asked of sentences with the same words."""
        pairs = zip(self.ranges, other.ranges, strict=True)
        return all(mine[0] <= theirs[1] and theirs[0] <= mine[1] for mine, theirs in pairs)


class Placeholders:
    """What the placeholders of one intent are filled with, in each language."""

    def __init__(self, schema: Schema, spoken: Spoken) -> None:
        self._properties: Mapping[str, Schema] = schema["properties"]
        self._spoken = spoken
        self._known: dict[tuple[str, str], tuple[Hashable, Range | None]] = {}

    def key_of(self, text: str, lang: str) -> SentenceKey:
        """The key of an example's text."""
        parts: list[Hashable] = []
        ranges = []
        for index, piece in enumerate(PLACEHOLDER.split(text)):
            if index % 2 == 0:
                parts.append(plain_words(piece, lang) if piece.strip() else "")
                continue
            identity, bounds = self._meaning(piece, lang)
            parts.append((identity,))
            if bounds is not None:
                ranges.append(bounds)
        return SentenceKey((lang, tuple(parts)), tuple(ranges))

    def _meaning(self, slot: str, lang: str) -> tuple[Hashable, Range | None]:
        if (slot, lang) not in self._known:
            self._known[slot, lang] = self._find_meaning(slot, lang)
        return self._known[slot, lang]

    def _find_meaning(self, slot: str, lang: str) -> tuple[Hashable, Range | None]:
        schema = self._properties.get(slot)
        if not schema:
            return ("slot", slot), None
        if "enum" in schema:
            spoken = self._spoken.get(slot, {})
            words = {form.casefold() for languages in spoken.values() for form in languages.get(lang, ()) if form}
            return frozenset(words or map(str, schema["enum"])), None
        if schema.get("type") in ("integer", "number"):
            return "number", (_bound(schema, *_BOUNDS[0]), _bound(schema, *_BOUNDS[1]))
        return str(schema), None


def _bound(schema: Schema, key: str, exclusive: str, otherwise: float) -> float:
    value: Json = schema.get(key, schema.get(exclusive))
    return float(value) if isinstance(value, int | float) else otherwise
