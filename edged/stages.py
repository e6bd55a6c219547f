"""The threads of a process that runs until a signal, each with a heartbeat.

The main thread feeds systemd's watchdog as long as every heartbeat is fresh. A stage that raises ends the process with
a non-zero status; systemd restarts it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from edged.errors import EdgedError
from edged.ops.notify import Notifier
from edged.ops.wake import Wake

logger = logging.getLogger(__name__)

TICK_S = 0.5
"""How often an idle stage beats, what is due is looked for, and the main thread looks at the heartbeats."""
STALE_S = 60.0
"""A heartbeat older than this is a stage that hangs: the longest utterance takes some 10 s on the slowest Pi."""
DRAIN_S: Final = 10.0
"""How long the end waits for what is under way; with the broker's 5 s it stays within the unit's TimeoutStopSec."""


class Stage:
    """A thread and its heartbeat."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._beat_s = time.monotonic()
        self._waits = False

    def beat(self, *, waits: bool = False) -> None:
        """The stage lives; with `waits`, it now waits for something that may take any time."""
        self._beat_s = time.monotonic()
        self._waits = waits

    def is_fresh(self) -> bool:
        """Whether the last beat is recent enough."""
        return self._waits or time.monotonic() - self._beat_s < STALE_S


class Stages:
    """All of them; `stopping` is set once they are to end."""

    def __init__(self, *names: str, wake: Wake, notifier: Notifier) -> None:
        """`names` are those that may be started, and "mqtt", the link's thread, which starts by itself."""
        self._wake = wake
        self._notifier = notifier
        self._stages = {name: Stage(name) for name in ("mqtt", *names)}
        self._threads: list[threading.Thread] = []
        self.stopping = threading.Event()
        self.exit_code = 0

    def __getitem__(self, name: str) -> Stage:
        return self._stages[name]

    @property
    def abandoned(self) -> tuple[str, ...]:
        """Threads that did not end in time: what they use must not be freed."""
        return tuple(thread.name for thread in self._threads if thread.is_alive())

    def start(self, name: str, work: Callable[[Stage], None]) -> None:
        """Runs `work` on a thread of this name."""
        thread = threading.Thread(target=self._guard, args=(self._stages[name], work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def fail(self, exit_code: int) -> None:
        """Has the process end with this code, or that of an earlier failure; for any thread."""
        self.exit_code = self.exit_code or exit_code
        self._wake.request()

    def wait(self, tick_s: float = TICK_S, on_tick: Callable[[], None] = lambda: None) -> None:
        """Feeds the watchdog until the wake-up, and calls `on_tick` as often."""
        while not self._wake.wait(tick_s):
            on_tick()
            running = ["mqtt", *(thread.name for thread in self._threads)]
            stale = [name for name in running if not self._stages[name].is_fresh()]
            if stale:
                logger.error("no heartbeat from %s", ", ".join(stale))
            else:
                self._notifier.watchdog()

    def stop(self, drain_s: float = DRAIN_S) -> None:
        """Ends the threads, the last first; the one that understands has `drain_s` for what is under way."""
        self._notifier.stopping()
        self.stopping.set()
        deadline = time.monotonic() + drain_s
        for thread in reversed(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()) if thread.name == "understand" else 2 * TICK_S)
        if "understand" in self.abandoned:
            logger.error("the utterance under way did not end within %g s", drain_s)
            self.exit_code = self.exit_code or 1

    def _guard(self, stage: Stage, work: Callable[[Stage], None]) -> None:
        """The outermost loop of a stage's thread."""
        stage.beat()
        try:
            work(stage)
        except EdgedError as error:
            logger.error("stage %s: %s", stage.name, error)  # noqa: TRY400 -- it says all that a person needs
            self.fail(error.exit_code)
        except Exception:
            logger.exception("stage %s failed", stage.name)
            self.fail(1)
        stage.beat(waits=True)
