"""What is to be done later: intents with the moment at which they are due, in the same file as the outbox.

An intent is kept and not its commands: what a step starts from, and which devices there are, is known when it is due.
`due` gives timers out and leaves them where they are; whoever carries one out removes it in the transaction that puts
its commands into the outbox (`Link.publish_all`), so that a kill leaves either the timer or the commands.

A timer measures the time that passes, so setting the clock moves none. After a reboot the wall clock has to tell how
much has passed; while that may be wrong (see `ops/clock.py`), timers wait for it up to SYNC_WAIT_S and then take it at
its word, unless it shows a time before they were set. What has been due for longer than GRACE_S is not done any more.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from edged.act.store import PLAIN_ID, Row, Statement, Store
from edged.intents.spoken.delays import MAX_DELAY_S
from edged.ops.clock import SYSTEM_CLOCK, Clock, Moment
from edged.types import Intent, Rejected

MAX_TIMERS: Final = 100
"""More than anybody keeps in mind."""
MAX_TEXT_CHARACTERS: Final = 500
"""Of the sentence, by which a timer is told from others."""
GRACE_S: Final = 60.0
"""A restart with the loading of the models takes up to a minute on the slowest Pi."""
SYNC_WAIT_S: Final = 120.0
"""After the start; a Pi has the time from the network within seconds, where there is one."""

MAX_SLOTS_CHARACTERS: Final = 4096
"""Of an intent's slots as JSON, in a row: what is said in one sentence takes some dozens."""

logger = logging.getLogger(__name__)

_INSERT: Final = "INSERT INTO timers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM timers WHERE number = ?"


@dataclass(frozen=True, slots=True)
class Timer:
    """An intent for later."""

    number: int
    """Unique among those that are kept; they are told in this order where two are due at once."""
    intent: Intent
    text: str
    """What was said."""
    lang: str
    area: str | None
    """Where it was said, as `Utterance.area`."""
    due: Moment


