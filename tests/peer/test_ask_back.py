"""A question back over a real Mosquitto, with the real language model."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edged.config import Config
from tests.peer.broker import Mosquitto, Watcher, watching
from tests.peer.test_run_daemon import TEXT, Running, _state, _write_config

pytestmark = [pytest.mark.peer, pytest.mark.model]

ASK = "edged/hall/ask"
REJECTED = "edged/hall/rejected"
CONFIRM = "edged/hall/in/confirm"
GATE = "zigbee2mqtt/garage_door/set"


@pytest.fixture
def running(mosquitto: Mosquitto, tmp_path: Path, config: Config) -> Iterator[Running]:
    lines = ("confirm_input = true", "ask_s = 2", 'hermes_site = "default"', _state(tmp_path, config))
    running = Running(tmp_path, _write_config(tmp_path, mosquitto.port, *lines))
    running.wait_for("READY=1")
    yield running
    running.end(signal.SIGKILL)


def _tell(watcher: Watcher, topic: str, **message: str) -> None:
    watcher.publish(topic, json.dumps(message))


def _next(watcher: Watcher) -> tuple[str, dict[str, Any]]:
    message = watcher.next()
    return message.topic, json.loads(message.payload)


def test_what_is_asked_back_is_done_once_it_is_answered_and_given_up_where_it_is_not(
    mosquitto: Mosquitto, running: Running
) -> None:
    session = "hermes/dialogueManager/continueSession"
    with watching(mosquitto, ASK, REJECTED, GATE, session) as watcher:
        _tell(watcher, TEXT, text="open the garage door", id="one")
        topic, question = _next(watcher)
        assert (topic, question["id"], question["options"]) == (ASK, "one", ["yes", "no"])
        assert question["expires_s"] == 2
        assert _next(watcher)[1]["sessionId"] == "one"
        _tell(watcher, CONFIRM, id="two", answer="yes")
        assert _next(watcher)[1]["id"] == "two"
        _tell(watcher, CONFIRM, id="one", answer="yes")
        assert _next(watcher) == (GATE, {"state": "OPEN"})
        _tell(watcher, CONFIRM, id="one", answer="yes")
        assert _next(watcher)[1]["reason"] == "in/confirm: no question about this utterance is open"

        _tell(watcher, TEXT, text="open the garage door", id="three")
        assert [_next(watcher)[0] for _ in range(2)] == [ASK, session]
        topic, rejected = _next(watcher)
        assert (topic, rejected["id"], rejected["reason"]) == (REJECTED, "three", "no answer within 2 s")
        _tell(watcher, TEXT, text="yes", id="four")
        assert _next(watcher)[1]["reason"] == "the question is not open any more"
    code, log = running.end()
    assert code == 0, log
