"""llama.cpp: the one import of it, with what has to be set before, its log, and how its objects are made."""

from __future__ import annotations

import ctypes
import logging
import os
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from edged.errors import ModelError

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# libgomp reads both when llama_cpp loads it, just below. With its default, waiting threads spin for long: beside one
# other busy process a token of two threads took 2184 ms instead of 29. Without any spinning they sleep at each of some
# hundred barriers: 31 ms a token on two idle cores, 9.9 ms with 1000 turns; beside two busy processes 19 and 21 ms
# (medians of 20, SmolLM2-135M Q4_0, two cores of x86_64, November 2026).

import llama_cpp

__all__ = [
    "Handle",
    "apply_adapter",
    "heard",
    "listen",
    "llama_cpp",
    "load_adapter",
    "load_model",
    "make_context",
    "system_info",
]

log = logging.getLogger(__name__)

Handle: TypeAlias = Any
"""A pointer of llama.cpp's; llama_cpp is untyped."""


def system_info() -> str:
    """What llama.cpp says of the processor features that it was built for."""
    return str(llama_cpp.llama_print_system_info().decode())


def load_model(path: Path) -> Handle:
    """A GGUF file, to be freed with `llama_model_free`.

    Raises:
        ModelError: llama.cpp refuses it.
    """
    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        raise ModelError(f"llama.cpp cannot load it: {heard()}", where=str(path), remedy="edged models fetch")
    return model


def make_context(model: Handle, path: Path, tokens: int, batch_tokens: int) -> Handle:
    """Room for so many tokens of one text, to be freed with `llama_free`; `path` is the model's, for the message.

    Without flash attention, which on a CPU takes up to 1.7 times as long for few tokens behind a long prefix, and gives
    other logits from 64 tokens a call on (SmolLM2-135M, x86_64, November 2026).

    Raises:
        ModelError: there is not enough memory.
    """
    parameters = llama_cpp.llama_context_default_params()
    parameters.n_ctx = tokens
    parameters.n_batch = parameters.n_ubatch = batch_tokens
    parameters.no_perf = True
    parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = llama_cpp.llama_init_from_model(model, parameters)
    if not context:
        raise ModelError(f"llama.cpp cannot make a context: {heard()}", where=str(path), remedy="edged doctor")
    return context


def load_adapter(model: Handle, path: Path) -> Handle:
    """A LoRA adapter, which is freed with its model.

    Raises:
        ModelError: it is not for this model.
    """
    adapter = llama_cpp.llama_adapter_lora_init(model, str(path).encode())
    if not adapter:
        raise ModelError(f"the adapter does not fit the model: {heard()}", where=str(path), remedy="train it anew")
    return adapter


def apply_adapter(context: Handle, adapter: Handle, path: Path) -> None:
    """Has a context use an adapter; `path` is the model's, for the message.

    Raises:
        ModelError: llama.cpp refuses it.
    """
    adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(adapter)
    if llama_cpp.llama_set_adapters_lora(context, adapters, 1, (ctypes.c_float * 1)(1.0)):
        raise ModelError(f"llama.cpp refuses the adapter: {heard()}", where=str(path), remedy="train it anew")


_ERROR_LEVEL: Final = 4
"""GGML_LOG_LEVEL_ERROR."""

_errors: list[str] = []


@cache
def listen() -> object:
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


def heard() -> str:
    """What llama.cpp last complained of."""
    complaint = "; ".join(_errors) or "it says no more"
    _errors.clear()
    return complaint
