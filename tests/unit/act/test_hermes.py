from __future__ import annotations

import json
import math

import pytest

from edged.act.hermes import (
    MAX_INPUT_CHARACTERS,
    report_hermes_intent,
    report_hermes_not_recognized,
    report_hermes_question,
)
from edged.types import Rejected, Utterance
from tests.unit.act.conftest import intent_of

UTTERANCE = Utterance("u1", "Dim the Floor Lamp to 40", "en", 0.9, 0, 0, "mqtt")


def test_an_intent_is_published_under_its_name() -> None:
    intent = intent_of("light", action="dim", device="floor_lamp", brightness=40, color=None)
    report = report_hermes_intent("kitchen", UTTERANCE, intent)
    assert (report.topic, report.retain) == ("hermes/intent/light", False)
    slot = {"confidence": 0.9}
    assert json.loads(report.payload) == {
        "input": "Dim the Floor Lamp to 40",
        "id": "u1",
        "siteId": "kitchen",
        "sessionId": "u1",
        "customData": None,
        "asrConfidence": 0.9,
        "intent": {"intentName": "light", "confidenceScore": 0.9},
        "slots": [
            slot | {"entity": "action", "slotName": "action", "rawValue": "Dim",
                    "value": {"kind": "Custom", "value": "dim"}, "range": {"start": 0, "end": 3}},
            slot | {"entity": "device", "slotName": "device", "rawValue": "Floor Lamp",
                    "value": {"kind": "Custom", "value": "floor_lamp"}, "range": {"start": 8, "end": 18}},
            slot | {"entity": "brightness", "slotName": "brightness", "rawValue": "40",
                    "value": {"kind": "Number", "value": 40}, "range": {"start": 22, "end": 24}},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "written"), [("set", "set"), (True, "true"), (["a"], '["a"]'), ({"b": 1}, '{"b": 1}')]
)
def test_a_value_that_is_not_in_the_text_stands_for_all_of_it(value: object, written: str) -> None:
    (slot,) = json.loads(report_hermes_intent("x", UTTERANCE, intent_of(slot=value)).payload)["slots"]  # type: ignore[arg-type]
    assert slot["rawValue"] == written
    assert slot["value"] == {"kind": "Custom", "value": written}
    assert slot["range"] == {"start": 0, "end": len(UTTERANCE.text)}


@pytest.mark.parametrize("value", [math.inf, math.nan, [math.inf]])
def test_a_number_that_json_cannot_hold_is_left_out(value: object) -> None:
    message = json.loads(report_hermes_intent("x", UTTERANCE, intent_of(slot=value, action="dim")).payload)  # type: ignore[arg-type]
    assert [slot["slotName"] for slot in message["slots"]] == ["action"]


def test_what_is_no_command_is_not_recognized() -> None:
    report = report_hermes_not_recognized("kitchen", Rejected("u1", "understand", "no command"), text="hello")
    assert report.topic == "hermes/nlu/intentNotRecognized"
    assert json.loads(report.payload) == {"input": "hello", "id": "u1", "siteId": "kitchen", "sessionId": "u1"}


def test_a_question_continues_the_session() -> None:
    report = report_hermes_question("u1", "Which one?")
    assert (report.topic, report.retain) == ("hermes/dialogueManager/continueSession", False)
    message = json.loads(report.payload)
    assert (message["sessionId"], message["text"], message["sendIntentNotRecognized"]) == ("u1", "Which one?", True)


def test_a_long_or_broken_text_is_cut_and_escaped() -> None:
    report = report_hermes_not_recognized("x", Rejected("u1", "understand", ""), text="\ud800\n" + "x" * 9000)
    assert len(json.loads(report.payload)["input"]) == MAX_INPUT_CHARACTERS
    assert report.payload.isascii()
    assert b"\n" not in report.payload


@pytest.mark.parametrize("name", ["a/b", "#", "", "+"])
def test_a_name_that_is_no_topic_level_reaches_no_topic(name: str) -> None:
    with pytest.raises(ValueError, match="1 validation error"):
        report_hermes_intent("x", UTTERANCE, intent_of(name))
