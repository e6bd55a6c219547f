from __future__ import annotations

import json

import pytest

from edged.act.text_input import MAX_PAYLOAD_BYTES, REFUSAL_BURST, TEXT_BURST, TextInput, TokenBucket
from edged.types import Rejected, Utterance


class Clock:
    def __init__(self) -> None:
        self.now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def text_input(clock: Clock) -> TextInput:
    return TextInput("en", clock)


def _read(text_input: TextInput, payload: bytes | object) -> Utterance | Rejected | None:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return text_input.read(raw, retained=False)


def test_a_text_becomes_an_utterance(text_input: TextInput, clock: Clock) -> None:
    utterance = _read(text_input, {"text": " turn on the light ", "lang": "pt-BR"})
    assert isinstance(utterance, Utterance)
    assert (utterance.text, utterance.lang, utterance.source) == ("turn on the light", "pt-BR", "mqtt")
    assert utterance.asr_confidence == 1
    assert utterance.start_ns == utterance.end_ns == clock.now_ns


def test_without_a_language_the_configured_one_is_taken(text_input: TextInput) -> None:
    utterance = _read(text_input, {"text": "x"})
    assert isinstance(utterance, Utterance)
    assert utterance.lang == "en"


def test_every_utterance_has_an_id_of_its_own(text_input: TextInput) -> None:
    first, second = _read(text_input, {"text": "x"}), _read(text_input, {"text": "x"})
    assert isinstance(first, Utterance)
    assert isinstance(second, Utterance)
    assert first.id != second.id


def test_a_retained_text_is_ignored_in_silence(text_input: TextInput) -> None:
    assert text_input.read(b'{"text": "turn on the light"}', retained=True) is None


def test_a_text_of_500_characters_is_taken(text_input: TextInput) -> None:
    assert isinstance(_read(text_input, {"text": "é" * 500}), Utterance)


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
        b'{"text": "' + b"x" * MAX_PAYLOAD_BYTES + b'"}',
        b"[" * 4000,
    ],
)
def test_what_is_no_text_message_is_refused(text_input: TextInput, payload: object) -> None:
    rejected = _read(text_input, payload)
    assert isinstance(rejected, Rejected)
    assert rejected.stage == "mqtt"
    assert len(rejected.reason) <= 500


def test_a_refusal_does_not_repeat_what_was_sent(text_input: TextInput) -> None:
    rejected = _read(text_input, {"text": "secret\n", "lang": "hush"})
    assert isinstance(rejected, Rejected)
    assert "secret" not in rejected.reason
    assert "hush" not in rejected.reason


def test_a_flood_is_refused_and_then_ignored_in_silence(text_input: TextInput, clock: Clock) -> None:
    results = [_read(text_input, {"text": "x"}) for _ in range(1000)]
    assert sum(isinstance(result, Utterance) for result in results) == TEXT_BURST
    assert sum(isinstance(result, Rejected) for result in results) == REFUSAL_BURST
    assert results[-1] is None
    clock.now_ns += 1_000_000_000
    later = [_read(text_input, {"text": "x"}) for _ in range(100)]
    assert sum(isinstance(result, Utterance) for result in later) == 10
    assert sum(isinstance(result, Rejected) for result in later) == 1


def test_a_bucket_never_holds_more_than_its_burst(clock: Clock) -> None:
    bucket = TokenBucket(10, 3, clock)
    clock.now_ns += 3_600_000_000_000
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
