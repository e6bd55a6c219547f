"""The daemon with a session that stays in memory: queues, the end, and what happens when a part fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from edged import daemon as daemon_module
from edged.act.messages import text_topic
from edged.config import Config, MqttConfig
from edged.daemon import Daemon, Hearing, Parts, Stage
from edged.errors import AudioError, BrokerError
from edged.intents.catalog import Catalog
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.types import AudioChunk, Intent, Rejected, Utterance
from tests.unit.act.fakes import FakeBroker, FakeSession

WAIT_S = 10
CONFIG = Config(mqtt=MqttConfig(node="hall", text_input=True, queue=2, protocol="5"))


class RecordingNotifier(Notifier):
    """Keeps what systemd would be told."""

    def __init__(self) -> None:
        super().__init__({})
        self.words: list[str] = []
        self.fed = threading.Event()

    def ready(self) -> None:
        self.words.append("ready")

    def stopping(self) -> None:
        self.words.append("stopping")

    def watchdog(self) -> None:
        self.fed.set()


class Run:
    """A daemon on a thread of its own."""

    def __init__(self, config: Config, parts: Parts, broker: FakeBroker) -> None:
        self.notifier = RecordingNotifier()
        self.wake = Wake()
        self.daemon = Daemon(config, parts, wake=self.wake, notifier=self.notifier)
        self.code: int | None = None
        self._broker = broker
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert broker.opened.acquire(timeout=WAIT_S)

    def _run(self) -> None:
        self.code = self.daemon.run()

    @property
    def session(self) -> FakeSession:
        return self._broker.sessions[0]

    def receive(self, text: str) -> None:
        """As if a text came in over MQTT."""
        payload = json.dumps({"text": text}).encode()
        self.session.endpoint.on_message(text_topic("hall"), payload, False)

    def reports(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for _, payload in self.session.posted]

    def end(self) -> int | None:
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        self.wake.__exit__(None, None, None)
        return self.code

    def stop(self) -> int | None:
        self.wake.request()
        return self.end()


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "TICK_S", 0.01)


def _start(
    catalog: Catalog,
    understand: Callable[[Utterance], tuple[Intent, ...] | Rejected],
    *,
    config: Config = CONFIG,
    hearing: Hearing | None = None,
) -> Run:
    broker = FakeBroker()
    return Run(config, Parts(understand, catalog, hearing, make_session=broker), broker)


def _nothing(utterance: Utterance) -> Rejected:
    return Rejected(utterance.id, "understand", "no command in this")


def _light_on(utterance: Utterance) -> tuple[Intent, ...]:
    slots = {"action": "on", "device": "kitchen_light"}
    return (Intent(utterance.id, "light", slots, confidence=1.0, margin=1.0),)


def test_a_text_becomes_a_device_command(catalog: Catalog) -> None:
    run = _start(catalog, _light_on)
    run.receive("turn on the kitchen light")
    assert run.stop() == 0
    assert [(topic, payload) for topic, payload, _ in run.session.published] == [
        ("zigbee2mqtt/kitchen_ceiling/set", b'{"state":"ON"}')
    ]
    assert run.session.posted[0][0] == "edged/hall/intent/light"


def test_an_orderly_end_finishes_what_waits_and_closes_the_session(catalog: Catalog) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def slow(utterance: Utterance) -> tuple[Intent, ...]:
        begun.set()
        assert goes_on.wait(WAIT_S)
        return _light_on(utterance)

    run = _start(catalog, slow)
    run.receive("first")
    assert begun.wait(WAIT_S)
    run.receive("second")
    run.wake.request()
    goes_on.set()
    assert run.end() == 0
    assert len(run.session.published) == 2
    assert run.session.closed
    assert run.notifier.words == ["ready", "stopping"]
    assert run.daemon.abandoned == ()


def test_a_full_queue_refuses_the_newest_and_says_so(catalog: Catalog) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def slow(utterance: Utterance) -> Rejected:
        begun.set()
        assert goes_on.wait(WAIT_S)
        return _nothing(utterance)

    run = _start(catalog, slow)
    run.receive("first")
    assert begun.wait(WAIT_S)
    for text in ("second", "third", "fourth"):
        run.receive(text)
    (refused,) = run.reports()
    assert (refused["text"], refused["reason"]) == ("fourth", "2 utterances wait already")
    goes_on.set()
    assert run.stop() == 0
    assert [report["text"] for report in run.reports()] == ["fourth", "first", "second", "third"]


def test_after_the_stop_nothing_is_taken_any_more(catalog: Catalog) -> None:
    run = _start(catalog, _light_on)
    assert run.stop() == 0
    run.daemon.offer(Utterance("u1", "late", "en", 1.0, (), 0, 0, "mic"))
    assert run.session.published == []


def test_an_unreadable_text_is_reported_as_rejected(catalog: Catalog) -> None:
    run = _start(catalog, _nothing)
    run.session.endpoint.on_message(text_topic("hall"), b"turn on the light", False)
    assert run.stop() == 0
    assert [report["stage"] for report in run.reports()] == ["mqtt"]


def test_a_retained_text_is_ignored(catalog: Catalog) -> None:
    run = _start(catalog, _light_on)
    run.session.endpoint.on_message(text_topic("hall"), b'{"text": "turn on the light"}', True)
    assert run.stop() == 0
    assert run.session.posted == []


def test_a_stage_that_raises_stops_the_daemon_with_1(catalog: Catalog, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_utterance: Utterance) -> Rejected:
        raise RuntimeError("a bug")

    run = _start(catalog, broken)
    run.receive("x")
    assert run.end() == 1
    assert run.session.closed
    assert "stage understand failed" in caplog.text


def test_what_waits_behind_a_stage_that_failed_is_refused(catalog: Catalog) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def broken(_utterance: Utterance) -> Rejected:
        begun.set()
        assert goes_on.wait(WAIT_S)
        raise RuntimeError("a bug")

    run = _start(catalog, broken)
    run.receive("first")
    assert begun.wait(WAIT_S)
    run.receive("second")
    goes_on.set()
    assert run.end() == 1
    assert [report["reason"] for report in run.reports()] == ["the daemon is shutting down"]


def test_a_message_that_cannot_be_handled_stops_the_daemon_with_1(catalog: Catalog) -> None:
    run = _start(catalog, _nothing)
    run.session.endpoint.on_failure()
    assert run.end() == 1


def test_a_broker_that_is_not_there_at_the_start_is_an_error(catalog: Catalog) -> None:
    broker = FakeBroker(BrokerError("nothing listens there"))
    with Wake() as wake, pytest.raises(BrokerError):
        Daemon(CONFIG, Parts(_nothing, catalog, make_session=broker), wake=wake, notifier=RecordingNotifier()).run()


def test_the_watchdog_is_fed_while_all_is_well(catalog: Catalog) -> None:
    run = _start(catalog, _nothing)
    assert run.notifier.fed.wait(WAIT_S)
    assert run.stop() == 0


def test_the_watchdog_is_not_fed_while_a_stage_hangs(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = threading.Event()
    monkeypatch.setattr(Stage, "is_fresh", lambda stage: stage.name != "understand" or told.set())  # type: ignore[func-returns-value]
    run = _start(catalog, _nothing)
    assert told.wait(WAIT_S)
    assert run.stop() == 0
    assert not run.notifier.fed.is_set()
    assert "no heartbeat from understand" in caplog.text


def test_a_heartbeat_grows_stale_unless_the_stage_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("edged.daemon.time.monotonic", lambda: now_s)
    stage = Stage("hear")
    stage.beat()
    now_s += daemon_module.STALE_S - 1
    assert stage.is_fresh()
    now_s += 1
    assert not stage.is_fresh()
    stage.beat(waits=True)
    now_s += 10 * daemon_module.STALE_S
    assert stage.is_fresh()


def test_an_utterance_that_does_not_end_does_not_hold_up_the_end(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_module, "DRAIN_S", 0.05)
    begun, goes_on = threading.Event(), threading.Event()

    def endless(utterance: Utterance) -> Rejected:
        begun.set()
        goes_on.wait(WAIT_S)
        return _nothing(utterance)

    run = _start(catalog, endless)
    run.receive("x")
    assert begun.wait(WAIT_S)
    assert run.stop() == 1
    assert run.daemon.abandoned == ("understand",)
    assert run.session.closed
    goes_on.set()


# Hearing


def _chunks(count: int) -> Iterator[AudioChunk]:
    return (AudioChunk(b"\0\0" * 160, number) for number in range(count))


def _one_utterance_each(chunks: Iterable[AudioChunk]) -> Iterator[Utterance]:
    for chunk in chunks:
        yield Utterance(f"u{chunk.start_ns}", "turn on the light", "en", 1.0, (), 0, 2**62, "wav")


def _config(*, text_input: bool) -> Config:
    return Config(mqtt=MqttConfig(node="hall", text_input=text_input, protocol="5"))


def test_what_is_heard_becomes_commands_and_the_end_of_the_sound_ends_the_daemon(catalog: Catalog) -> None:
    hearing = Hearing(nullcontext(_chunks(2)), _one_utterance_each, may_pause=False)
    run = _start(catalog, _light_on, config=_config(text_input=False), hearing=hearing)
    assert run.end() == 0
    assert len(run.session.published) == 2


def test_the_end_of_the_sound_does_not_end_a_daemon_that_takes_text(catalog: Catalog) -> None:
    hearing = Hearing(nullcontext(_chunks(0)), _one_utterance_each, may_pause=False)
    run = _start(catalog, _light_on, config=_config(text_input=True), hearing=hearing)
    run.receive("turn on the light")
    assert run.notifier.fed.wait(WAIT_S)
    assert run.stop() == 0
    assert len(run.session.published) == 1


def test_the_stop_ends_an_endless_source(catalog: Catalog) -> None:
    heard = threading.Event()

    def endless() -> Iterator[AudioChunk]:
        while True:
            heard.set()
            yield AudioChunk(b"\0\0", 0)

    def silent(chunks: Iterable[AudioChunk]) -> Iterator[Utterance]:
        for _ in chunks:
            pass
        yield from ()

    hearing = Hearing(nullcontext(endless()), silent, may_pause=False)
    run = _start(catalog, _nothing, config=_config(text_input=False), hearing=hearing)
    assert heard.wait(WAIT_S)
    assert run.stop() == 0
    assert run.daemon.abandoned == ()


def test_a_source_that_cannot_be_opened_ends_the_daemon_with_its_own_code(
    catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def missing() -> Iterator[Iterator[AudioChunk]]:
        raise AudioError("no microphone can be opened", where="microphone", remedy="plug one in")
        yield iter(())

    hearing = Hearing(missing(), _one_utterance_each, may_pause=False)
    run = _start(catalog, _nothing, config=_config(text_input=False), hearing=hearing)
    assert run.end() == 2
    assert "plug one in" in caplog.text
    assert "Traceback" not in caplog.text
