"""Nodes that ask workers over real brokers, while workers come and are killed: each utterance ends in exactly one way."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from edged.act.fleet import Fleet
from edged.config import Config, MqttConfig, StateConfig, UnderstandConfig
from edged.daemon import Daemon, Parts
from edged.intents.catalog import Catalog
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.types import Utterance
from tests.conftest import ROOT
from tests.peer.broker import Mosquitto, Watcher, watching

pytestmark = pytest.mark.peer

DEVICE = "zigbee2mqtt/kitchen_ceiling/set"
END_S = 60.0
FAR_NS = 3600 * 10**9
"""Beyond the end of the test: commands count their validity from when they are made."""


class Workers:
    """Processes; each has a name of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._running: list[subprocess.Popen[bytes]] = []

    def add(self, broker: Mosquitto) -> None:
        """Starts one and waits until it has subscribed."""
        self._count += 1
        name = f"worker-{self._count}"
        command = [sys.executable, "-m", "tests.fault.worker_child", str(self._folder), str(broker.port), name]
        worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        self._running.append(worker)
        assert worker.stdout
        assert worker.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        """The oldest."""
        oldest = self._running.pop(0)
        oldest.kill()
        oldest.communicate(timeout=END_S)

    def hang(self, *, hanging: bool) -> None:
        """Lets the oldest do nothing at all, or go on."""
        self._running[0].send_signal(signal.SIGSTOP if hanging else signal.SIGCONT)

    def stop(self) -> list[int]:
        """Exit statuses of all that were not killed."""
        for worker in self._running:
            worker.terminate()
        for worker in self._running:
            worker.communicate(timeout=END_S)
        return [worker.returncode for worker in self._running]

    def kill_all(self) -> None:
        while self._running:
            self.kill()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(tmp_path)
    yield workers
    workers.kill_all()


@contextmanager
def _node(broker: Mosquitto, catalog: Catalog, folder: Path, name: str, give_up_s: float) -> Iterator[Daemon]:
    config = Config(
        mqtt=MqttConfig(port=broker.port, node=name, text_input=True, protocol="5", queue=1000, connect_timeout_s=30),
        understand=UnderstandConfig(by="workers", answer_s=0.5, give_up_s=give_up_s),
        state=StateConfig(directory=folder / name),
    )
    fleet = Fleet(config, catalog)
    with Wake() as wake:
        daemon = Daemon(config, Parts(fleet.understand, catalog, fleet=fleet), wake=wake, notifier=Notifier({}))
        with watching(broker, f"edged/{name}/availability") as watcher:
            thread = threading.Thread(target=daemon.run)
            thread.start()
            assert bytes(watcher.next().payload) == b"online"
        yield daemon
        wake.request()
        thread.join(END_S)
        assert not thread.is_alive()


def _speak(node: Daemon, name: str, count: int) -> set[str]:
    """The ids of so many utterances."""
    ids = {f"{name}-{number}" for number in range(count)}
    for utterance_id in sorted(ids):
        now_ns = time.monotonic_ns()
        node.offer(Utterance(utterance_id, "light", "en", 1.0, now_ns, now_ns + FAR_NS, "mqtt"))
    return ids


