"""Whether sound is listened to: always, for one utterance, or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from edged.types import AudioChunk, ListenMode

ONCE_S: Final = 10.0
"""The longest that one request is listened for: a person begins within a few seconds, and a television never ends."""


class Listening:
    """A switch that any thread may turn, before the sound of any threads."""

    def __init__(
        self,
        *,
        on: bool,
        on_change: Callable[[bool], None] = lambda _on: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_change` is told each change, in order and on the thread that makes it; it must not come back here."""
        self._on = on
        self._on_change = on_change
        self._clock = clock
        self._until_s: float | None = None
        """When listening for one utterance ends, None where it goes on for any time."""
        self._lock = threading.Lock()

    def tell(self) -> None:
        """Tells how it stands, as if that had just changed."""
        with self._lock:
            self._on_change(self._on)

    def set(self, mode: ListenMode) -> None:
        """Does what somebody wants; `once` changes nothing where everything is listened to."""
        with self._lock:
            if mode != "once":
                self._until_s = None
                self._turn(on=mode == "on")
            elif not self._on or self._until_s is not None:
                self._until_s = self._clock() + ONCE_S
                self._turn(on=True)

    def end_utterance(self) -> None:
        """An utterance is complete: what was listened to for one is so no more."""
        with self._lock:
            if self._until_s is not None:
                self._until_s = None
                self._turn(on=False)

    def parts(self, chunks: Iterator[AudioChunk]) -> Iterator[Iterator[AudioChunk]]:
        """The sound of each time of listening, to its end; what comes between is dropped unheard."""
        for chunk in chunks:
            if self._is_on():
                yield self._part(chunk, chunks)

    def _part(self, first: AudioChunk, chunks: Iterator[AudioChunk]) -> Iterator[AudioChunk]:
        yield first
        for chunk in chunks:
            if not self._is_on():
                return
            yield chunk

    def _is_on(self) -> bool:
        with self._lock:
            if self._until_s is not None and self._clock() >= self._until_s:
                self._until_s = None
                self._turn(on=False)
            return self._on

    def _turn(self, *, on: bool) -> None:
        if on != self._on:
            self._on = on
            self._on_change(on)
