"""One connection to the broker, from CONNECT to its loss. The only module that knows paho.

paho keeps what the broker has not confirmed and sends it again after a reconnect, and it takes new messages while it is
not connected. A late command is worse than a lost one, so a `Session` never reconnects: `link.py` opens a new one.

paho's callbacks run on its own thread. They only set state and call `on_message`, which must not wait either:
waiting for a publication inside a callback hangs (paho.mqtt.python issues 527 and 875).
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

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
from edged.config import MqttConfig
from edged.errors import BrokerError, ConfigError

logger = logging.getLogger(__name__)

OnMessage: TypeAlias = Callable[[str, bytes, bool], None]
"""Topic, payload, and whether it was retained."""

MAX_IN_FLIGHT = 16
"""Messages that wait for the broker at one time. Fewer than paho's own 20, beyond which it would queue them."""

_PAHO_VERSIONS: Final = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Everything that a session needs to know."""

    config: MqttConfig
    password: str | None
    topics: tuple[str, ...]
    """What to subscribe to."""
    on_message: OnMessage
    """Called on paho's thread; must not wait."""
    on_failure: Callable[[], None]
    """Called on paho's thread after `on_message` has raised, which nothing can go on after."""
    announce: bool = True
    """Be the node: carry its client id and keep its availability. Otherwise nobody learns of the connection."""


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
        self._confirmed = threading.Condition()
        self._answers: dict[int, str | None] = {}
        self._unwaited: set[int] = set()
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
            self._client.connect(config.host, config.port, keepalive=config.keepalive_s)
        except (OSError, ValueError) as error:
            traceback.clear_frames(
                error.__traceback__
            )  # they hold the socket of a failed handshake, which paho forgets
            raise describe_unreachable(error, config, timeout_s) from error
        self._client.loop_start()
        settled = self._settled.wait(max(0.0, deadline - time.monotonic()))
        if settled and self._refusal is None and not self._lost.is_set():
            return
        self._hang_up()
        raise self._refusal or describe_silence(self._endpoint.config, self._version, timeout_s)

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, expiry_s: int | None = None, timeout_s: float
    ) -> str | None:
        """Publishes, not retained, and waits for the broker's confirmation; not for use in a callback.

        Returns:
            None when the broker has confirmed it, else why it has not.
        """
        deadline = time.monotonic() + timeout_s
        if not self._slots.acquire(timeout=timeout_s):
            return "the broker confirms nothing"
        mid = self._send(topic, payload, qos=qos, expiry_s=expiry_s)
        if mid is None:
            return "the connection to the broker is broken"
        return self._await_answer(mid, deadline - time.monotonic())

    @property
    def refused(self) -> frozenset[str]:
        """The topics that the broker did not let us have when they were asked for later."""
        with self._confirmed:
            return frozenset(self._refused)

    def change_topics(self, added: Collection[str], removed: Collection[str]) -> None:
        """Subscribes and unsubscribes without waiting; a topic that the broker refuses is told and done without."""
        if removed:
            self._client.unsubscribe(sorted(removed))
        if added:
            asked = tuple(sorted(added))
            self._asked.append(asked)
            self._client.subscribe([(topic, 1) for topic in asked])

    def post(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publishes without waiting, so that callbacks may use it; False where it could not be sent."""
        if not self._slots.acquire(blocking=False):
            return False
        mid = self._send(topic, payload, qos=1, retain=retain)
        if mid is None:
            return False
        with self._confirmed:
            if mid in self._answers:
                del self._answers[mid]
            else:
                self._unwaited.add(mid)
        return True

    def close(self, timeout_s: float) -> None:
        """Says `offline`, waits for the confirmation and disconnects."""
        if self._endpoint.announce and self.alive and self._slots.acquire(timeout=timeout_s):
            topic = availability_topic(self._endpoint.config.node)
            mid = self._send(topic, OFFLINE, qos=1, retain=True)
            reason = "it was not sent" if mid is None else self._await_answer(mid, timeout_s)
            if reason is not None:
                logger.warning("could not say offline: %s", reason)
        self._hang_up()

    def _make_client(self) -> Client:
        config = self._endpoint.config
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"edged-{config.node}" if self._endpoint.announce else f"edged-{uuid.uuid4().hex}",
            protocol=_PAHO_VERSIONS[self._version],
            reconnect_on_failure=False,
        )
        if config.username is not None:
            client.username_pw_set(config.username, self._endpoint.password)
        if config.tls:
            _set_tls(client, config)
        if self._endpoint.announce:
            client.will_set(availability_topic(config.node), OFFLINE, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _send(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> int | None:
        """Hands a message to paho; the caller holds a slot, which is given back where it fails. None where it fails."""
        properties = None
        if expiry_s is not None and self._version == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._slots.release()
            return None
        return info.mid

    def _await_answer(self, mid: int, timeout_s: float) -> str | None:
        with self._confirmed:
            self._confirmed.wait_for(lambda: mid in self._answers or self._lost.is_set(), max(0.0, timeout_s))
            if mid in self._answers:
                return self._answers.pop(mid)
            self._unwaited.add(mid)
        if self._lost.is_set():
            return "the connection broke before the broker confirmed it"
        self._abandon()
        return "the broker did not confirm it in time"

    def _abandon(self) -> None:
        """Breaks the connection off at once, so that TCP does not deliver late what it could not deliver so far.

        Without lingering, closing throws away what is unsent; the end of reading makes paho close. The plain socket is
        shut down: TLS's own method would go on in clear text.
        """
        connection = self._client.socket()
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # it has gone by itself
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                socket.socket.shutdown(connection, socket.SHUT_RD)

    def _hang_up(self) -> None:
        self._client.disconnect()
        if self._lost.wait(1.0):
            self._client.loop_stop()

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
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
            with self._confirmed:
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
        with self._confirmed:
            if mid in self._unwaited:
                self._unwaited.discard(mid)
            else:
                self._answers[mid] = f"the broker refuses it: {reason}" if reason.is_failure else None
                self._confirmed.notify_all()

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        logger.debug("connection to %s ended: %s", place_of(self._endpoint.config), reason)
        self._lost.set()
        self._settled.set()
        with self._confirmed:
            self._confirmed.notify_all()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            self._endpoint.on_message(message.topic, bytes(message.payload), message.retain)
        except Exception:
            logger.exception("a message on %r could not be handled", message.topic)
            self._endpoint.on_failure()


def _set_tls(client: Client, config: MqttConfig) -> None:
    paths = (config.ca_file, config.cert_file, config.key_file)
    ca_file, cert_file, key_file = (None if path is None else str(path) for path in paths)
    try:
        client.tls_set(ca_certs=ca_file, certfile=cert_file, keyfile=key_file)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the TLS files cannot be used: {error}",
            where=", ".join(str(path) for path in paths if path is not None),
            remedy="mend mqtt.ca_file, mqtt.cert_file and mqtt.key_file",
        ) from error
