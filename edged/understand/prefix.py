"""The catalog's prefix as the LM has read it: kept on disk, so that a start takes milliseconds instead of seconds.

A file holds the state of one prefix for one model: `_HEADER`, then what llama.cpp gave. A file is believed only if
every hash in it fits; otherwise the prefix is read anew. Loading 25, 300 and 900 tokens takes 0.5, 6 and 33 ms, most of
it for the SHA-256 of 0.6, 7 and 21 MB (SmolLM2-135M, x86_64 under load, November 2026).
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import struct
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from edged.errors import ModelError
from edged.models.record import find_sha256, write_atomically
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.understand.lm import LanguageModel, state_format

log = logging.getLogger(__name__)

MAX_FILES: Final = 4
"""The catalog now and before its last change, for two models. A file has some 23 kB a token: 7 MB for 300."""
MAX_STATE_BYTES: Final = 256 << 20
"""What is larger is neither kept nor read: 1024 tokens of a model with ten times the state of SmolLM2-135M."""

_HEADER: Final = struct.Struct("<8s32s32sIQ32s")
"""Magic with the format's version, SHA-256 of model and format, SHA-256 of the tokens, their number, size and SHA-256
of the state."""
_MAGIC: Final = b"edgedkv1"
_SUFFIX: Final = ".kv"
_ABANDONED_S: Final = 3600
"""A temporary file older than this was left behind when a process died."""


class PrefixStore:
    """The stored states of one model. Nothing here raises: without a disk, prefixes are read anew."""

    def __init__(self, directory: Path, model_key: bytes) -> None:
        """`directory` need not exist; `model_key` is `make_model_key`'s."""
        self._directory = directory
        self._model_key = model_key

    def path(self, tokens: Sequence[int]) -> Path:
        """Where the state of a prefix is kept."""
        name = hashlib.sha256(self._model_key + _hash_tokens(tokens)).hexdigest()
        return self._directory / (name[:32] + _SUFFIX)

    def load(self, tokens: Sequence[int]) -> bytes | None:
        """The stored state of a prefix; None where there is none that can be believed."""
        path = self.path(tokens)
        try:
            state = self._read(path, tokens)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s: %s; the prefix is read anew", path, error)
            return None
        with contextlib.suppress(OSError):  # it may be read, but not be marked as used
            os.utime(path)
        return state

    def save(self, tokens: Sequence[int], state: bytes) -> None:
        """Keeps the state of a prefix, and forgets those that were not used for longest."""
        path = self.path(tokens)
        if len(state) > MAX_STATE_BYTES:
            return
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._make_room()
            write_atomically(path, self._make_header(tokens, state) + state)
        except OSError as error:
            log.warning("%s: the prefix is not kept for the next start: %s", path, error.strerror)

    def discard(self, tokens: Sequence[int]) -> None:
        """Deletes the state of a prefix."""
        try:
            self.path(tokens).unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s: %s", self.path(tokens), error.strerror)

    def _make_header(self, tokens: Sequence[int], state: bytes) -> bytes:
        digest = hashlib.sha256(state).digest()
        return _HEADER.pack(_MAGIC, self._model_key, _hash_tokens(tokens), len(tokens), len(state), digest)

    def _read(self, path: Path, tokens: Sequence[int]) -> bytes:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not 0 <= size - _HEADER.size <= MAX_STATE_BYTES:
                raise ValueError(f"it has {size} bytes")
            header = file.read(_HEADER.size)
            state = file.read(size - _HEADER.size)
        if header != self._make_header(tokens, state):
            raise ValueError("it is damaged, or the state of something else")
        return state

    def _make_room(self) -> None:
        """Deletes all but the files that were used last, one fewer than there may be, and what dead processes left."""
        found = [(path.stat().st_mtime, path) for path in self._directory.glob(f"*{_SUFFIX}")]
        for _, path in sorted(found, reverse=True)[MAX_FILES - 1 :]:
            path.unlink(missing_ok=True)
        for path in self._directory.glob(f".*{_SUFFIX}.*"):
            if path.stat().st_mtime < time.time() - _ABANDONED_S:
                path.unlink(missing_ok=True)


def open_store(models_directory: Path, path: Path, adapter: Path | None) -> PrefixStore | None:
    """The stored states of the model in these files, beside the models; None where its hash cannot be found."""
    try:
        files = [find_sha256(file, models_directory) if file else "" for file in (path, adapter)]
    except ModelError as error:
        log.warning("no prefix is kept: %s", error)
        return None
    return PrefixStore(models_directory / "prefix", make_model_key(*files))


def make_model_key(model_sha256: str, adapter_sha256: str) -> bytes:
    """What tells the states of a model from those of any other, and from those of another llama.cpp."""
    return hashlib.sha256("\n".join((model_sha256, adapter_sha256, state_format())).encode()).digest()


def prepare_prefix(
    lm: LanguageModel,
    store: PrefixStore | None,
    tokens: Sequence[int],
    *,
    threads: int = 1,
    metrics: Metrics = UNCOUNTED,
) -> Callable[[], None]:
    """Loads or builds a prefix, on any thread; gives what puts it in force, on the thread that the LM belongs to.

    Raises:
        ModelError: it leaves too little room, or the LM failed; so does what it gives, and the prefix before stays.
    """
    if tuple(tokens) == lm.prefix:
        return lambda: lm.set_prefix(tokens)
    stored = store.load(tokens) if store else None
    state = lm.build_prefix(tokens, threads=threads) if stored is None else stored
    metrics.count_prefix(loaded=stored is not None)
    if store and stored is None:
        store.save(tokens, state)

    def use() -> None:
        try:
            lm.set_prefix_state(tokens, state)
        except ModelError as error:
            if not store or stored is None:
                raise
            log.warning("%s: %s", store.path(tokens), error)
            store.discard(tokens)
            lm.set_prefix(tokens)

    return use


def _hash_tokens(tokens: Sequence[int]) -> bytes:
    return hashlib.sha256(array("i", tokens).tobytes()).digest()
