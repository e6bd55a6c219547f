"""The lasting link to the broker: opens a session and replaces it when it breaks. Commands go through the outbox."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias

from edged.act.broker import Version, VersionRefusedError, place_of
from edged.act.delivery import CONFIRM_TIMEOUT_S, Delivery, Fate, OnSettled, SendingSession
from edged.act.messages import Report
from edged.act.mqtt import Endpoint, Exchange, OnMessage, Requests, Session
from edged.act.outbox import Outbox
from edged.config import MqttConfig, read_password, read_username
from edged.errors import BrokerError, EdgedError
from edged.types import Command

logger = logging.getLogger(__name__)

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
TRIAL_TIMEOUT_S = 3.0
"""How long `auto` waits for an answer to MQTT 5 before it tries 3.1.1."""
MAX_MISSED = 100
"""Reports that wait for the broker; the oldest gives way."""


class SessionLike(SendingSession, Protocol):
    """What a link needs of a session."""

    def wait_lost(self, timeout_s: float) -> bool:
        """Waits for the loss of the connection."""

    def open(self, timeout_s: float) -> None:
        """Connects or raises BrokerError."""

    def post(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        exchange: Exchange | None = None,
        timeout_s: float = 0.0,
    ) -> bool:
        """Publishes; without a timeout it never waits."""

    @property
    def refused(self) -> frozenset[str]:
        """Topics that the broker refused later."""

    def change_topics(self, added: Collection[str], removed: Collection[str]) -> None:
        """Subscribes and unsubscribes without waiting."""

    def close(self, timeout_s: float) -> None:
        """Says offline and disconnects."""


SessionFactory: TypeAlias = Callable[[Endpoint, Version], SessionLike]


class Link:
    """Thread-safe. Between `connect` and `close` a thread of its own replaces a broken session, with growing delays."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        outbox: Outbox | None = None,
        on_settled: OnSettled = lambda _command, _rejected: None,
        make_session: SessionFactory = Session,
        first_delay_s: float = FIRST_DELAY_S,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """Keeps commands in memory alone where it is given no outbox.

        `on_settled` is told what becomes of each command that had to wait, on a thread of its own. `beat` is called
        every half second while the link's thread lives, or as late as a connection may take.
        """
        self._endpoint = endpoint
        self._make_session = make_session
        self._first_delay_s = first_delay_s
        self._beat = beat
        self._closing = threading.Event()
        self._session: SessionLike | None = None
        self._lock = threading.Lock()
        """Over `_endpoint`'s topics and the reports that are kept: a new session must miss no change of them."""
        self._outbox = outbox or Outbox()
        self._delivery = Delivery(self._outbox, on_settled=on_settled, on_failure=endpoint.on_failure)
        self._missed: deque[Report] = deque(maxlen=MAX_MISSED)
        self._retained: dict[str, Report] = {}
        self._unsent: set[str] = set()
        self._version: Version = "5"
        self._since_ns = 0
        self._keeper = threading.Thread(target=self._keep, name="mqtt", daemon=True)

    @property
    def connected(self) -> bool:
        """True while commands can be sent."""
        session = self._session
        return session is not None and session.alive

    @property
    def since_ns(self) -> int | None:
        """When the present connection began, by `time.monotonic_ns`; None where there is none."""
        return self._since_ns if self.connected else None

    def connect(self) -> None:
        """Opens the first connection and starts to keep it.

        Raises:
            BrokerError: the broker cannot be reached within `mqtt.connect_timeout_s`, or refuses.
            ConfigError: the password or a TLS file cannot be read.
        """
        self._session = self._open_session()
        self._delivery.start()
        self._delivery.use(self._session)
        self._keeper.start()

    def publish(self, command: Command) -> Fate:
        """As `publish_all`, for one command."""
        return self.publish_all((command,))[0]

    def publish_all(
        self, commands: Sequence[Command], *, instead_of: Callable[[], None] | None = None
    ) -> tuple[Fate, ...]:
        """Sends commands and waits until the broker has them, where there is one; not for use in `on_message`.

        `instead_of` is called in the transaction that writes them down, such as to remove the timer that they are of.

        Returns:
            For each: None when the broker has it, `Waiting` where it is not known yet, else why it is not sent. What
            waits is told to `on_settled` later: that the broker has it, or that it has expired.
        """
        return self._delivery.send(commands, instead_of=instead_of)

    def report(self, report: Report) -> bool:
        """Sends a report without waiting, from any thread; False where it was dropped.

        The last retained one of each topic is kept instead, and sent as soon as possible and after each reconnect.
        Those that may wait are kept too, the last MAX_MISSED of them.
        """
        if report.retain:
            with self._lock:
                self._retained[report.topic] = report
                self._unsent.add(report.topic)
            return self._send_retained()
        session = self._session
        sent = session is not None and session.alive and session.post(report.topic, report.payload)
        if not sent and report.may_wait:
            with self._lock:
                self._missed.append(report)
        elif not sent:
            logger.debug("a report on %s was dropped", report.topic)
        return sent

    def post(self, topic: str, payload: bytes, exchange: Exchange, *, timeout_s: float = 0.0) -> bool:
        """Sends a question or an answer; False where it cannot leave within the timeout. It is not kept."""
        session = self._session
        return (
            session is not None
            and session.alive
            and session.post(topic, payload, exchange=exchange, timeout_s=timeout_s)
        )

    def set_topics(self, topics: Iterable[str]) -> None:
        """Subscribes to these topics and no others, now and after each reconnect; never waits."""
        with self._lock:
            before = frozenset(self._endpoint.topics)
            self._endpoint = replace(self._endpoint, topics=tuple(topics))
            if self._session is not None:
                after = frozenset(self._endpoint.topics)
                self._session.change_topics(after - before, before - after)

    def close(self, timeout_s: float = CONFIRM_TIMEOUT_S) -> None:
        """Says `offline`, disconnects and ends the link's thread; harmless where nothing is open."""
        self._closing.set()
        self._delivery.close(timeout_s)
        session = self._session
        if session is not None:
            session.close(timeout_s)
        if self._keeper.is_alive():
            self._keeper.join(timeout_s)
        late, self._session = self._session, None
        if late is not None and late is not session:
            late.close(timeout_s)

    def _keep(self) -> None:
        """The outermost frame of the link's thread."""
        try:
            self._keep_connected()
        except Exception:
            logger.exception("the link to the broker failed")
            self._endpoint.on_failure()

    def _keep_connected(self) -> None:
        delay_s = self._first_delay_s
        while not self._closing.is_set():
            self._beat()
            session = self._session
            if session is not None and (not session.wait_lost(0.5) or self._closing.is_set()):
                delay_s = self._first_delay_s
                self._send_kept()
                continue
            self._drop_session()
            self._wait_before_retry(delay_s)
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)
            if not self._closing.is_set():
                self._reopen()

    def _drop_session(self) -> None:
        with self._lock:
            session, self._session = self._session, None
            self._unsent.update(self._retained)
            self._delivery.use(None)
            if session is not None and session.refused:
                topics = tuple(topic for topic in self._endpoint.topics if topic not in session.refused)
                self._endpoint = replace(self._endpoint, topics=topics)
        if session is not None:
            logger.warning("the connection to the broker at %s is lost", place_of(self._endpoint.config))
            session.close(0.0)

    def _wait_before_retry(self, delay_s: float) -> None:
        """Half to whole of the delay, so that a house full of nodes does not come back in one moment.

        No longer than the first delay while commands wait: most are valid for ten seconds.
        """
        share = random.uniform(0.5, 1)  # noqa: S311 -- no secret
        began_s = time.monotonic()
        while not self._closing.is_set():
            whole_s = min(delay_s, self._first_delay_s) if self._outbox.waiting else delay_s
            left_s = began_s + share * whole_s - time.monotonic()
            if left_s <= 0:
                return
            self._closing.wait(min(0.5, left_s))
            self._beat()

    def _send_retained(self) -> bool:
        """False where a retained report still has to wait."""
        with self._lock:
            session = self._session
            for topic in tuple(self._unsent):
                report = self._retained[topic]
                if session is None or not session.alive or not session.post(topic, report.payload, retain=True):
                    return False
                self._unsent.discard(topic)
            return True

    def _send_kept(self) -> None:
        """Retained reports and those that waited."""
        if not self._send_retained():
            return
        with self._lock:
            session = self._session
            while self._missed and session is not None and session.alive:
                if not session.post(self._missed[0].topic, self._missed[0].payload):
                    return
                self._missed.popleft()

    def _reopen(self) -> None:
        topics = frozenset(self._endpoint.topics)
        try:
            session = self._open_session()
        except EdgedError as error:
            logger.warning("%s", str(error).replace("\n", ";"))
            return
        if self._closing.is_set():
            session.close(CONFIRM_TIMEOUT_S)
            return
        with self._lock:
            self._session = session
            wanted = frozenset(self._endpoint.topics)
            if wanted != topics:
                session.change_topics(wanted - topics, topics - wanted)
        self._delivery.use(session)
        self._send_kept()
        logger.info("connected to the broker at %s again", place_of(self._endpoint.config))

    def _open_session(self) -> SessionLike:
        self._since_ns = time.monotonic_ns()
        session, self._version = open_session(self._endpoint, make_session=self._make_session, first=self._version)
        return session


