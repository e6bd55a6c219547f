from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.act.broker import Version, VersionRefusedError
from edged.act.delivery import Waiting
from edged.act.link import Link, make_endpoint
from edged.act.messages import Report
from edged.act.mqtt import Endpoint
from edged.act.outbox import Outbox
from edged.config import MqttConfig
from edged.errors import BrokerError, ConfigError
from edged.types import Command, Rejected
from tests.unit.act.fakes import FakeBroker, FakeClock, FakeSession

NOW_NS = 1_000_000_000
WAIT_S = 10


def _command(expires_ns: int = NOW_NS + 2_000_000_001, *, is_repeatable: bool = True) -> Command:
    return Command("zigbee2mqtt/lamp/set", b"{}", 1, False, expires_ns, "u1", is_repeatable)


def _link(broker: FakeBroker, config: MqttConfig | None = None) -> Link:
    endpoint = make_endpoint(config or MqttConfig(protocol="5"))
    return Link(endpoint, outbox=Outbox(clock=FakeClock(NOW_NS).clock), make_session=broker, first_delay_s=0.001)


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def link(broker: FakeBroker) -> Iterator[Link]:
    link = _link(broker)
    link.connect()
    broker.opened.acquire()
    yield link
    link.close()


def test_a_command_is_sent_with_its_expiry_in_whole_seconds_rounded_up(link: Link, broker: FakeBroker) -> None:
    assert link.publish(_command()) is None
    assert broker.sessions[0].published == [("zigbee2mqtt/lamp/set", b"{}", 3)]


@pytest.mark.parametrize("expires_ns", [NOW_NS, NOW_NS - 1, 0])
def test_an_expired_command_is_not_sent(link: Link, broker: FakeBroker, expires_ns: int) -> None:
    assert link.publish(_command(expires_ns)) == Rejected("u1", "mqtt", "the command came too late")
    assert broker.sessions[0].published == []


def test_what_the_broker_does_not_confirm_is_rejected(link: Link, broker: FakeBroker) -> None:
    broker.sessions[0].answer = "no confirmation came"
    assert link.publish(_command()) == Rejected("u1", "mqtt", "no confirmation came")


def test_before_the_connection_nothing_is_sent() -> None:
    link = _link(FakeBroker())
    assert link.publish(_command()) == Waiting()
    assert not link.report(Report("t", b"x"))
    assert not link.connected


def test_a_command_without_a_connection_waits_for_the_next_one(link: Link, broker: FakeBroker) -> None:
    broker.sessions[0].break_off()
    assert link.publish(_command()) == Waiting()
    assert broker.opened.acquire(timeout=WAIT_S)
    assert broker.sessions[1].sent.get(timeout=WAIT_S).topic == "zigbee2mqtt/lamp/set"
    assert broker.sessions[0].published == []


def test_a_broken_session_is_closed_and_replaced(link: Link, broker: FakeBroker) -> None:
    broker.sessions[0].break_off()
    assert broker.opened.acquire(timeout=WAIT_S)
    assert broker.sessions[0].closed
    assert broker.sessions[1].alive
    assert link.report(Report("t", b"x"))
    assert broker.sessions[1].posted == [("t", b"x")]


def test_a_connection_is_known_by_when_it_began(link: Link, broker: FakeBroker) -> None:
    first_ns = link.since_ns
    assert first_ns is not None
    broker.sessions[0].break_off()
    assert link.since_ns is None
    link.publish(_command())
    assert broker.opened.acquire(timeout=WAIT_S)
    broker.sessions[1].sent.get(timeout=WAIT_S)
    assert link.since_ns is not None
    assert link.since_ns > first_ns
    link.close()
    assert link.since_ns is None


def test_a_broker_that_stays_away_is_tried_again() -> None:
    gone = BrokerError("nothing listens there")
    broker = FakeBroker(None, gone, gone, gone, None)
    link = _link(broker)
    link.connect()
    broker.opened.acquire()
    broker.sessions[0].break_off()
    assert broker.opened.acquire(timeout=WAIT_S)
    link.close()
    assert len(broker.attempts) == 5


def test_while_a_command_waits_the_delays_do_not_grow() -> None:
    broker = FakeBroker(None, *[BrokerError("nothing listens there")] * 16, None)
    link = _link(broker)  # its seventeenth delay would be a minute
    link.connect()
    broker.opened.acquire()
    broker.sessions[0].break_off()
    link.publish(_command())
    assert broker.opened.acquire(timeout=WAIT_S)
    link.close()


def test_the_first_connection_is_not_tried_again() -> None:
    broker = FakeBroker(BrokerError("nothing listens there"))
    with pytest.raises(BrokerError, match="nothing listens there"):
        _link(broker).connect()
    assert broker.attempts == ["5"]


def test_a_report_that_cannot_be_sent_is_dropped(link: Link, broker: FakeBroker) -> None:
    broker.sessions[0].takes_reports = False
    assert not link.report(Report("t", b"x"))


def test_a_report_that_may_wait_is_sent_after_the_reconnect(link: Link, broker: FakeBroker) -> None:
    broker.sessions[0].break_off()
    assert not link.report(Report("t", b"x", may_wait=True))
    assert broker.opened.acquire(timeout=WAIT_S)
    link.close()
    assert broker.sessions[1].posted == [("t", b"x")]


