"""Slots that take any words, such as what goes on a shopping list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from edged.intents.accept import Acceptor
from edged.intents.catalog import Catalog, Schema
from edged.intents.grounding import Mention, is_glued
from edged.intents.memo import per_catalog

MAX_WORDS: Final = 12
"""A text of more words is no value of a slot: it is a sentence of its own."""


def takes_text(schema: Schema, slot: str) -> bool:
    """Whether the values of a slot of an intent's schema are texts that no list holds."""
    schema = schema["properties"].get(slot, {})
    return schema.get("type") == "string" and "enum" not in schema and "const" not in schema


def is_text(catalog: Catalog, intent: str, slot: str, mention: Mention) -> bool:
    """Whether the slot takes the text of a mention."""
    return _acceptor(catalog, intent, slot).accepts(mention.value)


@per_catalog
def _acceptor(catalog: Catalog, intent: str, slot: str) -> Acceptor:
    return Acceptor(catalog.intents[intent].schema["properties"][slot])


class FreeText:
    """Every stretch of an utterance's words, each as it was said."""

    def __init__(self, words: Sequence[str], lang: str) -> None:
        self._words = words
        self._is_glued = is_glued(lang)
        self._starts: dict[int, int] = {}
        offset = 0
        for index, word in enumerate(words):
            self._starts[offset] = index
            offset += len(word) if self._is_glued else 1

    def starting(self, at: int) -> Iterator[Mention]:
        """The stretches that begin at a word, the shortest first; in glued languages they may end within one."""
        first = self._starts.get(at)
        if first is None:
            return
        said: list[str] = []
        end = at
        for word in self._words[first : first + MAX_WORDS]:
            if self._is_glued:
                for length in range(1, len(word)):
                    yield Mention(at, end + length, " ".join([*said, word[:length]]))
            said.append(word)
            end += len(word) if self._is_glued else 1
            yield Mention(at, end, " ".join(said))
