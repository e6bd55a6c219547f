"""A scripted Wyoming satellite: a real TCP server on a loopback port that does what a test says."""

from __future__ import annotations

import queue
import socket
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from wyoming.audio import AudioChunk, AudioStop
from wyoming.event import Event, Eventable, read_event, write_event
from wyoming.info import Attribution, Describe, Info, Satellite
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline

from tests.peer.broker import WAIT_S

ME = Info(satellite=Satellite("kitchen\n\x1b[31m", Attribution("", ""), True, "A satellite", "1"))
WOKEN = RunPipeline(PipelineStage.ASR, PipelineStage.HANDLE)
"""It has heard its wake word."""
OPEN = RunPipeline(PipelineStage.WAKE, PipelineStage.HANDLE, restart_on_end=True)
"""It sends all that it hears."""
STEP_BYTES = 2048


class ScriptedSatellite:
    """Takes one connection after the other; pings and questions what it is are answered, unless it is `deaf`."""

    def __init__(self, port: int = 0, *, info: Eventable = ME, deaf: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.uri = f"tcp://127.0.0.1:{self.port}"
        self._info, self._deaf = info, deaf
        self._connections: queue.Queue[socket.socket] = queue.Queue()
        self._events: queue.Queue[Event] = queue.Queue()
        self._socket: socket.socket | None = None
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()
        """Over what is written."""
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def wait(self) -> None:
        """Until somebody has connected anew; what was connected before is left."""
        connection = self._connections.get(timeout=WAIT_S)
        self.hang_up()
        self._socket = connection
        self._file = self._socket.makefile("wb")

    def send(self, *events: Eventable | bytes) -> None:
        assert self._file
        with self._lock:
            for event in events:
                if isinstance(event, bytes):
                    self._file.write(event)
                    self._file.flush()
                else:
                    write_event(event.event(), self._file)

    def next(self, kind: str) -> Event:
        """The next event of this type; others before it are dropped."""
        while (event := self._events.get(timeout=WAIT_S)).type != kind:
            pass
        return event

    def types_until(self, kind: str) -> list[str]:
        types: list[str] = []
        while kind not in types:
            types.append(self._events.get(timeout=WAIT_S).type)
        return types

    def say(self, recording: Path, *, after_s: float = 1.5) -> None:
        """Woken, it streams a recording and some silence."""
        with wave.open(str(recording)) as file:
            pcm = file.readframes(file.getnframes()) + bytes(int(after_s * 32_000) // 2 * 2)
        self.send(WOKEN, *chunks(pcm))

    def hang_up(self) -> None:
        """At once, as a machine that loses its power does when it is back."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._socket = None

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(WAIT_S)
        while not self._connections.empty():
            self._connections.get().close()
        self.hang_up()

    def _accept(self) -> None:
        readers = []
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                reader = threading.Thread(target=self._read, args=(connection.dup(),))
                reader.start()
                readers.append(reader)
                self._connections.put(connection)
        self._readers = readers

    def _read(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as file, connection.makefile("wb") as back:
            while (event := read_event(file)) is not None:
                self._answer(event, back)

    def _answer(self, event: Event, back: BinaryIO) -> None:
        if Ping.is_type(event.type) or Describe.is_type(event.type):
            if not self._deaf:
                with self._lock:
                    write_event((Pong() if Ping.is_type(event.type) else self._info).event(), back)
        else:
            self._events.put(event)


def chunks(pcm: bytes, *, rate: int = 16_000, width: int = 2, channels: int = 1) -> list[Eventable]:
    """Sound as a satellite sends it, and the end of it."""
    steps = range(0, len(pcm), STEP_BYTES)
    return [*(AudioChunk(rate, width, channels, pcm[step : step + STEP_BYTES]) for step in steps), AudioStop()]


@contextmanager
def scripted(port: int = 0, *, info: Eventable = ME, deaf: bool = False) -> Iterator[ScriptedSatellite]:
    satellite = ScriptedSatellite(port, info=info, deaf=deaf)
    try:
        yield satellite
    finally:
        satellite.stop()
