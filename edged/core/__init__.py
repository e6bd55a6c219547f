"""The C sampling core: which tokens are legal under an expression, and the best of them on raw logits.

The one place that knows the compiled module; every status of the C side becomes a `CoreError` here.
"""

from __future__ import annotations

import collections.abc
import itertools
from array import array
from typing import NamedTuple

from edged.core._core import ffi, lib
from edged.core.expression import Expression, encode
from edged.errors import CoreError

__all__ = ["Matcher", "Pick", "Program", "Vocab"]

_REMEDIES = {
    lib.EDC_TOO_MANY_STATES: "Make the schema smaller: long maxLength or maxItems bounds cost a copy each.",
    lib.EDC_TOO_LARGE: "The caps and their reasons stand in edged/core/edc_limits.h.",
    lib.EDC_NO_LEGAL_TOKEN: "The text is complete, or the vocabulary has no token for what must come next.",
    lib.EDC_BAD_LOGITS: "There must be one logit for each token of the vocabulary, and none NaN or +infinity.",
}


class Pick(NamedTuple):
    """The best legal token; logarithms are natural."""

    token: int
    legal_count: int
    """How many tokens were legal."""
    log_prob: float
    """Of the token's probability over the whole vocabulary; NaN unless scored."""
    log_legal: float
    """Of the mass of all legal tokens over the whole vocabulary, at most 0; NaN unless scored."""
    margin: float
    """Logit lead over the best other legal token; infinity if there is none."""


class Vocab:
    """A model's tokens as a trie; immutable, may be shared between threads.

    Tokens of no bytes, such as control tokens, and those over 256 bytes are never legal.
    """

    def __init__(self, tokens: collections.abc.Sequence[bytes]) -> None:
        offsets = array("I", itertools.accumulate(map(len, tokens), initial=0))
        out = ffi.new("edc_vocab **")
        _check(lib.edc_vocab_new(b"".join(tokens), ffi.from_buffer("uint32_t[]", offsets), len(tokens), out))
        self._handle = ffi.gc(out[0], lib.edc_vocab_free)
        self._n_tokens = len(tokens)

    def __len__(self) -> int:
        return self._n_tokens

    @property
    def memory_bytes(self) -> int:
        """Memory that the trie holds."""
        return lib.edc_vocab_bytes(self._handle)


class Program:
    """The automaton of an expression or of its code; immutable, may be shared between threads."""

    def __init__(self, expression: Expression | bytes) -> None:
        code = expression if isinstance(expression, bytes) else encode(expression)
        out = ffi.new("edc_program **")
        _check(lib.edc_program_new(code, len(code), out))
        self._handle = ffi.gc(out[0], lib.edc_program_free)

    @property
    def n_states(self) -> int:
        """NFA states that are left after pruning; 0: nothing matches."""
        return lib.edc_program_states(self._handle)

    @property
    def memory_bytes(self) -> int:
        """Memory that the automaton holds."""
        return lib.edc_program_bytes(self._handle)


class Matcher:
    """Follows a text through a program; belongs to one thread.

    Args:
        vocab: kept alive by the matcher.
        program: kept alive by the matcher.
        budget_bytes: memory for states worked out so far; 0 stands for the default. A small one costs time, and changes
            no result.
    """

    def __init__(self, vocab: Vocab, program: Program, *, budget_bytes: int = 0) -> None:
        out = ffi.new("edc_matcher **")
        _check(lib.edc_matcher_new(vocab._handle, program._handle, budget_bytes, out))  # noqa: SLF001 - one module
        self._handle = ffi.gc(out[0], lib.edc_matcher_free)
        self._borrowed = (vocab, program)
        self._n_tokens = len(vocab)
        self._choice = ffi.new("edc_choice *")

    def pick(self, logits_address: int, *, scored: bool = True) -> Pick:
        """The legal token of the highest logit, the lowest id where several are equal. Does not move.

        Args:
            logits_address: of float32[len(vocab)], such as llama.cpp's own logits. It must stay valid during the call.
            scored: False leaves out the two logarithms, which take two passes over all logits.

        Raises:
            CoreError: nothing is legal, or a logit is NaN or +infinity.
        """
        choice = self._choice
        logits = ffi.cast("float *", logits_address)
        _check(lib.edc_matcher_pick(self._handle, logits, self._n_tokens, scored, choice))
        return Pick(choice.token, choice.legal_count, choice.log_prob, choice.log_legal, choice.margin)

    def advance(self, token: int) -> None:
        """Takes a token as what came next.

        Raises:
            CoreError: the token is not legal here; the matcher has not moved.
        """
        _check(lib.edc_matcher_advance(self._handle, token))

    def advance_bytes(self, text: bytes) -> None:
        """Takes bytes as what came next.

        Raises:
            CoreError: they are not legal here; the matcher has not moved.
        """
        _check(lib.edc_matcher_advance_bytes(self._handle, text, len(text)))

    def legal(self) -> list[int]:
        """The ids of the tokens that may come next, rising."""
        ids = ffi.new("int32_t **")
        n_ids = ffi.new("size_t *")
        _check(lib.edc_matcher_legal(self._handle, ids, n_ids))
        return sorted(ffi.unpack(ids[0], n_ids[0]))

    def next_bytes(self) -> bytes:
        """The bytes that may come next, rising."""
        bitmap = ffi.new("uint8_t[32]")
        _check(lib.edc_matcher_next_bytes(self._handle, bitmap))
        members = int.from_bytes(ffi.buffer(bitmap), "little")
        return bytes(byte for byte in range(256) if members >> byte & 1)

    def forced(self, *, capacity_bytes: int = 4096) -> bytes:
        """The bytes that are certain from here, at most `capacity_bytes` of them. Does not move."""
        buffer = ffi.new("uint8_t[]", capacity_bytes)
        n_forced = ffi.new("size_t *")
        _check(lib.edc_matcher_forced(self._handle, buffer, capacity_bytes, n_forced))
        return bytes(ffi.buffer(buffer, n_forced[0]))

    def reset(self) -> None:
        """Back to the start; what was worked out stays."""
        lib.edc_matcher_reset(self._handle)

    @property
    def is_accepting(self) -> bool:
        """Whether the text may end here."""
        return bool(lib.edc_matcher_is_accepting(self._handle))

    @property
    def is_finished(self) -> bool:
        """Whether the text may end here and cannot go on."""
        return bool(lib.edc_matcher_is_finished(self._handle))

    @property
    def memory_bytes(self) -> int:
        """Memory that the matcher has reserved, touched or not."""
        return lib.edc_matcher_bytes(self._handle)

    @property
    def n_flushes(self) -> int:
        """How often the memory for states was full and emptied."""
        return lib.edc_matcher_flushes(self._handle)


def _check(status: int) -> None:
    """Raises what a status of the C side stands for; the one place that does."""
    if status != lib.EDC_OK:
        what = ffi.string(lib.edc_status_text(status)).decode("ascii")
        raise CoreError(what, where="sampling core", remedy=_REMEDIES.get(status, ""))
