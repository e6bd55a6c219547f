"""The C sampling core: which tokens are legal under an expression, and the best of them on raw logits.

The one place that knows the compiled module; every status of the C side becomes a `CoreError` here.
"""

from __future__ import annotations

import collections.abc
import itertools
from array import array
from typing import TYPE_CHECKING, NamedTuple

from edged.core._core import ffi, lib
from edged.core.canonical import TokenizerRule
from edged.core.expression import Expression, encode
from edged.errors import CoreError

if TYPE_CHECKING:
    from edged.core._core import _Choice

__all__ = ["Canonical", "Matcher", "Pick", "Program", "SplitMix64", "Vocab"]

_REMEDIES = {
    lib.EDC_TOO_MANY_STATES: "Make the schema smaller: long maxLength or maxItems bounds cost a copy each.",
    lib.EDC_TOO_LARGE: "The caps and their reasons stand in edged/core/edc_limits.h.",
    lib.EDC_NO_LEGAL_TOKEN: "The text is complete, or the vocabulary has no token for what must come next.",
    lib.EDC_BAD_LOGITS: "There must be one logit for each token of the vocabulary, and none NaN or +infinity.",
    lib.EDC_BAD_IMAGE: "Build the vocabulary from its tokens, and write the image anew.",
}
_FLOATS = ffi.typeof("float *")
_step = lib.edc_matcher_step
"""Bound once: a step costs little more than the call itself."""


class Pick(NamedTuple):
    """The best legal token; logarithms are natural."""

    token: int
    legal_count: int
    """How many tokens were legal."""
    log_prob: float
    """Of the token's probability over the whole vocabulary; NaN unless scored."""
    log_legal: float
    """Of the mass of all legal tokens over the whole vocabulary, at most 0; NaN unless scored."""
    log_share: float
    """Of the token's probability among the legal tokens alone."""
    margin: float
    """Logit lead over the best other legal token; infinity if there is none."""


class SplitMix64:
    """Random numbers from a seed; the same everywhere. Belongs to one thread."""

    def __init__(self, seed: int) -> None:
        self._state = ffi.new("uint64_t *", seed % 2**64)

    @property
    def state(self) -> int:
        """A seed that goes on from here."""
        return self._state[0]


class Vocab:
    """A model's tokens as a trie; immutable, may be shared between threads.

    Tokens of no bytes, such as control tokens, and those over 256 bytes are never legal.
    """

    def __init__(self, tokens: collections.abc.Sequence[bytes]) -> None:
        offsets = array("I", itertools.accumulate(map(len, tokens), initial=0))
        out = ffi.new("edc_vocab **")
        _check(lib.edc_vocab_new(b"".join(tokens), ffi.from_buffer("uint32_t[]", offsets), len(tokens), out))
        self._handle = ffi.gc(out[0], lib.edc_vocab_free)

    @classmethod
    def from_image(cls, image: bytes | memoryview) -> Vocab:
        """The vocabulary of an image, such as a mapped file: checked, not copied, and kept alive.

        The buffer must begin at a multiple of 8 bytes and must not change as long as the vocabulary lives.

        Raises:
            CoreError: it is damaged, or of another version or machine.
        """
        vocab = cls.__new__(cls)
        vocab._map(image)  # noqa: SLF001 - its own class
        return vocab

    def _map(self, image: bytes | memoryview) -> None:
        out = ffi.new("edc_vocab **")
        self._borrowed = ffi.from_buffer("uint8_t[]", image)
        _check(lib.edc_vocab_map(self._borrowed, len(self._borrowed), out))
        self._handle = ffi.gc(out[0], lib.edc_vocab_free)

    def __len__(self) -> int:
        return lib.edc_vocab_size(self._handle)

    def image(self) -> bytes:
        """What `from_image` takes, on machines of the same byte order."""
        length = ffi.new("size_t *")
        return bytes(ffi.buffer(lib.edc_vocab_image(self._handle, length), length[0]))

    def piece(self, token: int) -> bytes:
        """The bytes of a token, whatever their number.

        Raises:
            CoreError: there is no such token.
        """
        start = ffi.new("uint8_t **")
        length = ffi.new("size_t *")
        _check(lib.edc_vocab_token(self._handle, token, start, length))
        return bytes(ffi.buffer(start[0], length[0]))

    @property
    def memory_bytes(self) -> int:
        """Memory that the trie holds; an image that it was made of does not count."""
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


class Canonical:
    """What a model's own tokenizer was asked about neighbouring tokens; belongs to one thread, with its matchers.

    Args:
        tokenize: gives the tokens of a text, in which nothing is taken for a control token.
        piece: gives the bytes of a token, as its vocabulary has them.
        before: the token that stands in front of every text; None where that is not known.
    """

    def __init__(
        self,
        tokenize: collections.abc.Callable[[bytes], list[int]],
        piece: collections.abc.Callable[[int], bytes],
        *,
        before: int | None = None,
    ) -> None:
        self._rule = TokenizerRule(tokenize, piece)
        self._self = ffi.new_handle(self._rule)
        out = ffi.new("edc_canonical **")
        _check(lib.edc_canonical_new(lib.edc_ask_python, self._self, -1 if before is None else before, out))
        self._handle = ffi.gc(out[0], lib.edc_canonical_free)

    @property
    def n_pairs(self) -> int:
        """Answers that are kept."""
        return lib.edc_canonical_pairs(self._handle)

    @property
    def memory_bytes(self) -> int:
        """Memory that the answers hold."""
        return lib.edc_canonical_bytes(self._handle)


