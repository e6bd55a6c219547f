"""Retained messages, fetched once by a client that nobody else notices."""

from __future__ import annotations

import threading

from edged.act.delivery import CONFIRM_TIMEOUT_S
from edged.act.link import SessionFactory, make_endpoint, open_session
from edged.act.mqtt import Session
from edged.config import MqttConfig


def fetch_retained(
    config: MqttConfig, topics: tuple[str, ...], *, timeout_s: float, make_session: SessionFactory = Session
) -> dict[str, bytes]:
    """The payloads that the broker keeps for these topics; without those that have not come within the time.

    Raises:
        BrokerError: the broker cannot be reached, or refuses.
        ConfigError: the password or a TLS file cannot be read.
    """
    payloads: dict[str, bytes] = {}
    complete = threading.Event()

    def take(topic: str, payload: bytes, retained: bool) -> None:  # noqa: ARG001 -- a callback's signature
        if topic in topics:
            payloads[topic] = payload
        if len(payloads) == len(topics):
            complete.set()

    endpoint = make_endpoint(config, topics=topics, on_message=take, on_failure=complete.set, announce=False)
    session, _ = open_session(endpoint, make_session=make_session)
    try:
        complete.wait(timeout_s)
    finally:
        session.close(CONFIRM_TIMEOUT_S)
    return dict(payloads)
