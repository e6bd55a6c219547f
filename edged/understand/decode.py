"""Greedy decoding under the grammar: the LM is asked where there is a choice, and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from edged.core import Matcher

MAX_TOKENS: Final = 300
"""An answer of three intents with every slot takes about 150."""
MAX_PROBED: Final = 24
"""Where more bytes than this can follow a forced run, its last token is left to the LM without a closer look."""


class Evaluator(Protocol):
    """What decoding needs of a language model."""

    def evaluate(self, tokens: Sequence[int], *, every: bool = False) -> int:
        """Reads tokens; the address of the logits behind the last."""

    def logits(self, index: int) -> int:
        """The address of the logits behind one of the last tokens read."""

    def tokenize(self, text: bytes) -> list[int]:
        """The model's own tokens of a text."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A place in the answer, and what the LM thought of what stands there."""

    start: int
    """The offset of its first byte."""
    probability: float
    """What the LM, free of the grammar, gave to what was chosen, or to all that the grammar forced it to: 0..1."""
    share: float
    """What it gave to what was chosen, out of all that the grammar allowed: 0..1; 1 where there was no choice."""
    margin: float
    """The logit lead over the next legal token; infinite where there was none."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the LM wrote, and how sure it was at each choice."""

    text: bytes
    choices: tuple[Choice, ...]


class Decoder:
    """Writes answers with one language model; keeps how it tokenises what the grammar forces."""

    def __init__(self, lm: Evaluator, pieces: Sequence[bytes]) -> None:
        self._lm = lm
        self._pieces = pieces
        self._forced_tokens = lru_cache(maxsize=4096)(self._find_forced_tokens)

    def decode(self, matcher: Matcher, tokens: Sequence[int]) -> Decoded | None:
        """Reads `tokens` and writes until the grammar is finished; None if it is not after `MAX_TOKENS`."""
        text = bytearray()
        choices: list[Choice] = []
        logits = self._lm.evaluate(tokens)
        written = 0
        while written < MAX_TOKENS:
            pick = matcher.pick(logits)
            share = math.exp(min(0.0, pick.log_prob - pick.log_legal))
            choices.append(Choice(len(text), math.exp(pick.log_prob), share, pick.margin))
            matcher.advance(pick.token)
            text += self._pieces[pick.token]
            if matcher.is_finished:
                return Decoded(bytes(text), tuple(choices))
            forced = self._forced(matcher, bytes(text))
            logits = self._lm.evaluate([pick.token, *forced], every=bool(forced))
            choices += self._weigh(matcher, forced, text)
            if matcher.is_finished:
                return Decoded(bytes(text), tuple(choices))
            written += 1 + len(forced)
        return None

    def _forced(self, matcher: Matcher, text: bytes) -> tuple[int, ...]:
        """The bytes that the grammar forces behind `text`, in whole tokens that no later byte can change."""
        forced = matcher.forced()
        if not forced:
            return ()
        matcher.advance_bytes(forced)
        tokens = self._forced_tokens(forced, matcher.next_bytes())
        matcher.reset()
        matcher.advance_bytes(text)
        return tokens

    def _weigh(self, matcher: Matcher, forced: Sequence[int], text: bytearray) -> Iterator[Choice]:
        """Takes forced tokens, which have been read, and what the LM gave to what the grammar allows at each."""
        for index, token in enumerate(forced):
            pick = matcher.pick(self._lm.logits(index))
            yield Choice(len(text), math.exp(min(0.0, pick.log_legal)), 1.0, math.inf)
            matcher.advance(token)
            text += self._pieces[token]

    def _find_forced_tokens(self, forced: bytes, following: bytes) -> tuple[int, ...]:
        """The tokens of `forced` that stay the same whichever of the `following` bytes comes next."""
        stable = self._lm.tokenize(forced)
        if len(following) > MAX_PROBED:
            return tuple(stable[:-1])
        for byte in following:
            longer = self._lm.tokenize(forced + bytes((byte,)))
            common = next((i for i, (a, b) in enumerate(zip(stable, longer, strict=False)) if a != b), len(stable))
            stable = stable[: min(common, len(longer))]
        return tuple(stable)