def make_endpoint(
    config: MqttConfig,
    *,
    topics: tuple[str, ...] = (),
    on_message: OnMessage = lambda _topic, _payload, _retained: None,
    on_failure: Callable[[], None] = lambda: None,
    announce: bool = True,
    requests: Requests | None = None,
) -> Endpoint:
    """The broker that the configuration names, with the user name and the password.

    Raises:
        ConfigError: one of them cannot be read.
    """
    config = config.model_copy(update={"username": read_username(config)})
    return Endpoint(config, read_password(config), topics, on_message, on_failure, announce, requests)


def check_broker(config: MqttConfig) -> Version:
    """Connects once, unnoticed by everybody else, and gives back the version of MQTT that the broker takes.

    Raises:
        BrokerError: the broker cannot be reached, or refuses.
        ConfigError: the password or a TLS file cannot be read.
    """
    session, version = open_session(make_endpoint(config, announce=False))
    session.close(CONFIRM_TIMEOUT_S)
    return version


def require_version_5(config: MqttConfig) -> MqttConfig:
    """The configuration of a broker that speaks MQTT 5, which is all that is spoken with it then.

    Raises:
        BrokerError: the broker cannot be reached, refuses, or speaks MQTT 3.1.1 alone.
        ConfigError: the password or a TLS file cannot be read.
    """
    try:
        if config.protocol != "3.1.1" and check_broker(config) == "5":
            return config.model_copy(update={"protocol": "5"})
    except VersionRefusedError:
        pass
    raise BrokerError(
        "is spoken to in MQTT 3.1.1, and sharing work among workers needs MQTT 5",
        where=place_of(config),
        remedy='use a broker that speaks MQTT 5, with mqtt.protocol = "auto", or set understand.by to "self"',
    )


def open_session(
    endpoint: Endpoint, *, make_session: SessionFactory = Session, first: Version = "5"
) -> tuple[SessionLike, Version]:
    """Opens a session with the versions of MQTT that the configuration allows; `auto` tries `first` before the other.

    Raises:
        BrokerError: the broker cannot be reached, or refuses.
        ConfigError: a TLS file cannot be used.
    """
    config = endpoint.config
    if config.protocol != "auto":
        return _open_with(config.protocol, endpoint, make_session, config.connect_timeout_s)
    second: Version = "3.1.1" if first == "5" else "5"
    try:
        return _open_with(first, endpoint, make_session, min(TRIAL_TIMEOUT_S, config.connect_timeout_s))
    except VersionRefusedError:
        logger.info("the broker at %s takes no MQTT %s", place_of(config), first)
    return _open_with(second, endpoint, make_session, config.connect_timeout_s)


def _open_with(
    version: Version, endpoint: Endpoint, make_session: SessionFactory, timeout_s: float
) -> tuple[SessionLike, Version]:
    session = make_session(endpoint, version)
    session.open(timeout_s)
    return session, version
