"""Commands over a network that breaks in every step of the QoS 1 handshake, and to a broker that is killed."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.act.delivery import Waiting
from edged.act.link import Link, make_endpoint
from edged.act.outbox import UNCONFIRMED, Outbox
from edged.act.store import Store
from edged.config import MqttConfig
from edged.types import Command, Rejected
from tests.fault.device import Count, Device, Wire, check_fates, is_step
from tests.fault.proxy import PUBACK, PUBLISH, Proxy, Verdict
from tests.peer.broker import WAIT_S, Mosquitto

pytestmark = pytest.mark.peer

COMMANDS = 60
VALID_S = 120.0
SHORT_S = 0.1
"""Of every seventh command, which expires where the broker is away."""


class Cutter:
    """Breaks the connection at about every seventh packet of one type; every run draws the same."""

    def __init__(self, packet_type: int, verdict: Verdict) -> None:
        self._packet_type = packet_type
        self._verdict = verdict
        self._lock = threading.Lock()
        self._chance = random.Random(7)

    def __call__(self, packet_type: int, body: bytes) -> Verdict:
        with self._lock:
            if packet_type != self._packet_type or (b"lamp/" not in body and packet_type == PUBLISH):
                return "pass"
            return self._verdict if self._chance.random() < 1 / 7 else "pass"


class Sender:
    """A link over a proxy, and what it says of each command."""

    def __init__(self, proxy: Proxy, folder: Path) -> None:
        self._settled: queue.Queue[tuple[int, str | None]] = queue.Queue()
        self.outbox = Outbox(Store(folder / "commands.sqlite3"))
        self.fates: dict[int, str | None] = {}
        self.ends_ns: dict[int, int] = {}
        self.link = Link(
            make_endpoint(MqttConfig(port=proxy.port, protocol="5")),
            outbox=self.outbox,
            on_settled=lambda command, rejected: self._settled.put(_told(command, rejected)),
            first_delay_s=0.01,
        )

    def send(self, *numbers: int, short: bool = False) -> None:
        """To five lamps; the payload is the number."""
        commands = [self._command(number, short=short and number % 7 == 0) for number in numbers]
        for command, fate in zip(commands, self.link.publish_all(commands), strict=True):
            if not isinstance(fate, Waiting):
                self._note(_told(command, fate))

    def finish(self) -> None:
        """Until it has said what became of each."""
        while len(self.fates) < len(self.ends_ns):
            self._note(self._settled.get(timeout=WAIT_S))
        assert self._settled.empty()

    def _command(self, number: int, *, short: bool) -> Command:
        self.ends_ns[number] = time.monotonic_ns() + round((SHORT_S if short else VALID_S) * 1e9)
        payload, repeats = b"%d" % number, not is_step(number)
        return Command(f"lamp/{number % 5}", payload, 1, False, self.ends_ns[number], f"u{number}", repeats)

    def _note(self, told: tuple[int, str | None]) -> None:
        number, reason = told
        assert number not in self.fates, "it was told twice"
        self.fates[number] = reason


def _told(command: Command, rejected: Rejected | None) -> tuple[int, str | None]:
    return int(command.payload), None if rejected is None else rejected.reason


@pytest.fixture(autouse=True)
def short_delays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("edged.act.link.LONGEST_DELAY_S", 0.2)
    return iter([None])


@pytest.mark.parametrize("packet_type", [PUBLISH, PUBACK])
@pytest.mark.parametrize("verdict", ["cut before", "cut inside", "cut after"])
@pytest.mark.parametrize("at_once", [1, COMMANDS])
def test_a_cut_in_the_handshake_loses_nothing_in_silence_and_repeats_no_step(
    mosquitto: Mosquitto, tmp_path: Path, at_once: int, packet_type: int, verdict: Verdict, fault_rounds: int
) -> None:
    wire = Wire(Cutter(packet_type, verdict))
    with Proxy(mosquitto.port, wire) as proxy, Device(mosquitto) as device:
        sender = Sender(proxy, tmp_path)
        sender.link.connect()
        for first in range(0, COMMANDS * max(1, fault_rounds // 10), at_once):
            sender.send(*range(first, first + at_once))
            sender.finish()
        device.wait_for_all()
        sender.link.close()
    count = check_fates(sender.fates, device.arrivals, wire.passed, ends_ns=sender.ends_ns)
    print(f"{proxy.cuts} times {verdict} packet {packet_type}, {at_once} at once: {count}")
    assert proxy.cuts
    assert set(count.of) <= {"confirmed", UNCONFIRMED}
    if at_once == 1:
        assert (count.twice > 0) == ((packet_type, verdict) in DOUBTFUL)


DOUBTFUL = ((PUBLISH, "cut after"), (PUBACK, "cut before"), (PUBACK, "cut inside"))
"""Where the broker has the command, and the answer never comes."""


def test_a_broker_that_is_killed_under_load_gets_all_that_is_valid(
    mosquitto: Mosquitto, tmp_path: Path, fault_rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One command may be out at several kills in a row, which here says nothing about the command.
    monkeypatch.setattr("edged.act.delivery.MAX_LOSSES", fault_rounds + 1)
    seed = random.randrange(10**6)
    print("seed", seed)
    chance, wire, stopped = random.Random(seed), Wire(), threading.Event()
    with Proxy(mosquitto.port, wire) as proxy, Device(mosquitto) as device:
        sender = Sender(proxy, tmp_path)
        sender.link.connect()
        loader = threading.Thread(target=_load, args=(sender, stopped))
        loader.start()
        for _ in range(fault_rounds):
            wire.wait_for(chance.randrange(1, 60))
            mosquitto.kill()
            proxy.is_open = False
            mosquitto.start()
            device.come_back()
            proxy.is_open = True
        wire.wait_for(30)
        stopped.set()
        loader.join(WAIT_S)
        sender.finish()
        device.wait_for_all()
        sender.link.close()
    count = check_fates(sender.fates, device.arrivals, wire.passed, broker_dies=True, ends_ns=sender.ends_ns)
    print(f"{fault_rounds} kills of the broker under {len(sender.fates)} commands: {count}")
    assert count.confirmed > len(sender.fates) / 2
    assert _unconfirmed_steps_alone(count, sender)


def _load(sender: Sender, stopped: threading.Event) -> None:
    """As many commands as the link takes, with some that wait."""
    number = 0
    while not stopped.is_set():
        if sender.outbox.waiting < 40:
            sender.send(*range(number, number + 8), short=True)
            number += 8
        else:
            time.sleep(0.001)


def _unconfirmed_steps_alone(count: Count, sender: Sender) -> bool:
    """What is repeatable is given up as unconfirmed only where it has expired."""
    unconfirmed = [number for number, reason in sender.fates.items() if reason == UNCONFIRMED]
    return len(unconfirmed) == count.unconfirmed and all(is_step(number) or number % 7 == 0 for number in unconfirmed)
