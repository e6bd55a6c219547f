"""From the phrases of a house to a runtime grammar for Vosk, with every word in it one that the model knows.

Vosk drops words that its model does not know, with no more than a log line, and hears nonsense from then on. So such
words are split into pieces that it knows, and put together again in what was heard; a phrase with a word that cannot be
split is left out and reported.
"""

from __future__ import annotations

import json
import logging
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TypeAlias

from edged.intents.spoken.delays import delay_phrases
from edged.intents.spoken.language import language_of
from edged.intents.spoken.text import normalize_text

Knows: TypeAlias = Callable[[str], bool]

UNKNOWN_SYMBOL = "[unk]"
"""What Vosk models with a word for everything else call it. The Korean model's `<UNK>` changed nothing on 160
recordings of other speech, so it is not used."""

MIN_LETTERS = 3
"""A shorter piece of a word in an alphabet is a spelled letter or a syllable of something else."""

MAX_WORD_CHARACTERS = 64
"""Splitting takes the square of it in look-ups."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """A word that the model neither knows nor can be given in pieces."""

    word: str
    phrases: tuple[str, ...]
    """The phrases that cannot be heard for the lack of it."""


@dataclass(frozen=True)
class Grammar:
    """What a recogniser is to listen for."""

    phrases: tuple[str, ...]
    """In words that the model knows, separated by blanks; one that is there twice counts twice."""
    pieces: Mapping[tuple[str, ...], str]
    """Pieces of a split word -> the word."""
    unknown: tuple[UnknownWord, ...]
    """What cannot be heard."""

    def to_json(self) -> str:
        """In the form that Vosk takes."""
        return json.dumps(self.phrases, ensure_ascii=False)

    def join(self, text: str) -> str:
        """Puts the pieces in a recognised text together to the words that they were made from."""
        words = text.split()
        joined = []
        at = 0
        while at < len(words):
            size = next((n for n in self._sizes if tuple(words[at : at + n]) in self.pieces), 0)
            joined.append(self.pieces[tuple(words[at : at + size])] if size else words[at])
            at += size or 1
        return " ".join(joined)

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        """In how many pieces words were split, the most first."""
        return tuple(sorted({len(pieces) for pieces in self.pieces}, reverse=True))


def make_grammar(phrases: Iterable[str], knows: Knows, lang: str = "") -> Grammar:
    """The grammar of what can be said, for the model whose words `knows` tells; warns of words that cannot be heard.

    Args:
        phrases: what can be said.
        knows: whether the model knows a word.
        lang: its language: signs become its words, and its asides and delays may stand anywhere; none without it.
    """
    splits: dict[str, tuple[str, ...] | None] = {}
    kept: list[str] = []
    lost: dict[str, list[str]] = {}
    for phrase in phrases:
        words = normalize_text(phrase, lang).split()
        for word in words:
            if word not in splits:
                splits[word] = split_word(word, knows)
        missing = [word for word in words if splits[word] is None]
        for word in missing:
            lost.setdefault(word, []).append(phrase)
        if words and not missing:
            kept.append(" ".join(piece for word in words for piece in splits[word] or ()))
    if kept:
        extra = (*language_of(lang).asides, UNKNOWN_SYMBOL)
        kept += [word for word in extra if knows(word)]
        kept += _known_delays(lang, knows, splits)
    unknown = tuple(UnknownWord(word, tuple(dict.fromkeys(needing))) for word, needing in lost.items())
    for entry in unknown:
        _log.warning(
            "the speech model does not know the word %s: %d phrase(s) cannot be heard", entry.word, len(entry.phrases)
        )
    pieces = {split: word for word, split in splits.items() if split is not None and len(split) > 1}
    return Grammar(tuple(kept), MappingProxyType(pieces), unknown)


def _known_delays(lang: str, knows: Knows, splits: dict[str, tuple[str, ...] | None]) -> list[str]:
    """Phrases of delay in words that the model knows; of those with another word there are enough without."""
    known = []
    for phrase in delay_phrases(lang):
        parts = []
        for word in phrase.split():
            if word not in splits:
                splits[word] = split_word(word, knows)
            parts.append(splits[word])
        if all(parts):
            known.append(" ".join(piece for part in parts for piece in part or ()))
    return known


def split_word(word: str, knows: Knows) -> tuple[str, ...] | None:
    """The fewest known pieces that together are the word, longer ones first; None where there are none."""
    if knows(word):
        return (word,)
    if len(word) > MAX_WORD_CHARACTERS:
        return None
    best: list[tuple[str, ...] | None] = [None] * len(word) + [()]
    for start in range(len(word) - 1, -1, -1):
        for end in range(len(word), start, -1):
            rest = best[end]
            if rest is None:
                continue
            current = best[start]
            fewer = current is None or len(rest) + 1 < len(current)
            if fewer and _may_stand_alone(word[start:end]) and knows(word[start:end]):
                best[start] = (word[start:end], *rest)
    return best[0]


def _may_stand_alone(piece: str) -> bool:
    """Whether a piece can be a word of its own: any syllable or ideograph, but of an alphabet only several letters."""
    if any(_is_alphabetic(character) for character in piece):
        return len(piece) >= MIN_LETTERS
    return True


def _is_alphabetic(character: str) -> bool:
    """Whether a character is a letter of an alphabet, and neither a syllable nor an ideograph (Unicode's Lo)."""
    return unicodedata.category(character) in {"Ll", "Lu", "Lt", "Mn"}
