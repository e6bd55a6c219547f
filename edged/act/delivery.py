"""Takes commands from the outbox to the broker on a thread of its own, in order, and says what became of each.

A command that the broker does not answer in time breaks the connection off, so that nothing of it arrives later. What
was out when a connection broke is sent again by the next one where that is harmless, else given up (see `outbox.py`).

A message may itself be what breaks connections: a broker hangs up for one that is larger than it takes, or for a topic
that it does not allow. So what was lost goes alone, before all else, and is given up after MAX_LOSSES: the others are
not lost with it again.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeAlias

from edged.act.mqtt import Answer, OnAnswer
from edged.act.outbox import UNCONFIRMED, Entry, Outbox
from edged.types import Command, Rejected

logger = logging.getLogger(__name__)

CONFIRM_TIMEOUT_S = 5.0
"""How long the broker may take for one command. A broker in the house confirms within milliseconds."""
SLOT_TIMEOUT_S: Final = 0.5
"""How long reports may keep a command from leaving, before it is looked at again whether it is still valid."""
MAX_LOSSES: Final = 4
"""Connections that one command may be lost with, the last three of them alone: no network breaks thrice just then."""
NO_ROOM_S: Final = 0.05
"""Until the next try, where none of the session's slots was free for so long."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The command is in the outbox: it is sent as soon as the broker can be reached, or reported once it expires."""


Fate: TypeAlias = Rejected | Waiting | None
"""What has become of a command: None where the broker has it."""
OnSettled: TypeAlias = Callable[[Command, Rejected | None], None]
"""Is told, on the thread that delivers, what became of a command that waited; must not wait."""


class SendingSession(Protocol):
    """What it needs of a session."""

    @property
    def alive(self) -> bool:
        """True while it can publish."""

    def send(self, command: Command, *, expiry_s: int, on_answer: OnAnswer, timeout_s: float) -> bool:
        """Sends without waiting for the answer; False where the command did not leave."""

    def abandon(self) -> None:
        """Breaks the connection off at once."""


