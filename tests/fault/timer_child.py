"""A process that sets timers of two commands each and carries them out into the outbox, until it is killed.

Its arguments are the file and the number of its first timer. Each line on stdout is the id of an utterance whose timer
is set.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edged.act.delivery import Delivery, Fate
from edged.act.messages import Report
from edged.act.outbox import Outbox
from edged.act.pipeline import Pipeline
from edged.act.state import DeviceStates
from edged.act.store import Store
from edged.act.timers import Timers
from edged.intents.catalog import Catalog
from edged.types import Command, Intent, Utterance
from tests.unit.act.conftest import LIGHT_RULES, device_of, home_of, intent_file

DELAY_S = 0.005
MANY = 1_000_000


class OutboxSender:
    """The way to a broker that is never there."""

    def __init__(self, outbox: Outbox) -> None:
        self._delivery = Delivery(outbox)

    def publish_all(
        self, commands: Sequence[Command], *, instead_of: Callable[[], None] | None = None
    ) -> tuple[Fate, ...]:
        return self._delivery.send(commands, instead_of=instead_of)

    def report(self, report: Report) -> bool:  # noqa: ARG002 -- the real one's signature
        return True


def main(path: str, first: int) -> None:
    store = Store(Path(path))
    outbox, timers = Outbox(store, max_commands=MANY), Timers(store, max_timers=MANY)
    home = home_of(device_of("lamp"), device_of("spot", address="lamp_2"))
    pipeline = Pipeline(
        understand=lambda utterance: (
            Intent(utterance.id, "light", {"action": "off", "area": "kitchen"}, 1.0, 1.0, DELAY_S),
        ),
        catalog=Catalog({"light": intent_file("light", LIGHT_RULES, expires_s=3600)}, home, ()),
        states=DeviceStates({}),
        sender=OutboxSender(outbox),
        node="hall",
        timers=timers,
    )
    store.open()
    for number in range(first, first + MANY):
        pipeline.handle(Utterance(f"u{number}", "off in a moment", "en", 1.0, 0, 0, "cli"))
        os.write(1, b"u%d\n" % number)
        pipeline.carry_out_due()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
