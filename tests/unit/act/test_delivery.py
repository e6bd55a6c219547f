from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.act.delivery import MAX_LOSSES, Delivery, Waiting
from edged.act.link import make_endpoint
from edged.act.mqtt import LOST, OnAnswer
from edged.act.outbox import NOT_REACHED, UNCONFIRMED, Outbox
from edged.act.store import Store
from edged.config import MqttConfig
from edged.types import Command, Rejected
from tests.unit.act.fakes import FakeClock, FakeSession

WAIT_S = 10


class House:
    """A delivery with what it says of commands that waited; several share a file one after the other."""

    def __init__(self, path: Path | None = None, clocks: FakeClock | None = None) -> None:
        self.clocks = clocks or FakeClock()
        self.settled: queue.SimpleQueue[tuple[Command, Rejected | None]] = queue.SimpleQueue()
        self.failed = threading.Event()
        self.outbox = Outbox(Store(path), clock=self.clocks.clock)
        self.delivery = Delivery(
            self.outbox, on_settled=lambda *what: self.settled.put(what), on_failure=self.failed.set
        )

    def command(self, payload: str = "x", topic: str = "t", *, repeats: bool = True, seconds: float = 60) -> Command:
        expires_ns = self.clocks.monotonic_ns + round(seconds * 1e9)
        return Command(topic, payload.encode(), 1, False, expires_ns, "u1", repeats)

    def connect(self, *, holds_answers: bool = False) -> FakeSession:
        session = FakeSession(make_endpoint(MqttConfig()), "5")
        session.holds_answers = holds_answers
        session.open(1)
        self.delivery.use(session)
        return session

    def outcome(self) -> tuple[str, str | None]:
        command, rejected = self.settled.get(timeout=WAIT_S)
        return command.payload.decode(), rejected.reason if rejected else None


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    house.delivery.start()
    yield house
    house.delivery.close(WAIT_S)


def _next(session: FakeSession) -> str:
    return session.sent.get(timeout=WAIT_S).payload.decode()


def test_with_a_broker_the_caller_learns_what_became_of_each(house: House) -> None:
    session = house.connect()
    assert house.delivery.send([house.command("1"), house.command("2", "other")]) == (None, None)
    session.answer = "quota exceeded"
    assert house.delivery.send([house.command("3")]) == (Rejected("u1", "mqtt", "quota exceeded"),)
    assert house.settled.empty()
    assert house.outbox.waiting == 0


def test_without_a_broker_commands_wait_and_are_told_of_later(house: House) -> None:
    assert house.delivery.send([house.command("1"), house.command("2")]) == (Waiting(), Waiting())
    session = house.connect()
    assert [_next(session), _next(session)] == ["1", "2"]
    assert [house.outcome(), house.outcome()] == [("1", None), ("2", None)]


def test_the_next_command_of_a_topic_waits_for_the_answer(house: House) -> None:
    house.delivery.send([house.command("a1", "a"), house.command("a2", "a"), house.command("b1", "b")])
    session = house.connect(holds_answers=True)
    assert [_next(session), _next(session)] == ["a1", "b1"]
    assert session.sent.empty()
    session.confirm()
    assert _next(session) == "a2"
    session.break_off()


def test_a_lost_answer_sends_what_is_repeatable_again_and_before_what_is_newer(house: House) -> None:
    house.delivery.send([house.command("1"), house.command("2")])
    first = house.connect(holds_answers=True)
    assert _next(first) == "1"
    first.break_off()
    second = house.connect()
    assert [_next(second), _next(second)] == ["1", "2"]
    assert [house.outcome(), house.outcome()] == [("1", None), ("2", None)]


def test_what_was_lost_with_a_connection_goes_alone_over_the_next(house: House) -> None:
    first = house.connect(holds_answers=True)
    threading.Thread(target=house.delivery.send, args=([house.command(topic, topic) for topic in "abc"],)).start()
    assert [_next(first) for _ in "abc"] == ["a", "b", "c"]
    first.break_off()
    second = house.connect(holds_answers=True)
    for topic in "abc":
        assert _next(second) == topic
        assert second.sent.empty()
        second.confirm()
        assert house.outcome() == (topic, None)


def test_what_breaks_every_connection_is_given_up(house: House) -> None:
    house.delivery.send([house.command("bad", "a"), house.command("good", "b")])
    for _ in range(MAX_LOSSES):
        session = house.connect(holds_answers=True)
        assert _next(session) == "bad"
        session.break_off()
    assert house.outcome() == ("bad", UNCONFIRMED)
    house.connect()
    assert house.outcome() == ("good", None)


