"""The daemon, a real Mosquitto, and what Home Assistant does with them, played by a script."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from edged.config import Config, HearConfig, MqttConfig
from edged.daemon import Daemon, Parts
from edged.hear.hearing import Hearing
from edged.intents.catalog import Catalog
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.types import AudioChunk, Rejected, Utterance
from tests.peer.broker import WAIT_S, Mosquitto, Watcher, watching

pytestmark = pytest.mark.peer

DEVICE = "homeassistant/device/edged_hall/config"
LISTENING = "edged/hall/listening"


class Microphone:
    """Gives a chunk when the test says so; each that is heard is an utterance."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[AudioChunk | None] = queue.Queue()

    def speak(self) -> None:
        self._chunks.put(AudioChunk(b"\0\0", 0))
        self._chunks.join()

    def end(self) -> None:
        self._chunks.put(None)

    def hearing(self) -> Hearing:
        return Hearing(nullcontext(self._sound()), self._transcribe, may_pause=True)

    def _sound(self) -> Iterator[AudioChunk]:
        while (chunk := self._chunks.get(timeout=WAIT_S)) is not None:
            yield chunk
            self._chunks.task_done()

    def _transcribe(self, chunks: Iterable[AudioChunk], _on_partial: Callable[[str], None]) -> Iterator[Utterance]:
        for _ in chunks:
            yield Utterance("u1", "hello", "en", 1.0, 0, 0, "mic")


@contextmanager
def _running(broker: Mosquitto, catalog: Catalog, discovery: str) -> Iterator[Microphone]:
    """A daemon that understands nothing and listens on request."""
    mqtt = MqttConfig.model_validate(
        {"port": broker.port, "node": "hall", "listen_input": True, "discovery": discovery, "connect_timeout_s": 10}
    )
    config = Config(mqtt=mqtt, hear=HearConfig(source="mic", listening=False))
    microphone = Microphone()
    parts = Parts(lambda heard: Rejected(heard.id, "understand", "no command"), catalog, microphone.hearing())
    with Wake() as wake:
        daemon = Daemon(config, parts, wake=wake, notifier=Notifier({}))
        thread = threading.Thread(target=daemon.run)
        thread.start()
        yield microphone
        microphone.end()
        wake.request()
        thread.join(WAIT_S)
        assert not thread.is_alive()


def _description(watcher: Watcher) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(watcher.next(DEVICE).payload)
    return described


def test_home_assistant_finds_the_daemon_and_has_it_listen(mosquitto: Mosquitto, catalog: Catalog) -> None:
    with (
        watching(mosquitto, DEVICE, LISTENING, "edged/hall/rejected") as home_assistant,
        _running(mosquitto, catalog, "on") as microphone,
    ):
        described = _description(home_assistant)
        home_assistant.publish("homeassistant/status", "online")
        assert _description(home_assistant) == described
        button, switch = described["components"]["listen"], described["components"]["listening"]
        microphone.speak()
        home_assistant.publish(button["command_topic"], button["payload_press"])
        assert home_assistant.payloads_until(LISTENING, b"on")[-1] == switch["state_on"].encode()
        microphone.speak()
        assert bytes(home_assistant.next(LISTENING).payload) == switch["state_off"].encode()
        assert json.loads(home_assistant.next("edged/hall/rejected").payload)["text"] == "hello"


def test_an_intent_that_went_while_no_daemon_ran_is_taken_back(mosquitto: Mosquitto, catalog: Catalog) -> None:
    gone, *others = catalog.intents
    fewer = replace(catalog, intents={name: catalog.intents[name] for name in others})
    with watching(mosquitto, DEVICE) as home_assistant:
        with _running(mosquitto, catalog, "on"):
            assert len(_description(home_assistant)["components"][f"intent_{gone}"]) > 1
        with _running(mosquitto, fewer, "on"):
            described = _description(home_assistant)["components"]
            if f"intent_{gone}" not in described:  # the old description came after the new one was made
                described = _description(home_assistant)["components"]
            assert described[f"intent_{gone}"] == {"platform": "event"}
            assert len(described[f"intent_{others[0]}"]) > 1


def test_what_was_announced_is_gone_from_the_broker_after_it_was_taken_back(
    mosquitto: Mosquitto, catalog: Catalog
) -> None:
    with watching(mosquitto, DEVICE) as home_assistant:
        with _running(mosquitto, catalog, "on"):
            assert _description(home_assistant)["components"]
        with watching(mosquitto, DEVICE) as late:
            assert late.next().retain
        with _running(mosquitto, catalog, "remove"):
            assert bytes(home_assistant.next(DEVICE).payload) == b""
    with watching(mosquitto, DEVICE) as late:
        late.publish(DEVICE, b"end")
        assert bytes(late.next().payload) == b"end"
