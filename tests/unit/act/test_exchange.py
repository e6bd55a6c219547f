"""What a node and the workers send each other, and what neither takes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.act.exchange import (
    MAX_ANSWER_BYTES,
    MAX_ASKED,
    MAX_QUESTION_BYTES,
    MAX_REASON_CHARACTERS,
    describe_fault,
    make_intent,
    make_question,
    read_outcome,
    read_utterance,
    write_outcome,
    write_utterance,
)
from edged.types import Intent, Question, Rejected, Utterance

TOPIC, RESPONSE = "edged/hall/utterance", "edged/hall/understood"
HEARD = Utterance("u1", "turn on the light", "en", 0.9, 0, 0, "mic")
LIGHT = Intent("u1", "light", {"action": "on", "area": "kitchen", "level": 1.5}, 0.8, math.inf)
ANSWER: dict[str, Any] = {
    "id": "u1",
    "worker": "w1",
    "intents": [{"intent": "light", "slots": {"action": "on"}, "confidence": 1, "margin": None}],
    "rejected": None,
}


def test_a_question_comes_over_as_it_was_asked() -> None:
    node, message = read_utterance(TOPIC, write_utterance(HEARD, "kitchen"), RESPONSE)
    assert node == "hall"
    assert (message.id, message.text, message.lang, message.asr_confidence) == ("u1", HEARD.text, "en", 0.9)
    assert (message.source, message.area) == ("mic", "kitchen")


def test_an_answer_comes_over_as_it_was_given() -> None:
    message = read_outcome(write_outcome("w1", "u1", (LIGHT,)))
    assert message.rejected is None
    assert [make_intent("u1", item) for item in message.intents] == [LIGHT]


def test_a_rejection_comes_over_with_what_was_meant_and_safe_for_a_log() -> None:
    rejected = Rejected("u1", "understand", "line\nfeed" + "x" * 1000, (LIGHT,))
    message = read_outcome(write_outcome("w1", "u1", rejected))
    assert message.rejected
    assert message.rejected.reason.startswith("line feed")
    assert len(message.rejected.reason) == MAX_REASON_CHARACTERS
    assert [make_intent("u1", item) for item in message.rejected.meant] == [LIGHT]


def test_where_a_satellite_stands_comes_over_in_place_of_where_the_node_does() -> None:
    heard = Utterance("u1", "turn on the light", "en", 0.9, 0, 0, "wyoming:bed-room", "bedroom")
    _, message = read_utterance(TOPIC, write_utterance(heard, "kitchen"), RESPONSE)
    assert (message.source, message.area) == ("wyoming:bed-room", "bedroom")


def test_a_delay_and_a_question_come_over() -> None:
    later = replace(LIGHT, delay_s=600.0)
    asks = Question((later,), 0, ("area",), ("lamp", "spot"), "Which one?")
    message = read_outcome(write_outcome("w1", "u1", Rejected("u1", "understand", "which one", asks=asks)))
    assert message.rejected
    assert message.rejected.asks
    assert make_question("u1", message.rejected.asks) == asks


def test_a_question_with_too_many_choices_comes_over_as_a_rejection() -> None:
    asks = Question((LIGHT,), 0, ("device",), tuple(f"lamp_{number}" for number in range(MAX_ASKED + 1)))
    message = read_outcome(write_outcome("w1", "u1", Rejected("u1", "understand", "which one", asks=asks)))
    assert message.rejected
    assert message.rejected.asks is None


@pytest.mark.parametrize(
    ("topic", "response"),
    [
        (TOPIC, "edged/attic/understood"),
        (TOPIC, "zigbee2mqtt/lock/set"),
        (TOPIC, ""),
        ("edged/a/b/utterance", "edged/a/b/understood"),
        ("edged/#/utterance", "edged/#/understood"),
        ("hall/utterance", "edged/hall/understood"),
    ],
)
def test_no_answer_goes_anywhere_but_to_the_node_that_asks(topic: str, response: str) -> None:
    with pytest.raises(ValueError, match=r"one node|match pattern"):
        read_utterance(topic, write_utterance(HEARD, None), response)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"\xff",
        b" " * (MAX_QUESTION_BYTES + 1),
        json.dumps({"id": "u1", "text": "x\ny", "lang": "en", "asr_confidence": 1, "source": "mic"}).encode(),
        json.dumps({"id": "u/1", "text": "x", "lang": "en", "asr_confidence": 1, "source": "mic"}).encode(),
        json.dumps({"id": "u1", "text": "x", "lang": "en", "asr_confidence": 2, "source": "mic"}).encode(),
        json.dumps({"id": "u1", "text": "x", "lang": "en", "asr_confidence": 1, "source": "mic", "a": 1}).encode(),
        json.dumps({"id": "u1", "text": "x", "lang": "en", "asr_confidence": 1, "source": "mic", "area": "/"}).encode(),
    ],
)
def test_a_malformed_question_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S") as raised:
        read_utterance(TOPIC, payload, RESPONSE)
    assert "x" not in describe_fault(raised.value).split()


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        b" " * (MAX_ANSWER_BYTES + 1),
        b"[" * 5000,
        json.dumps(ANSWER | {"intents": []}).encode(),
        json.dumps(ANSWER | {"intents": ANSWER["intents"] * 4}).encode(),
        json.dumps(ANSWER | {"rejected": {"stage": "understand", "reason": "no", "meant": []}}).encode(),
        json.dumps(ANSWER | {"more": 1}).encode(),
        json.dumps(ANSWER).replace('"on"', "NaN").encode(),
        json.dumps(ANSWER).replace('"on"', "[[1e999999999]]").encode(),
        json.dumps(ANSWER).replace('"confidence": 1', '"confidence": 1.1').encode(),
        json.dumps(ANSWER).replace('"light"', '"a/b"').encode(),
    ],
)
def test_a_malformed_answer_is_refused(payload: bytes) -> None:
    read_outcome(json.dumps(ANSWER).encode())
    with pytest.raises(ValueError, match=r"\S"):
        read_outcome(payload)


@given(
    st.binary(max_size=300)
    | st.recursive(
        st.none() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["id", "intents", "rejected", "worker", "slots"]), x),
    ).map(lambda value: json.dumps(value).encode())
)
def test_nothing_that_comes_in_raises_anything_else(payload: bytes) -> None:
    for read in (read_outcome, lambda payload: read_utterance(TOPIC, payload, RESPONSE)):
        with pytest.raises(ValueError, match=r"\S") as raised:
            read(payload)
        assert describe_fault(raised.value)
