"""One connection to the broker, from CONNECT to its loss. The only module that knows paho.

paho keeps what the broker has not confirmed and sends it again after a reconnect, and it takes new messages while it is
not connected. A late command is worse than a lost one, so a `Session` never reconnects: `link.py` opens a new one, and
`delivery.py` knows what to send again. The broker is asked to forget a session with its connection (clean start, no
session expiry): what it kept for us, text to be parsed among it, would come in late.

paho's callbacks run on its own thread. They only set state and call `on_message`, which must not wait either:
waiting for a publication inside a callback hangs (paho.mqtt.python issues 527 and 875).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import threading
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal, TypeAlias

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edged.act.broker import (
    Version,
    describe_refusal,
    describe_refused_topics,
    describe_silence,
    describe_unreachable,
    place_of,
)
from edged.act.messages import OFFLINE, ONLINE, availability_topic
from edged.config import MqttConfig, read_key_password
from edged.errors import BrokerError, ConfigError
from edged.types import Command

logger = logging.getLogger(__name__)

OnMessage: TypeAlias = Callable[[str, bytes, bool], None]
"""Topic, payload, and whether it was retained."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message that was sent."""

    kind: Literal["confirmed", "refused", "lost"]
    """By the broker; lost: the connection broke, and nobody knows whether the message arrived."""
    reason: str = ""
    """Why it was refused."""


CONFIRMED: Final = Answer("confirmed")
LOST: Final = Answer("lost")
OnAnswer: TypeAlias = Callable[[Answer], None]
"""Called once, on any thread; must not wait."""

MAX_IN_FLIGHT = 16
"""Messages that wait for the broker at one time. Fewer than paho's own 20, beyond which it would queue them."""

OVERHEAD_BYTES = 40
"""Of a message beside topic, payload and id: headers, lengths and properties, generously."""

ID_PROPERTY: Final = "id"
"""The user property of MQTT 5 that carries a command's id: the same on all copies, so that a receiver may drop one."""

_PAHO_VERSIONS: Final = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}


@dataclass(frozen=True, slots=True)
class Exchange:
    """What MQTT 5 says of a question or its answer beside the payload."""

    expiry_s: int
    """After this time the broker drops it."""
    response_topic: str = ""
    """Where the answer is expected."""
    correlation: bytes = b""
    """The answer carries the same."""


@dataclass(frozen=True, slots=True)
class Request:
    """A message that somebody wants an answer to; the broker keeps its place among `most` until `acknowledge`."""

    topic: str
    payload: bytes
    retained: bool
    response_topic: str
    correlation: bytes
    expiry_s: int | None
    """How long it is worth an answer from now on; None where it does not say."""
    acknowledge: Callable[[], object]
    """For any thread; harmless where the connection is lost."""


@dataclass(frozen=True, slots=True)
class Requests:
    """How an endpoint takes requests."""

    take: Callable[[Request], None]
    """Called on paho's thread in place of `on_message`; must not wait."""
    most: int
    """So many may be unacknowledged: the broker sends no more (MQTT 5's receive maximum)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Everything that a session needs to know."""

    config: MqttConfig
    password: str | None = field(repr=False)
    topics: tuple[str, ...]
    """What to subscribe to."""
    on_message: OnMessage
    """Called on paho's thread; must not wait."""
    on_failure: Callable[[], None]
    """Called on paho's thread after `on_message` has raised, which nothing can go on after."""
    announce: bool = True
    """Be the node: carry its client id and keep its availability. Otherwise nobody learns of the connection."""
    requests: Requests | None = None
    """Every message is a request; for MQTT 5 alone."""


