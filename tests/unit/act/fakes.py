"""A session that keeps what it is given, and breaks or refuses when told to."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Sequence

from edged.act.broker import Version
from edged.act.delivery import Fate, Waiting
from edged.act.messages import Report
from edged.act.mqtt import CONFIRMED, LOST, Answer, Endpoint, Exchange, OnAnswer
from edged.errors import BrokerError
from edged.ops.clock import Clock
from edged.types import Command, Rejected


class FakeSession:
    def __init__(self, endpoint: Endpoint, version: Version) -> None:
        self.endpoint = endpoint
        self.version = version
        self.published: list[tuple[str, bytes, int | None]] = []
        self.sent: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self.takes_commands = True
        self.holds_answers = False
        self.abandoned = False
        self._unanswered: list[OnAnswer] = []
        self.posted: list[tuple[str, bytes]] = []
        self.exchanged: queue.SimpleQueue[tuple[str, bytes, Exchange]] = queue.SimpleQueue()
        self.retained: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self.topics = list(endpoint.topics)
        self.refused: frozenset[str] = frozenset()
        self.closed = False
        self.answer: str | None = None
        self.takes_reports = True
        self._alive = False
        self._lost = threading.Event()

    @property
    def alive(self) -> bool:
        return self._alive

    def break_off(self) -> None:
        self._alive = False
        self._lost.set()
        unanswered, self._unanswered = self._unanswered, []
        for on_answer in unanswered:
            on_answer(LOST)

    def wait_lost(self, timeout_s: float) -> bool:
        return self._lost.wait(timeout_s)

    def open(self, timeout_s: float) -> None:  # noqa: ARG002 -- the real one's signature
        self._alive = True

    def send(self, command: Command, *, expiry_s: int, on_answer: OnAnswer, timeout_s: float) -> bool:  # noqa: ARG002
        if not self._alive or not self.takes_commands:
            return False
        self.published.append((command.topic, command.payload, expiry_s))
        self.sent.put(command)
        if self.holds_answers:
            self._unanswered.append(on_answer)
        else:
            on_answer(CONFIRMED if self.answer is None else Answer("refused", self.answer))
        return True

    def confirm(self) -> None:
        """The oldest that is held back."""
        self._unanswered.pop(0)(CONFIRMED)

    def abandon(self) -> None:
        self.abandoned = True
        self.break_off()

    def post(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        exchange: Exchange | None = None,
        timeout_s: float = 0.0,  # noqa: ARG002
    ) -> bool:
        if exchange is not None:
            if self.takes_reports:
                self.exchanged.put((topic, payload, exchange))
            return self.takes_reports
        if not retain:
            self.posted.append((topic, payload))
        elif self.takes_reports:
            self.retained.put((topic, payload))
        return self.takes_reports

    def change_topics(self, added: Collection[str], removed: Collection[str]) -> None:
        self.topics = [topic for topic in self.topics if topic not in removed] + sorted(added)

    def close(self, timeout_s: float) -> None:  # noqa: ARG002
        self.closed = True
        self.break_off()


class FakeBroker:
    """Makes sessions; each item of `refusals` is raised by one attempt to open one, None lets it through."""

    def __init__(self, *refusals: BrokerError | None) -> None:
        self.sessions: list[FakeSession] = []
        self.attempts: list[Version] = []
        self.opened = threading.Semaphore(0)
        self._refusals = list(refusals)

    def __call__(self, endpoint: Endpoint, version: Version) -> FakeSession:
        session = FakeSession(endpoint, version)
        real_open = session.open

        def open_or_refuse(timeout_s: float) -> None:
            self.attempts.append(version)
            refusal = self._refusals.pop(0) if self._refusals else None
            if refusal is not None:
                raise refusal
            real_open(timeout_s)
            self.sessions.append(session)
            self.opened.release()

        session.open = open_or_refuse  # type: ignore[method-assign]
        return session


class FakeSender:
    """Keeps commands and reports; refuses commands with `answer`."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.reports: list[Report] = []
        self.answer: str | None = None
        self.holds = False

    def publish_all(
        self, commands: Sequence[Command], *, instead_of: Callable[[], None] | None = None
    ) -> tuple[Fate, ...]:
        self.commands += commands
        if instead_of is not None:
            instead_of()
        return tuple(self._fate_of(command) for command in commands)

    def _fate_of(self, command: Command) -> Fate:
        if self.holds:
            return Waiting()
        return None if self.answer is None else Rejected(command.intent_id, "mqtt", self.answer)

    def report(self, report: Report) -> bool:
        self.reports.append(report)
        return True


class FakeClock:
    """A machine's clocks, moved by hand."""

    def __init__(self, now_ns: int = 1_000_000_000, *, boot_id: str = "boot 1") -> None:
        self.monotonic_ns = now_ns
        self.boot_ns = now_ns
        self.wall_ns = 1_700_000_000_000_000_000 + now_ns
        self.is_synchronized = True
        self.clock = Clock(
            boot_id, lambda: self.monotonic_ns, lambda: self.boot_ns, lambda: self.wall_ns, lambda: self.is_synchronized
        )

    def pass_s(self, seconds: float) -> None:
        """Time passes on all clocks alike."""
        self.monotonic_ns += round(seconds * 1e9)
        self.suspend_s(seconds)

    def suspend_s(self, seconds: float) -> None:
        """The machine sleeps."""
        self.boot_ns += round(seconds * 1e9)
        self.jump_s(seconds)

    def jump_s(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.wall_ns += round(seconds * 1e9)

    def reboot(self, seconds: float, boot_id: str = "boot 2") -> FakeClock:
        """The clocks after a reboot that took so long."""
        later = FakeClock(boot_id=boot_id)
        later.wall_ns = self.wall_ns + round(seconds * 1e9)
        return later
