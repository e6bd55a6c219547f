"""The outbox against a plain list, through restarts, kills, reboots, clock jumps and a disk that fails."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import booleans, floats, integers, lists, sampled_from

from edged.act.outbox import Entry, Outbox
from edged.act.store import Store
from edged.types import Command
from tests.unit.act.fakes import FakeClock

MAX_COMMANDS = 6
MAX_BYTES = 60


@dataclass
class Item:
    """What the model knows of a command."""

    name: str
    topic: str
    repeats: bool
    ends_wall_ns: int
    was_sent: bool = False
    is_out: bool = False


class OutboxMachine(RuleBasedStateMachine):
    """Each command has a name of its own, which is its payload."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")  # noqa: S108 -- quick to write to, and a folder of its own
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.generation = 0
        self.clocks = FakeClock()
        self.true_ns = self.clocks.wall_ns
        self.items: list[Item] = []
        self.out: dict[str, Entry] = {}
        self.count = 0
        self.settled: set[str] = set()
        self.outbox = self._open()

    def _open(self) -> Outbox:
        outbox = Outbox(
            Store(self.folder / f"{self.generation}.sqlite3"),
            clock=self.clocks.clock,
            max_commands=MAX_COMMANDS,
            max_bytes=MAX_BYTES,
        )
        outbox.store.open()
        return outbox

    @rule(topics=lists(sampled_from("abc"), min_size=1, max_size=4), repeats=booleans(), seconds=floats(0.5, 60))
    def put(self, topics: list[str], repeats: bool, seconds: float) -> None:
        commands, expected = [], []
        for topic in topics:
            self.count += 1
            name = f"{self.count:06d}"
            expires_ns = self.clocks.monotonic_ns + round(seconds * 1e9)
            commands.append(Command(topic, name.encode(), 1, False, expires_ns, name, repeats))
            size = len(topic) + len(name)
            fits = len(self.items) < MAX_COMMANDS and size * (len(self.items) + 1) <= MAX_BYTES
            expected.append(fits)
            if fits:
                self.items.append(Item(name, topic, repeats, self.true_ns + round(seconds * 1e9)))
        assert [isinstance(one, Entry) for one in self.outbox.put(commands)] == expected

    @rule()
    def send(self) -> None:
        entry = self.outbox.next()
        heads = {item.topic: item for item in reversed(self.items)}
        ready = [item for item in self.items if heads[item.topic] is item and not item.is_out]
        assert (entry and entry.command.intent_id) == (ready[0].name if ready else None)
        if entry is not None:
            assert entry.command.is_repeatable or not ready[0].was_sent
            ready[0].was_sent = ready[0].is_out = True
            self.out[ready[0].name] = entry

    @precondition(lambda self: self.out)
    @rule(which=integers(0, 9), confirmed=booleans())
    def answer(self, which: int, confirmed: bool) -> None:
        name = sorted(self.out)[which % len(self.out)]
        entry = self.out.pop(name)
        if confirmed or not entry.command.is_repeatable:
            self.outbox.remove(entry)
            self._settle(name)
        else:
            self.outbox.give_back(entry)
            self._item(name).is_out = False

    @rule(seconds=floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.true_ns += round(seconds * 1e9)
        self.clocks.pass_s(seconds)
        self._expire()

    @rule(seconds=floats(-1e6, 1e6))
    def clock_jumps(self, seconds: float) -> None:
        """And is set right again: what is written down meanwhile could not be judged after a reboot."""
        self.clocks.jump_s(seconds)
        self._expire()
        self.send()
        self.clocks.wall_ns = self.true_ns

    @rule(killed=booleans(), reboots=booleans(), seconds=floats(0, 20))
    def restart(self, killed: bool, reboots: bool, seconds: float) -> None:
        before = self.folder / f"{self.generation}.sqlite3"
        if not killed:
            self.outbox.store.close()
        self.generation += 1
        for suffix in ("", "-wal"):
            old = before.with_name(before.name + suffix)
            if old.exists():
                shutil.copyfile(old, self.folder / f"{self.generation}.sqlite3{suffix}")
        self.outbox.store.close()
        self.true_ns += round(seconds * 1e9)
        if reboots:
            self._reboot()
        else:
            self.clocks.pass_s(seconds)
        self.out.clear()
        self.outbox = self._open()
        for item in self.items:
            item.is_out = False
        self._expire()

    def _reboot(self) -> None:
        later = FakeClock(boot_id=f"reboot {self.generation}")
        later.wall_ns = self.true_ns
        self.clocks = later

    @rule()
    def disk_fails(self) -> None:
        """What was in the file is not there after a kill, and what is in memory goes on."""
        if self.outbox.store._connection is not None:
            self.outbox.store._connection.close()
        self.outbox.store._failed_s = None
        self.outbox.store.write(("SELECT 1", ()), lasting=False)
        assert not self.outbox.store.is_durable
        self.outbox.store._failed_s = -1e9
        self.outbox.store.write(("SELECT 1", ()), lasting=False)
        assert self.outbox.store.is_durable

    @invariant()
    def counts_agree(self) -> None:
        assert self.outbox.waiting == len(self.items)
        assert self.outbox.bytes == sum(len(item.topic) + len(item.name) for item in self.items)

    def teardown(self) -> None:
        self.outbox.store.close()
        shutil.rmtree(self.folder)

    def _expire(self) -> None:
        """What the outbox gives out must be what the model says is over; a restart gives up steps that were sent."""
        given = {entry.command.intent_id: entry for entry, _ in self.outbox.take_expired()}
        over = {
            item.name
            for item in self.items
            if not item.is_out and (item.ends_wall_ns <= self.true_ns or (item.was_sent and not item.repeats))
        }
        assert set(given) == over
        for name, entry in given.items():
            self.outbox.remove(entry)
            self._settle(name)

    def _item(self, name: str) -> Item:
        return next(item for item in self.items if item.name == name)

    def _settle(self, name: str) -> None:
        assert name not in self.settled
        self.settled.add(name)
        self.items.remove(self._item(name))


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
