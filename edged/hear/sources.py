"""Where sound comes from: WAV files, raw PCM on a stream, and a microphone, all as chunks of 16 kHz mono 16-bit PCM.

A source is a context manager and, inside, an iterator of `AudioChunk`.
"""

from __future__ import annotations

import shlex
import struct
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol

from edged.config import HearConfig
from edged.errors import AudioError
from edged.hear.microphone import MicSource
from edged.hear.pcm import CHUNK_BYTES, SAMPLE_BYTES, SAMPLE_RATE_HZ, duration_ns
from edged.types import AudioChunk


class AudioSource(Protocol):
    """A source of sound; it is used once."""

    name: str
    """What `Utterance.source` says."""

    def __enter__(self) -> Iterator[AudioChunk]:
        """Opens it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes it."""


class WavSource:
    """A WAV file, played as fast as it is read."""

    name = "wav"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Iterator[AudioChunk]:
        """Opens and checks the whole file.

        Raises:
            AudioError: it is missing, empty, broken, cut off, or in another format.
        """
        try:
            self._file = self._path.open("rb")
            reader, frames = self._check(self._file)
        except OSError as error:
            self._close()
            raise AudioError(
                f"cannot be read: {error.strerror}", where=str(self._path), remedy="give the path of a WAV file"
            ) from error
        except BaseException:
            self._close()
            raise
        return _chunks_of(reader, frames)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _check(self, file: IO[bytes]) -> tuple[wave.Wave_read, int]:
        size_bytes = self._path.stat().st_size
        if size_bytes == 0:
            raise self._error("is empty", "record it again")
        try:
            reader = wave.open(file)  # noqa: SIM115 - it does not own the file
        except EOFError as error:
            raise self._error("is no WAV file, or ends within its header", self._conversion()) from error
        except (wave.Error, RuntimeError, ValueError, struct.error) as error:  # the last three from damaged headers
            reason = str(error) or "its header is damaged"
            raise self._error(f"is no WAV file that can be read ({reason})", self._conversion()) from error
        found = (reader.getframerate(), reader.getnchannels(), reader.getsampwidth())
        if found != (SAMPLE_RATE_HZ, 1, SAMPLE_BYTES):
            rate_hz, channels, width = found
            sound = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
            raise self._error(f"is {rate_hz} Hz {sound} {8 * width}-bit, not 16000 Hz mono 16-bit", self._conversion())
        frames, present = reader.getnframes(), (size_bytes - file.tell()) // SAMPLE_BYTES
        if present < frames:
            raise self._error(f"is cut off: {present} of {frames} samples are there", "copy or record it again")
        if frames == 0:
            raise self._error("holds no sound", "record it again")
        return reader, frames

    def _error(self, what: str, remedy: str) -> AudioError:
        return AudioError(what, where=str(self._path), remedy=remedy)

    def _conversion(self) -> str:
        given = shlex.quote(str(self._path))
        wanted = shlex.quote(str(self._path.with_name(f"{self._path.stem}_16k.wav")))
        return (
            f"convert it: ffmpeg -i {given} -ar 16000 -ac 1 -c:a pcm_s16le {wanted}"
            f"\n  or: sox {given} -r 16000 -c 1 -b 16 -e signed-integer {wanted}"
        )


class StreamSource:
    """Raw PCM on an open binary stream, such as stdin; it ends with the stream."""

    name = "stdin"

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def __enter__(self) -> Iterator[AudioChunk]:
        """Begins to read; the stream stays open afterwards."""
        return self._chunks()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def _chunks(self) -> Iterator[AudioChunk]:
        first = True
        while pcm := self._stream.read(CHUNK_BYTES):
            if first and pcm.startswith(b"RIFF"):
                raise AudioError(
                    "is a WAV file; raw 16 kHz mono 16-bit PCM is expected",
                    where="stdin",
                    remedy='give the file as hear.file with hear.source = "wav", or strip its header with sox -t raw',
                )
            first = False
            whole = len(pcm) - len(pcm) % SAMPLE_BYTES
            if whole:
                yield AudioChunk(pcm[:whole], time.monotonic_ns() - duration_ns(whole))


def open_source(config: HearConfig, stdin: IO[bytes]) -> AudioSource | None:
    """The source that the configuration names; None for none.

    Raises:
        AudioError: `source = "wav"` without a file.
    """
    if config.source == "wav":
        if config.file is None:
            raise AudioError('hear.source is "wav" and no file is given', where="hear.file", remedy="set hear.file")
        return WavSource(config.file)
    if config.source == "mic":
        return MicSource(config.device)
    if config.source == "stdin":
        return StreamSource(stdin)
    return None


def _chunks_of(reader: wave.Wave_read, frames: int) -> Iterator[AudioChunk]:
    begin_ns = time.monotonic_ns()
    step = CHUNK_BYTES // SAMPLE_BYTES
    for position in range(0, frames, step):
        pcm = reader.readframes(min(step, frames - position))
        yield AudioChunk(pcm, begin_ns + duration_ns(position * SAMPLE_BYTES))
