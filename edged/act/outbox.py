"""Commands on their way to the broker: what was said is not lost with the connection, the process or the power.

A command is written down before it is published and taken out once the broker has confirmed it or it can no longer be
sent. Commands to one device go out one after the other, each after the confirmation of the one before, on whatever
topics; those to different devices in the order in which they came, several at a time.

A confirmation may be lost after the broker has passed the command on. Nobody can tell this from a lost command. So:

- what is repeatable (`Command.is_repeatable`: on, off, a level, a position, a temperature) is sent again, as long as
  it is valid and before any newer one to its device. Arriving twice, it changes nothing;
- what is not (a step, a toggle, a stop, a message that only a template knows) is never sent again but reported as
  unconfirmed, also after a kill: before it is sent, the outbox notes that it will be.

Where the outbox is full, the new command is refused: it is the one that somebody waits for and can say again.
"""

from __future__ import annotations

import heapq
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edged.act.store import PLAIN_ID, Row, Statement, Store
from edged.act.topic import describe_bad_topic
from edged.ops.clock import SYSTEM_CLOCK, Clock, Moment
from edged.types import Command, Rejected

logger = logging.getLogger(__name__)

MAX_COMMANDS: Final = 10_000
"""Unless the configuration says otherwise: hundreds a minute for as long as any command is valid."""
MAX_BYTES: Final = 8 << 20
"""Of topics and payloads, all in memory; a Pi Zero has 512 MB."""
MAX_VALID_S: Final = 3600
"""Of a row in the file: the most that an intent file may ask for. More cannot be: it, or the clock, is damaged."""

TOO_LATE: Final = "the command came too late"
NOT_REACHED: Final = "expired: the broker could not be reached in time"
UNCONFIRMED: Final = "unconfirmed: it was sent, and whether it arrived is not known"
UNKNOWN_TIME: Final = "expired: after the restart it could not be told whether the command is still valid"

_SLACK: Final = 64
"""Entries of a heap that may be over before it is made anew."""
_INSERT: Final = "INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM commands WHERE number = ?"
_MARK: Final = "UPDATE commands SET was_sent = 1 WHERE number = ?"


@dataclass(slots=True, eq=False)
class Entry:
    """One command in the outbox."""

    number: int
    """In the order in which they came."""
    command: Command
    """Its `expires_ns` is meaningless where an earlier process has taken it in; `ends` is not."""
    ends: Moment
    was_sent: bool = False
    is_out: bool = False
    """With the broker, which has not answered."""
    is_gone: bool = False
    """No longer in the outbox."""
    losses: int = 0
    """How many connections have broken while it was with the broker."""

    @property
    def size(self) -> int:
        """Bytes, as they are counted here."""
        return len(self.command.topic.encode()) + len(self.command.payload)

    @property
    def line(self) -> str:
        """Among which others it keeps its place: those to its device, or on its topic where no device is named."""
        return self.command.device or self.command.topic


