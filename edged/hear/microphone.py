"""The microphone, through miniaudio, which brings its own C library and needs no system package."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator
from threading import Condition
from types import TracebackType
from typing import Any

from edged.errors import AudioError
from edged.hear.pcm import CHUNK_MS, SAMPLE_RATE_HZ, duration_ns
from edged.types import AudioChunk

NULL_BACKEND = "Null"
"""What miniaudio falls back to where there is no sound: it would give silence for ever."""

MIC_QUEUE_CHUNKS = 50
"""Five seconds: what a recogniser that falls behind may catch up with."""


class MicSource:
    """A microphone, by miniaudio; what the recogniser is too slow for is dropped, the oldest first, and counted."""

    name = "mic"

    def __init__(self, device_name: str | None = None, capacity: int = MIC_QUEUE_CHUNKS) -> None:
        self._device_name = device_name
        self._queue = ChunkQueue(capacity)
        self._device: Any = None

    @property
    def dropped(self) -> int:
        """How many chunks were dropped so far."""
        return self._queue.dropped

    def __enter__(self) -> Iterator[AudioChunk]:
        """Opens the microphone.

        Raises:
            AudioError: there is none of that name, or it cannot be opened.
        """
        import miniaudio

        try:
            self._device = self._open(miniaudio)
            capture = _capture(self._queue)
            next(capture)
            self._device.start(capture)
        except miniaudio.MiniaudioError as error:
            self._close_device()
            raise AudioError(
                f"no microphone can be opened ({error.args[0] if error.args else error})",
                where="microphone",
                remedy="plug one in, see that arecord -l lists it, and that this user is in the group audio",
            ) from error
        return iter(self._queue)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._queue.close()
        self._close_device()

    def close(self) -> None:
        """Ends the iteration, from any thread."""
        self._queue.close()

    def _open(self, miniaudio: Any) -> Any:  # noqa: ANN401 - it is untyped
        device = miniaudio.CaptureDevice(
            input_format=miniaudio.SampleFormat.SIGNED16,
            nchannels=1,
            sample_rate=SAMPLE_RATE_HZ,
            buffersize_msec=CHUNK_MS,
            device_id=self._find_device(miniaudio),
            app_name="edged",
        )
        if device.backend == NULL_BACKEND:
            device.close()
            raise miniaudio.MiniaudioError("this system has no sound")
        return device

    def _close_device(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def _find_device(self, miniaudio: Any) -> Any:  # noqa: ANN401 - it is untyped
        if self._device_name is None:
            return None
        devices = miniaudio.Devices().get_captures()
        for device in devices:
            if self._device_name.casefold() in device["name"].casefold():
                return device["id"]
        names = ", ".join(device["name"] for device in devices) or "none is there"
        raise AudioError(
            f'there is no microphone "{self._device_name}"', where="hear.device", remedy=f"use one of: {names}"
        )


class ChunkQueue:
    """A bounded queue between the capture callback and the recogniser that drops the oldest chunk when it is full."""

    def __init__(self, capacity: int) -> None:
        self._chunks: deque[AudioChunk] = deque()
        self._capacity = capacity
        self._changed = Condition()
        self._closed = False
        self.dropped = 0
        """How many chunks were dropped so far."""

    def put(self, chunk: AudioChunk) -> None:
        """Adds a chunk and never waits."""
        with self._changed:
            if len(self._chunks) >= self._capacity:
                self._chunks.popleft()
                self.dropped += 1
            self._chunks.append(chunk)
            self._changed.notify()

    def close(self) -> None:
        """Ends the iteration once what is queued is taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[AudioChunk]:
        """Takes chunks, waiting for them, until the queue is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._chunks or self._closed)
                if not self._chunks:
                    return
                chunk = self._chunks.popleft()
            yield chunk


def _capture(queue: ChunkQueue) -> Generator[None, bytes, None]:
    """What miniaudio's thread sends each period of sound to."""
    while True:
        pcm = bytes((yield))
        queue.put(AudioChunk(pcm, time.monotonic_ns() - duration_ns(len(pcm))))
