"""A process that sends numbered commands to a real broker until it is killed; with a count of 0 it only empties.

The number is the payload, odd ones are steps. It says on stdout what became of each, and what its store says.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import edged.act.store
from edged.act.delivery import Waiting
from edged.act.link import Link, make_endpoint
from edged.act.outbox import Outbox
from edged.act.store import Store
from edged.config import MqttConfig
from edged.ops.clock import SYSTEM_CLOCK, Clock
from edged.types import Command, Rejected

VALID_S = 600
BATCH = 8
"""Commands that are handed over together: some go out at once, some wait for another on their topic."""
RETRY_S = 0.02
BALLAST = "ballast"
"""The file beside the store that takes all the room there is."""


@dataclass(frozen=True)
class Task:
    """What one process is to do."""

    path: str
    port: int
    first: int = 0
    count: int = 0
    boot: str = SYSTEM_CLOCK.boot_id
    """The boot that the process takes it to be."""
    jump_s: float = 0
    """How far the wall clock is off."""
    fills_disk: int | None = None
    """The seed of when the disk becomes full and has room again; None where it never does."""

    def write(self) -> str:
        return json.dumps(asdict(self))


def main(task: Task) -> None:
    tell("pid", str(os.getpid()))
    edged.act.store.RETRY_S = RETRY_S  # type: ignore[misc]
    store = Store(Path(task.path), on_change=lambda is_durable, _fault: tell("durable", str(is_durable)))
    outbox = Outbox(store, clock=make_clock(task))
    disk = Disk(Path(task.path).parent, task.fills_disk)
    endpoint = make_endpoint(MqttConfig(port=task.port, protocol="5"))
    link = Link(endpoint, outbox=outbox, on_settled=lambda command, rejected: tell_fate(command, rejected))
    link.connect()
    for first in range(task.first, task.first + task.count, BATCH):
        disk.change()
        ends_ns = time.monotonic_ns() + VALID_S * 10**9
        commands = [
            Command(f"lamp/{number % 5}", b"%d" % number, 1, False, ends_ns, f"u{number}", number % 2 == 0)
            for number in range(first, first + BATCH)
        ]
        tell("begun", str(first))
        for command, fate in zip(commands, link.publish_all(commands), strict=True):
            if not isinstance(fate, Waiting):
                tell_fate(command, fate)
    while outbox.waiting or outbox.next_end_ns() is not None:
        time.sleep(0.01)
    link.close()
    tell("done")


def make_clock(task: Task) -> Clock:
    """Another boot has another name, and another count of the time since it."""
    ahead_ns = 0 if task.boot == SYSTEM_CLOCK.boot_id else 5 * 10**9
    return Clock(
        task.boot,
        time.monotonic_ns,
        lambda: SYSTEM_CLOCK.boot_ns() + ahead_ns,
        lambda: time.time_ns() + round(task.jump_s * 1e9),
        lambda: True,
    )


class Disk:
    """Becomes full, and has room again, now and then."""

    def __init__(self, folder: Path, seed: int | None) -> None:
        self._ballast = folder / BALLAST
        self._chance = None if seed is None else random.Random(seed)

    def change(self) -> None:
        if self._chance is None or self._chance.random() > 0.1:
            return
        if self._chance.random() < 0.5:
            self._ballast.unlink(missing_ok=True)
            tell("disk", "free")
            return
        for size in (1 << 16, 512):
            with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
                while file.write(b"x" * size):
                    pass
        tell("disk", "full")


def tell_fate(command: Command, rejected: Rejected | None) -> None:
    tell("confirmed" if rejected is None else "given-up", command.payload.decode(), rejected.reason if rejected else "")


def tell(word: str, *rest: str) -> None:
    os.write(1, (" ".join((word, *rest)) + "\n").encode())


if __name__ == "__main__":
    for line in sys.argv[1:]:
        main(Task(**json.loads(line)))
