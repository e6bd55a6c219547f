"""What comes in over MQTT, also from somebody who means no good."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.act.inbound import (
    MAX_PAYLOAD_BYTES,
    MAX_REASON_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    REFUSAL_BURST,
    REMEMBERED_IDS,
    REQUEST_BURST,
    TEXT_BURST,
    Inbox,
    ListenRequest,
    Reply,
    Taken,
    TokenBucket,
)
from edged.act.messages import confirm_topic, listen_topic, text_topic
from edged.config import MqttConfig
from edged.types import Command, Rejected, Utterance

TEXT, LISTEN, CONFIRM = text_topic("hall"), listen_topic("hall"), confirm_topic("hall")
ALL_ON = MqttConfig(node="hall", text_input=True, listen_input=True, confirm_input=True)


class Clock:
    def __init__(self) -> None:
        self.now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(clock: Clock) -> Inbox:
    return Inbox(ALL_ON, "en", clock)


def _read(inbox: Inbox, payload: object, topic: str = TEXT) -> Taken | Rejected | None:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return inbox.read(topic, raw, retained=False)


def test_nothing_is_read_unless_the_configuration_turns_it_on() -> None:
    assert Inbox(MqttConfig(node="hall"), "en").topics == ()
    for key, topic in (("text_input", TEXT), ("listen_input", LISTEN), ("confirm_input", CONFIRM)):
        assert Inbox(MqttConfig.model_validate({"node": "hall", key: True}), "en").topics == (topic,)


def test_a_text_becomes_an_utterance(inbox: Inbox, clock: Clock) -> None:
    utterance = _read(inbox, {"text": " turn on the light ", "lang": "pt-BR"})
    assert isinstance(utterance, Utterance)
    assert (utterance.text, utterance.lang, utterance.source) == ("turn on the light", "pt-BR", "mqtt")
    assert utterance.asr_confidence == 1
    assert utterance.start_ns == utterance.end_ns == clock.now_ns


def test_a_text_may_say_where_it_was_said(inbox: Inbox) -> None:
    utterances = _read(inbox, {"text": "x", "area": "kitchen"}), _read(inbox, {"text": "x"})
    assert [utterance.area for utterance in utterances if isinstance(utterance, Utterance)] == ["kitchen", None]


def test_without_a_language_the_configured_one_is_taken(inbox: Inbox) -> None:
    utterance = _read(inbox, {"text": "x"})
    assert isinstance(utterance, Utterance)
    assert utterance.lang == "en"


def test_every_utterance_has_an_id_of_its_own(inbox: Inbox) -> None:
    first, second = _read(inbox, {"text": "x"}), _read(inbox, {"text": "x"})
    assert isinstance(first, Utterance)
    assert isinstance(second, Utterance)
    assert first.id != second.id


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (TEXT, b'{"text": "turn on the light"}'),
        (LISTEN, b'{"listen": "on"}'),
        (CONFIRM, b'{"id": "u1", "answer": "yes"}'),
        (TEXT, b"{"),
    ],
)
def test_a_retained_message_is_ignored_in_silence(inbox: Inbox, topic: str, payload: bytes) -> None:
    assert inbox.read(topic, payload, retained=True) is None


def test_the_senders_id_becomes_the_utterances(inbox: Inbox) -> None:
    utterance = _read(inbox, {"text": "x", "id": "phone-7"})
    assert isinstance(utterance, Utterance)
    assert utterance.id == "phone-7"


def test_a_text_that_is_delivered_twice_is_taken_once(inbox: Inbox) -> None:
    assert isinstance(_read(inbox, {"text": "x", "id": "a"}), Utterance)
    assert isinstance(_read(inbox, {"text": "x", "id": "b"}), Utterance)
    assert _read(inbox, {"text": "x", "id": "a"}) is None
    assert isinstance(_read(inbox, {"text": "x"}), Utterance)


def test_a_text_that_was_refused_may_be_sent_again(inbox: Inbox) -> None:
    refused = _read(inbox, {"text": "x", "id": "a"})
    assert isinstance(refused, Utterance)
    inbox.forget(refused)
    assert isinstance(_read(inbox, {"text": "x", "id": "a"}), Utterance)


def test_an_id_that_is_used_again_after_a_restart_gives_the_commands_ids_of_their_own(clock: Clock) -> None:
    ids = set()
    for _ in range(2):
        utterance = _read(Inbox(ALL_ON, "en", clock), {"text": "x", "id": "a"})
        assert isinstance(utterance, Utterance)
        assert utterance.id == "a"
        ids.add(Command("t", b"", 1, False, 0, utterance.id, instance=utterance.instance).id)
    assert len(ids) == 2


def test_the_ids_that_are_remembered_are_bounded(inbox: Inbox, clock: Clock) -> None:
    for number in range(REMEMBERED_IDS + 1):
        clock.now_ns += 1_000_000_000
        assert isinstance(_read(inbox, {"text": "x", "id": f"i{number}"}), Utterance)
    assert len(inbox._seen) == REMEMBERED_IDS
    assert _read(inbox, {"text": "x", "id": "i1"}) is None


@pytest.mark.parametrize("mode", ["once", "on", "off"])
def test_a_request_to_listen(inbox: Inbox, mode: str) -> None:
    request = _read(inbox, {"listen": mode}, LISTEN)
    assert isinstance(request, ListenRequest)
    assert request.mode == mode


def test_a_reply_to_a_question(inbox: Inbox, clock: Clock) -> None:
    assert _read(inbox, {"id": "u1", "answer": " yes ", "lang": "de"}, CONFIRM) == Reply(
        "u1", "yes", "de", clock.now_ns
    )
    assert _read(inbox, {"id": "u1", "answer": "the big one"}, CONFIRM) == Reply(
        "u1", "the big one", "en", clock.now_ns
    )


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (LISTEN, b"once"),
        (LISTEN, {}),
        (LISTEN, {"listen": "always"}),
        (LISTEN, {"listen": True}),
        (LISTEN, {"listen": "on", "for_s": 5}),
        (LISTEN, {"text": "turn on the light"}),
        (CONFIRM, {"answer": "yes"}),
        (CONFIRM, {"id": "u1"}),
        (CONFIRM, {"id": "../u1", "answer": "yes"}),
        (CONFIRM, {"id": "a/b", "answer": "yes"}),
        (CONFIRM, {"id": "", "answer": "yes"}),
        (CONFIRM, {"id": "u" * 65, "answer": "yes"}),
        (CONFIRM, {"id": "u1\n", "answer": "yes"}),
        (CONFIRM, {"id": "u1", "answer": True}),
        (CONFIRM, {"id": "u1", "answer": "a\tb"}),
        (CONFIRM, {"id": "u1", "answer": "x" * 501}),
        (CONFIRM, {"id": "u1", "answer": "yes", "topic": "x"}),
        (TEXT, {"text": "x", "id": "$(reboot)"}),
        (TEXT, {"text": "x", "id": "#"}),
        (TEXT, {"text": "x", "id": 5}),
    ],
)
def test_what_is_no_such_message_is_refused(inbox: Inbox, topic: str, payload: object) -> None:
    rejected = _read(inbox, payload, topic)
    assert isinstance(rejected, Rejected)
    assert rejected.stage == "mqtt"
    assert rejected.reason.startswith(f"in/{topic.rpartition('/')[2]}: ")


def test_each_input_has_a_rate_of_its_own(inbox: Inbox) -> None:
    requests = [_read(inbox, {"listen": "off"}, LISTEN) for _ in range(100)]
    answers = [_read(inbox, {"id": "u1", "answer": "yes"}, CONFIRM) for _ in range(100)]
    assert sum(isinstance(taken, ListenRequest) for taken in requests) == REQUEST_BURST
    assert sum(isinstance(taken, Reply) for taken in answers) == REQUEST_BURST
    assert isinstance(_read(inbox, {"text": "x"}), Utterance)
    assert sum(isinstance(taken, Rejected) for taken in requests + answers) == REFUSAL_BURST


def test_a_text_of_500_characters_is_taken(inbox: Inbox) -> None:
    assert isinstance(_read(inbox, {"text": "é" * 500}), Utterance)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"turn on the light",
        b"\xff",
        [],
        {"text": ""},
        {"text": "   "},
        {"text": "x" * 501},
        {"text": "a\nb"},
        {"text": "a\u0000b"},
        {"text": "a\u0085b"},
        {"text": "\ud800"},
        {"text": 5},
        {"lang": "en"},
        {"text": "x", "lang": "english"},
        {"text": "x", "lang": "en\n"},
        {"text": "x", "extra": 1},
        {"text": "x", "area": "a/#"},
        {"text": "x", "area": ["kitchen"]},
        b'{"text": "' + b"x" * MAX_PAYLOAD_BYTES + b'"}',
        b"[" * 4000,
    ],
)
def test_what_is_no_text_message_is_refused(inbox: Inbox, payload: object) -> None:
    rejected = _read(inbox, payload)
    assert isinstance(rejected, Rejected)
    assert rejected.stage == "mqtt"
    assert len(rejected.reason) <= 500


def test_a_refusal_does_not_repeat_what_was_sent(inbox: Inbox) -> None:
    rejected = _read(inbox, {"text": "sec\nret", "lang": "hush", "id": "a b", "quiet": 1, "shy": 2})
    assert isinstance(rejected, Rejected)
    assert rejected.reason.startswith("in/text: text: holds control characters; lang: ")
    assert rejected.reason.endswith("holds an unknown key")
    for word in ("ret", "hush", "a b", "quiet", "shy"):
        assert word not in rejected.reason


def test_a_flood_is_refused_and_then_ignored_in_silence(inbox: Inbox, clock: Clock) -> None:
    results = [_read(inbox, {"text": "x"}) for _ in range(1000)]
    assert sum(isinstance(result, Utterance) for result in results) == TEXT_BURST
    assert sum(isinstance(result, Rejected) for result in results) == REFUSAL_BURST
    assert results[-1] is None
    clock.now_ns += 1_000_000_000
    later = [_read(inbox, {"text": "x"}) for _ in range(100)]
    assert sum(isinstance(result, Utterance) for result in later) == 10
    assert sum(isinstance(result, Rejected) for result in later) == 1


def test_a_bucket_never_holds_more_than_its_burst(clock: Clock) -> None:
    bucket = TokenBucket(10, 3, clock)
    clock.now_ns += 3_600_000_000_000
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


# Whatever comes in

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.sampled_from(["text", "lang", "id", "listen", "answer"]) | st.text(max_size=10)
VALUES = (
    st.text()
    | st.sampled_from(["once", "on", "off", "en", "pt-BR", "u1", "+/#", "../..", "a\nb", "$(id)", "\u202e", "\ud800"])
    | JSON
)
PAYLOADS = (
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(KEYS, VALUES, max_size=5).map(lambda value: json.dumps(value).encode())
)
SAFE_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _is_line(text: str) -> bool:
    return 0 < len(text) <= MAX_TEXT_CHARACTERS and not CONTROL.search(text) and text == text.strip()


def _is_safe(taken: Taken | Rejected | None) -> bool:
    match taken:
        case Utterance(id=key, text=text, lang=lang) | Reply(utterance_id=key, text=text, lang=lang):
            return bool(SAFE_WORD.fullmatch(key) and SAFE_WORD.fullmatch(lang)) and _is_line(text)
        case ListenRequest(mode=mode):
            return mode in ("once", "on", "off")
        case Rejected(utterance_id=key, reason=reason):
            return bool(SAFE_WORD.fullmatch(key)) and reason.isprintable() and len(reason) <= MAX_REASON_CHARACTERS + 20
        case None:
            return True


@given(st.lists(st.tuples(st.sampled_from([TEXT, LISTEN, CONFIRM]), PAYLOADS, st.booleans()), max_size=30))
def test_no_message_does_harm(messages: list[tuple[str, bytes, bool]]) -> None:
    inbox = Inbox(ALL_ON, "en", Clock())
    for topic, payload, retained in messages:
        assert _is_safe(inbox.read(topic, payload, retained=retained))


@given(st.sampled_from([TEXT, LISTEN, CONFIRM]), st.dictionaries(KEYS, st.just("qzxj") | JSON, min_size=1, max_size=4))
def test_no_refusal_repeats_what_was_sent(topic: str, message: dict[str, Any]) -> None:
    marked = {f"{key}wvkq": value for key, value in message.items()}
    taken = _read(Inbox(ALL_ON, "en", Clock()), marked | {"lang": "qzxj_qzxj"}, topic)
    assert isinstance(taken, Rejected)
    assert "qzxj" not in taken.reason
    assert "wvkq" not in taken.reason