class _LosingSession(FakeSession):
    """Still seems alive while it loses whatever it is given."""

    def send(self, command: Command, *, expiry_s: int, on_answer: OnAnswer, timeout_s: float) -> bool:  # noqa: ARG002
        self.sent.put(command)
        on_answer(LOST)
        return True

    def abandon(self) -> None:
        """As one whose thread has not noticed yet."""


def test_a_session_that_was_lost_is_given_nothing_more_though_it_seems_alive(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edged.act.delivery.CONFIRM_TIMEOUT_S", 0.05)
    session = _LosingSession(make_endpoint(MqttConfig()), "5")
    session.open(1)
    house.delivery.use(session)
    assert house.delivery.send([house.command("1")]) == (Waiting(),)
    assert house.delivery.send([house.command("2", "other")]) == (Waiting(),)
    house.connect()
    assert [house.outcome(), house.outcome()] == [("1", None), ("2", None)]
    assert session.sent.qsize() == 1


def test_a_lost_answer_of_a_step_makes_it_unconfirmed_and_it_is_not_sent_again(house: House) -> None:
    house.delivery.send([house.command("step", repeats=False), house.command("on")])
    first = house.connect(holds_answers=True)
    assert _next(first) == "step"
    first.break_off()
    assert house.outcome() == ("step", UNCONFIRMED)
    assert _next(house.connect()) == "on"


def test_a_step_that_never_left_is_sent_by_the_next_session(house: House) -> None:
    full = house.connect()
    full.takes_commands = False
    sender = threading.Thread(target=house.delivery.send, args=([house.command("step", repeats=False)],))
    sender.start()
    full.break_off()
    assert _next(house.connect()) == "step"
    sender.join(WAIT_S)
    assert not sender.is_alive()


def test_who_waits_is_told_at_once_where_the_connection_breaks(house: House) -> None:
    session = house.connect(holds_answers=True)
    fates: queue.SimpleQueue[object] = queue.SimpleQueue()
    commands = [house.command("on", "a"), house.command("step", "b", repeats=False)]
    sender = threading.Thread(target=lambda: fates.put(house.delivery.send(commands)))
    sender.start()
    _next(session)
    _next(session)
    session.break_off()
    assert fates.get(timeout=WAIT_S) == (Waiting(), Rejected("u1", "mqtt", UNCONFIRMED))
    sender.join(WAIT_S)


def test_an_answer_that_is_overdue_breaks_the_connection_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edged.act.delivery.CONFIRM_TIMEOUT_S", 0.01)
    session = house.connect(holds_answers=True)
    house.delivery.send([house.command("on")])
    _next(session)
    second = house.connect() if session._lost.wait(WAIT_S) else session
    assert session.abandoned
    assert _next(second) == "on"


def test_what_expires_is_told_and_not_sent(house: House) -> None:
    house.delivery.send([house.command("old", seconds=5)])
    house.clocks.suspend_s(6)
    house.delivery.send([house.command("new")])
    assert house.outcome() == ("old", NOT_REACHED)
    assert _next(house.connect()) == "new"


def test_a_restart_sends_what_is_left_once(tmp_path: Path) -> None:
    path, clocks = tmp_path / "commands.sqlite3", FakeClock()
    first = House(path, clocks)
    first.delivery.start()
    session = first.connect()
    assert first.delivery.send([first.command("1")]) == (None,)
    session.break_off()
    first.delivery.send([first.command("2"), first.command("3", seconds=1)])
    first.delivery.close(WAIT_S)
    clocks.pass_s(2)
    second = House(path, clocks)
    second.delivery.start()
    assert second.outcome() == ("3", NOT_REACHED)
    assert _next(second.connect()) == "2"
    assert second.outcome() == ("2", None)
    second.delivery.close(WAIT_S)
    third = House(path, clocks)
    third.delivery.start()
    assert third.outbox.waiting == 0
    third.delivery.close(WAIT_S)


def test_the_end_waits_for_an_answer_that_is_on_its_way(house: House) -> None:
    house.delivery.send([house.command("1")])
    session = house.connect(holds_answers=True)
    _next(session)
    closer = threading.Thread(target=house.delivery.close, args=(WAIT_S,))
    closer.start()
    session.confirm()
    closer.join(WAIT_S)
    assert house.outcome() == ("1", None)


def test_a_failure_of_the_thread_is_told(house: House, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_command: Command, _rejected: Rejected | None) -> None:
        raise RuntimeError("a bug")

    house.delivery._on_settled = fail
    house.delivery.send([house.command()])
    house.connect()
    assert house.failed.wait(WAIT_S)
    assert "the delivery of commands failed" in caplog.text
