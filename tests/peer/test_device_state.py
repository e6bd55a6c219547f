"""A daemon, a real Mosquitto, and devices that answer at once, late, wrongly or never."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edged.act.messages import rejected_topic, result_topic, text_topic
from edged.config import Config, MqttConfig, StateConfig
from edged.daemon import Daemon, Parts
from edged.intents.catalog import AnswerRule, AnswerRules, Catalog
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.types import Intent, Utterance
from tests.peer.broker import WAIT_S, Mosquitto, Watcher, watching
from tests.unit.act.conftest import LIGHT_RULES, device_of, home_of, intent_file
from tests.unit.act.devices import Bench, Told
from tests.unit.act.test_answers import ha_light, tasmota_light, zigbee_light

pytestmark = pytest.mark.peer

COMMANDS = ("zigbee2mqtt/lamp_1/set", "cmnd/plug/POWER", "home/thing/set")
RESULT, ANSWER, REJECTED = result_topic("hall"), "edged/hall/answer", rejected_topic("hall")

every_driver = pytest.mark.parametrize("make", [zigbee_light, tasmota_light, ha_light])


def _understand(utterance: Utterance) -> tuple[Intent, ...]:
    """Texts are an action, or a question."""
    if utterance.text == "is it on":
        return (Intent(utterance.id, "question", {}, 1.0, 1.0),)
    return (Intent(utterance.id, "light", {"action": utterance.text}, 1.0, 1.0),)


@contextmanager
def daemon_of(broker: Mosquitto, bench: Bench, folder: Path, *, confirm_s: float = 60) -> Iterator[None]:
    question = intent_file("question", None, asks=True)
    object.__setattr__(question, "answer", AnswerRules(None, (AnswerRule({}, "light", None, ("state",)),)))
    catalog = Catalog({"light": intent_file("light", LIGHT_RULES), "question": question}, home_of(bench.device), ())
    mqtt = MqttConfig(host=broker.host, port=broker.port, node="hall", text_input=True, confirm_s=confirm_s)
    config = Config(mqtt=mqtt, state=StateConfig(directory=folder))
    wake = Wake()
    daemon = Daemon(config, Parts(_understand, catalog), wake=wake, notifier=Notifier({}))
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(daemon.run()))
    with watching(broker, "edged/hall/availability") as watcher:
        thread.start()
        assert bytes(watcher.next().payload) == b"online"
    try:
        yield
    finally:
        wake.request()
        thread.join(WAIT_S)
        wake.__exit__(None, None, None)
    assert codes == [0]


def _say(watcher: Watcher, text: str) -> None:
    watcher.publish(text_topic("hall"), json.dumps({"text": text, "lang": "en", "id": text.replace(" ", "-")}))


def _json(watcher: Watcher, topic: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(bytes(watcher.next(topic).payload))
    return message


def _take_command(watcher: Watcher, bench: Bench) -> Told:
    """What the device would say to the command that it is given."""
    while (message := watcher.next()).topic not in COMMANDS:
        pass
    return bench.simulated.take(message.topic, bytes(message.payload).decode())


@every_driver
def test_a_device_that_echoes_confirms(mosquitto: Mosquitto, make: Callable[[], Bench], tmp_path: Path) -> None:
    bench = make()
    with watching(mosquitto, RESULT, *COMMANDS) as watcher, daemon_of(mosquitto, bench, tmp_path):
        _say(watcher, "off")
        for topic, payload in _take_command(watcher, bench):
            watcher.publish(topic, payload)
        result = _json(watcher, RESULT)
        assert (result["id"], result["device"], result["status"]) == ("off", "thing", "confirmed")


@every_driver
def test_a_device_that_echoes_late_is_unconfirmed_and_its_state_is_known_after_all(
    mosquitto: Mosquitto, make: Callable[[], Bench], tmp_path: Path
) -> None:
    bench = make()
    with (
        watching(mosquitto, RESULT, ANSWER, *COMMANDS) as watcher,
        daemon_of(mosquitto, bench, tmp_path, confirm_s=0.5),
    ):
        _say(watcher, "off")
        echo = _take_command(watcher, bench)
        assert _json(watcher, RESULT)["status"] == "unconfirmed"
        for topic, payload in echo:
            watcher.publish(topic, payload)
        _say(watcher, "is it on")
        assert _json(watcher, ANSWER)["reply"] == "thing: off"


@every_driver
def test_a_device_that_echoes_wrongly_is_unconfirmed(
    mosquitto: Mosquitto, make: Callable[[], Bench], tmp_path: Path
) -> None:
    bench = make()
    with (
        watching(mosquitto, RESULT, *COMMANDS) as watcher,
        daemon_of(mosquitto, bench, tmp_path, confirm_s=0.5),
    ):
        _say(watcher, "off")
        for topic, payload in _take_command(watcher, bench):
            watcher.publish(topic, payload.replace("OFF", "ON"))
        result = _json(watcher, RESULT)
        assert (result["status"], result["device"]) == ("unconfirmed", "thing")
        assert result["reason"]


@every_driver
def test_a_device_that_never_echoes_is_unconfirmed_and_nothing_is_known_of_it(
    mosquitto: Mosquitto, make: Callable[[], Bench], tmp_path: Path
) -> None:
    bench = make()
    with (
        watching(mosquitto, RESULT, ANSWER, *COMMANDS) as watcher,
        daemon_of(mosquitto, bench, tmp_path, confirm_s=0.5),
    ):
        _say(watcher, "off")
        _take_command(watcher, bench)
        assert _json(watcher, RESULT)["reason"] == "thing has said nothing within 0.5 s"
        _say(watcher, "is it on")
        assert _json(watcher, ANSWER)["reply"] == "thing: unknown"


def test_what_the_broker_had_kept_confirms_nothing(mosquitto: Mosquitto, tmp_path: Path) -> None:
    bench = zigbee_light()
    with watching(mosquitto, RESULT, *COMMANDS) as watcher:
        watcher.publish("zigbee2mqtt/lamp_1", '{"state": "OFF"}', retain=True)
        with daemon_of(mosquitto, bench, tmp_path, confirm_s=0.5):
            _say(watcher, "off")
            assert _json(watcher, RESULT)["status"] == "unconfirmed"


@pytest.mark.parametrize(
    ("make", "topic", "payload"),
    [
        (zigbee_light, "zigbee2mqtt/lamp_1/availability", '{"state":"offline"}'),
        (tasmota_light, "tele/plug/LWT", "Offline"),
        (lambda: ha_light(availability_topic="~/lwt"), "home/thing/lwt", "offline"),
    ],
)
def test_a_device_that_is_offline_is_refused_at_once_and_commanded_when_it_is_back(
    mosquitto: Mosquitto, make: Callable[[], Bench], topic: str, payload: str, tmp_path: Path
) -> None:
    bench = make()
    with watching(mosquitto, RESULT, ANSWER, REJECTED, *COMMANDS) as watcher:
        watcher.publish(topic, payload, retain=True)
        with daemon_of(mosquitto, bench, tmp_path):
            _say(watcher, "off")
            assert _json(watcher, REJECTED)["reason"] == "thing is offline"
            watcher.publish(topic, payload.replace("ff", "n"), retain=True)
            _say(watcher, "on")
            while (message := watcher.next()).topic not in COMMANDS:
                pass
            assert b"ON" in bytes(message.payload)


@pytest.mark.parametrize(
    ("make", "question"), [(zigbee_light, "zigbee2mqtt/lamp_1/get"), (tasmota_light, "cmnd/plug/State")]
)
def test_a_device_is_asked_how_it_is_at_the_start_and_after_a_reconnect(
    mosquitto: Mosquitto, make: Callable[[], Bench], question: str, tmp_path: Path
) -> None:
    bench = make()
    state_topic = "zigbee2mqtt/lamp_1" if question.endswith("get") else "stat/plug/RESULT"
    key = "state" if question.endswith("get") else "POWER"
    with watching(mosquitto, question) as watcher, daemon_of(mosquitto, bench, tmp_path):
        watcher.next(question)
        mosquitto.kill()
        mosquitto.start()
        with watching(mosquitto, question, ANSWER) as again:
            again.next(question)
            again.publish(state_topic, json.dumps({key: "OFF"}))
            _say(again, "is it on")
            answer = _json(again, ANSWER)
            assert answer["reply"] == "thing: off"
            assert answer["devices"][0]["state"] == "off"


def test_a_house_of_devices_without_state_is_told_as_sent(mosquitto: Mosquitto, tmp_path: Path) -> None:
    bench = ha_light()
    device = device_of("thing", driver="home_assistant", address="home/thing", settings={"command_topic": "~/set"})
    bench.device = device
    with watching(mosquitto, RESULT) as watcher, daemon_of(mosquitto, bench, tmp_path):
        _say(watcher, "off")
        assert _json(watcher, RESULT)["status"] == "sent"