def test_close_closes_the_session_and_may_be_called_twice(link: Link, broker: FakeBroker) -> None:
    link.close()
    link.close()
    assert broker.sessions[0].closed
    assert not link.connected


def test_a_failure_of_the_links_thread_is_told(caplog: pytest.LogCaptureFixture) -> None:
    failed = threading.Event()
    broker = FakeBroker()

    def beat() -> None:
        raise RuntimeError("a bug")

    link = Link(make_endpoint(MqttConfig(protocol="5"), on_failure=failed.set), make_session=broker, beat=beat)
    link.connect()
    assert failed.wait(WAIT_S)
    link.close()
    assert "the link to the broker failed" in caplog.text


@pytest.mark.parametrize(
    ("refusals", "attempts"),
    [((None,), ["5"]), ((VersionRefusedError("no 5"), None), ["5", "3.1.1"])],
)
def test_auto_falls_back_where_the_version_is_refused(
    refusals: tuple[BrokerError | None, ...], attempts: list[Version]
) -> None:
    broker = FakeBroker(*refusals)
    link = _link(broker, MqttConfig(protocol="auto"))
    link.connect()
    link.close()
    assert broker.attempts == attempts


def test_auto_tries_first_what_worked_last() -> None:
    broker = FakeBroker(VersionRefusedError("no 5"), None, None)
    link = _link(broker, MqttConfig(protocol="auto"))
    link.connect()
    broker.opened.acquire()
    broker.sessions[0].break_off()
    assert broker.opened.acquire(timeout=WAIT_S)
    link.close()
    assert broker.attempts == ["5", "3.1.1", "3.1.1"]


def test_auto_does_not_fall_back_for_another_reason() -> None:
    broker = FakeBroker(BrokerError("refuses the user name or the password"))
    with pytest.raises(BrokerError, match="user name"):
        _link(broker, MqttConfig(protocol="auto")).connect()
    assert broker.attempts == ["5"]


def test_a_fixed_version_is_not_replaced() -> None:
    broker = FakeBroker(VersionRefusedError("no 5"))
    with pytest.raises(VersionRefusedError):
        _link(broker).connect()
    assert broker.attempts == ["5"]


def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("hush\n")
    path.chmod(0o600)
    assert make_endpoint(MqttConfig(username="edged", password_file=path)).password == "hush"  # noqa: S105
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="read by everybody"):
        make_endpoint(MqttConfig(username="edged", password_file=path))


# What is retained


def _retained(broker: FakeBroker, number: int) -> list[tuple[str, bytes]]:
    queue = broker.sessions[number].retained
    return [queue.get(timeout=WAIT_S) for _ in range(max(1, queue.qsize()))]


def test_a_retained_report_is_sent_and_sent_again_after_a_reconnect(link: Link, broker: FakeBroker) -> None:
    assert link.report(Report("t", b"old", retain=True))
    assert link.report(Report("t", b"new", retain=True))
    assert _retained(broker, 0) == [("t", b"old"), ("t", b"new")]
    broker.sessions[0].break_off()
    assert broker.opened.acquire(timeout=WAIT_S)
    assert _retained(broker, 1) == [("t", b"new")]


def test_a_retained_report_from_before_the_connection_is_sent_with_it(broker: FakeBroker) -> None:
    link = _link(broker)
    assert not link.report(Report("t", b"x", retain=True))
    link.connect()
    assert _retained(broker, 0) == [("t", b"x")]
    link.close()


def test_a_retained_report_that_could_not_be_sent_is_tried_again(link: Link, broker: FakeBroker) -> None:
    broker.sessions[0].takes_reports = False
    assert not link.report(Report("t", b"x", retain=True))
    broker.sessions[0].takes_reports = True
    assert _retained(broker, 0) == [("t", b"x")]


# Topics that change


def test_changed_topics_are_subscribed_now_and_after_a_reconnect(link: Link, broker: FakeBroker) -> None:
    link.set_topics(("a", "b"))
    link.set_topics(("b", "c"))
    assert broker.sessions[0].topics == ["b", "c"]
    broker.sessions[0].break_off()
    assert broker.opened.acquire(timeout=WAIT_S)
    assert broker.sessions[1].endpoint.topics == ("b", "c")


def test_a_topic_that_the_broker_refused_later_does_not_bar_the_reconnect(link: Link, broker: FakeBroker) -> None:
    link.set_topics(("a", "secret"))
    broker.sessions[0].refused = frozenset({"secret"})
    broker.sessions[0].break_off()
    assert broker.opened.acquire(timeout=WAIT_S)
    assert broker.sessions[1].endpoint.topics == ("a",)


def test_topics_that_change_while_a_session_is_opened_are_not_missed() -> None:
    broker = FakeBroker()
    link = _link(broker)
    link.set_topics(("a",))
    link.connect()
    broker.opened.acquire()
    opening = threading.Event()

    def make(endpoint: Endpoint, version: Version) -> FakeSession:
        session = broker(endpoint, version)
        link.set_topics(("b",))
        opening.set()
        return session

    link._make_session = make
    broker.sessions[0].break_off()
    assert opening.wait(WAIT_S)
    assert broker.opened.acquire(timeout=WAIT_S)
    link.report(Report("t", b"x", retain=True))
    assert _retained(broker, 1) == [("t", b"x")]
    assert broker.sessions[1].topics == ["b"]
    link.close()
