"""A session that keeps what it is given, and breaks or refuses when told to."""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection

from edged.act.broker import Version
from edged.act.messages import Report
from edged.act.mqtt import Endpoint
from edged.errors import BrokerError
from edged.types import Command, Rejected


class FakeSession:
    def __init__(self, endpoint: Endpoint, version: Version) -> None:
        self.endpoint = endpoint
        self.version = version
        self.published: list[tuple[str, bytes, int | None]] = []
        self.posted: list[tuple[str, bytes]] = []
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

    def wait_lost(self, timeout_s: float) -> bool:
        return self._lost.wait(timeout_s)

    def open(self, timeout_s: float) -> None:  # noqa: ARG002 -- the real one's signature
        self._alive = True

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,  # noqa: ARG002
        expiry_s: int | None = None,
        timeout_s: float,  # noqa: ARG002
    ) -> str | None:
        self.published.append((topic, payload, expiry_s))
        return self.answer

    def post(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
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

    def publish(self, command: Command) -> Rejected | None:
        self.commands.append(command)
        return None if self.answer is None else Rejected(command.intent_id, "mqtt", self.answer)

    def report(self, report: Report) -> bool:
        self.reports.append(report)
        return True
