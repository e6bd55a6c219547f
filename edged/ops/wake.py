"""Wakes the main thread: by a signal or from another thread, without a lock that a signal handler could meet twice."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
from types import FrameType, TracebackType


class Wake:
    """A socket pair. A signal handler that set a threading.Event could deadlock with the thread that waits for it."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def __enter__(self) -> Wake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()
        self._writer.close()

    def request(self) -> None:
        """Wakes the waiting thread; from any thread or signal handler, as often as one likes."""
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: nobody waits any more
            self._writer.send(b"\0")

    def wait(self, timeout_s: float) -> bool:
        """True as soon as a wake-up was requested, once or at any time before; False after `timeout_s`."""
        return bool(select.select([self._reader], [], [], timeout_s)[0])

    def on_signals(self, *numbers: signal.Signals) -> None:
        """Lets these signals request a wake-up; for the main thread alone."""
        for number in numbers:
            signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.request()