class Session:
    """One MQTT connection; any thread may publish."""

    def __init__(self, endpoint: Endpoint, version: Version) -> None:
        """Prepares the connection; raises ConfigError where a TLS file cannot be used."""
        self._endpoint = endpoint
        self._version = version
        self._settled = threading.Event()
        self._lost = threading.Event()
        self._refusal: BrokerError | None = None
        self._slots = threading.BoundedSemaphore(MAX_IN_FLIGHT)
        self._answered = threading.Lock()
        """Over `_awaited`, `_early` and `_refused`."""
        self._awaited: dict[int, OnAnswer] = {}
        """By message id: who waits for the broker's answer."""
        self._early: dict[int, Answer] = {}
        """Answers that came before somebody could wait for them."""
        self._most_bytes: int | None = None
        """Of a message, where the broker says so: it would break off the connection for a longer one."""
        self._online: int | None = None
        self._asked: deque[tuple[str, ...]] = deque()
        self._refused: set[str] = set()
        self._client = self._make_client()

    @property
    def alive(self) -> bool:
        """True from the confirmed subscription to the loss of the connection."""
        return self._settled.is_set() and not self._lost.is_set() and self._client.is_connected()

    def wait_lost(self, timeout_s: float) -> bool:
        """Waits for the loss of the connection; True where it is lost."""
        return self._lost.wait(timeout_s) or not self.alive

    def open(self, timeout_s: float) -> None:
        """Connects, subscribes and says `online`; leaves nothing behind where it raises.

        Raises:
            VersionRefusedError: the broker does not take this version of MQTT.
            BrokerError: it cannot be reached, or refuses for another reason.
        """
        deadline = time.monotonic() + timeout_s
        self._client.connect_timeout = timeout_s
        config = self._endpoint.config
        try:
            self._client.connect(
                config.host, config.port, keepalive=config.keepalive_s, properties=self._connect_properties()
            )
        except (OSError, ValueError) as error:
            traceback.clear_frames(
                error.__traceback__
            )  # they hold the socket of a failed handshake, which paho forgets
            raise describe_unreachable(error, config, timeout_s) from error
        self._send_at_once()
        self._client.loop_start()
        settled = self._settled.wait(max(0.0, deadline - time.monotonic()))
        if settled and self._refusal is None and not self._lost.is_set():
            return
        self._hang_up()
        raise self._refusal or describe_silence(self._endpoint.config, self._version, timeout_s)

    def send(self, command: Command, *, expiry_s: int, on_answer: OnAnswer, timeout_s: float) -> bool:
        """Sends a command, not retained, and has `on_answer` told what becomes of it; not for use in a callback.

        Returns:
            False where it did not leave: the connection is broken, or `timeout_s` passed while others waited for the
            broker. Nothing is told then.
        """
        if not self._slots.acquire(timeout=timeout_s):
            return False
        if not self.alive:
            self._slots.release()
            return False
        if self._is_too_long(command.topic, command.payload, command.id):
            self._slots.release()
            on_answer(Answer("refused", f"it is longer than the {self._most_bytes} bytes that the broker takes"))
            return True
        properties = _command_properties(expiry_s, command.id) if self._version == "5" else None
        mid = self._send(command.topic, command.payload, qos=command.qos, properties=properties)
        if mid is None:  # paho says so too where its thread wrote the packet before the connection broke
            on_answer(LOST)
        else:
            self._await(mid, on_answer)
        return True

    @property
    def refused(self) -> frozenset[str]:
        """The topics that the broker did not let us have when they were asked for later."""
        with self._answered:
            return frozenset(self._refused)

    def change_topics(self, added: Collection[str], removed: Collection[str]) -> None:
        """Subscribes and unsubscribes without waiting; a topic that the broker refuses is told and done without."""
        if removed:
            self._client.unsubscribe(sorted(removed))
        if added:
            asked = tuple(sorted(added))
            self._asked.append(asked)
            self._client.subscribe([(topic, 1) for topic in asked])

    def post(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        exchange: Exchange | None = None,
        timeout_s: float = 0.0,
    ) -> bool:
        """Publishes; False where it could not be sent. Without a timeout it never waits, and callbacks may use it.

        What is longer than the broker takes is done without, now and later.
        """
        if self._is_too_long(topic, payload, exchange.response_topic if exchange else ""):
            logger.warning(
                "the message on %s is longer than the %s bytes that the broker takes", topic, self._most_bytes
            )
            return True
        if not self._slots.acquire(timeout=timeout_s):
            return False
        properties = None if exchange is None else _exchange_properties(exchange)
        mid = self._send(topic, payload, qos=1, retain=retain, properties=properties)
        if mid is None:
            return False
        self._await(mid, lambda _answer: None)
        return True

    def close(self, timeout_s: float) -> None:
        """Says `offline`, waits for the confirmation and disconnects."""
        if self._endpoint.announce and self.alive and self._slots.acquire(timeout=timeout_s):
            topic = availability_topic(self._endpoint.config.node)
            mid = self._send(topic, OFFLINE, qos=1, retain=True)
            answered = threading.Event()
            if mid is not None:
                self._await(mid, lambda _answer: answered.set())
            if not answered.wait(timeout_s if mid is not None else 0):
                logger.warning("could not say offline")
                self.abandon()
        self._hang_up()

    def _make_client(self) -> Client:
        config = self._endpoint.config
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"edged-{config.node}" if self._endpoint.announce else f"edged-{uuid.uuid4().hex}",
            protocol=_PAHO_VERSIONS[self._version],
            reconnect_on_failure=False,
            transport="tcp" if config.websocket_path is None else "websockets",
        )
        if config.websocket_path is not None:
            client.ws_set_options(path=config.websocket_path)
        if config.username is not None:
            client.username_pw_set(config.username, self._endpoint.password)
        if config.tls:
            _set_tls(client, config)
        if self._endpoint.announce:
            client.will_set(availability_topic(config.node), OFFLINE, qos=1, retain=True)
        client.manual_ack_set(self._endpoint.requests is not None)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _connect_properties(self) -> Properties | None:
        if self._endpoint.requests is None or self._version != "5":
            return None
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = self._endpoint.requests.most
        return properties

    def _send(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool = False,
        properties: Properties | None = None,
    ) -> int | None:
        """Hands a message to paho; the caller holds a slot, which is given back where it fails. None where it fails."""
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._slots.release()
            return None
        return info.mid

    def _is_too_long(self, topic: str, payload: bytes, name: str = "") -> bool:
        size = len(topic.encode()) + len(payload) + len(name) + OVERHEAD_BYTES
        return self._most_bytes is not None and size > self._most_bytes

    def _await(self, mid: int, on_answer: OnAnswer) -> None:
        """Has the answer told, which may have come already."""
        with self._answered:
            answer = self._early.pop(mid, None)
            if answer is None and self._lost.is_set():
                answer = LOST
            if answer is None:
                self._awaited[mid] = on_answer
        if answer is not None:
            on_answer(answer)

    def abandon(self) -> None:
        """Breaks the connection off at once, so that TCP does not deliver late what it could not deliver so far.

        Without lingering, closing throws away what is unsent; the end of reading makes paho close. It is done to the
        plain socket below TLS and WebSockets, which would go on talking. What the broker's own machine has taken in
        already, a broker that hangs still reads when it goes on.
        """
        with contextlib.suppress(OSError), self._plain_socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            plain.shutdown(socket.SHUT_RD)

    def _send_at_once(self) -> None:
        """Small packets do not wait for those before them to be acknowledged, which takes TCP 40 ms."""
        with contextlib.suppress(OSError), self._plain_socket() as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _plain_socket(self) -> socket.socket:
        """The connection's, below TLS and WebSockets; to be closed. Raises OSError where there is none any more."""
        connection = self._client.socket()
        if connection is None:
            raise OSError("not connected")
        return socket.socket(fileno=os.dup(connection.fileno()))

    def _hang_up(self) -> None:
        self._client.disconnect()
        if self._lost.wait(1.0):
            self._client.loop_stop()

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._most_bytes = getattr(properties, "MaximumPacketSize", None)
        at_once = getattr(properties, "ReceiveMaximum", MAX_IN_FLIGHT)  # beyond it the broker breaks the connection off
        self._slots = threading.BoundedSemaphore(min(at_once, MAX_IN_FLIGHT))
        if reason.is_failure:
            self._refusal = describe_refusal(reason.value, str(reason), self._endpoint.config, self._version)
            self._settled.set()
        elif self._endpoint.topics:
            client.subscribe([(topic, 1) for topic in self._endpoint.topics])
        else:
            self._go_online()

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        later = self._settled.is_set()
        topics = self._asked.popleft() if later and self._asked else self._endpoint.topics
        refused = [topic for topic, reason in zip(topics, reasons, strict=False) if reason.is_failure]
        if later:
            with self._answered:
                self._refused.update(refused)
            for topic in refused:
                logger.warning("the broker refuses the state topic %r: that device's state is unknown", topic)
        elif refused:
            self._refusal = describe_refused_topics(refused, self._endpoint.config)
            self._settled.set()
        else:
            self._go_online()

    def _go_online(self) -> None:
        """Settled once `online` is confirmed; a refused one is no reason to do without the broker."""
        if self._endpoint.announce and self._slots.acquire(blocking=False):
            topic = availability_topic(self._endpoint.config.node)
            self._online = self._send(topic, ONLINE, qos=1, retain=True)
        else:
            self._settled.set()

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._slots.release()
        if mid == self._online:
            self._online = None
            self._settled.set()
            return
        answer = Answer("refused", f"the broker refuses it: {reason}") if reason.is_failure else CONFIRMED
        with self._answered:
            on_answer = self._awaited.pop(mid, None)
            if on_answer is None:
                self._early[mid] = answer
        if on_answer is not None:
            on_answer(answer)

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        logger.debug("connection to %s ended: %s", place_of(self._endpoint.config), reason)
        with self._answered:
            self._lost.set()
            awaited, self._awaited = self._awaited, {}
        self._settled.set()
        for on_answer in awaited.values():
            on_answer(LOST)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        requests = self._endpoint.requests
        try:
            if requests is not None:
                requests.take(_read_request(self._client, message))
            else:
                self._endpoint.on_message(message.topic, bytes(message.payload), message.retain)
        except Exception:
            logger.exception("a message on %r could not be handled", message.topic)
            self._endpoint.on_failure()


