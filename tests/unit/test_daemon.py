"""The daemon with a session that stays in memory: queues, the end, and what happens when a part fails."""

from __future__ import annotations

import gc
import json
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edged import daemon as daemon_module
from edged import reload, stages
from edged.act.messages import ask_topic, confirm_topic, listen_topic, text_topic
from edged.config import Config, FeedbackConfig, HearConfig, MqttConfig, StateConfig
from edged.daemon import Daemon, Parts
from edged.errors import AudioError, BrokerError, EdgedError, ModelError
from edged.hear.hearing import Hearing
from edged.intents.catalog import Catalog
from edged.intents.live import LiveFiles
from edged.ops.feedback import open_feedback, read_kept
from edged.ops.metrics import Metrics
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.reload import Live, Swap
from edged.stages import Stage
from edged.types import AudioChunk, Intent, Rejected, Utterance
from tests.unit.act.fakes import FakeBroker, FakeSession
from tests.unit.intents.test_live import intent_text

WAIT_S = 10
CONFIG = Config(mqtt=MqttConfig(node="hall", text_input=True, queue=2, protocol="5"))


class RecordingNotifier(Notifier):
    """Keeps what systemd would be told."""

    def __init__(self) -> None:
        super().__init__({})
        self.words: list[str] = []
        self.states: list[str] = []
        self.fed = threading.Event()

    def ready(self) -> None:
        self.words.append("ready")

    def stopping(self) -> None:
        self.words.append("stopping")

    def status(self, text: str) -> None:
        self.states.append(text)

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
        topic, payload = self.session.retained.get(timeout=WAIT_S)
        assert topic == "edged/hall/outbox"
        self.outbox = json.loads(payload)
        topic, payload = self.session.retained.get(timeout=WAIT_S)
        assert topic == "edged/hall/timers"
        self.timers = json.loads(payload)["timers"]

    def _run(self) -> None:
        self.code = self.daemon.run()

    @property
    def session(self) -> FakeSession:
        return self._broker.sessions[0]

    def receive(self, text: str, message_id: str | None = None) -> None:
        """As if a text came in over MQTT."""
        payload = json.dumps({"text": text, "id": message_id}).encode()
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
def short_times(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in (daemon_module, reload, stages):
        monkeypatch.setattr(module, "TICK_S", 0.01)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


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


def _kitchen_lamp_says(run: Run, **state: object) -> None:
    run.session.endpoint.on_message("zigbee2mqtt/kitchen_ceiling", json.dumps(state).encode(), False)


def _results(run: Run) -> list[str]:
    told = [json.loads(payload) for topic, payload in run.session.posted if topic == "edged/hall/result"]
    return [message["status"] for message in told]


def test_a_command_is_done_once_its_device_says_so(catalog: Catalog) -> None:
    run = _start(catalog, _light_on)
    run.receive("turn on the kitchen light")
    run.session.sent.get(timeout=WAIT_S)
    assert _results(run) == []
    _kitchen_lamp_says(run, state="ON")
    assert run.stop() == 0
    assert _results(run) == ["confirmed"]


def test_a_command_whose_device_is_silent_is_told_as_unconfirmed(catalog: Catalog) -> None:
    mqtt = CONFIG.mqtt.model_copy(update={"confirm_s": 0.01})
    run = _start(catalog, _light_on, config=CONFIG.model_copy(update={"mqtt": mqtt}))
    told = queue.SimpleQueue[str]()
    post = run.session.post

    def watch(topic: str, payload: bytes, *, retain: bool = False, **more: Any) -> bool:
        if topic == "edged/hall/result":
            told.put(json.loads(payload)["status"])
        return post(topic, payload, retain=retain, **more)

    run.session.post = watch  # type: ignore[method-assign]
    run.receive("turn on the kitchen light")
    assert told.get(timeout=WAIT_S) == "unconfirmed"
    assert run.stop() == 0


def test_a_command_that_is_waited_for_at_the_end_is_told_as_sent(catalog: Catalog) -> None:
    run = _start(catalog, _light_on)
    run.receive("turn on the kitchen light")
    run.session.sent.get(timeout=WAIT_S)
    assert run.stop() == 0
    assert _results(run) == ["sent"]


def test_a_device_that_says_it_is_offline_is_sent_nothing(catalog: Catalog) -> None:
    run = _start(catalog, _light_on)
    run.session.endpoint.on_message("zigbee2mqtt/kitchen_ceiling/availability", b'{"state":"offline"}', True)
    run.receive("turn on the kitchen light")
    assert run.stop() == 0
    assert run.session.published == []
    assert "is offline" in run.reports()[-1]["reason"]


def test_a_question_is_answered_from_what_the_device_said_and_nothing_is_sent(catalog: Catalog) -> None:
    def ask(utterance: Utterance) -> tuple[Intent, ...]:
        return (Intent(utterance.id, "query", {"about": "light_state", "light": "kitchen_light"}, 1.0, 1.0),)

    run = _start(catalog, ask)
    _kitchen_lamp_says(run, state="ON", brightness=127)
    run.receive("is the kitchen light on")
    assert run.stop() == 0
    assert run.session.published == []
    (answer,) = [json.loads(payload) for topic, payload in run.session.posted if topic == "edged/hall/answer"]
    assert (answer["intent"], answer["reply"]) == ("query", "kitchen ceiling lamp: on, 50 %")


def _light_on_later(delay_s: float) -> Callable[[Utterance], tuple[Intent, ...]]:
    return lambda utterance: tuple(replace(intent, delay_s=delay_s) for intent in _light_on(utterance))


def test_what_was_said_with_a_delay_is_done_when_it_is_due(catalog: Catalog) -> None:
    run = _start(catalog, _light_on_later(0.001))
    run.receive("turn on the kitchen light in a moment")
    assert run.session.sent.get(timeout=WAIT_S).topic == "zigbee2mqtt/kitchen_ceiling/set"
    assert run.stop() == 0
    lists = [json.loads(run.session.retained.get()[1])["timers"] for _ in range(2)]
    assert [len(timers) for timers in lists] == [1, 0]


def test_a_timer_is_told_again_after_a_restart(catalog: Catalog) -> None:
    run = _start(catalog, _light_on_later(3600.0))
    run.receive("turn on the kitchen light in an hour")
    told = json.loads(run.session.retained.get(timeout=WAIT_S)[1])["timers"]
    assert run.stop() == 0
    again = _start(catalog, _nothing)
    assert again.stop() == 0
    assert run.timers == []
    assert [timer["id"] for timer in again.timers] == [timer["id"] for timer in told] != []
    assert again.session.published == []


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


def test_a_text_that_found_the_queue_full_is_taken_when_it_is_sent_again(catalog: Catalog) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def slow(utterance: Utterance) -> Rejected:
        begun.set()
        assert goes_on.wait(WAIT_S)
        return _nothing(utterance)

    run = _start(catalog, slow)
    run.receive("first", "a")
    assert begun.wait(WAIT_S)
    for text in ("second", "third", "fourth", "fourth"):
        run.receive(text, text)
    assert [report["id"] for report in run.reports()] == ["fourth", "fourth"]
    goes_on.set()
    assert run.stop() == 0


def test_after_the_stop_nothing_is_taken_any_more(catalog: Catalog) -> None:
    run = _start(catalog, _light_on)
    assert run.stop() == 0
    run.daemon.offer(Utterance("u1", "late", "en", 1.0, 0, 0, "mic"))
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
    monkeypatch.setattr("edged.stages.time.monotonic", lambda: now_s)
    stage = Stage("hear")
    stage.beat()
    now_s += stages.STALE_S - 1
    assert stage.is_fresh()
    now_s += 1
    assert not stage.is_fresh()
    stage.beat(waits=True)
    now_s += 10 * stages.STALE_S
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


# What is kept


def test_what_was_refused_is_handed_over_to_be_kept(catalog: Catalog, tmp_path: Path) -> None:
    def understand(utterance: Utterance) -> tuple[Intent, ...] | Rejected:
        return _light_on(utterance) if "kitchen" in utterance.text else _nothing(utterance)

    config = CONFIG.model_copy(
        update={"state": StateConfig(directory=tmp_path), "feedback": FeedbackConfig(keep="refused")}
    )
    broker = FakeBroker()
    run = Run(config, Parts(understand, catalog, make_session=broker, keep=open_feedback(config)), broker)
    run.receive("turn on the chicken light")
    run.receive("turn on the kitchen light")
    assert run.stop() == 0
    refused, correction = read_kept(config.feedback_directory)
    assert (refused.text, refused.intents, refused.follows) == ("turn on the chicken light", (), None)
    assert refused.rejected is not None
    assert refused.rejected.reason == "no command in this"
    assert (correction.intents[0]["device"], correction.follows) == ("kitchen_light", refused.id)


def test_a_state_directory_that_cannot_be_written_stops_no_command(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = _start(
        catalog,
        _light_on,
        config=CONFIG.model_copy(update={"state": StateConfig(directory=tmp_path / "file")}),
    )
    run.receive("turn on the kitchen light")
    assert run.outbox["durable"] is False
    assert run.stop() == 0
    assert len(run.session.published) == 1


def test_without_the_configuration_a_daemon_keeps_nothing(catalog: Catalog, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"state": StateConfig(directory=tmp_path)})
    broker = FakeBroker()
    run = Run(config, Parts(_nothing, catalog, make_session=broker, keep=open_feedback(config)), broker)
    run.receive("turn on the chicken light")
    assert run.stop() == 0
    assert not config.feedback_directory.exists()


# Hearing


def _chunks(count: int) -> Iterator[AudioChunk]:
    return (AudioChunk(b"\0\0" * 160, number) for number in range(count))


def _one_utterance_each(chunks: Iterable[AudioChunk], _on_partial: Callable[[str], None]) -> Iterator[Utterance]:
    for chunk in chunks:
        yield Utterance(f"u{chunk.start_ns}", "turn on the light", "en", 1.0, 0, 2**62, "wav")


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

    def silent(chunks: Iterable[AudioChunk], _on_partial: Callable[[str], None]) -> Iterator[Utterance]:
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


# Listening on request


class Microphone:
    """Sound that comes chunk by chunk when the test says so; each chunk that is heard is an utterance of its number."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[int | None] = queue.Queue()

    def hearing(self) -> Hearing:
        return Hearing(nullcontext(self._sound()), self._transcribe, may_pause=True)

    def sound(self, *numbers: int) -> None:
        """Until all of it has been dealt with."""
        for number in numbers:
            self._chunks.put(number)
        self._chunks.join()

    def end(self) -> None:
        self._chunks.put(None)

    def _sound(self) -> Iterator[AudioChunk]:
        while (number := self._chunks.get(timeout=WAIT_S)) is not None:
            yield AudioChunk(b"\0\0", number)
            self._chunks.task_done()

    def _transcribe(self, chunks: Iterable[AudioChunk], _on_partial: Callable[[str], None]) -> Iterator[Utterance]:
        for chunk in chunks:
            yield Utterance(f"u{chunk.start_ns}", f"number {chunk.start_ns}", "en", 1.0, 0, 0, "mic")


class Asked:
    """A daemon with a microphone that listens on request."""

    def __init__(self, catalog: Catalog, *, listening: bool) -> None:
        self.microphone = Microphone()
        config = Config(
            mqtt=MqttConfig(node="hall", text_input=True, listen_input=True, queue=100, protocol="5"),
            hear=HearConfig(source="mic", listening=listening),
        )
        self.run = _start(catalog, _nothing, config=config, hearing=self.microphone.hearing())

    def ask(self, mode: str, *, retained: bool = False) -> None:
        payload = json.dumps({"listen": mode}).encode()
        self.run.session.endpoint.on_message(listen_topic("hall"), payload, retained)

    def end(self) -> list[str]:
        """The texts that were understood or refused."""
        self.microphone.end()
        assert self.run.stop() == 0
        assert self.run.daemon.abandoned == ()
        return [report["text"] for report in self.run.reports()]

    def told(self) -> list[bytes]:
        """What was retained about listening."""
        retained = self.run.session.retained
        messages = [retained.get() for _ in range(retained.qsize())]
        return [payload for topic, payload in messages if topic == "edged/hall/listening"]


def test_nothing_is_heard_before_somebody_asks_and_then_one_utterance(catalog: Catalog) -> None:
    asked = Asked(catalog, listening=False)
    asked.microphone.sound(1)
    asked.ask("once")
    asked.microphone.sound(2, 3)
    assert asked.end() == ["number 2"]
    assert asked.told() == [b"off", b"on", b"off"]


def test_a_daemon_that_listens_can_be_switched_off_and_on(catalog: Catalog) -> None:
    asked = Asked(catalog, listening=True)
    asked.microphone.sound(1)
    asked.ask("off")
    asked.microphone.sound(2, 3)
    asked.ask("on")
    asked.microphone.sound(4, 5)
    assert asked.end() == ["number 1", "number 4", "number 5"]
    assert asked.told() == [b"on", b"off", b"on"]


def test_a_retained_request_to_listen_is_ignored(catalog: Catalog) -> None:
    asked = Asked(catalog, listening=False)
    asked.ask("on", retained=True)
    asked.microphone.sound(1)
    assert asked.end() == []


def test_a_request_to_listen_is_no_request_where_it_is_not_configured(catalog: Catalog) -> None:
    microphone = Microphone()
    run = _start(catalog, _nothing, hearing=microphone.hearing())
    assert listen_topic("hall") not in run.session.topics
    run.session.endpoint.on_message(listen_topic("hall"), b'{"listen": "off"}', False)
    microphone.sound(1)
    microphone.end()
    assert run.stop() == 0
    assert [report["text"] for report in run.reports()] == ["number 1"]


# Replies


def _confirm(catalog: Catalog, **parts: Any) -> list[dict[str, Any]]:
    """What is reported where a reply comes in."""
    broker = FakeBroker()
    config = Config(mqtt=MqttConfig(node="hall", confirm_input=True, protocol="5"))
    run = Run(config, Parts(_nothing, catalog, make_session=broker, **parts), broker)
    run.session.endpoint.on_message(confirm_topic("hall"), b'{"id": "u1", "answer": "yes"}', False)
    assert run.stop() == 0
    return run.reports()


def test_a_reply_without_a_question_is_refused(catalog: Catalog) -> None:
    (report,) = _confirm(catalog)
    assert (report["id"], report["reason"]) == ("u1", "in/confirm: no question about this utterance is open")


def test_a_question_is_answered_by_its_id_and_the_next_is_given_up_at_the_end(catalog: Catalog) -> None:
    mqtt = MqttConfig(node="hall", text_input=True, confirm_input=True, protocol="5")
    slots = {"action": "open", "device": "garage_door"}
    run = _start(catalog, lambda one: (Intent(one.id, "gate", slots, 1.0, 1.0),), config=Config(mqtt=mqtt))
    take, post, asked = run.session.endpoint.on_message, run.session.post, threading.Semaphore(0)

    def post_and_tell(topic: str, payload: bytes, *, retain: bool = False, **more: Any) -> bool:
        taken = post(topic, payload, retain=retain, **more)
        if topic == ask_topic("hall"):
            asked.release()
        return taken

    run.session.post = post_and_tell  # type: ignore[method-assign]
    take(text_topic("hall"), b'{"text": "open the garage door", "id": "first"}', False)
    assert asked.acquire(timeout=WAIT_S)
    take(confirm_topic("hall"), b'{"id": "first", "answer": "yes"}', False)
    assert run.session.sent.get(timeout=WAIT_S).topic == "zigbee2mqtt/garage_door/set"
    take(text_topic("hall"), b'{"text": "open the garage door", "id": "second"}', False)
    assert run.stop() == 0
    assert len(run.session.published) == 1
    reports = [(topic.rpartition("/")[2], json.loads(payload)) for topic, payload in run.session.posted]
    assert [(topic, report["id"]) for topic, report in reports if topic != "result"] == [
        ("ask", "first"), ("gate", "first"), ("ask", "second"), ("rejected", "second"),
    ]  # fmt: skip
    (rejected,) = [report for topic, report in reports if topic == "rejected"]
    assert rejected["reason"] == "the daemon is shutting down"


# Home Assistant


def _announced(catalog: Catalog, mode: str) -> Run:
    mqtt = MqttConfig.model_validate({"node": "hall", "text_input": True, "discovery": mode, "protocol": "5"})
    return _start(catalog, _nothing, config=Config(mqtt=mqtt))


def test_home_assistant_is_told_of_the_daemon_and_again_when_it_starts(catalog: Catalog) -> None:
    run = _announced(catalog, "on")
    topics = ["edged/hall/diagnostics", "homeassistant/device/edged_hall/config"]
    first = [run.session.retained.get(timeout=WAIT_S) for _ in topics]
    assert [topic for topic, _ in first] == topics
    assert {f"intent_{name}" for name in catalog.intents} <= set(json.loads(first[1][1])["components"])
    assert "homeassistant/status" in run.session.topics
    run.session.endpoint.on_message("homeassistant/status", b"online", False)
    assert run.session.retained.get(timeout=WAIT_S) == first[1]
    assert run.stop() == 0
    assert run.session.retained.empty()


def test_home_assistant_forgets_a_daemon_that_is_to_be_removed(catalog: Catalog) -> None:
    run = _announced(catalog, "remove")
    assert run.session.retained.get(timeout=WAIT_S) == ("homeassistant/device/edged_hall/config", b"")
    assert "homeassistant/status" not in run.session.topics
    assert run.stop() == 0


def test_a_message_of_home_assistant_is_no_state_of_a_device(catalog: Catalog) -> None:
    run = _announced(catalog, "on")
    run.session.endpoint.on_message("homeassistant/status", b"offline", False)
    assert run.stop() == 0
    assert run.daemon._following.states.ignored == 0


# Words that are still being spoken


class Talk:
    """A person whose words come when the test says so, and an LM that is held up where the test wants it."""

    def __init__(self, catalog: Catalog, *, anticipates: bool = False) -> None:
        self.did: list[str] = []
        """What was prefilled, anticipated, and parsed, in order."""
        self.broken = False
        self._script: queue.Queue[str | Utterance | None] = queue.Queue()
        self._held = ""
        self._begun, self._goes_on, self._done = threading.Event(), threading.Event(), threading.Semaphore(0)
        hearing = Hearing(
            nullcontext(_chunks(1)),
            self._transcribe,
            may_pause=True,
            prefill=self._prefill,
            anticipate=self._anticipate if anticipates else lambda _words: None,
        )
        self.run = _start(catalog, self._understand, hearing=hearing)

    def say(self, *items: str | Utterance) -> None:
        """Until the daemon has been told each text so far, and each whole utterance."""
        for item in items:
            self._script.put(item)
        self._script.join()

    def hold(self, what: str) -> None:
        """The LM is held up when it gets to do this."""
        self._held = what

    def wait_for_hold(self) -> None:
        assert self._begun.wait(WAIT_S)

    def go_on(self) -> None:
        self._goes_on.set()

    def wait_for(self, count: int) -> list[str]:
        """What was done, once so many things have been."""
        for _ in range(count):
            assert self._done.acquire(timeout=WAIT_S)
        return self.did

    def end(self) -> int | None:
        self._script.put(None)
        return self.run.stop()

    def _transcribe(self, _chunks: Iterable[AudioChunk], on_partial: Callable[[str], None]) -> Iterator[Utterance]:
        while (item := self._script.get(timeout=WAIT_S)) is not None:
            if isinstance(item, Utterance):
                yield item
            else:
                on_partial(item)
            self._script.task_done()

    def _understand(self, utterance: Utterance) -> Rejected:
        self._do(f"parse {utterance.text}")
        return _nothing(utterance)

    def _prefill(self, words: str) -> None:
        self._do(f"prefill {words}")
        if self.broken:
            raise ModelError("llama_decode gave 1")

    def _anticipate(self, words: str) -> None:
        self._do(f"anticipate {words}")
        if self.broken:
            raise ModelError("llama_decode gave 1")

    def _do(self, what: str) -> None:
        self.did.append(what)
        if what == self._held:
            self._begun.set()
            assert self._goes_on.wait(WAIT_S)
        self._done.release()


@pytest.fixture
def talk(catalog: Catalog) -> Iterator[Talk]:
    yield from _talking(Talk(catalog))


@pytest.fixture
def hesitant(catalog: Catalog) -> Iterator[Talk]:
    """The LM answers ahead when the person pauses."""
    yield from _talking(Talk(catalog, anticipates=True))


def _talking(talk: Talk) -> Iterator[Talk]:
    yield talk
    talk.go_on()
    assert talk.end() == 0
    assert talk.run.daemon.abandoned == ()


def _whole(text: str) -> Utterance:
    return Utterance(text, text, "en", 1.0, 0, 0, "mic")


def test_words_are_prefilled_while_they_are_spoken(talk: Talk) -> None:
    talk.say("turn")
    talk.wait_for(1)
    talk.say("turn on")
    talk.wait_for(1)
    talk.say(_whole("turn on light"))
    assert talk.wait_for(1) == ["prefill turn", "prefill turn on", "parse turn on light"]


def test_of_words_that_come_faster_than_the_lm_reads_the_latest_count(talk: Talk) -> None:
    talk.hold("prefill a")
    talk.say("a")
    talk.wait_for_hold()
    talk.say("a b", "a b c", "a c d")
    talk.go_on()
    assert talk.wait_for(2) == ["prefill a", "prefill a c d"]


def test_a_whole_utterance_waits_for_no_words_but_those_under_way_and_outdates_its_own(talk: Talk) -> None:
    talk.hold("prefill a")
    talk.say("a")
    talk.wait_for_hold()
    talk.say("a b", _whole("a b c"))
    talk.go_on()
    talk.wait_for(2)
    talk.say("d")
    assert talk.wait_for(1) == ["prefill a", "parse a b c", "prefill d"]


def test_words_of_the_next_utterance_are_kept_until_all_before_are_understood(talk: Talk) -> None:
    talk.hold("parse a")
    talk.say(_whole("a"))
    talk.wait_for_hold()
    talk.say("b", _whole("b c"), "d", _whole("d e"), "f", "f g")
    talk.go_on()
    assert talk.wait_for(4) == ["parse a", "parse b c", "parse d e", "prefill f g"]


def test_a_typed_text_goes_first_and_leaves_the_words_that_are_being_spoken(talk: Talk) -> None:
    talk.hold("prefill a")
    talk.say("a")
    talk.wait_for_hold()
    talk.say("a b")
    talk.run.receive("typed")
    talk.go_on()
    assert talk.wait_for(3) == ["prefill a", "parse typed", "prefill a b"]


def test_a_changed_catalog_goes_before_words_that_are_being_spoken(talk: Talk, catalog: Catalog) -> None:
    talk.hold("parse a")
    talk.say(_whole("a"))
    talk.wait_for_hold()
    talk.say("b")
    with talk.run.daemon._work:
        talk.run.daemon._swap = Swap(catalog, lambda: talk.did.append("swap"))
    talk.go_on()
    assert talk.wait_for(2) == ["parse a", "swap", "prefill b"]


def test_an_lm_that_cannot_read_words_so_far_loses_no_utterance(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    talk.broken = True
    talk.say("a")
    talk.wait_for(1)
    talk.say(_whole("a b c"))
    talk.wait_for(1)
    talk.broken = False
    talk.say("d")
    assert talk.wait_for(1) == ["prefill a", "parse a b c", "prefill d"]
    assert "could not be read: llama_decode gave 1" in caplog.text


# A catalog that follows its files


class FakeWatcher:
    """Says that the files are to be read when the test says so."""

    def __init__(self) -> None:
        self._signals: queue.Queue[bool] = queue.Queue()
        self._taken = False

    def wait(self, timeout_s: float) -> bool:
        if self._taken:
            self._signals.task_done()
        self._taken = False
        with suppress(queue.Empty):
            self._taken = self._signals.get(timeout=timeout_s)
        return self._taken

    def signal(self) -> None:
        self._signals.put(True)

    def settle(self) -> None:
        """Until the files have been read as often as was said."""
        self._signals.join()


class ReloadMetrics(Metrics):
    """Keeps whether each reload was taken."""

    def __init__(self) -> None:
        self.reloads: list[bool] = []

    def count_reload(self, *, taken: bool) -> None:
        self.reloads.append(taken)


class LiveRun:
    """A daemon whose intents are files of their own; `use` stands for the parser and says what it was given."""

    def __init__(
        self,
        root: Path,
        understand: Callable[[Utterance], tuple[Intent, ...] | Rejected] | None = None,
        config: Config = CONFIG,
    ) -> None:
        self.schemas = root / "schemas"
        self.schemas.mkdir()
        self.home = root / "home.toml"
        self.put("a.json", "alpha")
        self.move_lamp("lamp_1")
        self.files = LiveFiles(self.schemas, self.home, root / "state")
        self.refusal: EdgedError | None = None
        self.in_force: list[tuple[str, ...]] = []
        self.watcher = FakeWatcher()
        self.metrics = ReloadMetrics()
        snapshot = self.files.start()
        self.files.accept(snapshot)
        self.use(snapshot.catalog)
        live = Live(
            self.files, snapshot, lambda: nullcontext(self.watcher), lambda changed: lambda: self.use(changed.catalog)
        )
        broker = FakeBroker()
        understand = understand or self.understand
        parts = Parts(understand, snapshot.catalog, live=live, make_session=broker, metrics=self.metrics)
        self.run = Run(config, parts, broker)
        if config.mqtt.discovery == "on":
            for _ in ("diagnostics", "device"):
                self.run.session.retained.get(timeout=WAIT_S)
        assert self.catalog()["intents"] == ["alpha"]

    def put(self, name: str, intent: str) -> None:
        (self.schemas / name).write_text(intent_text(intent) if intent else "{")

    def move_lamp(self, address: str) -> None:
        self.home.write_text(
            f'[areas.hall]\n[devices.lamp]\nkind = "light"\ndriver = "zigbee2mqtt"\naddress = "{address}"\n'
        )

    def use(self, catalog: Catalog) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.in_force.append(tuple(catalog.intents))

    def understand(self, utterance: Utterance) -> Rejected:
        return Rejected(utterance.id, "understand", " ".join(self.in_force[-1]))

    def catalog(self) -> dict[str, Any]:
        """The next retained message about the catalog."""
        topic, payload = self.run.session.retained.get(timeout=WAIT_S)
        assert topic == "edged/hall/catalog"
        message: dict[str, Any] = json.loads(payload)
        return message

    def reload(self) -> dict[str, Any]:
        self.watcher.signal()
        return self.catalog()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveRun]:
    live = LiveRun(tmp_path)
    yield live
    assert live.run.stop() == 0
    assert live.run.daemon.abandoned == ()


def test_a_new_file_is_in_force_and_said(live: LiveRun, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    live.put("b.json", "beta")
    assert live.reload()["intents"] == ["alpha", "beta"]
    assert live.in_force == [("alpha",), ("alpha", "beta")]
    live.watcher.settle()
    assert "added b.json; 2 intents in force" in caplog.text
    assert live.run.notifier.states[-1] == "listening: 2 intents"


def test_a_bad_file_is_reported_and_the_parser_is_left_alone(live: LiveRun) -> None:
    live.put("a.json", "")
    message = live.reload()
    assert (message["intents"], message["last_good"]) == (["alpha"], ["a.json"])
    assert {fault["file"] for fault in message["faults"]} == {"a.json"}
    live.watcher.settle()
    assert live.in_force == [("alpha",)]
    assert live.run.notifier.states[-1] == "listening: 1 intent; a.json refused, last good version in force"


def test_a_fault_is_told_once_a_change(live: LiveRun, caplog: pytest.LogCaptureFixture) -> None:
    live.put("x.json", "")
    live.reload()
    count = caplog.text.count("x.json")
    live.put("b.json", "beta")
    live.reload()
    assert caplog.text.count("x.json") == count > 0
    (live.schemas / "x.json").write_text("{ ")
    live.reload()
    assert caplog.text.count("x.json") > count


def test_a_warning_is_told_once_a_change_and_the_file_is_in_force(
    live: LiveRun, caplog: pytest.LogCaptureFixture
) -> None:
    (live.schemas / "b.json").write_text(intent_text("beta").replace(" {area}", ""))
    message = live.reload()
    assert message["intents"] == ["alpha", "beta"]
    assert [(fault["file"], fault["severity"]) for fault in message["faults"]] == [("b.json", "warning")]
    live.put("c.json", "gamma")
    assert len(live.reload()["faults"]) == 1
    assert caplog.text.count("warning: b.json") == 1


def test_what_a_changed_house_makes_wrong_with_an_old_file_is_told(
    live: LiveRun, caplog: pytest.LogCaptureFixture
) -> None:
    live.home.write_text(live.home.read_text().replace("[areas.hall]", ""))
    message = live.reload()
    assert {fault["file"] for fault in message["faults"]} == {"a.json"}
    assert "a.json" in caplog.text


def test_files_as_they_were_change_and_say_nothing(live: LiveRun) -> None:
    live.watcher.signal()
    live.watcher.settle()
    assert live.in_force == [("alpha",)]
    assert live.run.session.retained.empty()
    assert live.metrics.reloads == []


def test_a_catalog_that_cannot_be_used_is_refused_and_the_daemon_goes_on(live: LiveRun) -> None:
    live.refusal = ModelError("the catalog takes 9000 of 2048 tokens", remedy="load fewer intents")
    live.put("b.json", "beta")
    message = live.reload()
    assert message["intents"] == ["alpha"]
    assert [fault["what"] for fault in message["faults"]] == ["the catalog takes 9000 of 2048 tokens"]
    live.refusal = None
    live.put("b.json", "gamma")
    assert live.reload()["intents"] == ["alpha", "gamma"]
    assert live.metrics.reloads == [False, True]


def test_an_utterance_is_understood_under_one_catalog_and_the_next_under_the_new_one(tmp_path: Path) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    seen: list[tuple[str, ...]] = []

    def understand(utterance: Utterance) -> Rejected:
        seen.append(started.in_force[-1])
        begun.set()
        assert goes_on.wait(WAIT_S)
        seen.append(started.in_force[-1])
        return _nothing(utterance)

    started = LiveRun(tmp_path, understand)
    started.run.receive("first")
    assert begun.wait(WAIT_S)
    started.run.receive("second")
    started.put("b.json", "beta")
    started.watcher.signal()
    with started.run.daemon._work:
        assert started.run.daemon._work.wait_for(lambda: started.run.daemon._swap is not None, WAIT_S)
    assert started.run.session.retained.empty()
    goes_on.set()
    assert started.catalog()["intents"] == ["alpha", "beta"]
    assert started.run.stop() == 0
    assert seen == [("alpha",), ("alpha",), ("alpha", "beta"), ("alpha", "beta")]


def test_the_topics_of_a_changed_house_are_subscribed(live: LiveRun) -> None:
    bridge = "zigbee2mqtt/bridge/state"
    lamps = {number: [f"zigbee2mqtt/lamp_{number}", f"zigbee2mqtt/lamp_{number}/availability"] for number in (1, 2)}
    assert sorted(live.run.session.topics) == [text_topic("hall"), bridge, *lamps[1]]
    live.move_lamp("lamp_2")
    live.reload()
    assert sorted(live.run.session.topics) == [text_topic("hall"), bridge, *lamps[2]]
    live.run.session.endpoint.on_message("zigbee2mqtt/lamp_2", b'{"state": "ON"}', True)
    assert live.run.daemon._following.states.state_of("lamp") == {"state": "ON"}


def test_home_assistant_is_told_of_changed_intents(tmp_path: Path) -> None:
    mqtt = CONFIG.mqtt.model_copy(update={"discovery": "on"})
    live = LiveRun(tmp_path, config=CONFIG.model_copy(update={"mqtt": mqtt}))
    live.put("b.json", "beta")
    (live.schemas / "a.json").unlink()
    assert live.reload()["intents"] == ["beta"]
    topic, payload = live.run.session.retained.get(timeout=WAIT_S)
    components = json.loads(payload)["components"]
    assert topic == "homeassistant/device/edged_hall/config"
    assert components["intent_beta"]["event_types"] == ["beta"]
    assert components["intent_alpha"] == {"platform": "event"}
    assert live.run.stop() == 0


def test_a_bug_in_the_reload_stops_the_daemon_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveRun(tmp_path)

    def broken() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(live.files, "read", broken)
    live.watcher.signal()
    assert live.run.end() == 1


def test_a_stop_does_not_wait_for_a_swap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "DRAIN_S", 0.05)
    begun, goes_on = threading.Event(), threading.Event()

    def endless(utterance: Utterance) -> Rejected:
        begun.set()
        goes_on.wait(WAIT_S)
        return _nothing(utterance)

    live = LiveRun(tmp_path, endless)
    live.run.receive("x")
    assert begun.wait(WAIT_S)
    live.put("b.json", "beta")
    live.watcher.signal()
    assert live.run.stop() == 1
    assert live.run.daemon.abandoned == ("understand",)
    goes_on.set()


def test_a_hundred_reloads_leave_nothing_behind(live: LiveRun) -> None:
    for number in range(20):
        live.put("b.json", f"beta_{number}")
        live.reload()
    before = _held()
    for number in range(100):
        live.put("b.json", f"beta_{number % 50}")
        live.reload()
    descriptors, threads, catalogs = _held()
    assert (descriptors, threads) == before[:2]
    assert catalogs <= before[2] + 2


def _held() -> tuple[int, int, int]:
    """Open descriptors, threads, and catalogs in memory."""
    gc.collect()
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    return descriptors, threading.active_count(), sum(isinstance(item, Catalog) for item in gc.get_objects())


def test_words_before_a_pause_are_answered_ahead_once(hesitant: Talk) -> None:
    hesitant.say("turn on")
    assert hesitant.wait_for(2) == ["prefill turn on", "anticipate turn on"]
    hesitant.say(_whole("turn on"))
    assert hesitant.wait_for(1) == ["prefill turn on", "anticipate turn on", "parse turn on"]


def test_an_utterance_is_not_kept_waiting_for_a_pause(hesitant: Talk) -> None:
    hesitant.hold("prefill a")
    hesitant.say("a")
    hesitant.wait_for_hold()
    hesitant.say(_whole("a"))
    hesitant.go_on()
    assert hesitant.wait_for(2) == ["prefill a", "parse a"]


def test_an_answer_ahead_that_fails_loses_nothing(hesitant: Talk, caplog: pytest.LogCaptureFixture) -> None:
    hesitant.broken = True
    hesitant.say("a")
    hesitant.wait_for(2)
    hesitant.say(_whole("a"))
    assert hesitant.wait_for(1) == ["prefill a", "anticipate a", "parse a"]
    assert "could not be read" in caplog.text
