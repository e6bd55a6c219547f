"""The language model: llama.cpp's own calls, and nothing that samples. Nothing else imports llama_cpp."""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeAlias

from edged.errors import ModelError

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# libgomp reads both when llama_cpp loads it, just below. With its default, waiting threads spin for long: beside one
# other busy process a token of two threads took 2184 ms instead of 29. Without any spinning they sleep at each of some
# hundred barriers: 31 ms a token on two idle cores, 9.9 ms with 1000 turns; beside two busy processes 19 and 21 ms
# (medians of 20, SmolLM2-135M Q4_0, two cores of x86_64, November 2026).

import llama_cpp

log = logging.getLogger(__name__)

CONTEXT_TOKENS: Final = 2048
"""Room for the prefix, one utterance and its answer: 40 intents take about 900 tokens, a long utterance 100."""
BATCH_TOKENS: Final = 512

_MAX_PIECE_BYTES: Final = 256

Handle: TypeAlias = Any
"""A pointer of llama.cpp's; llama_cpp is untyped."""


def system_info() -> str:
    """What llama.cpp says of the processor features that it was built for."""
    return str(llama_cpp.llama_print_system_info().decode())


def open_stock_model(path: Path, *, adapter: Path | None, threads: int) -> Handle:
    """llama-cpp-python's own `Llama`, which the benchmark measures us against."""
    return llama_cpp.Llama(
        str(path), lora_path=str(adapter) if adapter else None, n_ctx=CONTEXT_TOKENS, n_threads=threads, verbose=False
    )


class LanguageModel:
    """One model with one sequence: a prefix that stays, and behind it what is being read and written now.

    Not thread-safe: it belongs to the thread that calls it.
    """

    def __init__(self, path: Path, *, adapter: Path | None, threads: int) -> None:
        """Loads a GGUF file, and a LoRA adapter onto it.

        Raises:
            ModelError: a file is missing, is no GGUF, does not fit, or there is not enough memory.
        """
        _listen()
        self._model: Handle = None
        self._context: Handle = None
        self._batch: Handle = None
        for file in (path, adapter):
            if file is not None and not file.is_file():
                raise ModelError("there is no such file", where=str(file), remedy="edged models fetch")
        try:
            self._model = _load_model(path)
            self._context = _make_context(self._model, path, threads)
            if adapter is not None:
                _apply_adapter(self._model, self._context, adapter)
        except ModelError:
            self.close()
            raise
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(BATCH_TOKENS, 0, 1)
        self._prefix = 0
        self._prefix_tokens: tuple[int, ...] = ()
        self._length = 0
        self.evaluated_tokens = 0
        self.evaluations = 0

    def close(self) -> None:
        """Frees everything; the object is of no further use."""
        if self._context is not None:
            llama_cpp.llama_free(self._context)
        if self._batch is not None:
            llama_cpp.llama_batch_free(self._batch)
        if self._model is not None:
            llama_cpp.llama_model_free(self._model)  # and with it its adapter
        self._context = self._model = self._batch = None

    def __enter__(self) -> LanguageModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def pieces(self) -> list[bytes]:
        """The bytes of every token, by id; empty for control tokens, which no text contains."""
        buffer = ctypes.create_string_buffer(_MAX_PIECE_BYTES)
        pieces = []
        for token in range(llama_cpp.llama_vocab_n_tokens(self._vocab)):
            size = 0
            if not llama_cpp.llama_vocab_is_control(self._vocab, token):
                size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, _MAX_PIECE_BYTES, 0, False)
            pieces.append(buffer.raw[: max(0, size)])
        return pieces

    def tokenize(self, text: bytes) -> list[int]:
        """The model's own tokens of `text`, in which nothing is taken for a control token."""
        room = len(text) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, text, len(text), tokens, room, False, False)
        if count < 0:
            raise ModelError(f"cannot tokenise {len(text)} bytes", remedy="use another model")
        return list(tokens[:count])

    @property
    def room(self) -> int:
        """Tokens that may still be evaluated."""
        return CONTEXT_TOKENS - self._length

    def set_prefix(self, tokens: Sequence[int]) -> None:
        """Evaluates what stays in front of every utterance from now on.

        Raises:
            ModelError: it leaves too little room, or the evaluation failed; the prefix before stays.
        """
        if len(tokens) > CONTEXT_TOKENS // 2:
            raise ModelError(
                f"the catalog takes {len(tokens)} of {CONTEXT_TOKENS} tokens", remedy="load fewer intents or slots"
            )
        before = self._prefix_tokens
        try:
            self._read_prefix(tokens)
        except ModelError:
            self._read_prefix(before)
            raise

    def _read_prefix(self, tokens: Sequence[int]) -> None:
        self._prefix, self._prefix_tokens = 0, ()
        self.rewind()
        if tokens:
            self.evaluate(tokens)
        self._prefix, self._prefix_tokens = len(tokens), tuple(tokens)

    def rewind(self) -> None:
        """Forgets everything behind the prefix."""
        llama_cpp.llama_memory_seq_rm(self._memory, 0, self._prefix, -1)
        self._length = self._prefix

    def evaluate(self, tokens: Sequence[int], *, every: bool = False) -> int:
        """Reads `tokens`; the address of the logits behind the last, float32[n_vocab], valid until the next call.

        Args:
            tokens: at least one.
            every: `logits` then has the logits behind each of them; costs 20 % more than for the last alone.

        Raises:
            ModelError: there is no room, or llama.cpp failed.
        """
        if not 0 < len(tokens) <= min(self.room, BATCH_TOKENS if every else CONTEXT_TOKENS):
            raise ModelError(f"{len(tokens)} tokens do not fit in {self.room}", remedy="say less at once")
        for start in range(0, len(tokens), BATCH_TOKENS):
            part = tokens[start : start + BATCH_TOKENS]
            self._fill_batch(part, every=every)
            status = llama_cpp.llama_decode(self._context, self._batch)
            if status:
                raise ModelError(f"llama_decode gave {status}: {_heard()}", remedy="edged doctor")
            self._length += len(part)
            self.evaluations += 1
        self.evaluated_tokens += len(tokens)
        return self.logits(-1)

    def logits(self, index: int) -> int:
        """The address of the logits behind token `index` of the last call, float32[n_vocab]; -1 is the last."""
        row = llama_cpp.llama_get_logits_ith(self._context, index)
        return ctypes.cast(row, ctypes.c_void_p).value or 0

    def _fill_batch(self, tokens: Sequence[int], *, every: bool) -> None:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = self._length + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = every or index + 1 == len(tokens)


