"""A worker with a session that stays in memory."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from edged import reload, stages
from edged import worker as worker_module
from edged.act.exchange import write_utterance
from edged.act.mqtt import Exchange, Request
from edged.config import Config, MqttConfig, WorkerConfig
from edged.intents.live import LiveFiles
from edged.ops.wake import Wake
from edged.reload import Live
from edged.types import Intent, Rejected, Utterance
from edged.worker import UTTERANCE_BURST, Understand, Worker, WorkerParts
from tests.unit.act.fakes import FakeBroker, FakeSession
from tests.unit.test_daemon import RecordingNotifier

WAIT_S = 10
TOPIC, RESPONSE = "edged/hall/utterance", "edged/hall/understood"
CONFIG = Config(mqtt=MqttConfig(node="w1", protocol="5"), worker=WorkerConfig(group="first", queue=2))


class Switch:
    """A watcher that tells of a change when the test says so."""

    def __init__(self) -> None:
        self._changed = threading.Event()

    def change(self) -> None:
        self._changed.set()

    def wait(self, timeout_s: float) -> bool:
        if not self._changed.wait(timeout_s):
            return False
        self._changed.clear()
        return True


class Run:
    """A worker on a thread of its own."""

    def __init__(self, config: Config, folder: Path, understand: Understand) -> None:
        self.wake = Wake()
        self.notifier = RecordingNotifier()
        self.acknowledged: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.watcher = Switch()
        self.swapped = threading.Event()
        self.home = folder / "home.toml"
        self.home.write_bytes(config.home.file.read_bytes())
        files = LiveFiles(config.intents.directory, self.home, folder / "copies")
        live = Live(files, files.start(), lambda: nullcontext(self.watcher), lambda _snapshot: self.swapped.set)
        self._broker = FakeBroker()
        self.worker = Worker(
            config, WorkerParts(understand, live, make_session=self._broker), wake=self.wake, notifier=self.notifier
        )
        self.code: int | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._broker.opened.acquire(timeout=WAIT_S)

    def _run(self) -> None:
        self.code = self.worker.run()

    @property
    def session(self) -> FakeSession:
        return self._broker.sessions[0]

    def ask(self, number: int, *, response: str = RESPONSE, expiry_s: int = 10, **more: Any) -> None:
        """As if a node had asked; `number` comes back once the request is acknowledged."""
        payload = write_utterance(Utterance(f"u{number}", "light", "en", 1.0, 0, 0, "mic"), more.get("area"))
        request = Request(
            more.get("topic", TOPIC),
            more.get("payload", payload),
            more.get("retained", False),
            response,
            b"c%d" % number,
            expiry_s,
            lambda: self.acknowledged.put(number),
        )
        requests = self.session.endpoint.requests
        assert requests
        requests.take(request)

    def answer(self) -> tuple[str, dict[str, Any], Exchange]:
        topic, payload, exchange = self.session.exchanged.get(timeout=WAIT_S)
        return topic, json.loads(payload), exchange

    def stop(self) -> int | None:
        self.wake.request()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        self.wake.__exit__(None, None, None)
        return self.code


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (worker_module, reload, stages):
        monkeypatch.setattr(module, "TICK_S", 0.01)


@pytest.fixture
def start(config: Config, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(understand: Understand) -> Run:
        runs.append(
            Run(CONFIG.model_copy(update={"home": config.home, "intents": config.intents}), tmp_path, understand)
        )
        return runs[-1]

    yield start
    for run in runs:
        if run.code is None:
            run.stop()


def _light(_node: str, utterance: Utterance) -> tuple[Intent, ...]:
    return (Intent(utterance.id, "light", {"action": "on"}, 1.0, 1.0),)


def test_an_utterance_is_answered_where_its_node_listens_and_then_acknowledged(start: Callable[..., Run]) -> None:
    heard: list[tuple[str, str | None, str]] = []

    def understand(node: str, utterance: Utterance) -> tuple[Intent, ...]:
        heard.append((node, utterance.area, utterance.text))
        assert run.acknowledged.empty()
        return _light(node, utterance)

    run = start(understand)
    assert run.session.topics == ["$share/first/edged/+/utterance"]
    run.ask(1, area="kitchen")
    topic, answer, exchange = run.answer()
    assert (topic, answer["id"], answer["worker"], exchange.correlation) == (RESPONSE, "u1", "w1", b"c1")
    assert answer["intents"][0]["intent"] == "light"
    assert run.acknowledged.get(timeout=WAIT_S) == 1
    assert heard == [("hall", "kitchen", "light")]
    assert run.stop() == 0
    assert run.notifier.words == ["ready", "stopping"]


def test_a_copy_gets_the_same_answer_and_costs_nothing(start: Callable[..., Run]) -> None:
    understood: list[str] = []

    def understand(_node: str, utterance: Utterance) -> Rejected:
        understood.append(utterance.id)
        return Rejected(utterance.id, "understand", f"no command {len(understood)}")

    run = start(understand)
    for _ in range(2):
        run.ask(1)
        assert run.answer()[1]["rejected"]["reason"] == "no command 1"
    assert understood == ["u1"]


@pytest.mark.parametrize(
    "more",
    [
        {"response": "zigbee2mqtt/lock/set"},
        {"response": "edged/attic/understood"},
        {"payload": b"no json"},
        {"retained": True},
        {"topic": "edged/a/b/utterance"},
    ],
)
def test_what_is_no_question_of_that_node_is_acknowledged_and_not_answered(
    start: Callable[..., Run], more: dict[str, Any]
) -> None:
    run = start(_light)
    run.ask(1, **more)
    assert run.acknowledged.get(timeout=WAIT_S) == 1
    run.ask(2)
    assert run.answer()[1]["id"] == "u2"


def test_what_came_too_late_is_left_to_the_next_copy(start: Callable[..., Run]) -> None:
    goes_on = threading.Event()

    def slow(node: str, utterance: Utterance) -> tuple[Intent, ...]:
        assert goes_on.wait(WAIT_S)
        return _light(node, utterance)

    run = start(slow)
    run.ask(1)
    run.ask(2, expiry_s=0)
    goes_on.set()
    assert [run.acknowledged.get(timeout=WAIT_S) for _ in range(2)] == [1, 2]
    run.ask(3)
    assert [run.answer()[1]["id"] for _ in range(2)] == ["u1", "u3"]


def test_a_full_queue_takes_no_more_and_what_it_took_is_answered_at_the_end(start: Callable[..., Run]) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def slow(node: str, utterance: Utterance) -> tuple[Intent, ...]:
        begun.set()
        assert goes_on.wait(WAIT_S)
        return _light(node, utterance)

    run = start(slow)
    run.ask(1)
    assert begun.wait(WAIT_S)
    run.ask(2)
    run.ask(3)
    assert run.acknowledged.get(timeout=WAIT_S) == 3
    run.wake.request()
    goes_on.set()
    assert run.stop() == 0
    assert [run.answer()[1]["id"] for _ in range(2)] == ["u1", "u2"]
    assert run.session.exchanged.empty()
    assert run.session.topics == []


def test_one_node_that_never_stops_does_not_take_the_worker_from_the_others(start: Callable[..., Run]) -> None:
    run = start(_light)
    for number in range(UTTERANCE_BURST + 20):
        run.ask(number)
        assert run.acknowledged.get(timeout=WAIT_S) == number
    run.ask(1000, topic="edged/attic/utterance", response="edged/attic/understood")
    answers: list[str] = []
    while not answers or answers[-1] != "u1000":
        answers.append(run.answer()[1]["id"])
    assert len(answers) < UTTERANCE_BURST + 20


def test_changed_files_are_put_in_force_and_told(start: Callable[..., Run]) -> None:
    run = start(_light)
    assert json.loads(run.session.retained.get(timeout=WAIT_S)[1])["node"] == "w1"
    run.home.write_text(run.home.read_text() + '\n[areas.cellar]\nnames.en = ["cellar"]\n')
    run.watcher.change()
    assert run.swapped.wait(WAIT_S)
    topic, _ = run.session.retained.get(timeout=WAIT_S)
    assert topic == "edged/w1/catalog"


def test_a_failing_understanding_ends_the_worker_with_1_and_leaves_the_utterance_to_others(
    start: Callable[..., Run],
) -> None:
    def broken(_node: str, _utterance: Utterance) -> Rejected:
        raise RuntimeError("out of order")

    run = start(broken)
    run.ask(1)
    run._thread.join(WAIT_S)
    assert run.code == 1
    assert run.acknowledged.empty()
    assert run.session.exchanged.empty()
    run.wake.__exit__(None, None, None)
