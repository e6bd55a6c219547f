"""A rendered conversation with a gap for the utterance, as tokens: what is read once, and what with each utterance.

Only the template's own text may name control tokens; what was said cannot. A tokenizer may write a text otherwise in
pieces than whole, so that the model would read a form that it does not know: `Frame.check` compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edged.errors import ModelError
from edged.understand.lm import LanguageModel

MAX_FRONT_CHARACTERS: Final = 64
"""Of the text between the last control token and the gap; it is tokenised again with each utterance."""
_PROBES: Final = ("turn on the light", "2 degrees", "불을 켜 줘", "światło", "x")
"""Utterances that begin with a letter, a digit, and what many tokenizers have no token for."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the gap."""

    lm: LanguageModel
    behind: str
    """The text behind the gap."""
    front: bytes
    """The end of the text in front of the gap, in which no control token is; without the blanks at its very end."""
    front_tokens: Sequence[int]
    blanks: bytes
    """Those blanks, which a tokenizer may give to the first word behind them."""
    head: bytes
    """The beginning of the text behind the gap, up to its first control token."""
    tail_tokens: Sequence[int]
    """What follows the head."""

    def prefix(self, before: str) -> list[int]:
        """The tokens of a text in front of the gap, but for the blanks."""
        return write_whole(self.lm, before.rstrip(" "))

    def question(self, said: str) -> list[int]:
        """The tokens of an utterance in the gap and of all behind it."""
        return [*self.opening(said, self.head), *self.tail_tokens]

    def opening(self, said: str, head: bytes = b"") -> list[int]:
        """The tokens of an utterance alone, or with the head."""
        text = self.blanks + said.encode() + head
        tokens = self.lm.tokenize(self.front + text)
        n_front = len(self.front_tokens)
        # What grows together with the front is written by itself: the front has been read already.
        return tokens[n_front:] if tokens[:n_front] == self.front_tokens else self.lm.tokenize(text)

    @property
    def last_token(self) -> int:
        """The token behind which the answer begins; control tokens included."""
        return self.tail_tokens[-1] if self.tail_tokens else self.question("x")[-1]

    def check(self, before: str) -> None:
        """Compares the pieces of some texts with the whole.

        Raises:
            ModelError: they differ.
        """
        prefix = self.prefix(before)
        for said in _PROBES:
            if [*prefix, *self.question(said)] != write_whole(self.lm, before + said + self.behind):
                raise ModelError(
                    f'its chat template cannot be read in pieces, as with "{said}"',
                    remedy="use a model with another chat template",
                )


def write_whole(lm: LanguageModel, text: str) -> list[int]:
    """The tokens of a template's text, with the one that begins it where the model wants that and the text has none."""
    tokens = lm.tokenize(text.encode(), control=True)
    return [lm.begin_token, *tokens] if lm.adds_begin and tokens[:1] != [lm.begin_token] else tokens


def make_frame(lm: LanguageModel, before: str, behind: str) -> Frame:
    """The frame of a text with a gap."""
    fixed = before.rstrip(" ")
    front = _front(lm, fixed).encode()
    head, tail = _cut_at_control(lm, behind)
    blanks = before[len(fixed) :].encode()
    return Frame(lm, behind, front, lm.tokenize(front), blanks, head.encode(), lm.tokenize(tail.encode(), control=True))


def _front(lm: LanguageModel, text: str) -> str:
    """The end of a text behind its last control token, as the tokenizer has it; of a long end the line breaks alone."""
    controls = [token for token in lm.tokenize(text.encode(), control=True) if lm.is_control(token)]
    if controls:
        end = text.rpartition(lm.name_of(controls[-1]))[2]
        if len(end) <= MAX_FRONT_CHARACTERS:
            return end.lstrip() if lm.strips_behind(controls[-1]) else end
    lines = text.rstrip("\n")
    return text[len(lines) :] or lines[len(lines.rpartition("\n")[0]) :][-MAX_FRONT_CHARACTERS:]


def _cut_at_control(lm: LanguageModel, text: str) -> tuple[str, str]:
    """A text up to its first control token, and from there on."""
    for token in lm.tokenize(text.encode(), control=True):
        if lm.is_control(token):
            head, control, tail = text.partition(lm.name_of(token))
            return head, control + tail
    return text, ""
