"""A satellite between two threads: the network's fills streams of sound, a recogniser's makes utterances of them."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Final, Protocol

from wyoming.asr import Transcript
from wyoming.error import Error
from wyoming.event import Eventable
from wyoming.vad import VoiceStarted, VoiceStopped

from edged.hear.microphone import MIC_QUEUE_CHUNKS, ChunkQueue
from edged.hear.pcm import CHUNK_BYTES, SAMPLE_BYTES, SAMPLE_RATE_HZ, duration_ns
from edged.types import AudioChunk, Rejected, Utterance

logger = logging.getLogger(__name__)

MAX_STREAM_S: Final = 15
"""Of sound, and of waiting for it: nobody takes longer for a command, and a television never ends."""
STREAM_QUEUE_CHUNKS: Final = 500
"""All of such a stream in chunks of 30 ms, for a recogniser that others keep waiting: 1.6 MB at most."""
_MAX_STREAM_BYTES: Final = MAX_STREAM_S * SAMPLE_RATE_HZ * SAMPLE_BYTES
NOTHING_HEARD: Final = "stt-no-text-recognized"
"""The code that Home Assistant sends satellites for this."""


class Transcriber(Protocol):
    """What makes words of sound: `recognizer.Recognizer`, or a test's."""

    def transcribe(self, chunks: Iterable[AudioChunk], on_partial: Callable[[str], None]) -> Iterator[Utterance]:
        """Yields each utterance when its end is heard."""


class Stream:
    """The sound of one time of speaking; `put`, `end` and `lose` are for the network's thread."""

    def __init__(self, tell: Callable[[Eventable], None], *, continuous: bool) -> None:
        """Waits for sound.

        Args:
            tell: sends the satellite an event, from any thread.
            continuous: the satellite sends without a pause, also when nobody speaks.
        """
        self.tell = tell
        self.continuous = continuous
        self.lost = ""
        """Why what was said so far counts for nothing."""
        self._queue = ChunkQueue(MIC_QUEUE_CHUNKS if continuous else STREAM_QUEUE_CHUNKS)
        self._left_bytes = _MAX_STREAM_BYTES
        self._until_s = time.monotonic() + MAX_STREAM_S
        self._ended = self._over = False

    @property
    def is_over(self) -> bool:
        """Whether nobody listens any more."""
        return self._over

    @property
    def is_late(self) -> bool:
        """Whether it has gone on for longer than anybody speaks."""
        return not self.continuous and time.monotonic() >= self._until_s

    @property
    def dropped(self) -> int:
        """Chunks that the recogniser was too slow for."""
        return self._queue.dropped

    def put(self, pcm: bytes) -> None:
        """Adds sound, the last that the time allows for at most, and never waits."""
        if self._ended:
            return
        if not self.continuous:
            pcm = pcm[: self._left_bytes]
            self._left_bytes -= len(pcm)
        now_ns = time.monotonic_ns()
        for start in range(0, len(pcm), CHUNK_BYTES):
            piece = pcm[start : start + CHUNK_BYTES]
            self._queue.put(AudioChunk(piece, now_ns - duration_ns(len(pcm) - start)))
        if not self.continuous and not self._left_bytes:
            self.end()

    def end(self) -> None:
        """No more sound comes; what is there is still heard."""
        self._ended = True
        self._queue.close()

    def lose(self, reason: str) -> None:
        """What was said so far must not count, for the rest will never be heard."""
        if not self._over:
            self.lost = reason
            self.finish()

    def finish(self) -> None:
        """Nobody listens from now on."""
        self._over = True
        self.end()

    def __iter__(self) -> Iterator[AudioChunk]:
        """The sound as it comes in, until it ends."""
        return itertools.takewhile(lambda _chunk: not self._over, self._queue)


class Satellite:
    """A source of sound that is entered again for each stream; `put` and `close` are for the network's thread."""

    def __init__(self, name: str, area: str | None) -> None:
        self.name = name
        self.source = f"wyoming:{name}"
        """What `Utterance.source` says."""
        self.area = area
        self._next: Stream | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._stream: Stream | None = None
        self._answered = False

    def put(self, stream: Stream) -> None:
        """The stream to hear next, in place of one that was not begun."""
        with self._changed:
            self._next = stream
            self._changed.notify()

    def close(self) -> None:
        """There will be no more streams, and the one that is heard ends."""
        with self._changed:
            self._closed = True
            if self._stream is not None:
                self._stream.lose("listening ended")
            self._changed.notify()

    def __enter__(self) -> Iterator[AudioChunk]:
        """Waits for the next stream; there is no sound where there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._next is not None or self._closed)
            self._stream, self._next = None if self._closed else self._next, None
        self._answered = False
        return iter(self._stream or ())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Tells the satellite to stop where nothing was heard."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        if not (self._answered or stream.is_over or stream.continuous):
            stream.tell(Error("nothing was understood", NOTHING_HEARD))
        stream.finish()
        if stream.dropped:
            logger.warning("satellite %s: %d chunks of sound were dropped", self.name, stream.dropped)

    def transcribe(
        self, transcriber: Transcriber, chunks: Iterable[AudioChunk], on_partial: Callable[[str], None]
    ) -> Iterator[Utterance | Rejected]:
        """The utterance of the stream, or each of them where it is continuous, and tells the satellite of it.

        What had not been said to its end as the satellite went away is `Rejected`.
        """
        stream = self._stream
        if stream is None:
            return
        speaks = False

        def hear(words: str) -> None:
            nonlocal speaks
            if not speaks:
                speaks = True
                stream.tell(VoiceStarted())
            on_partial(words)

        for utterance in transcriber.transcribe(chunks, hear):
            if stream.lost:
                yield Rejected(utterance.id, "hear", f"satellite {self.name}: {stream.lost} while somebody spoke")
                return
            speaks = False
            self._answered = True
            stream.tell(VoiceStopped())
            stream.tell(Transcript(utterance.text, language=utterance.lang))
            if not stream.continuous:
                stream.finish()
            yield replace(utterance, area=self.area)
            if not stream.continuous:
                return