@ffi.def_extern(error=-1)
def edc_ask_python(rule: object, tokens: object, n_tokens: int) -> int:
    """Asks for the C side; what is raised here is printed, and the tokens let pass."""
    return ffi.from_handle(rule).allows(ffi.unpack(tokens, n_tokens))


class Matcher:
    """Follows a text through a program; belongs to one thread.

    Args:
        vocab: kept alive by the matcher.
        program: kept alive by the matcher.
        canonical: kept alive by the matcher; with it a token is legal only where the model's tokenizer would write it.
        budget_bytes: memory for states worked out so far; 0 stands for the default. A small one costs time, and changes
            no result.
    """

    def __init__(
        self, vocab: Vocab, program: Program, *, canonical: Canonical | None = None, budget_bytes: int = 0
    ) -> None:
        out = ffi.new("edc_matcher **")
        pairs = ffi.NULL if canonical is None else canonical._handle  # noqa: SLF001 - one module
        _check(lib.edc_matcher_new_canonical(vocab._handle, program._handle, pairs, budget_bytes, out))  # noqa: SLF001
        self._handle = ffi.gc(out[0], lib.edc_matcher_free)
        self._borrowed = (vocab, program, canonical)
        self._n_tokens = len(vocab)
        self._choice = ffi.new("edc_choice *")

    def step(self, logits_address: int) -> int:
        """Picks and advances in one call, for speed: gives the token alone, and looks at the legal logits alone.

        Args:
            logits_address: as for `pick`.

        Raises:
            CoreError: as for `pick`; the matcher has not moved.
        """
        token = _step(self._handle, logits_address, self._n_tokens)
        if token < 0:
            _check(-token)
        return token

    def pick(self, logits_address: int, *, scored: bool = True) -> Pick:
        """The legal token of the highest logit, the lowest id where several are equal. Does not move.

        Args:
            logits_address: of float32[len(vocab)], such as llama.cpp's own logits. It must stay valid during the call.
            scored: False leaves out the two logarithms over the whole vocabulary, which take two passes over it.

        Raises:
            CoreError: nothing is legal, or a logit is NaN or +infinity.
        """
        logits = ffi.cast(_FLOATS, logits_address)
        _check(lib.edc_matcher_pick(self._handle, logits, self._n_tokens, scored, self._choice))
        return _pick_of(self._choice)

    def sample(self, logits_address: int, temperature: float, random: SplitMix64) -> Pick:
        """A legal token by the chances that softmax(logits / temperature) gives the legal ones. Does not move.

        Args:
            logits_address: as for `pick`.
            temperature: 0 picks, without a random number.
            random: moves on.

        Returns:
            The token as an unscored pick. Its margin is negative if it is not the best; its share knows no temperature.

        Raises:
            CoreError: as for `pick`, or the temperature is negative or not finite.
        """
        logits = ffi.cast(_FLOATS, logits_address)
        state = random._state  # noqa: SLF001 - one module
        _check(lib.edc_matcher_sample(self._handle, logits, self._n_tokens, temperature, state, self._choice))
        return _pick_of(self._choice)

    def verify(
        self,
        logits_addresses: collections.abc.Sequence[int],
        draft: collections.abc.Sequence[int],
        *,
        scored: bool = True,
    ) -> list[Pick]:
        """Picks row by row as long as the draft has them right, and moves behind the tokens that it has right.

        It stops at a pick that is not the draft's, at one that completes the text, and at the last row. The last pick
        is never taken: the matcher moves by one token less than there are picks.

        Args:
            logits_addresses: of at least one row, each as for `pick`; row i was computed behind `draft[i - 1]`.
            draft: at least one token less than rows; any numbers will do.
            scored: as for `pick`.

        Raises:
            CoreError: as for `pick`; the matcher stands behind the tokens that were right until then.
        """
        n_rows = len(logits_addresses)
        if len(draft) < n_rows - 1:
            raise CoreError(f"{len(draft)} draft tokens for {n_rows} rows of logits", where="sampling core")
        rows = ffi.new("uintptr_t[]", logits_addresses)
        tokens = ffi.new("int32_t[]", draft)
        choices = ffi.new("edc_choice[]", n_rows)
        n_choices = ffi.new("size_t *")
        _check(
            lib.edc_matcher_verify(
                self._handle, ffi.cast("float **", rows), n_rows, self._n_tokens, tokens, scored, choices, n_choices
            )
        )
        return [_pick_of(choices[index]) for index in range(n_choices[0])]

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

    def forced_tokens(self, limit: int) -> list[int]:
        """The tokens that are certain from here, each the only legal one, at most `limit` of them. Does not move."""
        tokens = ffi.new("int32_t[]", limit)
        n_forced = ffi.new("size_t *")
        _check(lib.edc_matcher_forced_tokens(self._handle, tokens, limit, n_forced))
        return ffi.unpack(tokens, n_forced[0])

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
    def used_bytes(self) -> int:
        """Memory of it that was ever used: what is reserved and never touched costs nothing."""
        return lib.edc_matcher_used(self._handle)

    @property
    def n_flushes(self) -> int:
        """How often the memory for states was full and emptied."""
        return lib.edc_matcher_flushes(self._handle)


def _pick_of(choice: _Choice) -> Pick:
    return Pick(choice.token, choice.legal_count, choice.log_prob, choice.log_legal, choice.log_share, choice.margin)


def _check(status: int) -> None:
    """Raises what a status of the C side stands for; the one place that does."""
    if status:
        what = ffi.string(lib.edc_status_text(status)).decode("ascii")
        raise CoreError(what, where="sampling core", remedy=_REMEDIES.get(status, ""))
