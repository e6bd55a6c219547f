"""Asks the devices how they are, at the start and after each reconnect: most state messages are not kept by the broker.

Those whose state the broker had kept are not asked, nor are those that have said something meanwhile. The questions
are spread over time, so that a large house does not answer in one moment.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from edged.act.drivers import DRIVERS
from edged.act.messages import Report
from edged.act.state import DeviceStates
from edged.intents.home import Device, Home

SETTLE_S: Final = 2.0
"""After a connection, until what the broker had kept has arrived."""
DEVICES_PER_S: Final = 10
"""200 devices take 20 s; a Zigbee network carries about this many questions beside its other work."""


class Asking:
    """Not thread-safe: all but `restart` belongs to the thread that ticks."""

    def __init__(
        self,
        home: Home,
        states: DeviceStates,
        *,
        send: Callable[[Report], bool],
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`send` sends without waiting, and gives False where the message could not leave."""
        self._home = home
        self._states = states
        self._send = send
        self._clock = clock
        self._since_ns: int | None = None
        """When the present connection began; what has been heard since needs no question."""
        self._next_ns = 0
        """Before this moment nothing is asked."""
        self._is_new = False
        self._queue: deque[Device] = deque()

    def restart(self, home: Home) -> None:
        """Another house: those that have said nothing are asked again; for any thread."""
        self._home = home
        self._is_new = True

    def tick(self, since_ns: int | None) -> None:
        """Asks those whose turn it is; `since_ns` is when the present connection began, None where there is none."""
        if since_ns is None:
            return
        now_ns = self._clock()
        if self._is_new or since_ns != self._since_ns:
            self._is_new = False
            self._since_ns = since_ns
            self._next_ns = now_ns + round(SETTLE_S * 1e9)
            self._queue = deque(device for device in self._home.devices.values() if not device.members)
        pause_ns = round(1e9 / DEVICES_PER_S)
        self._next_ns = max(self._next_ns, now_ns - round(1e9))  # a thread that was held up does not make up for more
        while self._queue and self._next_ns <= now_ns:
            device = self._queue[0]
            questions = DRIVERS[device.driver].questions(device)
            if questions and not self._states.is_heard_since(device.key, since_ns):
                if not all(self._send(Report(topic, payload)) for topic, payload in questions):
                    return  # asked again with the next tick
                self._next_ns += pause_ns
            self._queue.popleft()
