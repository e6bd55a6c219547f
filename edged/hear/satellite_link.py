"""One satellite's connection, for ever: what it sends becomes streams of sound, and it is told what became of them.

What a satellite sends is not trusted: see `wire.py` for lengths; formats, the pace of the sound and silence on the line
are looked at here.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import suppress
from functools import partial
from typing import Final, Literal

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioChunkConverter, AudioStop
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import PauseSatellite, RunSatellite

from edged.config import SatelliteConfig
from edged.hear.pcm import SAMPLE_BYTES, SAMPLE_RATE_HZ
from edged.hear.satellite import Satellite, Stream
from edged.hear.wire import Wire, WireError

logger = logging.getLogger(__name__)

FIRST_DELAY_S: Final = 1.0
LONGEST_DELAY_S: Final = 60.0
"""Between two attempts to connect; a connection that lasted as long starts again with the first."""
PING_S: Final = 2.0
"""As Home Assistant does; satellites that are asked once ask as well, and want an answer within 5 s."""
SILENT_S: Final = 10.0
"""A line on which nothing comes for so long, not even the answer to a ping, is dead."""
MAX_LEAD_S: Final = 30.0
"""How far sound may be ahead of the time since the connection began: what comes faster was not spoken just now."""
MAX_REASON_CHARACTERS: Final = 200
MIN_RATE_HZ: Final = 8_000
MAX_RATE_HZ: Final = 192_000
MAX_WIDTH_BYTES: Final = 4
MAX_CHANNELS: Final = 2
"""What the library converts; of more channels it would make noise."""

_HEARD: Final = (PipelineStage.WAKE, PipelineStage.ASR)
"""Where a pipeline with sound starts. There is no wake word: without one of its own, a satellite is a microphone."""


class _FormatError(Exception):
    """Sound that cannot be converted."""


class Link:
    """One satellite's connection, for ever; belongs to the event loop."""

    def __init__(self, satellite: Satellite, config: SatelliteConfig, lang: str, *, listens: bool) -> None:
        self._satellite = satellite
        self._config = config
        self._lang = lang
        self._listens = listens
        self._wire: Wire | None = None
        self._stream: Stream | None = None
        self._converter = AudioChunkConverter()
        self._budget = _Budget()
        self._heard_s = 0.0
        """When anything last came."""
        self._state: Literal["new", "up", "down"] = "new"
        """As the log has it."""
        self._sending: set[asyncio.Task[None]] = set()

    async def keep(self, first_delay_s: float) -> None:
        """Connects, and connects again when that ends."""
        delay_s = first_delay_s
        while True:
            began_s = time.monotonic()
            try:
                await self._serve()
            except WireError as error:
                self._lose(str(error))
            if time.monotonic() - began_s > LONGEST_DELAY_S:
                delay_s = first_delay_s
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 -- so that not all come at once
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    def listen(self, *, on: bool) -> None:
        """Whether the satellite is to send what it hears, from any thread; `tell_listening` tells it."""
        self._listens = on

    def tell_listening(self) -> None:
        """Has the satellite send, or not."""
        if not self._listens:
            self._drop("listening was switched off")
        self._send(RunSatellite() if self._listens else PauseSatellite())

    def refuse(self, reason: str) -> None:
        """Tells why nothing was done; not while the next utterance is under way, which that would end."""
        if self._stream is None or self._stream.is_over or self._stream.continuous:
            self._send(Error(reason[:MAX_REASON_CHARACTERS], "refused"))

    async def _serve(self) -> None:
        """One connection to its end, which is a WireError."""
        wire = await Wire.open(self._config.host, self._config.port)
        self._wire, self._budget, self._heard_s = wire, _Budget(), time.monotonic()
        pinger = asyncio.create_task(self._ping(wire))
        try:
            await wire.write(RunSatellite() if self._listens else PauseSatellite())
            while True:
                event = await wire.read()
                self._heard_s = time.monotonic()
                self._greet()
                await self.take(event, wire)
        finally:
            self._wire = None
            pinger.cancel()
            wire.abort()

    async def _ping(self, wire: Wire) -> None:
        """Keeps the line alive, and ends it where it is dead, and streams where they are late."""
        with suppress(WireError):
            while time.monotonic() - self._heard_s < SILENT_S:
                if self._stream is not None and self._stream.is_late:
                    self._stream.end()
                await wire.write(Ping())
                await asyncio.sleep(PING_S)
        wire.abort()

    def _greet(self) -> None:
        if self._state != "up":
            self._state = "up"
            logger.info("satellite %s: connected", self._satellite.name)

    def _lose(self, reason: str) -> None:
        self._drop("the connection ended")
        if self._state != "down":
            self._state = "down"
            logger.warning(
                "satellite %s at %s: %s; it is tried for ever, at least once in %g s",
                self._satellite.name,
                self._config.uri,
                reason,
                LONGEST_DELAY_S,
            )

    async def take(self, event: Event, wire: Wire) -> None:
        """Does what an event of the satellite asks for.

        Raises:
            WireError: it makes no sense, and the connection is to end.
        """
        try:
            if AudioChunk.is_type(event.type):
                self._take_sound(AudioChunk.from_event(event))
            elif RunPipeline.is_type(event.type):
                await self._begin(RunPipeline.from_event(event), wire)
            elif AudioStop.is_type(event.type) and self._stream is not None:
                self._stream.end()
            elif Ping.is_type(event.type):
                text = Ping.from_event(event).text
                await wire.write(Pong(text if isinstance(text, str) else None))
        except (KeyError, ValueError, TypeError) as error:
            raise WireError("sent an event that lacks something, or holds what does not belong there") from error

    async def _begin(self, asked: RunPipeline, wire: Wire) -> None:
        if asked.start_stage not in _HEARD:
            return
        self._drop("it began anew")
        if not self._listens:
            await wire.write(PauseSatellite())
            return
        self._converter = AudioChunkConverter(SAMPLE_RATE_HZ, SAMPLE_BYTES, 1)
        loop = asyncio.get_running_loop()
        self._stream = Stream(partial(self._tell, loop, wire), continuous=bool(asked.restart_on_end))
        self._satellite.put(self._stream)
        if asked.start_stage is PipelineStage.ASR:
            await wire.write(Transcribe(language=self._lang))

    def _take_sound(self, chunk: AudioChunk) -> None:
        stream = self._stream
        if stream is None or stream.is_over:
            return
        try:
            check_format(chunk)
        except _FormatError as error:
            logger.warning("satellite %s: %s", self._satellite.name, error)
            stream.lose("its sound could not be used")
            self._send(Error(str(error), "unsupported-format"))
            return
        self._budget.spend(chunk.seconds)
        stream.put(self._converter.convert(chunk).audio)

    def _drop(self, reason: str) -> None:
        if self._stream is not None:
            self._stream.lose(reason)
            self._stream = None

    def _tell(self, loop: asyncio.AbstractEventLoop, wire: Wire, event: Eventable) -> None:
        """From any thread; what comes too late for this connection is not sent."""
        if self._wire is wire:
            with suppress(RuntimeError):  # the loop has ended just now
                loop.call_soon_threadsafe(self._send, event)

    def _send(self, event: Eventable) -> None:
        wire = self._wire
        if wire is not None:
            task = asyncio.create_task(_write(wire, event))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)


