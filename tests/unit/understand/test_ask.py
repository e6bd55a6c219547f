"""The real model: from what was said to what is done about it."""

from __future__ import annotations

import math

import pytest

from edged.types import Intent, Rejected
from edged.understand.answers import FORMS, FormName
from edged.understand.ask import MAX_CHARACTERS, Asker, Limits, _Answer
from edged.understand.confidence import temper
from edged.understand.decode import MAX_TOKENS
from edged.understand.parser import Parser
from edged.understand.prompt import Lines
from tests.unit.understand.utterances import say

pytestmark = pytest.mark.model

COMMAND = "turn on the kitchen light"


@pytest.fixture
def asker(parser: Parser) -> Asker:
    """Asks in the form that the model was trained for."""
    return parser._asker


def test_a_command_is_asked_about_once(parser: Parser, asker: Asker) -> None:
    parser.lm.rewind()
    judged = asker.ask(parser.readable, say(COMMAND))
    assert not isinstance(judged.outcome, Rejected)
    assert [(intent.name, dict(intent.slots)) for intent in judged.outcome] == [
        ("light", {"action": "on", "area": "kitchen"})
    ]
    assert judged.confidence == min(intent.confidence for intent in judged.outcome)
    assert judged.questions > 0


def test_the_draft_is_the_answer_without_the_token_that_completes_it(parser: Parser) -> None:
    asker = Asker(parser.lm, parser.vocab, FORMS["short"], parser.prompt, Limits(0.5))
    heard = asker._hear(parser.readable, say(COMMAND))
    answer = FORMS["short"].write({"intent": "light", "action": "on", "area": "kitchen"}, parser.readable, heard.said)
    assert [*heard.draft, parser.lm.tokenize(answer.encode())[-1]] == parser.lm.tokenize(answer.encode())


@pytest.mark.parametrize("form", ["short", "json"])
def test_what_does_not_fit_behind_the_prefix_is_rejected_without_asking(
    parser: Parser, form: FormName, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = Lines(parser.lm, json=form == "json")
    asker = Asker(parser.lm, parser.vocab, FORMS[form], prompt, Limits(0.5))
    monkeypatch.setattr("edged.understand.lm.CONTEXT_TOKENS", len(parser.lm.prefix) + MAX_TOKENS + 3)
    calls = parser.lm.evaluations
    judged = asker.ask(parser.readable, say(COMMAND))
    assert isinstance(judged.outcome, Rejected)
    assert judged.outcome.reason == "too long for the model"
    assert parser.lm.evaluations == calls


def test_too_little_confidence_is_told_with_both_figures(
    parser: Parser, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asker, "_limits", Limits(1.1))
    judged = asker.ask(parser.readable, say(COMMAND))
    assert isinstance(judged.outcome, Rejected)
    assert judged.outcome.reason == f"not sure enough: {judged.confidence:.2f} of 1.10"
    (meant,) = judged.outcome.meant
    assert (meant.name, dict(meant.slots)) == ("light", {"action": "on", "area": "kitchen"})
    assert meant.confidence == judged.confidence


def test_a_place_that_no_intent_uses_makes_a_command_unclear(parser: Parser, asker: Asker) -> None:
    judged = asker.ask(parser.readable, say("turn on the kitchen bedroom hall light"))
    assert isinstance(judged.outcome, Rejected) or len({i.slots.get("area") for i in judged.outcome}) == 3


def test_what_was_taken_back_is_not_obeyed(parser: Parser, asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    intents = tuple(
        Intent("u", "light", {"action": "off", "area": area}, 1.0, math.inf) for area in ("kitchen", "hall")
    )
    monkeypatch.setattr(asker, "_answer", lambda *_: _Answer(intents, 1.0, 1))
    judged = asker.ask(parser.readable, say("kitchen light off, no, the hall off"))
    assert isinstance(judged.outcome, Rejected)
    assert judged.outcome.reason == "said and taken back: kitchen"
    assert judged.outcome.meant == intents
    assert asker.ask(parser.readable, say("kitchen light off and the hall off")).outcome == intents
    monkeypatch.setattr(asker, "_answer", lambda *_: _Answer(intents[1:], 1.0, 1))
    assert asker.ask(parser.readable, say("kitchen light off, no, the hall off")).outcome == intents[1:]


def test_words_that_were_read_before_the_end_save_tokens_and_change_nothing(parser: Parser, asker: Asker) -> None:
    text = "would you please turn on the light in the kitchen"
    parser.lm.rewind()
    whole = asker.ask(parser.readable, say(text))
    parser.lm.rewind()
    words = text.split()
    for count in range(1, len(words) + 1):
        asker.listen(parser.readable, " ".join(words[:count]), "en")
    before = parser.lm.evaluated_tokens
    assert asker.ask(parser.readable, say(text)) == whole
    assert parser.lm.evaluated_tokens - before < len(words)


@pytest.mark.parametrize(
    "words", ["", " ", "turn", "?!", "a" * 3 * MAX_CHARACTERS, "불 " * MAX_CHARACTERS, "\0 \ud7ff x"]
)
def test_whatever_is_heard_meanwhile_changes_nothing(parser: Parser, asker: Asker, words: str) -> None:
    parser.lm.rewind()
    expected = asker.ask(parser.readable, say(COMMAND))
    asker.listen(parser.readable, words, "en")
    assert asker.ask(parser.readable, say(COMMAND)) == expected


def test_the_temperature_of_the_record_takes_certainty_away(parser: Parser) -> None:
    text = "could you switch the light in the kitchen on please"
    parser.lm.rewind()
    plain = Asker(parser.lm, parser.vocab, FORMS["short"], parser.prompt, Limits(0.0)).ask(parser.readable, say(text))
    warmed = Asker(parser.lm, parser.vocab, FORMS["short"], parser.prompt, Limits(0.0), temperature=3.0)
    warm = warmed.ask(parser.readable, say(text))
    assert warm.confidence == temper(plain.confidence, 3.0) < plain.confidence
    assert not isinstance(warm.outcome, Rejected)
    assert warm.confidence == min(intent.confidence for intent in warm.outcome)