class Ends:
    """What became of the utterances, as the device and whoever reads rejections see it."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.done: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()

    def wait_for(self, count: int) -> None:
        """Until so many have ended."""
        while len(self.done.keys() | self.rejected.keys()) < count:
            message = self._watcher.next()
            if message.topic == DEVICE:
                ((_, command_id),) = message.properties.UserProperty  # type: ignore[union-attr]
                self.done[command_id.split("/")[0]] += 1
            else:
                self.rejected[_id_of(bytes(message.payload))] += 1

    def check(self, ids: set[str]) -> None:
        assert self.done.keys() | self.rejected.keys() == ids
        assert not self.done.keys() & self.rejected.keys()
        assert set((self.done + self.rejected).values()) == {1}


def _id_of(payload: bytes) -> str:
    return payload.split(b'"id":"')[1].split(b'"')[0].decode()


def test_workers_that_are_killed_and_added_lose_nothing_and_do_nothing_twice(
    mosquitto: Mosquitto, catalog: Catalog, tmp_path: Path, workers: Workers
) -> None:
    names = ("hall", "attic", "shed")
    with ExitStack() as stack:
        device = stack.enter_context(watching(mosquitto, DEVICE, "edged/+/rejected"))
        ends = Ends(device)
        nodes = {name: stack.enter_context(_node(mosquitto, catalog, tmp_path, name, give_up_s=30)) for name in names}
        workers.add(mosquitto)
        workers.add(mosquitto)
        ids = set[str]().union(*(_speak(node, name, 100) for name, node in nodes.items()))
        ends.wait_for(20)
        workers.kill()
        ends.wait_for(60)
        workers.add(mosquitto)
        ends.wait_for(100)
        workers.kill()
        workers.kill()
        workers.add(mosquitto)
        workers.add(mosquitto)
        ends.wait_for(len(ids))
        assert workers.stop() == [0, 0]
        device.publish(DEVICE, b"")
        assert bytes(device.next(DEVICE).payload) == b""  # no command came behind
    ends.check(ids)
    assert not ends.rejected


def test_a_worker_that_hangs_and_goes_on_costs_time_alone(
    mosquitto: Mosquitto, catalog: Catalog, tmp_path: Path, workers: Workers
) -> None:
    with (
        watching(mosquitto, DEVICE, "edged/+/rejected") as device,
        _node(mosquitto, catalog, tmp_path, "hall", give_up_s=30) as node,
    ):
        ends = Ends(device)
        workers.add(mosquitto)
        workers.add(mosquitto)
        ids = _speak(node, "a", 10)
        ends.wait_for(3)
        workers.hang(hanging=True)
        ends.wait_for(10)
        workers.hang(hanging=False)  # it answers what it held, which was done long ago
        ids |= _speak(node, "b", 10)
        ends.wait_for(20)
        assert workers.stop() == [0, 0]
    ends.check(ids)
    assert not ends.rejected


def test_without_workers_each_utterance_is_rejected_once_and_late_ones_change_nothing(
    mosquitto: Mosquitto, catalog: Catalog, tmp_path: Path, workers: Workers
) -> None:
    with (
        watching(mosquitto, DEVICE, "edged/+/rejected") as device,
        _node(mosquitto, catalog, tmp_path, "hall", give_up_s=1) as node,
    ):
        ends = Ends(device)
        ids = _speak(node, "early", 2)
        ends.wait_for(2)
        assert ends.rejected.keys() == ids
        workers.add(mosquitto)
        ids |= _speak(node, "late", 5)
        ends.wait_for(7)
        assert sum(ends.done.values()) == 5
    ends.check(ids)


@pytest.fixture
def bridged(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Mosquitto]:
    """Another broker, which passes everything of edged's to the first and back."""
    folder = tmp_path / "bridged"
    folder.mkdir()
    broker = Mosquitto(
        folder,
        "allow_anonymous true",
        "connection house",
        f"address {mosquitto.host}:{mosquitto.port}",
        "topic edged/# both 1",
        "bridge_protocol_version mqttv50",
        "cleansession true",
        "notifications false",
    )
    with watching(mosquitto, "edged/probe") as far:
        broker.start()
        with watching(broker, "edged/none") as near:
            near.publish("edged/probe", b"through", retain=True)
        assert bytes(far.next().payload) == b"through"
    yield broker
    broker.stop()


def test_over_two_bridged_brokers_both_sides_workers_answer_and_nothing_is_done_twice(
    mosquitto: Mosquitto, bridged: Mosquitto, catalog: Catalog, tmp_path: Path, workers: Workers
) -> None:
    with ExitStack() as stack:
        watcher = stack.enter_context(watching(mosquitto, "edged/+/understood"))
        devices = [
            stack.enter_context(watching(broker, DEVICE, "edged/hall/rejected", "edged/attic/rejected"))
            for broker in (mosquitto, bridged)
        ]
        workers.add(mosquitto)
        workers.add(bridged)
        workers.add(bridged)
        hall = stack.enter_context(_node(mosquitto, catalog, tmp_path, "hall", give_up_s=30))
        attic = stack.enter_context(_node(bridged, catalog, tmp_path, "attic", give_up_s=30))
        hall_ids, attic_ids = _speak(hall, "hall", 60), _speak(attic, "attic", 60)
        hall_ends, attic_ends = map(Ends, devices)
        hall_ends.wait_for(20)
        workers.kill()  # the only one at the first broker: the others answer through the bridge
        hall_ends.wait_for(60)
        attic_ends.wait_for(60)
        answers = Counter[str]()
        while set(answers) != hall_ids | attic_ids:
            answers[_id_of(bytes(watcher.next().payload))] += 1
    hall_ends.check(hall_ids)
    attic_ends.check(attic_ids)
    assert not hall_ends.rejected
    assert not attic_ends.rejected
    assert max(answers.values()) > 1  # the bridge has utterances understood on both sides