async def _write(wire: Wire, event: Eventable) -> None:
    with suppress(WireError):  # the reader notices too
        await wire.write(event)


class _Budget:
    """How much sound a connection may bring: as much as time has passed, and MAX_LEAD_S."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._spent_s = 0.0

    def spend(self, sound_s: float) -> None:
        """Takes so much sound; WireError where that is too much."""
        self._spent_s += sound_s
        if self._spent_s > time.monotonic() - self._began_s + MAX_LEAD_S:
            raise WireError("sends sound faster than anybody speaks")


def check_format(chunk: AudioChunk) -> None:
    """Raises _FormatError where the library could not convert it: 8 to 192 kHz, 8 to 32 bits, mono or stereo."""
    limits = (
        (chunk.rate, MIN_RATE_HZ, MAX_RATE_HZ),
        (chunk.width, 1, MAX_WIDTH_BYTES),
        (chunk.channels, 1, MAX_CHANNELS),
    )
    if not all(type(value) is int for value, _, _ in limits):
        raise _FormatError("its sound does not say rate, width and channels in whole numbers")
    if not all(least <= value <= most for value, least, most in limits):
        raise _FormatError(
            f"its sound has {_shown(chunk.rate)} Hz, {_shown(chunk.width)} bytes a sample, {_shown(chunk.channels)} "
            f"channels; {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz, 1 to {MAX_WIDTH_BYTES} bytes, mono or stereo can be heard"
        )
    if len(chunk.audio) % (chunk.width * chunk.channels):
        raise _FormatError("its sound ends within a sample")


def _shown(number: int) -> str:
    return str(number)[:12]
