"""Whether a model's own tokenizer writes a text as given tokens.

Of byte-pair tokenizers it is known that a row of tokens is what they write where each pair of neighbours is. Rules that
cut a text into words before its bytes are paired could break this; the tests compare with the tokenizer's own rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

_ANCHOR: Final = b"\n"
"""Stands in front of what is tokenised where the tokenizer adds a blank to the front."""


class TokenizerRule:
    """What a tokenizer does with the bytes of a few neighbouring tokens."""

    def __init__(self, tokenize: Callable[[bytes], list[int]], piece: Callable[[int], bytes]) -> None:
        self._tokenize = tokenize
        self._piece = piece
        adds_blank = b"".join(map(piece, tokenize(b"a"))) != b"a"
        self._anchor = _ANCHOR if adds_blank else b""
        self._anchor_tokens = tokenize(_ANCHOR) if adds_blank else []

    def allows(self, tokens: Sequence[int]) -> bool:
        """Whether the tokenizer writes their bytes as just these; true where it cannot be asked.

        That is where they begin or end inside a character, or where the anchor grows together with them. Of neighbours
        that end in a blank, which what follows may draw to itself, only the last is looked at, by itself.
        """
        text = b"".join(map(self._piece, tokens))
        try:
            if text.decode()[-1:].isspace() and len(tokens) > 1:
                return self.allows(tokens[-1:])
        except UnicodeDecodeError:
            return True
        written = self._tokenize(self._anchor + text)
        n_anchor = len(self._anchor_tokens)
        return written[:n_anchor] != self._anchor_tokens or written[n_anchor:] == list(tokens)
