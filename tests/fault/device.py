"""A device that counts what reaches it, and what must hold of every command after any fault."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from edged.act.mqtt import ID_PROPERTY
from edged.act.outbox import NOT_REACHED, TOO_LATE, UNCONFIRMED, UNKNOWN_TIME
from tests.fault.proxy import PUBLISH, Judge, Verdict, read_publish
from tests.peer.broker import WAIT_S, Mosquitto

LATE_S = 1.5
"""MQTT counts the time that a message is valid in whole seconds."""


def is_step(number: int) -> bool:
    """Odd numbers must not arrive twice."""
    return number % 2 == 1


@dataclass(frozen=True)
class Arrival:
    topic: str
    number: int
    command_id: str
    at_ns: int


class Device:
    """Subscribes to lamp/#; it stays connected, or comes back when it is told that the broker is there again."""

    def __init__(self, broker: Mosquitto) -> None:
        self._broker = broker
        self.arrivals: list[Arrival] = []
        self._subscribed = threading.Event()
        self._ended = threading.Event()
        self._client = self._connect()

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def come_back(self) -> None:
        """Connects to a broker that was started anew."""
        self._hang_up()
        self._client = self._connect()

    def wait_for_all(self) -> None:
        """Until everything that the broker had taken before is here."""
        self._client.publish("lamp/end", b"", qos=1)
        assert self._ended.wait(WAIT_S)

    def _connect(self) -> Client:
        self._subscribed.clear()
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
        client.on_connect = lambda client, *_: client.subscribe("lamp/#", qos=1)
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_message = lambda _client, _data, message: self._take(message)
        client.connect(self._broker.host, self._broker.port)
        client.loop_start()
        assert self._subscribed.wait(WAIT_S)
        return client

    def _hang_up(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, message: MQTTMessage) -> None:
        if message.topic == "lamp/end":
            self._ended.set()
            return
        names = dict(getattr(message.properties, "UserProperty", []))
        arrival = Arrival(message.topic, int(message.payload), names[ID_PROPERTY], time.monotonic_ns())
        self.arrivals.append(arrival)


class Wire:
    """Notes what goes to the broker, and lets another judge cut."""

    def __init__(self, judge: Judge = lambda _kind, _body: "pass") -> None:
        self._judge = judge
        self._change = threading.Condition()
        self.passed: Counter[int] = Counter()
        """How often each command went out whole."""

    def __call__(self, packet_type: int, body: bytes) -> Verdict:
        verdict = self._judge(packet_type, body)
        if packet_type == PUBLISH and verdict in ("pass", "cut after"):
            topic, payload = read_publish(body)
            if topic.startswith("lamp/"):
                with self._change:
                    self.passed[int(payload)] += 1
                    self._change.notify_all()
        return verdict

    def wait_for(self, more: int) -> None:
        """Until so many more have gone out."""
        with self._change:
            wanted = self.passed.total() + more
            assert self._change.wait_for(lambda: self.passed.total() >= wanted, WAIT_S)


@dataclass
class Count:
    """What became of the commands of one test."""

    confirmed: int = 0
    unconfirmed: int = 0
    expired: int = 0
    lost_by_broker: int = 0
    """Confirmed by a broker that was killed before it passed them on."""
    twice: int = 0
    """Repeatable ones that arrived more than once."""
    of: Counter[str] = field(default_factory=Counter)
    """Reasons."""

    def __str__(self) -> str:
        return (
            f"{self.confirmed} confirmed, {self.unconfirmed} unconfirmed, {self.expired} expired; "
            f"{self.lost_by_broker} confirmed ones lost by the broker; "
            f"{self.twice} repeatable ones and 0 steps arrived twice"
        )


EXPIRED = (NOT_REACHED, TOO_LATE, UNKNOWN_TIME)


def check_fates(
    fates: dict[int, str | None],
    arrivals: Iterable[Arrival],
    passed: Counter[int] | None = None,
    *,
    broker_dies: bool = False,
    ends_ns: dict[int, int] | None = None,
) -> Count:
    """Counts, and fails where a command was lost in silence, came twice with an effect, late, or out of its turn.

    Args:
        fates: number -> why it was not done, None where it was confirmed.
        arrivals: at the device, in their order.
        passed: how often each went out whole, where that was seen.
        broker_dies: a broker that is killed loses what it has confirmed and not passed on yet.
        ends_ns: number -> until when it was valid.
    """
    arrivals = list(arrivals)
    times, count = Counter(arrival.number for arrival in arrivals), Count()
    for number, reason in fates.items():
        count.of[reason or "confirmed"] += 1
        if reason is None:
            count.confirmed += 1
            assert broker_dies or times[number], f"{number} is confirmed and never arrived"
            count.lost_by_broker += not times[number]
            assert passed is None or passed[number], f"{number} is confirmed and never went out"
        elif reason == UNCONFIRMED:
            count.unconfirmed += 1
        else:
            assert reason in EXPIRED, (number, reason)
            count.expired += 1
            assert reason != NOT_REACHED or passed is None or not passed[number], f"{number} went out"
    for number, arrived in times.items():
        assert arrived == 1 or not is_step(number), f"step {number} arrived {arrived} times: {fates.get(number)}"
        assert passed is None or arrived <= passed[number], f"{number} was made twice by somebody else"
        count.twice += arrived > 1
    for topic in {arrival.topic for arrival in arrivals}:
        numbers = [arrival.number for arrival in arrivals if arrival.topic == topic]
        assert numbers == sorted(numbers), f"an older one came after a newer one on {topic}"
    for number in times:
        assert len({arrival.command_id for arrival in arrivals if arrival.number == number}) == 1
    for arrival in arrivals:
        end_ns = (ends_ns or {}).get(arrival.number, arrival.at_ns)
        assert arrival.at_ns <= end_ns + LATE_S * 1e9, f"{arrival.number} arrived late"
    return count
