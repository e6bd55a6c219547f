from __future__ import annotations

import socket
import ssl

import pytest

from edged.act.broker import (
    VersionRefusedError,
    describe_refusal,
    describe_refused_topics,
    describe_silence,
    describe_unreachable,
)
from edged.config import MqttConfig
from edged.errors import BrokerError

CONFIG = MqttConfig(host="broker.example", port=1884)
UNTRUSTED = ssl.SSLCertVerificationError()
UNTRUSTED.verify_message = "self-signed certificate"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the name broker.example cannot be resolved"),
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens there"),
        (TimeoutError("timed out"), "does not answer within 7 s"),
        (UNTRUSTED, "the broker's certificate is not trusted: self-signed certificate"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "TLS fails"),
        (OSError(113, "No route to host"), "cannot be reached: No route to host"),
        (ValueError("Invalid host."), "is no host name: Invalid host."),
    ],
)
def test_each_way_not_to_reach_the_broker_has_its_own_words(error: OSError | ValueError, words: str) -> None:
    described = describe_unreachable(error, CONFIG, 7)
    assert described.what.startswith(words)
    assert described.where == "broker.example:1884"
    assert described.remedy
    assert described.exit_code == 3


@pytest.mark.parametrize("code", [0x86, 0x87])
def test_refused_credentials_name_what_to_mend(code: int) -> None:
    described = describe_refusal(code, "Not authorized", CONFIG, "5")
    assert described.what == "refuses the user name or the password (not authorized)"
    assert "mqtt.password_file" in described.remedy


def test_a_refused_version_is_told_apart() -> None:
    assert isinstance(describe_refusal(0x84, "Unsupported protocol version", CONFIG, "5"), VersionRefusedError)
    assert isinstance(describe_silence(CONFIG, "5", 3), VersionRefusedError)


def test_any_other_refusal_gives_the_brokers_own_word() -> None:
    described = describe_refusal(0x89, "Server busy", CONFIG, "5")
    assert type(described) is BrokerError
    assert described.what == "refuses the connection: server busy"


def test_refused_topics_are_named_but_not_all() -> None:
    assert describe_refused_topics(["a", "b"], CONFIG).what == "refuses the subscription to a, b"
    assert describe_refused_topics(list("abcde"), CONFIG).what == "refuses the subscription to a, b, c and 2 more"