def _command_properties(expiry_s: int, command_id: str) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = expiry_s
    properties.UserProperty = (ID_PROPERTY, command_id)
    return properties


def _exchange_properties(exchange: Exchange) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = exchange.expiry_s
    if exchange.response_topic:
        properties.ResponseTopic = exchange.response_topic
    if exchange.correlation:
        properties.CorrelationData = exchange.correlation
    return properties


def _read_request(client: Client, message: MQTTMessage) -> Request:
    """Properties that are missing are empty."""
    properties = message.properties
    return Request(
        message.topic,
        bytes(message.payload),
        message.retain,
        getattr(properties, "ResponseTopic", ""),
        getattr(properties, "CorrelationData", b""),
        getattr(properties, "MessageExpiryInterval", None),
        partial(client.ack, message.mid, message.qos),
    )


def _set_tls(client: Client, config: MqttConfig) -> None:
    paths = (config.ca_file, config.cert_file, config.key_file)
    ca_file, cert_file, key_file = (None if path is None else str(path) for path in paths)
    try:
        client.tls_set(
            ca_certs=ca_file,
            certfile=cert_file,
            keyfile=key_file,
            keyfile_password=read_key_password(config),  # without one, OpenSSL would ask on the terminal
            alpn_protocols=None if config.alpn is None else [config.alpn],
        )
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the TLS files cannot be used: {error}",
            where=", ".join(str(path) for path in paths if path is not None),
            remedy="mend mqtt.ca_file, mqtt.cert_file and mqtt.key_file",
        ) from error
