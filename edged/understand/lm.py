"""The language model: llama.cpp's own calls, and nothing that samples."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from edged.errors import ModelError
from edged.understand.llama import (
    Handle,
    apply_adapter,
    heard,
    listen,
    llama_cpp,
    load_adapter,
    load_model,
    make_context,
    system_info,
)

CONTEXT_TOKENS: Final = 3072
"""Room for the prefix, one utterance and its answer: 40 intents take about 900 tokens, a long utterance 100."""
BATCH_TOKENS: Final = 512
"""The step in which every prefix is read: another step rounds otherwise, and moves logits by up to 1 of a range of 57
(SmolLM2-135M, x86_64, November 2026); the number of threads changes no bit of a prefix."""
STEP_TOKENS: Final = 63
"""Most tokens of one call behind the prefix, and most rows of logits, of 200 kB each: nearly every utterance has fewer.
"""
MAX_PREFIX_TOKENS: Final = 2048
"""The rest is for the utterance and the answer."""

_MAX_PIECE_BYTES: Final = 256


def state_format() -> str:
    """What a prefix state depends on beside model and tokens: another build of llama.cpp may lay it out otherwise."""
    return f"llama-cpp-python {llama_cpp.__version__}; {system_info()}; f16, no flash attention; {BATCH_TOKENS} a batch"


class LanguageModel:
    """One model with one sequence: a prefix that stays, and behind it what is being read and written now.

    Not thread-safe: it belongs to the thread that calls it, but for `build_prefix` and `tokenize`.
    """

    def __init__(self, path: Path, *, adapter: Path | None, threads: int, batch_threads: int | None = None) -> None:
        """Loads a GGUF file, and a LoRA adapter onto it; `batch_threads` read several tokens, by default as many.

        Raises:
            ModelError: a file is missing, is no GGUF, does not fit, or there is not enough memory.
        """
        listen()
        self._model: Handle = None
        self._context: Handle = None
        self._batch: Handle = None
        self._adapter: Handle = None
        self._path, self.threads = path, threads
        self._building = threading.Lock()
        for file in (path, adapter):
            if file is not None and not file.is_file():
                raise ModelError("there is no such file", where=str(file), remedy="edged models fetch")
        try:
            self._model = load_model(path)
            if adapter is not None:
                self._adapter = load_adapter(self._model, adapter)
            self._context = self._new_context(CONTEXT_TOKENS)
            self.set_threads(threads, batch_threads or threads)
        except ModelError:
            self.close()
            raise
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._piece = ctypes.create_string_buffer(_MAX_PIECE_BYTES)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(BATCH_TOKENS, 0, 1)
        self._prefix: tuple[int, ...] = ()
        self._behind: list[int] = []
        self._with_logits = range(0)
        self._batch_start = 0
        self.evaluated_tokens = 0
        """So far; what is read twice because it stands alone counts once."""
        self.evaluations = 0

    def close(self) -> None:
        """Frees everything, once no prefix is being built; the object is of no further use."""
        with self._building:
            if self._context is not None:
                llama_cpp.llama_free(self._context)
            if self._batch is not None:
                llama_cpp.llama_batch_free(self._batch)
            if self._model is not None:
                llama_cpp.llama_model_free(self._model)  # and with it its adapter
            self._context = self._model = self._batch = self._adapter = None

    def __enter__(self) -> LanguageModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def set_threads(self, threads: int, batch_threads: int) -> None:
        """From now on, one token is read by `threads` threads and several in one call by `batch_threads`."""
        llama_cpp.llama_set_n_threads(self._context, threads, batch_threads)

    @property
    def vocabulary(self) -> Handle:
        """llama.cpp's own vocabulary, for what else can read it; valid until `close`."""
        return self._vocab

    @property
    def end_token(self) -> int:
        """The token that ends a text."""
        return int(llama_cpp.llama_vocab_eos(self._vocab))

    @property
    def begin_token(self) -> int:
        """The token that begins a text; negative where there is none."""
        return int(llama_cpp.llama_vocab_bos(self._vocab))

    @property
    def adds_begin(self) -> bool:
        """Whether the model was trained on texts that start with that token."""
        return self.begin_token >= 0 and bool(llama_cpp.llama_vocab_get_add_bos(self._vocab))

    @property
    def chat_template(self) -> str:
        """The Jinja template of conversations with the model, by whoever made the file; empty where it has none."""
        return (llama_cpp.llama_model_chat_template(self._model, None) or b"").decode(errors="replace")

    def is_control(self, token: int) -> bool:
        """Whether a token steers the model and is part of no text; those that end an answer are."""
        is_control, is_end = llama_cpp.llama_vocab_is_control, llama_cpp.llama_vocab_is_eog
        return bool(is_control(self._vocab, token) or is_end(self._vocab, token))

    def strips_behind(self, token: int) -> bool:
        """Whether the tokenizer drops white space behind a control token."""
        return bool(llama_cpp.llama_vocab_get_attr(self._vocab, token) & llama_cpp.LLAMA_TOKEN_ATTR_RSTRIP)

    def name_of(self, token: int) -> str:
        """How a control token is written in a chat template; empty for a negative one."""
        return (llama_cpp.llama_vocab_get_text(self._vocab, token) if token >= 0 else b"").decode(errors="replace")

    def pieces(self) -> list[bytes]:
        """The bytes of every token, by id; empty for control tokens, which no text contains."""
        return [self.piece(token) for token in range(llama_cpp.llama_vocab_n_tokens(self._vocab))]

    def piece(self, token: int) -> bytes:
        """The bytes of one token."""
        size = 0
        if not self.is_control(token):
            size = llama_cpp.llama_token_to_piece(self._vocab, token, self._piece, _MAX_PIECE_BYTES, 0, False)
        return self._piece.raw[: max(0, size)]

    def tokenize(self, text: bytes, *, control: bool = False) -> list[int]:
        """The model's own tokens of `text`, in which names of control tokens are text, except with `control`."""
        room = len(text) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, text, len(text), tokens, room, False, control)
        if count < 0:
            raise ModelError(f"cannot tokenise {len(text)} bytes", remedy="use another model")
        return list(tokens[:count])

    @property
    def room(self) -> int:
        """Tokens that fit behind the prefix."""
        return CONTEXT_TOKENS - len(self._prefix)

    @property
    def prefix(self) -> tuple[int, ...]:
        """The tokens that stay in front of every utterance."""
        return self._prefix

    def set_prefix(self, tokens: Sequence[int]) -> None:
        """Reads what stays in front of every utterance from now on; nothing if that stands there already.

        Raises:
            ModelError: it leaves too little room, or the evaluation failed; the prefix before stays.
        """
        if tuple(tokens) == self._prefix:
            self.rewind()
        else:
            self.set_prefix_state(tokens, self.build_prefix(tokens, threads=self.threads))

    def build_prefix(self, tokens: Sequence[int], *, threads: int = 1) -> bytes:
        """The state of the LM behind `tokens`, for `set_prefix_state`; may be called from any thread.

        It is read in a context of its own, so that the other one can serve meanwhile. 25, 300 and 900 tokens took 0.08,
        0.7 and 2.6 s on one thread, and 11, 37 and 81 MB of memory for that time; the state has 23 kB a token
        (SmolLM2-135M, x86_64, November 2026).

        Raises:
            ModelError: they leave too little room, there is not enough memory, or llama.cpp failed.
        """
        _check_prefix(tokens)
        if not tokens:
            return b""
        with self._building:
            if self._model is None:
                raise ModelError("the model was closed meanwhile")
            context = self._new_context(len(tokens))
            llama_cpp.llama_set_n_threads(context, threads, threads)
            try:
                _read_all(context, tokens)
                state = _copy_state(context)
            finally:
                llama_cpp.llama_free(context)
        _give_back_memory()
        return state

    def set_prefix_state(self, tokens: Sequence[int], state: bytes) -> None:
        """Puts in front of every utterance what `build_prefix` made of `tokens`; takes 1 ms for 300 tokens.

        Raises:
            ModelError: it is no state of these tokens, or they leave too little room; the prefix before stays.
        """
        _check_prefix(tokens)
        self.rewind()
        before = self._prefix, _copy_state(self._context) if self._prefix else b""
        try:
            self._load_prefix(tuple(tokens), state)
        except ModelError:
            self._load_prefix(*before)
            raise

    def _load_prefix(self, tokens: tuple[int, ...], state: bytes) -> None:
        self._prefix = ()
        self._keep(0)
        data = ctypes.cast(ctypes.c_char_p(state), ctypes.POINTER(ctypes.c_uint8))
        taken = llama_cpp.llama_state_seq_set_data(self._context, data, len(state), 0) if tokens else 0
        last = llama_cpp.llama_memory_seq_pos_max(self._memory, 0)
        if taken != len(state) or last != len(tokens) - 1:
            raise ModelError(f"llama.cpp refuses a prefix state of {len(state)} bytes: {heard()}")
        self._prefix = tokens

    def rewind(self) -> None:
        """Forgets everything behind the prefix."""
        self._keep(0)

    def read(self, tokens: Sequence[int], *, every_from: int | None = None) -> int:
        """Makes `tokens` what stands behind the prefix, and evaluates only what does not stand there already.

        How they were split into calls changes no bit of any logits (SmolLM2-135M, x86_64, November 2026).

        Args:
            tokens: none is the same as `rewind`.
            every_from: `logits` then has the logits behind each of the tokens from this one on; only those behind the
                last without it, and none with the number of tokens, which is the cheapest.

        Returns:
            The address of the logits behind the last; 0 where there are none.

        Raises:
            ModelError: there is no room, or llama.cpp failed; what was evaluated before that stays.
        """
        count = len(tokens)
        first = max(0, count - 1) if every_from is None else every_from
        wanted = count - first
        if count > CONTEXT_TOKENS - len(self._prefix) or not 0 <= wanted <= min(count, STEP_TOKENS):
            raise ModelError(f"{count} tokens, {wanted} with logits, do not fit", remedy="say less at once")
        kept = _count_common(tokens, self._behind)
        at_hand = self._with_logits.start <= first and count <= self._with_logits.stop
        if kept < count or (wanted and not at_hand):
            kept = min(kept, first)
        self._keep(kept)
        self._extend(tokens[kept:], wanted)
        return self.logits(-1) if wanted else 0

    def logits(self, index: int) -> int:
        """The address of the logits behind token `index` of those read, float32[n_vocab]; -1 is the last.

        Raises:
            ModelError: the last call did not ask for them.
        """
        place = index if index >= 0 else index + len(self._behind)
        row = None
        if place in self._with_logits:
            row = llama_cpp.llama_get_logits_ith(self._context, place - self._batch_start)
        if not row:
            raise ModelError(f"there are no logits behind token {index}", remedy="report this: it is a bug of edged")
        return ctypes.cast(row, ctypes.c_void_p).value or 0

    def _keep(self, count: int) -> None:
        """Forgets all but the first tokens behind the prefix."""
        if not llama_cpp.llama_memory_seq_rm(self._memory, 0, len(self._prefix) + count, -1):
            raise ModelError("the model cannot forget part of what it has read", remedy="use another model")
        del self._behind[count:]
        self._with_logits = range(self._with_logits.start, min(self._with_logits.stop, count))

    def _extend(self, tokens: Sequence[int], wanted: int) -> None:
        """Evaluates tokens in batches, the last of which has the logits behind the last `wanted` of them."""
        start = 0
        while start < len(tokens):
            left = len(tokens) - start
            size = left if left <= STEP_TOKENS else min(STEP_TOKENS, left - wanted)
            self._evaluate_batch(tokens[start : start + size], wanted if size == left else 0)
            start += size

    def _evaluate_batch(self, tokens: Sequence[int], wanted: int) -> None:
        known = len(self._behind)
        start = len(self._prefix) + known
        self._with_logits = range(0)
        rows = range(len(tokens) - wanted, len(tokens))
        # A token alone goes another way through llama.cpp, which moves logits by up to 1: so two, and one is forgotten.
        alone = len(tokens) == 1 and start < CONTEXT_TOKENS - 1
        batch = [*tokens, *tokens] if alone else tokens
        try:
            _decode(self._context, self._batch, batch, start, rows)
        except ModelError:
            self._keep(known)
            raise
        self._behind += batch
        self._keep(known + len(tokens))
        self._batch_start = known
        self._with_logits = range(known + rows.start, known + rows.stop)
        self.evaluations += 1
        self.evaluated_tokens += len(tokens)

    def _new_context(self, tokens: int) -> Handle:
        context = make_context(self._model, self._path, tokens, BATCH_TOKENS)
        if self._adapter is not None:
            try:
                apply_adapter(context, self._adapter, self._path)
            except ModelError:
                llama_cpp.llama_free(context)
                raise
        return context