class Timers:
    """Thread-safe; shares the store's lock."""

    create: Final = """
        CREATE TABLE IF NOT EXISTS timers (
            number INTEGER PRIMARY KEY, utterance_id TEXT NOT NULL, name TEXT NOT NULL, slots TEXT NOT NULL,
            confidence REAL NOT NULL, text TEXT NOT NULL, lang TEXT NOT NULL, area TEXT, boot_id TEXT NOT NULL,
            boot_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL, written_ns INTEGER NOT NULL
        ) STRICT
        """
    select: Final = "SELECT * FROM timers ORDER BY number"
    clear: Final = "DELETE FROM timers"

    def __init__(self, store: Store, *, clock: Clock = SYSTEM_CLOCK, max_timers: int = MAX_TIMERS) -> None:
        """Knows what an earlier process has left once the store is open."""
        self._store = store
        self._clock = clock
        self._max_timers = max_timers
        self._next = 1
        self._timers: dict[int, Timer] = {}
        self._started_ns = clock.boot_ns()
        store.add(self)

    def add(self, intent: Intent, *, text: str, lang: str, delay_s: float, area: str | None = None) -> Timer | Rejected:
        """Keeps an intent until it is due; it outlives a loss of power when it comes back."""
        if not 0 < delay_s <= MAX_DELAY_S:
            days = MAX_DELAY_S / 86_400
            return Rejected(intent.utterance_id, "act", f"a timer runs for more than 0 s and {days:g} days at most")
        with self._store.lock:
            if len(self._timers) >= self._max_timers:
                return Rejected(intent.utterance_id, "act", f"{self._max_timers} timers run already")
            due = self._clock.moment_in(round(delay_s * 1e9))
            timer = Timer(self._next, intent, text[:MAX_TEXT_CHARACTERS], lang, area, due)
            self._next += 1
            self._timers[timer.number] = timer
            self._store.write(_insertion(timer), lasting=True)
        return timer

    def list(self) -> tuple[tuple[Timer, float | None], ...]:
        """Every timer and the seconds until it is due, the next first; None where that cannot be told yet."""
        with self._store.lock:
            timers = tuple(self._timers.values())
        known = [(timer, None if (left := self._left_ns(timer)) is None else left / 1e9) for timer in timers]
        return tuple(sorted(known, key=lambda item: (math.inf if item[1] is None else item[1], item[0].number)))

    def remove(self, timer: Timer) -> bool:
        """Cancels a timer, or takes out one that is carried out; False where it is gone already."""
        with self._store.lock:
            found = self._timers.pop(timer.number, None) is not None
            if found:
                self._store.write((_DELETE, (timer.number,)), lasting=True)
        return found

    def due(self) -> tuple[tuple[Timer, Rejected | None], ...]:
        """The timers that are due, in their order, and why one is too late to be done; each until it is removed."""
        given = [(timer, left_s) for timer, left_s in self.list() if left_s is not None and left_s <= 0]
        return tuple((timer, _why_too_late(timer, -left_s)) for timer, left_s in given)

    def load(self, rows: Sequence[Row], *, late: bool) -> None:  # noqa: ARG002 -- how long ago, their moments say
        """Takes in what an earlier process has left, as many as may be kept."""
        for row in rows[: max(0, self._max_timers - len(self._timers))]:
            timer = _read_row(row, self._next)
            if timer is None or (self._clock.left_ns(timer.due) or 0) > MAX_DELAY_S * 1e9:
                logger.error("a timer in the file is damaged and is not kept")
            else:
                self._timers[self._next] = self._place(timer)
                self._next += 1

    def dump(self) -> Sequence[Statement]:
        """What writes all timers anew."""
        return [_insertion(timer) for timer in self._timers.values()]

    def _place(self, timer: Timer) -> Timer:
        """In the time of this boot, where that can be told: from then on no change of the clock matters."""
        left_ns = self._clock.left_ns(timer.due)
        return timer if left_ns is None else replace(timer, due=self._clock.moment_in(left_ns))

    def _left_ns(self, timer: Timer) -> int | None:
        left_ns = self._clock.left_ns(timer.due)
        if left_ns is None and self._clock.boot_ns() - self._started_ns > SYNC_WAIT_S * 1e9:
            now_ns = self._clock.wall_ns()
            return timer.due.wall_ns - now_ns if now_ns >= timer.due.written_ns else -_NEVER_NS
        return left_ns


_NEVER_NS: Final = 10**18
"""Thirty years late: a timer that nobody can place in time."""


def _why_too_late(timer: Timer, late_s: float) -> Rejected | None:
    if late_s <= GRACE_S:
        return None
    reason = f"the timer was due {late_s / 60:.0f} minutes ago"
    if late_s >= _NEVER_NS / 1e9:
        reason = "after the restart it could not be told when the timer is due"
    return Rejected(timer.intent.utterance_id, "act", reason)


def _insertion(timer: Timer) -> Statement:
    intent, due = timer.intent, timer.due
    values = (
        timer.number,
        intent.utterance_id,
        intent.name,
        json.dumps(dict(intent.slots)),
        intent.confidence,
        timer.text,
        timer.lang,
        timer.area,
        due.boot_id,
        due.boot_ns,
        due.wall_ns,
        due.written_ns,
    )
    return _INSERT, values


def _read_row(row: Row, number: int) -> Timer | None:
    """The timer under a new number; None where the row is none."""
    match row:
        case (
            int(),
            str(utterance_id),
            str(name),
            str(slots),
            float(confidence),
            str(text),
            str(lang),
            str() | None as area,
            str(boot_id),
            int(boot_ns),
            int(wall_ns),
            int(written_ns),
        ) if PLAIN_ID.fullmatch(utterance_id) and len(slots) <= MAX_SLOTS_CHARACTERS:
            try:
                given = json.loads(slots)
                json.dumps(given, allow_nan=False)
            except (ValueError, RecursionError):
                return None
            if isinstance(given, dict):
                intent = Intent(utterance_id, name, given, confidence, math.inf)
                return Timer(number, intent, text, lang, area, Moment(boot_id, boot_ns, wall_ns, written_ns))
    return None