def _load_model(path: Path) -> Handle:
    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        raise ModelError(f"llama.cpp cannot load it: {_heard()}", where=str(path), remedy="edged models fetch")
    return model


def _make_context(model: Handle, path: Path, threads: int) -> Handle:
    parameters = llama_cpp.llama_context_default_params()
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.no_perf = True
    context = llama_cpp.llama_init_from_model(model, parameters)
    if not context:
        raise ModelError(f"llama.cpp cannot make a context: {_heard()}", where=str(path), remedy="edged doctor")
    return context


def _apply_adapter(model: Handle, context: Handle, path: Path) -> None:
    adapter = llama_cpp.llama_adapter_lora_init(model, str(path).encode())
    if not adapter:
        raise ModelError(f"the adapter does not fit the model: {_heard()}", where=str(path), remedy="train it anew")
    adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(adapter)
    if llama_cpp.llama_set_adapters_lora(context, adapters, 1, (ctypes.c_float * 1)(1.0)):
        raise ModelError(f"llama.cpp refuses the adapter: {_heard()}", where=str(path), remedy="train it anew")


_ERROR_LEVEL: Final = 4
"""GGML_LOG_LEVEL_ERROR."""

_errors: list[str] = []


@cache
def _listen() -> object:
    """Sends llama.cpp's log to ours, once; the callback has to live as long as the library."""

    @llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
    def hear(level: int, text: bytes, _data: object) -> None:
        line = text.decode(errors="replace").strip()
        log.debug("llama.cpp: %s", line)
        if level == _ERROR_LEVEL and line:
            _errors.append(line)
            del _errors[:-5]

    llama_cpp.llama_log_set(hear, ctypes.c_void_p(0))
    return hear


def _heard() -> str:
    """What llama.cpp last complained of."""
    complaint = "; ".join(_errors) or "it says no more"
    _errors.clear()
    return complaint
