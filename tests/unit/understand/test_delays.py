"""Sentences with delays, understood with the shipped files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edged.intents.catalog import Catalog
from edged.intents.spoken.delays import find_delay
from edged.types import Intent, Question, Rejected, Utterance
from edged.understand.ask import Judged
from edged.understand.delays import put_off
from edged.understand.parser import Parser
from edged.understand.prompt import readable_part
from tests.unit.understand.catalogs import make_catalog, make_intent


def say(text: str, lang: str = "en") -> Utterance:
    return Utterance("u1", text, lang, 1.0, 0, 0, "cli")


def mean(parser: Parser, text: str, lang: str) -> list[dict[str, Any]] | str:
    outcome = parser.parse(say(text, lang)).outcome
    if isinstance(outcome, Rejected):
        return outcome.reason
    return [{"intent": intent.name, **intent.slots, "delay_s": intent.delay_s} for intent in outcome]


@pytest.mark.model
@pytest.mark.parametrize(
    ("lang", "text", "delay_s"),
    [
        ("en", "turn off the kitchen light in ten minutes", 600),
        ("en", "in half an hour turn off the kitchen light", 1800),
        ("ko", "10분 뒤에 부엌 불 꺼 줘", 600),
        ("ko", "부엌 불 한 시간 반 후에 꺼 줘", 5400),
        ("de", "schalte das Licht in der Küche in zehn Minuten aus", 600),
        ("de", "in anderthalb Stunden das Licht in der Küche ausschalten", 5400),
        ("pt-BR", "apaga a luz da cozinha daqui a dez minutos", 600),
        ("pt-BR", "em dez minutos apaga a luz da cozinha", 600),
        ("pl", "za dziesięć minut zgaś światło w kuchni", 600),
        ("pl", "zgaś światło w kuchni za pół godziny", 1800),
        ("el", "σβήσε το φως στην κουζίνα σε δέκα λεπτά", 600),
        ("el", "σε μία ώρα σβήσε το φως στην κουζίνα", 3600),
    ],
)
def test_what_is_said_with_a_delay_means_the_same_later(parser: Parser, lang: str, text: str, delay_s: float) -> None:
    meant = [{"intent": "light", "action": "off", "area": "kitchen", "delay_s": delay_s}]
    assert mean(parser, text, lang) == meant
    assert parser.parse(say(text, lang)).lm_calls == 0


@pytest.mark.model
def test_what_no_example_says_is_understood_later_too_and_ahead_as_well(parser: Parser) -> None:
    text = "would you kill the lamp in the office in 90 seconds please"
    parser.anticipate(text, "en")
    understood = parser.parse(say(text))
    assert understood.answered_by == "cache"
    assert mean(parser, text, "en") == [{"intent": "light", "action": "off", "area": "office", "delay_s": 90}]


@pytest.mark.model
def test_where_the_words_may_say_how_long_a_change_takes_the_example_counts(parser: Parser) -> None:
    meant = [{"intent": "light", "action": "off", "area": "kitchen", "transition": 10, "delay_s": 0}]
    assert mean(parser, "apaga a luz da cozinha em dez segundos", "pt-BR") == meant


@pytest.mark.model
@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "turn off the kitchen light in ten, no, twenty minutes"),
        ("de", "Licht in der Küche in zehn, nein, zwanzig Minuten aus"),
        ("pl", "zgaś światło w kuchni co dziesięć minut"),
    ],
)
def test_what_is_no_clear_delay_stays_refused(parser: Parser, lang: str, text: str) -> None:
    assert isinstance(mean(parser, text, lang), str)


@pytest.mark.model
def test_the_number_of_a_delay_is_no_brightness(parser: Parser) -> None:
    outcome = parser.parse(say("set the kitchen light in ten minutes")).outcome
    assert isinstance(outcome, Rejected) or [intent.slots.get("brightness") for intent in outcome] == [None]


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("is the kitchen light on in ten minutes", "a question is answered at once: it takes no delay"),
        ("cancel all timers in ten minutes", "what is done with timers is done at once: it takes no delay"),
        ("turn off the kitchen light in 200 hours", "a delay is 7 days at most"),
        (
            "turn on the kitchen light and turn off the hall light in five minutes",
            "unclear which of several orders is to be done later",
        ),
    ],
)
def test_what_cannot_be_done_later_is_rejected_with_the_reason(parser: Parser, text: str, reason: str) -> None:
    assert mean(parser, text, "en") == reason


@pytest.mark.model
@pytest.mark.parametrize(
    ("lang", "text", "slots"),
    [
        ("en", "cancel the timer for the kitchen", {"action": "cancel", "area": "kitchen"}),
        ("ko", "타이머 목록 알려 줘", {"action": "list"}),
        ("de", "lösche alle Timer", {"action": "cancel_all"}),
        ("pt-BR", "cancela o último timer", {"action": "cancel"}),
        ("pl", "anuluj wszystkie minutniki", {"action": "cancel_all"}),
        ("el", "ποια χρονόμετρα τρέχουν", {"action": "list"}),
    ],
)
def test_timers_are_listed_and_cancelled_without_the_model(
    parser: Parser, lang: str, text: str, slots: dict[str, str]
) -> None:
    understood = parser.parse(say(text, lang))
    assert understood.answered_by == "example"
    assert isinstance(understood.outcome, tuple)
    assert [dict(intent.slots) for intent in understood.outcome] == [slots]
    assert understood.lm_calls == 0


def test_the_model_reads_nothing_of_an_intent_that_examples_alone_say(catalog: Catalog) -> None:
    readable = readable_part(catalog, (), lambda _text: 0)
    assert {name for name, intent in catalog.intents.items() if intent.examples_only} == (
        catalog.intents.keys() - readable.intents.keys()
    )
    assert len(readable.intents) == len(catalog.intents) - 1


@pytest.fixture
def wipers(tmp_path: Path) -> Catalog:
    place = {"enum": ["front", "back"]}
    intent = make_intent("wipe", {"side": place}, [("wipe the front", {"side": "front"})])
    return make_catalog(tmp_path / "wipers", [intent])


def meant(*sides: str) -> tuple[Intent, ...]:
    return tuple(Intent("u1", "wipe", {"side": side}, 1.0, 1.0) for side in sides)


@pytest.mark.parametrize(("text", "is_done"), [("in ten minutes wipe", True), ("wipe in ten minutes", False)])
def test_several_orders_are_done_later_only_behind_a_delay(wipers: Catalog, text: str, is_done: bool) -> None:
    delayed = find_delay(text, "en")
    assert delayed is not None
    judged = put_off(Judged(meant("front", "back"), 1.0, 0), say(text), delayed, wipers, ())
    assert isinstance(judged.outcome, tuple) is is_done


def test_what_a_file_lists_as_no_command_with_its_delay_is_refused(wipers: Catalog) -> None:
    delayed = find_delay("wipe in ten minutes", "en")
    assert delayed is not None
    judged = put_off(Judged(meant("front"), 1.0, 0), say("wipe in ten minutes"), delayed, wipers, {"wipe"})
    assert isinstance(judged.outcome, Rejected)
    assert "wipe lists this as no command" in judged.outcome.reason


def test_what_would_have_been_meant_has_the_delay_too(wipers: Catalog) -> None:
    delayed = find_delay("wipe in ten minutes", "en")
    assert delayed is not None
    unsure = Rejected("u1", "understand", "not sure enough", meant("front"))
    judged = put_off(Judged(unsure, 0.1, 0), say("wipe in ten minutes"), delayed, wipers, ())
    assert judged.outcome == replace(unsure, meant=(replace(meant("front")[0], delay_s=600.0),))


def test_what_is_asked_back_is_done_later_once_it_is_answered(wipers: Catalog) -> None:
    delayed = find_delay("wipe in ten minutes", "en")
    assert delayed is not None
    asking = Rejected("u1", "understand", "which one", asks=Question(meant("front"), slots=("side",)))
    judged = put_off(Judged(asking, 0.1, 0), say("wipe in ten minutes"), delayed, wipers, ())
    assert isinstance(judged.outcome, Rejected)
    assert judged.outcome.asks == Question((replace(meant("front")[0], delay_s=600.0),), slots=("side",))


def test_what_cannot_be_done_later_is_not_asked_about(wipers: Catalog) -> None:
    delayed = find_delay("wipe in ten minutes", "en")
    assert delayed is not None
    asking = Rejected("u1", "understand", "which one", asks=Question(meant("front"), slots=("side",)))
    judged = put_off(Judged(asking, 0.1, 0), say("wipe in ten minutes"), delayed, wipers, {"wipe"})
    assert isinstance(judged.outcome, Rejected)
    assert judged.outcome.asks is None
