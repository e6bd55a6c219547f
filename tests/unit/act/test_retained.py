from __future__ import annotations

import pytest

from edged.act.broker import Version
from edged.act.mqtt import Endpoint
from edged.act.retained import fetch_retained
from edged.config import MqttConfig
from edged.errors import BrokerError
from tests.unit.act.fakes import FakeBroker, FakeSession


class Keeper:
    """A broker that gives its retained messages as soon as it is connected to."""

    def __init__(self, **messages: bytes) -> None:
        self.messages = messages
        self.broker = FakeBroker()

    def __call__(self, endpoint: Endpoint, version: Version) -> FakeSession:
        session = self.broker(endpoint, version)
        for topic, payload in self.messages.items():
            endpoint.on_message(topic, payload, True)
        return session


def test_what_is_retained_is_fetched_without_being_noticed() -> None:
    keeper = Keeper(a=b"1", b=b"2", c=b"3")
    assert fetch_retained(MqttConfig(), ("a", "b"), timeout_s=60, make_session=keeper) == {"a": b"1", "b": b"2"}
    (session,) = keeper.broker.sessions
    assert session.closed
    assert not session.endpoint.announce
    assert session.endpoint.topics == ("a", "b")


def test_what_is_not_retained_is_left_out() -> None:
    keeper = Keeper(a=b"1")
    assert fetch_retained(MqttConfig(), ("a", "b"), timeout_s=0.01, make_session=keeper) == {"a": b"1"}


def test_a_broker_that_refuses_is_told() -> None:
    broker = FakeBroker(BrokerError("no"))
    with pytest.raises(BrokerError, match="no"):
        fetch_retained(MqttConfig(protocol="5"), ("a",), timeout_s=60, make_session=broker)
