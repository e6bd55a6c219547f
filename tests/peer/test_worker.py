"""`edged worker` beside a node that has no model, and what the broker does for it."""

from __future__ import annotations

import json
import queue
import re
import signal
from pathlib import Path

import pytest

from edged.act.link import make_endpoint
from edged.act.mqtt import Exchange, Request, Requests, Session
from edged.config import Config, MqttConfig
from tests.conftest import ROOT
from tests.peer.broker import WAIT_S, Mosquitto, watching
from tests.peer.test_run_daemon import KITCHEN, TEXT, Running, _state, _write_config

pytestmark = pytest.mark.peer

FILTER = "$share/edged/edged/+/utterance"


@pytest.mark.model
def test_a_node_without_a_model_obeys_through_a_worker(mosquitto: Mosquitto, tmp_path: Path, config: Config) -> None:
    folders = {name: tmp_path / name for name in ("node", "w1")}
    for folder in folders.values():
        folder.mkdir()
    node_config = _write_config(
        folders["node"], mosquitto.port, '[understand]\nby = "workers"', f'[state]\ndirectory = "{folders["node"]}"'
    )
    worker_config = _write_config(folders["w1"], mosquitto.port, _state(folders["w1"], config))
    worker_config.write_text(worker_config.read_text().replace('"hall"', '"w1"'))
    node = Running(folders["node"], node_config)
    worker = Running(folders["w1"], worker_config, "worker")
    try:
        worker.wait_for("READY=1")
        node.wait_for("READY=1")
        with watching(mosquitto, KITCHEN, "edged/w1/availability") as device:
            device.publish(TEXT, json.dumps({"text": "turn on the kitchen light", "lang": "en"}))
            assert json.loads(device.next(KITCHEN).payload)["state"] == "ON"
            code, log = worker.end()
            assert code == 0, log
            device.payloads_until("edged/w1/availability", b"offline")
        assert "kitchen" not in log
        code, log = node.end()
        assert code == 0, log
        assert "language model" not in log
    finally:
        node.end(signal.SIGKILL)
        worker.end(signal.SIGKILL)


class Open:
    """A session that takes requests."""

    def __init__(self, broker: Mosquitto, node: str, most: int, username: str | None = None) -> None:
        self.requests: queue.Queue[Request] = queue.Queue()
        config = MqttConfig(port=broker.port, node=node, protocol="5", username=username)
        endpoint = make_endpoint(config, topics=(FILTER,), requests=Requests(self.requests.put, most))
        self.session = Session(endpoint, "5")
        self.session.open(WAIT_S)

    def take(self) -> Request:
        return self.requests.get(timeout=WAIT_S)


def _ask(asking: Session, number: int) -> None:
    exchange = Exchange(30, "edged/hall/understood", b"c%d" % number)
    assert asking.post("edged/hall/utterance", b"%d" % number, exchange=exchange, timeout_s=WAIT_S)


@pytest.fixture
def asking(mosquitto: Mosquitto) -> Session:
    session = Session(make_endpoint(MqttConfig(port=mosquitto.port), announce=False), "5")
    session.open(WAIT_S)
    return session


def test_a_question_comes_with_its_properties(mosquitto: Mosquitto, asking: Session) -> None:
    worker = Open(mosquitto, "w1", most=1)
    _ask(asking, 1)
    request = worker.take()
    assert (request.topic, request.payload, request.retained) == ("edged/hall/utterance", b"1", False)
    assert (request.response_topic, request.correlation) == ("edged/hall/understood", b"c1")
    assert request.expiry_s is not None
    assert 0 < request.expiry_s <= 30
    asking.close(WAIT_S)
    worker.session.close(WAIT_S)


def test_the_broker_hands_over_no_more_than_may_be_unanswered(mosquitto: Mosquitto, asking: Session) -> None:
    worker = Open(mosquitto, "w1", most=2)
    with watching(mosquitto, "edged/hall/utterance") as seen:
        for number in range(4):
            _ask(asking, number)
        while seen.next().payload != b"3":
            pass
    first, second = worker.take(), worker.take()
    with watching(mosquitto, "edged/hall/probe") as probe:  # what the broker was to send before is there now
        probe.publish("edged/hall/probe", b"")
        probe.next()
    assert worker.requests.empty()
    second.acknowledge()
    first.acknowledge()
    assert [worker.take().payload for _ in range(2)] == [b"2", b"3"]
    asking.close(WAIT_S)
    worker.session.close(WAIT_S)


def test_each_question_goes_to_one_worker_of_a_group(mosquitto: Mosquitto, asking: Session) -> None:
    workers = [Open(mosquitto, f"w{number}", most=10) for number in range(2)]
    for number in range(10):
        _ask(asking, number)
    taken = []
    for worker in workers:
        taken += [worker.take().payload for _ in range(5)]
        worker.session.close(WAIT_S)
        assert worker.requests.empty()
    assert sorted(taken) == [b"%d" % number for number in range(10)]
    asking.close(WAIT_S)


def _as_user(broker: Mosquitto, name: str) -> Session:
    config = MqttConfig(port=broker.port, node=name, username=name, protocol="5")
    session = Session(make_endpoint(config, topics=(f"edged/{name}/understood",)), "5")
    session.open(WAIT_S)
    return session


def test_with_the_access_list_of_the_docs_no_house_reads_another_or_speaks_for_it(tmp_path: Path) -> None:
    docs = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
    (tmp_path / "acl").write_text(
        "".join(re.findall(r"^ {4}((?:pattern|user|topic) (?!.* [01]$).*\n)", docs, re.MULTILINE))
    )
    broker = Mosquitto(tmp_path, "allow_anonymous true", f"acl_file {tmp_path / 'acl'}")
    broker.start()
    try:
        worker = Open(broker, "w1", most=10, username="worker")
        hall, attic = (_as_user(broker, name) for name in ("hall", "attic"))
        with watching(broker, "edged/#", username="attic") as spy, watching(broker, "edged/#", username="hall") as own:
            exchange = Exchange(30, "edged/hall/understood", b"")
            attic.post("edged/hall/utterance", b"forged", exchange=exchange)
            attic.post("edged/hall/understood", b"forged", exchange=exchange)
            attic.close(WAIT_S)
            assert hall.post("edged/hall/utterance", b"said", exchange=exchange)
            request = worker.take()
            assert (request.topic, request.payload) == ("edged/hall/utterance", b"said")
            assert worker.session.post(request.response_topic, b"answer", exchange=exchange)
            assert worker.session.post("edged/attic/understood", b"end", exchange=exchange)
            request.acknowledge()
            assert bytes(own.next().payload) == b"answer"
            assert bytes(spy.next().payload) == b"end"
            assert worker.requests.empty()
        hall.close(WAIT_S)
        worker.session.close(WAIT_S)
    finally:
        broker.stop()
