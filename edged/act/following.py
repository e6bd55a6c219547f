"""Follows the devices: their states, whether they can be reached, and whether they did what they were told."""

from __future__ import annotations

import time
from collections.abc import Callable

from edged.act.asking import Asking
from edged.act.availability import Availability
from edged.act.confirmation import Confirmations
from edged.act.drivers import state_topics
from edged.act.messages import Report
from edged.act.state import DeviceStates
from edged.config import MqttConfig
from edged.intents.home import Home
from edged.ops.metrics import UNCOUNTED, Metrics


class Following:
    """Thread-safe but for `tick`, which belongs to one thread; nothing in it waits."""

    def __init__(
        self,
        home: Home,
        config: MqttConfig,
        *,
        report: Callable[[Report], bool],
        metrics: Metrics = UNCOUNTED,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`report` sends without waiting."""
        self.states = DeviceStates(state_topics(home), clock=clock)
        self.availability = Availability(home)
        self.confirmations = Confirmations(
            self.states, node=config.node, confirm_s=config.confirm_s, report=report, metrics=metrics, clock=clock
        )
        self._asking = Asking(home, self.states, send=report, clock=clock)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to subscribe to, each once."""
        return tuple(dict.fromkeys((*self.states.topics, *self.availability.topics)))

    def set_home(self, home: Home) -> None:
        """Follows the devices of another house from now on."""
        self.states.set_topics(state_topics(home))
        self.availability.set_home(home)
        self._asking.restart(home)

    def take(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Takes a message of a device in."""
        if self.availability.update(topic, payload) and not self.states.follows(topic):
            return
        devices = self.states.update(topic, payload, retained=retained)
        if not retained:
            self.availability.note_alive(devices)
        self.confirmations.look(devices)

    def tick(self, since_ns: int | None) -> None:
        """To be called about twice a second; `since_ns` is when the present connection began, None for none."""
        self.confirmations.tick()
        self._asking.tick(since_ns)

    def close(self) -> None:
        """Says what nobody waits for any more."""
        self.confirmations.close()
