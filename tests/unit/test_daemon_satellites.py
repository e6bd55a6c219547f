"""The daemon with several sources of sound, which come and go, and the network that brings them."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType

import pytest

from edged.act.messages import listen_topic
from edged.config import Config, HearConfig, MqttConfig
from edged.daemon import Parts
from edged.hear.hearing import Hearing
from edged.intents.catalog import Catalog
from edged.stages import Stage
from edged.types import AudioChunk, Rejected, Utterance
from tests.unit.act.fakes import FakeBroker
from tests.unit.test_daemon import WAIT_S, Run, short_times

assert short_times  # a fixture for every test here


class Room:
    """A source that is entered for each script of partial words (texts), utterances and rejections; None ends it."""

    def __init__(self, name: str, did: queue.Queue[str]) -> None:
        self._name, self._did = name, did
        self._scripts: queue.Queue[tuple[str | Utterance | Rejected, ...] | None] = queue.Queue()
        self._script: tuple[str | Utterance | Rejected, ...] = ()
        self._goes_on = threading.Semaphore(0)
        self.told = threading.Semaphore(0)
        """Released for each item that the daemon has been told."""

    def hearing(self) -> Hearing:
        return Hearing(
            self,
            self._transcribe,
            may_pause=True,
            prefill=lambda words: self._did.put(f"{self._name} prefill {words}"),
            anticipate=lambda words: self._did.put(f"{self._name} anticipate {words}"),
            name=f"hear {self._name}",
            comes_again=True,
        )

    def hear(self, *script: str | Utterance | Rejected) -> None:
        """Until the daemon has been told the first item; `go_on` lets the next follow."""
        self._scripts.put(script)
        assert self.told.acquire(timeout=WAIT_S)

    def go_on(self) -> None:
        self._goes_on.release()

    def close(self) -> None:
        self._scripts.put(None)

    def __enter__(self) -> Iterator[AudioChunk]:
        self._script = self._scripts.get(timeout=WAIT_S) or ()
        return iter([AudioChunk(b"\0\0", 0)])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def _transcribe(
        self, _chunks: Iterable[AudioChunk], on_partial: Callable[[str], None]
    ) -> Iterator[Utterance | Rejected]:
        for item in self._script:
            if isinstance(item, str):
                on_partial(item)
            else:
                yield item
            self.told.release()
            assert self._goes_on.acquire(timeout=WAIT_S)


class Rooms:
    """A kitchen, an office, and what brings their sound."""

    def __init__(self, catalog: Catalog, *, listening: bool = True, broken: bool = False) -> None:
        self.did: queue.Queue[str] = queue.Queue()
        self.kitchen, self.office = Room("kitchen", self.did), Room("office", self.did)
        self.listened: queue.Queue[bool] = queue.Queue()
        self._broken = broken
        self._closed = threading.Event()
        broker = FakeBroker()
        config = Config(
            mqtt=MqttConfig(node="hall", text_input=True, listen_input=True, protocol="5"),
            hear=HearConfig.model_validate(
                {"source": "wyoming", "listening": listening, "satellites": {"kitchen": {"uri": "tcp://a:1"}}}
            ),
        )
        parts = Parts(
            self._understand,
            catalog,
            satellites=(self.kitchen.hearing(), self.office.hearing()),
            network=self,
            make_session=broker,
        )
        self.run_of_daemon = Run(config, parts, broker)

    def run(self, beat: Callable[[], None]) -> None:
        beat()
        if self._broken:
            raise RuntimeError("a bug")
        assert self._closed.wait(WAIT_S)

    def listen(self, *, on: bool) -> None:
        self.listened.put(on)

    def close(self) -> None:
        self._closed.set()
        for room in (self.kitchen, self.office):
            room.go_on()
            room.close()

    def stop(self) -> int | None:
        code = self.run_of_daemon.stop()
        assert self.run_of_daemon.daemon.abandoned == ()
        return code

    def _understand(self, utterance: Utterance) -> Rejected:
        self.did.put(f"parse {utterance.text} in {utterance.area}")
        return Rejected(utterance.id, "understand", "no command in this")


def utterance(text: str, area: str) -> Utterance:
    return Utterance(f"u-{area}", text, "en", 1.0, 0, 0, f"wyoming:{area}", area)


def test_each_satellite_is_heard_again_and_again(catalog: Catalog) -> None:
    rooms = Rooms(catalog)
    for text in ("one", "two"):
        for room, area in ((rooms.kitchen, "kitchen"), (rooms.office, "office")):
            room.hear(utterance(text, area))
            assert rooms.did.get(timeout=WAIT_S) == f"parse {text} in {area}"
            room.go_on()
    assert rooms.stop() == 0


def test_who_speaks_alone_is_read_ahead_by_its_own_ears(catalog: Catalog) -> None:
    rooms = Rooms(catalog)
    rooms.office.hear("turn on")
    assert [rooms.did.get(timeout=WAIT_S) for _ in range(2)] == ["office prefill turn on", "office anticipate turn on"]
    assert rooms.stop() == 0


def test_the_words_of_two_who_speak_at_once_are_not_read_ahead(catalog: Catalog) -> None:
    rooms = Rooms(catalog)
    rooms.office.hear("turn on")
    for did in ("office prefill turn on", "office anticipate turn on"):
        assert rooms.did.get(timeout=WAIT_S) == did
    rooms.kitchen.hear("set the", "set the heating", utterance("set the heating to 20", "kitchen"))
    for _ in range(2):
        rooms.kitchen.go_on()
        assert rooms.kitchen.told.acquire(timeout=WAIT_S)
    assert rooms.did.get(timeout=WAIT_S) == "parse set the heating to 20 in kitchen"
    assert rooms.stop() == 0


def test_who_is_left_alone_is_read_ahead_again(catalog: Catalog) -> None:
    rooms = Rooms(catalog)
    rooms.kitchen.hear("set", utterance("set", "kitchen"))
    for did in ("kitchen prefill set", "kitchen anticipate set"):
        assert rooms.did.get(timeout=WAIT_S) == did
    rooms.office.hear("turn", "turn on")
    rooms.kitchen.go_on()
    assert rooms.did.get(timeout=WAIT_S) == "parse set in kitchen"
    rooms.office.go_on()
    assert rooms.did.get(timeout=WAIT_S) == "office prefill turn on"
    assert rooms.stop() == 0


def test_what_was_not_heard_to_its_end_is_reported_and_ends_no_listening(catalog: Catalog) -> None:
    rooms = Rooms(catalog, listening=False)
    session = rooms.run_of_daemon.session
    assert rooms.listened.get(timeout=WAIT_S) is False  # as it begins
    session.endpoint.on_message(listen_topic("hall"), b'{"listen": "once"}', False)
    assert rooms.listened.get(timeout=WAIT_S) is True
    rooms.kitchen.hear(Rejected("u1", "hear", "satellite kitchen: the connection ended while somebody spoke"))
    assert rooms.listened.empty()
    assert rooms.stop() == 0
    told = [json.loads(payload) for topic, payload in session.posted if topic == "edged/hall/rejected"]
    assert [(report["stage"], report["id"]) for report in told] == [("hear", "u1")]


def test_satellites_are_told_whether_anybody_listens(catalog: Catalog) -> None:
    rooms = Rooms(catalog)
    assert rooms.listened.get(timeout=WAIT_S) is True  # as it begins
    for mode, on in (("off", False), ("on", True)):
        rooms.run_of_daemon.session.endpoint.on_message(
            listen_topic("hall"), json.dumps({"listen": mode}).encode(), False
        )
        assert rooms.listened.get(timeout=WAIT_S) is on
    assert rooms.stop() == 0


def test_a_network_that_fails_stops_the_daemon_with_1(catalog: Catalog) -> None:
    assert Rooms(catalog, broken=True).run_of_daemon.end() == 1


@pytest.mark.parametrize("name", ["satellites", "hear kitchen", "hear office"])
def test_the_watchdog_is_not_fed_while_one_of_them_hangs(
    name: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = threading.Event()
    monkeypatch.setattr(Stage, "is_fresh", lambda stage: stage.name != name or told.set())  # type: ignore[func-returns-value]
    rooms = Rooms(catalog)
    assert told.wait(WAIT_S)
    assert rooms.stop() == 0
    assert f"no heartbeat from {name}" in caplog.text
