"""All satellites, in one thread. They wait for connections; edged opens them and listens on no port."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from wyoming.info import Describe, Info

from edged.config import SatelliteConfig
from edged.errors import AudioError
from edged.hear.satellite import Satellite
from edged.hear.satellite_link import FIRST_DELAY_S, MAX_REASON_CHARACTERS, Link
from edged.hear.wire import CONNECT_TIMEOUT_S, Wire, WireError
from edged.types import Rejected, Utterance


class Satellites:
    """All satellites; `run` belongs to one thread, the rest to any."""

    def __init__(
        self,
        configs: Mapping[str, SatelliteConfig],
        *,
        lang: str,
        listens: bool = True,
        first_delay_s: float = FIRST_DELAY_S,
    ) -> None:
        """Connects nowhere yet; `listens` is whether they are to send what they hear from the start."""
        self.satellites = tuple(Satellite(name, config.area) for name, config in configs.items())
        self._links = {
            satellite.source: Link(satellite, configs[satellite.name], lang, listens=listens)
            for satellite in self.satellites
        }
        self._first_delay_s = first_delay_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._closed = False
        self._lock = threading.Lock()
        """Over `_loop` and `_closed`."""

    def run(self, beat: Callable[[], None], beat_s: float = 1.0) -> None:
        """Keeps all connections until `close`; `beat` is called every `beat_s`."""
        asyncio.run(self._run(beat, beat_s))

    def listen(self, *, on: bool) -> None:
        """Whether the satellites are to send what they hear."""
        for link in self._links.values():
            link.listen(on=on)
            self._call(link.tell_listening)

    def tell(self, utterance: Utterance, rejected: Sequence[Rejected]) -> None:
        """Tells the satellite that an utterance came from why nothing was done about it, if that is so."""
        link = self._links.get(utterance.source)
        if link is not None and rejected:
            self._call(partial(link.refuse, rejected[0].reason))

    def close(self) -> None:
        """Ends `run`, and the sound of all satellites."""
        for satellite in self.satellites:
            satellite.close()
        with self._lock:
            self._closed = True
        self._call(lambda: self._end.set() if self._end else None)

    def _call(self, work: Callable[[], None]) -> None:
        """Has it done in the event loop, where that runs."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(work)

    async def _run(self, beat: Callable[[], None], beat_s: float) -> None:
        self._end = asyncio.Event()
        with self._lock:
            if self._closed:
                return
            self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(link.keep(self._first_delay_s)) for link in self._links.values()]
                while not self._end.is_set():
                    beat()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._end.wait(), beat_s)
                for task in tasks:
                    task.cancel()
        finally:
            with self._lock:
                self._loop = None


def check_satellite(config: SatelliteConfig) -> str:
    """What a satellite calls itself.

    Raises:
        AudioError: it cannot be reached, does not speak Wyoming, or is no satellite.
    """
    try:
        info = asyncio.run(_describe(config))
    except (WireError, TimeoutError) as error:
        raise AudioError(
            str(error) or f"does not answer within {CONNECT_TIMEOUT_S:g} s",
            where=config.uri,
            remedy="see that it runs and that its uri is right; what else is connected to it may keep it busy",
        ) from error
    if info.satellite is None:
        raise AudioError("speaks Wyoming, but is no satellite", where=config.uri, remedy="mend its uri")
    return "".join(letter for letter in str(info.satellite.name) if letter.isprintable())[:MAX_REASON_CHARACTERS]


async def _describe(config: SatelliteConfig) -> Info:
    wire = await Wire.open(config.host, config.port)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await wire.write(Describe())
            while not Info.is_type((event := await wire.read()).type):
                pass
        return Info.from_event(event)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise WireError("describes itself in a way that cannot be read") from error
    finally:
        wire.abort()