@dataclass(slots=True)
class _Ticket:
    """Somebody who waits for what becomes of a command."""

    done: threading.Event = field(default_factory=threading.Event)
    fate: Fate = field(default_factory=Waiting)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A command that is with the broker."""

    entry: Entry
    session: SendingSession
    give_up_s: float


class Delivery:
    """Thread-safe. Between `start` and `close` a thread of its own empties the outbox."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        on_settled: OnSettled = lambda _command, _rejected: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_failure` is called after the thread has failed, which nothing can go on after."""
        self._outbox = outbox
        self._on_settled = on_settled
        self._on_failure = on_failure
        self._work = threading.Condition()
        """Over the four below. It is never held while the disk is written to: paho's thread needs it."""
        self._session: SendingSession | None = None
        self._answers: deque[tuple[int, Answer]] = deque()
        self._is_woken = False
        self._is_closing = False
        self._ticketing = threading.Lock()
        """Over `_tickets`: no command may be settled before it has its ticket."""
        self._tickets: dict[int, _Ticket] = {}
        self._flights: dict[int, _Flight] = {}
        """The thread's own, as is `_retry_s`."""
        self._retry_s: float | None = None
        self._lost: SendingSession | None = None
        """The session that was lost last: nothing goes over it any more."""
        self._thread = threading.Thread(target=self._guard, name="outbox", daemon=True)

    def start(self) -> None:
        """Reads what an earlier process has left, and begins."""
        self._outbox.store.open()
        self._thread.start()

    def use(self, session: SendingSession | None) -> None:
        """Sends over this session from now on; None while there is none."""
        with self._work:
            self._session = session
        self._wake()

    def send(self, commands: Sequence[Command], *, instead_of: Callable[[], None] | None = None) -> tuple[Fate, ...]:
        """Takes commands in, and waits for the broker where there is one; not for use in a callback.

        Args:
            commands: in the order in which they are to be sent.
            instead_of: what is written down in the same transaction, such as that a timer is done.
        """
        store = self._outbox.store
        with self._ticketing:
            with store.together() if instead_of else nullcontext():
                taken = self._outbox.put(commands)
                if instead_of:
                    instead_of()
            tickets = {entry.number: _Ticket() for entry in taken if isinstance(entry, Entry)}
            self._tickets |= tickets
        with self._work:
            reachable = self._session is not None and self._session.alive and not self._is_closing
        self._wake()
        deadline = time.monotonic() + (CONFIRM_TIMEOUT_S if reachable else 0)
        for ticket in tickets.values():
            ticket.done.wait(max(0.0, deadline - time.monotonic()))
        with self._ticketing:
            for number in tickets:
                self._tickets.pop(number, None)
            return tuple(tickets[one.number].fate if isinstance(one, Entry) else one for one in taken)

    def close(self, timeout_s: float) -> None:
        """Ends the thread after what the broker has to answer; what waits stays in the outbox. Harmless twice."""
        with self._work:
            self._is_closing = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if not self._outbox.store.is_durable and self._outbox.waiting:
            logger.warning("%d commands that waited for the broker are lost", self._outbox.waiting)
        self._outbox.store.close()

    def _wake(self) -> None:
        with self._work:
            self._is_woken = True
            self._work.notify()

    def _guard(self) -> None:
        """The outermost frame of the thread."""
        try:
            while self._step():
                pass
        except Exception:
            logger.exception("the delivery of commands failed")
            self._on_failure()

    def _step(self) -> bool:
        """Waits for something to do and does it; False at the end."""
        pause_s = self._pause_s()
        with self._work:
            self._work.wait_for(lambda: self._is_woken, pause_s)
            self._is_woken = False
            answers, self._answers = self._answers, deque()
            session, closing = self._session, self._is_closing
        for number, answer in answers:
            self._take_answer(number, answer)
        self._give_up_late()
        for entry, reason in self._outbox.take_expired():
            self._settle(entry, reason)
        if closing:
            return bool(self._flights)
        if session is not None:
            self._send_ready(session)
        return True

    def _pause_s(self) -> float | None:
        """Until the next thing that nobody wakes it for."""
        now_s = time.monotonic()
        times = [flight.give_up_s - now_s for flight in self._flights.values()]
        end_ns = self._outbox.next_end_ns()
        if end_ns is not None:
            times.append(end_ns / 1e9)
        if self._retry_s is not None:
            times.append(self._retry_s - now_s)
        return max(0.0, min(times)) if times else None

    def _send_ready(self, session: SendingSession) -> None:
        self._retry_s = None
        while self._may_send(session) and (entry := self._outbox.next()) is not None:
            if entry.losses and self._flights:
                self._outbox.give_back(entry)  # an answer is to come, and brings us here again
                return
            left_s = self._outbox.left_ns(entry) / 1e9
            if left_s <= 0:
                self._outbox.give_back(entry, unsent=True)
                self._wake()
                return
            give_up_s = time.monotonic() + min(left_s, CONFIRM_TIMEOUT_S)
            number = entry.number
            self._flights[number] = _Flight(entry, session, give_up_s)
            sent = session.send(
                entry.command,
                expiry_s=math.ceil(left_s),
                on_answer=partial(self._hear, number),
                timeout_s=min(left_s, SLOT_TIMEOUT_S),
            )
            if not sent:
                del self._flights[number]
                self._outbox.give_back(entry, unsent=True)
                self._retry_s = time.monotonic() + NO_ROOM_S
                return
            if self._answers:
                return

    def _may_send(self, session: SendingSession) -> bool:
        """Nothing goes over a session that was lost, nor beside what was lost before."""
        is_open = session.alive and session is not self._lost
        return is_open and not any(flight.entry.losses for flight in self._flights.values())

    def _hear(self, number: int, answer: Answer) -> None:
        """On any thread, paho's among them."""
        with self._work:
            self._answers.append((number, answer))
            self._is_woken = True
            self._work.notify()

    def _take_answer(self, number: int, answer: Answer) -> None:
        flight = self._flights.pop(number)
        if answer.kind == "lost":
            if flight.session is not self._lost:
                self._lost = flight.session
                flight.session.abandon()  # it may seem alive a moment longer, and lose again what is sent again
            self._take_back(flight.entry)
        else:
            self._settle(flight.entry, answer.reason)

    def _take_back(self, entry: Entry) -> None:
        entry.losses += 1
        if not entry.command.is_repeatable or entry.losses >= MAX_LOSSES:
            self._settle(entry, UNCONFIRMED)
            return
        self._outbox.give_back(entry)
        with self._ticketing:
            ticket = self._tickets.pop(entry.number, None)
        if ticket is not None:
            ticket.done.set()

    def _give_up_late(self) -> None:
        """Breaks off connections on which an answer is overdue; the loss is told as an answer."""
        now_s = time.monotonic()
        for number, flight in tuple(self._flights.items()):
            if flight.give_up_s <= now_s:
                flight.session.abandon()
                self._flights[number] = _Flight(flight.entry, flight.session, now_s + CONFIRM_TIMEOUT_S)

    def _settle(self, entry: Entry, reason: str) -> None:
        """Done or given up, for the `reason` that is not empty; whoever waits is told, or else `on_settled`.

        A kill in between leaves something that is told twice, but nothing that is never told or sent once more.
        """
        if not reason:
            self._outbox.remove(entry)
        rejected = Rejected(entry.command.intent_id, "mqtt", reason) if reason else None
        with self._ticketing:
            ticket = self._tickets.pop(entry.number, None)
            if ticket is not None:
                ticket.fate = rejected
                ticket.done.set()
        if ticket is None:
            self._on_settled(entry.command, rejected)
        if reason:
            self._outbox.remove(entry)