class Outbox:
    """Thread-safe; shares the store's lock."""

    create: Final = """
        CREATE TABLE IF NOT EXISTS commands (
            number INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL, qos INTEGER NOT NULL,
            device TEXT NOT NULL, intent_id TEXT NOT NULL, instance TEXT NOT NULL, position INTEGER NOT NULL,
            is_repeatable INTEGER NOT NULL, was_sent INTEGER NOT NULL,
            boot_id TEXT NOT NULL, boot_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL,
            written_ns INTEGER NOT NULL
        ) STRICT
        """
    select: Final = "SELECT * FROM commands ORDER BY number"
    clear: Final = "DELETE FROM commands"

    def __init__(
        self,
        store: Store | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        max_commands: int = MAX_COMMANDS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Without a store it lives in memory alone."""
        self.store = store or Store()
        self.clock = clock
        self._max_commands = max_commands
        self._max_bytes = max_bytes
        self._next = 1
        self._count = 0
        self._bytes = 0
        self._lines: dict[str, deque[Entry]] = {}
        """Those to one device, the oldest first."""
        self._ready: list[tuple[int, str]] = []
        """A heap of the first entry of each line that has none with the broker."""
        self._ends: list[tuple[int, int, Entry]] = []
        """A heap by when they end, in the time since this boot."""
        self._dropped: list[tuple[Entry, str]] = []
        """What came from an earlier process and is not to be sent, with the reason."""
        self.store.add(self)

    @property
    def waiting(self) -> int:
        """How many commands it holds."""
        return self._count

    @property
    def bytes(self) -> int:
        """Of their topics and payloads."""
        return self._bytes

    def put(self, commands: Sequence[Command]) -> tuple[Entry | Rejected, ...]:
        """Takes commands in, those that fit; they are written down when it comes back."""
        with self.store.lock:
            taken = tuple(self._take_in(command) for command in commands)
            written = [_insertion(entry) for entry in taken if isinstance(entry, Entry)]
            if written:
                self.store.write(*written, lasting=True)
        return taken

    def next(self) -> Entry | None:
        """The next one to be sent, None where all wait for the broker's answers; it is written down that it was."""
        with self.store.lock:
            while self._ready:
                number, line = heapq.heappop(self._ready)
                entry = self._lines[line][0] if line in self._lines else None
                if entry is None or entry.number != number or entry.is_out:
                    continue
                entry.is_out = True
                if not entry.was_sent and not entry.command.is_repeatable:
                    self.store.write((_MARK, (number,)), lasting=True)
                entry.was_sent = True
                return entry
            return None

    def give_back(self, entry: Entry, *, unsent: bool = False) -> None:
        """The entry stays and is the next in its line; `unsent` where it did not even leave."""
        with self.store.lock:
            entry.is_out = False
            if unsent:
                entry.was_sent = False
            heapq.heappush(self._ready, (entry.number, entry.line))
            heapq.heappush(self._ends, (entry.ends.boot_ns, entry.number, entry))

    def remove(self, entry: Entry) -> None:
        """It is settled, one way or the other."""
        with self.store.lock:
            self._forget(entry)
            self.store.write((_DELETE, (entry.number,)), lasting=False)

    def take_expired(self) -> list[tuple[Entry, str]]:
        """What can no longer be sent and is not with the broker, with the reasons; `remove` is still to be called."""
        with self.store.lock:
            dropped, self._dropped = self._dropped, []
            now_ns = self.clock.boot_ns()
            while self._ends and self._ends[0][0] <= now_ns:
                entry = heapq.heappop(self._ends)[2]
                if not entry.is_gone and not entry.is_out:  # one that is out comes back by `give_back`
                    self._forget(entry)
                    dropped.append((entry, UNCONFIRMED if entry.was_sent else NOT_REACHED))
            return dropped

    def left_ns(self, entry: Entry) -> int:
        """How long it is valid."""
        return self.clock.left_ns(entry.ends) or 0

    def next_end_ns(self) -> int | None:
        """How long until the next one expires; None where the outbox is empty."""
        with self.store.lock:
            if self._dropped:
                return 0
            while self._ends and (self._ends[0][2].is_gone or self._ends[0][2].is_out):
                heapq.heappop(self._ends)
            return self._ends[0][0] - self.clock.boot_ns() if self._ends else None

    def load(self, rows: Sequence[Row], *, late: bool) -> None:
        """Takes in what an earlier process has left, in its order; what may not be sent is given out as expired."""
        for row in rows:
            entry = _read_row(row, self._next)
            if entry is None:
                logger.error("a command in the file of the outbox is damaged and is not sent")
                continue
            self._next += 1
            left_ns = self._left_of(entry)
            reason = _why_not_sent(entry, left_ns, late=late)
            if reason is None and left_ns is not None and self._fits(entry.size):
                entry.ends = self.clock.moment_in(left_ns)
                self._append(entry)
            else:
                entry.is_gone = True
                entry.ends = self.clock.moment_in(-1)  # a kill before it is told must not give it another chance
                self._dropped.append((entry, reason or self._full()))

    def _left_of(self, entry: Entry) -> int | None:
        """None also where no command is valid for so long."""
        left_ns = self.clock.left_ns(entry.ends)
        return left_ns if left_ns is not None and left_ns <= MAX_VALID_S * 10**9 else None

    def dump(self) -> Sequence[Statement]:
        """What writes all entries anew."""
        entries = [entry for queue in self._lines.values() for entry in queue]
        entries += [entry for entry, _ in self._dropped]
        return [_insertion(entry) for entry in entries]

    def _take_in(self, command: Command) -> Entry | Rejected:
        left_ns = command.expires_ns - self.clock.monotonic_ns()
        if left_ns <= 0:
            return Rejected(command.intent_id, "mqtt", TOO_LATE)
        entry = Entry(self._next, command, self.clock.moment_in(left_ns))
        if not self._fits(entry.size):
            return Rejected(command.intent_id, "mqtt", self._full())
        self._next += 1
        self._append(entry)
        return entry

    def _fits(self, size: int) -> bool:
        return self._count < self._max_commands and self._bytes + size <= self._max_bytes

    def _full(self) -> str:
        return f"the outbox is full: {self._count} commands wait for the broker"

    def _append(self, entry: Entry) -> None:
        queue = self._lines.setdefault(entry.line, deque())
        queue.append(entry)
        if len(queue) == 1:
            heapq.heappush(self._ready, (entry.number, entry.line))
        heapq.heappush(self._ends, (entry.ends.boot_ns, entry.number, entry))
        self._count += 1
        self._bytes += entry.size

    def _forget(self, entry: Entry) -> None:
        if entry.is_gone:
            return
        entry.is_gone = True
        queue = self._lines[entry.line]
        was_first = queue[0] is entry
        queue.remove(entry)
        if not queue:
            del self._lines[entry.line]
        elif was_first:
            heapq.heappush(self._ready, (queue[0].number, entry.line))
        self._count -= 1
        self._bytes -= entry.size
        self._tidy()

    def _tidy(self) -> None:
        """Takes out of the heaps what is over, once that is the most of them."""
        if len(self._ready) > 2 * len(self._lines) + _SLACK:
            heads = (queue[0] for queue in self._lines.values())
            self._ready = [(head.number, head.line) for head in heads if not head.is_out]
            heapq.heapify(self._ready)
        if len(self._ends) > 2 * self._count + _SLACK:
            self._ends = [end for end in self._ends if not end[2].is_gone]
            heapq.heapify(self._ends)


def _insertion(entry: Entry) -> Statement:
    command, ends = entry.command, entry.ends
    values = (
        entry.number,
        command.topic,
        command.payload,
        command.qos,
        command.device,
        command.intent_id,
        command.instance,
        command.position,
        int(command.is_repeatable),
        int(entry.was_sent),
        ends.boot_id,
        ends.boot_ns,
        ends.wall_ns,
        ends.written_ns,
    )
    return _INSERT, values


def _read_row(row: Row, number: int) -> Entry | None:
    """The entry under a new number; None where nothing can be sent to its topic."""
    match row:
        case (
            int(),
            str(topic),
            bytes(payload),
            int(qos),
            str(device),
            str(intent_id),
            str(instance),
            int(position),
            int(is_repeatable),
            int(was_sent),
            str(boot_id),
            int(boot_ns),
            int(wall_ns),
            int(written_ns),
        ) if describe_bad_topic(topic) is None and PLAIN_ID.fullmatch(f"{intent_id}/{instance}/{device}"):
            level: Literal[0, 1, 2] = 0 if qos == 0 else 2 if qos == 2 else 1
            command = Command(
                topic, payload, level, False, 0, intent_id, bool(is_repeatable), position, instance, device
            )
            return Entry(number, command, Moment(boot_id, boot_ns, wall_ns, written_ns), bool(was_sent))
    return None


def _why_not_sent(entry: Entry, left_ns: int | None, *, late: bool) -> str | None:
    if entry.was_sent and not entry.command.is_repeatable:
        return UNCONFIRMED
    if left_ns is None or late:
        return UNKNOWN_TIME
    return NOT_REACHED if left_ns <= 0 else None
