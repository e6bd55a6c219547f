"""Brokers that break connections off for what they do not take: one such message takes no other with it for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.act.link import Link, make_endpoint
from edged.act.messages import Report
from edged.act.outbox import UNCONFIRMED
from edged.config import MqttConfig
from edged.types import Command, Rejected
from tests.fault.proxy import PUBACK, PUBLISH, Proxy, Verdict
from tests.fault.test_broken_network import Sender
from tests.peer.broker import Mosquitto, watching

pytestmark = pytest.mark.peer


class Strict:
    """A broker that hangs up for commands to one lamp."""

    def __call__(self, packet_type: int, body: bytes) -> Verdict:
        return "cut before" if packet_type == PUBLISH and b"lamp/0" in body else "pass"


class Flood:
    """Counts what is with the broker at one time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._present = 0
        self.most = 0

    def __call__(self, packet_type: int, _body: bytes) -> Verdict:
        with self._lock:
            self._present += {PUBLISH: 1, PUBACK: -1}.get(packet_type, 0)
            self.most = max(self.most, self._present)
        return "pass"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that takes little at once."""
    broker = Mosquitto(tmp_path, "allow_anonymous true", "max_packet_size 400", "max_inflight_messages 3")
    broker.start()
    yield broker
    broker.stop()


def test_a_command_that_breaks_every_connection_is_given_up_and_the_others_arrive(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with Proxy(mosquitto.port, Strict()) as proxy:
        sender = Sender(proxy, tmp_path)
        sender.link.connect()
        sender.send(*range(0, 80, 2))  # to all five lamps, and no steps
        sender.finish()
        sender.link.close()
    reasons = {number: reason for number, reason in sender.fates.items() if reason is not None}
    assert reasons == {number: UNCONFIRMED for number in range(0, 80, 2) if number % 5 == 0}


def _command(number: int, length: int) -> Command:
    return Command(f"lamp/{number}", b"x" * length, 1, False, time.monotonic_ns() + 60 * 10**9, f"u{number}", True)


def test_what_is_longer_than_the_broker_takes_is_refused_and_breaks_nothing(small: Mosquitto) -> None:
    with Proxy(small.port, lambda _kind, _body: "pass") as proxy, watching(small, "#") as watcher:
        link = Link(make_endpoint(MqttConfig(port=proxy.port, protocol="5")), first_delay_s=0.01)
        link.connect()
        long, short = link.publish_all([_command(1, 500), _command(2, 5)])
        assert isinstance(long, Rejected)
        assert "longer than the 400 bytes" in long.reason
        assert short is None
        assert link.report(Report("edged/edged/catalog", b"x" * 500, retain=True))
        assert link.report(Report("edged/edged/outbox", b"said", retain=True))
        assert watcher.next("edged/edged/outbox").payload == b"said"
        assert link.connected
        link.close()


def test_no_more_is_with_the_broker_than_it_takes_at_once(small: Mosquitto) -> None:
    flood = Flood()
    with Proxy(small.port, flood) as proxy:
        link = Link(make_endpoint(MqttConfig(port=proxy.port, protocol="5")), first_delay_s=0.01)
        link.connect()
        assert set(link.publish_all([_command(number, 5) for number in range(60)])) == {None}
        link.close()
    assert 1 <= flood.most <= 3