def _check_prefix(tokens: Sequence[int]) -> None:
    if len(tokens) > MAX_PREFIX_TOKENS:
        raise ModelError(
            f"the catalog takes {len(tokens)} of {CONTEXT_TOKENS} tokens", remedy="load fewer intents or slots"
        )


def _count_common(tokens: Sequence[int], others: Sequence[int]) -> int:
    """With how many of the same tokens both begin."""
    shorter = min(len(tokens), len(others))
    return next((index for index in range(shorter) if tokens[index] != others[index]), shorter)


def _read_all(context: Handle, tokens: Sequence[int]) -> None:
    """Reads tokens in a fresh context, where nobody asks for logits."""
    batch = llama_cpp.llama_batch_init(BATCH_TOKENS, 0, 1)
    try:
        for start in range(0, len(tokens), BATCH_TOKENS):
            _decode(context, batch, tokens[start : start + BATCH_TOKENS], start, range(0))
    finally:
        llama_cpp.llama_batch_free(batch)


def _decode(context: Handle, batch: Handle, tokens: Sequence[int], start: int, rows: range) -> None:
    """Evaluates one batch at a position, with the logits behind those of its tokens."""
    batch.n_tokens = len(tokens)
    for index, token in enumerate(tokens):
        batch.token[index] = token
        batch.pos[index] = start + index
        batch.n_seq_id[index] = 1
        batch.seq_id[index][0] = 0
        batch.logits[index] = index in rows
    status = llama_cpp.llama_decode(context, batch)
    if status:
        raise ModelError(f"llama_decode gave {status}: {heard()}", remedy="edged doctor")


def _copy_state(context: Handle) -> bytes:
    size = llama_cpp.llama_state_seq_get_size(context, 0)
    buffer = (ctypes.c_uint8 * size)()
    if not size or llama_cpp.llama_state_seq_get_data(context, buffer, size, 0) != size:
        raise ModelError(f"llama.cpp cannot copy its state: {heard()}", remedy="edged doctor")
    return bytes(buffer)


def _give_back_memory() -> None:
    """Has glibc hand freed memory to the system: it kept 40 MB for each prefix of 900 tokens that was built."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
