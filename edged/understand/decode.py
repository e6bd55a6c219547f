"""Greedy decoding under the grammar: the LM is asked where there is a choice, and nowhere else.

What is certain and what is likely is read in one batch with what has been decided: tokens that the grammar forces, and
a draft of the answer. Each is taken where it is the LM's own choice; the first that is not ends the batch. The answer
is that of decoding token by token (Leviathan et al. 2023, "Fast Inference from Transformers via Speculative Decoding",
for the greedy case).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from edged.core import Matcher, Pick, Vocab

MAX_TOKENS: Final = 300
"""An answer of three intents with every slot takes about 150 in full."""
MAX_AHEAD: Final = 48
"""Tokens of a draft, or forced, that are read at once: the longest forced stretch of the shipped intents takes 14."""


class Evaluator(Protocol):
    """What decoding needs of a language model."""

    def read(self, tokens: Sequence[int], *, every_from: int | None = None) -> int:
        """Makes `tokens` what stands behind the prefix; the address of the logits behind the last."""

    def logits(self, index: int) -> int:
        """The address of the logits behind token `index` of those read."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A place in the answer, and what the LM thought of what stands there."""

    start: int
    """The offset of its first byte."""
    probability: float
    """What the LM, free of the grammar, gave to what was chosen: 0..1."""
    share: float
    """What it gave to what was chosen, out of all that the grammar allowed: 0..1; 1 where there was no choice."""
    margin: float
    """The logit lead over the next legal token; infinite where there was none."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the LM wrote, and how sure it was at each choice."""

    text: bytes
    choices: tuple[Choice, ...]

    @property
    def questions(self) -> int:
        """How often there was more than one way on."""
        return sum(choice.margin != math.inf for choice in self.choices)


class Decoder:
    """Writes answers with one language model."""

    def __init__(self, lm: Evaluator, vocab: Vocab, *, max_forced: int = MAX_AHEAD) -> None:
        self._lm = lm
        self._vocab = vocab
        self._max_forced = max_forced

    def decode(
        self,
        matcher: Matcher,
        question: Sequence[int],
        draft: Sequence[int] = (),
        redraft: Callable[[bytes], Sequence[int]] = lambda _written: (),
    ) -> Decoded | None:
        """Reads `question` and writes until the grammar is finished; None if it is not after `MAX_TOKENS`.

        Args:
            matcher: at the start of the grammar.
            question: tokens; at least one.
            draft: what the answer is likely to begin with; it changes the cost alone.
            redraft: what it is likely to go on with behind what is written; so does this.
        """
        answer = _Answer(self._vocab)
        known, likely = list(question), list(draft[:MAX_AHEAD])
        while len(known) < len(question) + MAX_TOKENS:
            picks = self._verify(matcher, known, likely)
            for pick in picks:
                answer.take(pick)
            known += (pick.token for pick in picks)
            matcher.advance(picks[-1].token)
            if matcher.is_finished:
                return Decoded(bytes(answer.text), tuple(answer.choices))
            likely = list(redraft(bytes(answer.text))[:MAX_AHEAD]) or matcher.forced_tokens(self._max_forced)
        return None

    def _verify(self, matcher: Matcher, known: Sequence[int], likely: Sequence[int]) -> list[Pick]:
        """The LM's choices behind `known`: as many of the likely tokens as it would write, and what it writes then."""
        first = len(known) - 1
        self._lm.read([*known, *likely], every_from=first)
        rows = [self._lm.logits(first + i) for i in range(len(likely) + 1)]
        return matcher.verify(rows, likely)


class _Answer:
    """What has been written so far."""

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab
        self.text = bytearray()
        self.choices: list[Choice] = []

    def take(self, pick: Pick) -> None:
        choice = Choice(len(self.text), math.exp(pick.log_prob), math.exp(pick.log_share), pick.margin)
        self.choices.append(choice)
        self.text += self._vocab.piece(pick.token)
