import itertools
from dataclasses import replace
from pathlib import Path

import jsonschema
import llama_cpp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.config import Config
from edged.errors import ModelError
from edged.intents.catalog import Catalog
from edged.intents.load import read_catalog
from edged.types import Intent, Rejected, Utterance
from edged.understand.parser import MAX_CHARACTERS, Parser, open_parser

pytestmark = pytest.mark.model


def say(text: str, lang: str = "en") -> Utterance:
    return Utterance("u1", text, lang, 1.0, (), 0, 0, "cli")


@pytest.mark.parametrize(
    ("lang", "text", "meant"),
    [
        ("en", "Turn on the kitchen light.", [("light", {"action": "on", "area": "kitchen"})]),
        ("en", "turn off the lights", [("light", {"action": "off"})]),
        ("en", "set the bedroom to 19.5 degrees", [("thermostat", {"action": "set", "area": "bedroom", "temperature": 19.5})]),
        ("en", "make the living room blue", [("light", {"action": "set", "area": "living_room", "color": "blue"})]),
        (
            "en",
            "turn off the desk lamp and set the heating to twenty degrees",
            [("light", {"action": "off", "device": "desk_lamp"}), ("thermostat", {"action": "set", "temperature": 20})],
        ),
        ("en", "Is the kitchen light on?", [("query", {"about": "light_state", "area": "kitchen"})]),
        ("ko", "거실 불을 켜 줘", [("light", {"action": "on", "area": "living_room"})]),
        ("ko", "모든 불 을 파란 색으로 바꿔 줘", [("light", {"action": "set", "color": "blue"})]),
        ("ko", "침실 온도를 이십이 도로 맞춰 줘", [("thermostat", {"action": "set", "area": "bedroom", "temperature": 22})]),
    ],
)  # fmt: skip
def test_commands_are_understood(
    parser: Parser, lang: str, text: str, meant: list[tuple[str, dict[str, object]]]
) -> None:
    outcome = parser.parse(say(text, lang)).outcome
    assert not isinstance(outcome, Rejected), outcome
    assert [(intent.name, dict(intent.slots)) for intent in outcome] == meant


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "what is the weather like tomorrow"),
        ("en", "do not turn on the kitchen light"),
        ("en", "play some jazz in the living room"),
        ("en", "make me a cup of coffee"),
        ("ko", "오늘 날씨 어때"),
        ("ko", "커피 한 잔 만들어 줘"),
        ("en", ""),
        ("en", "?!"),
    ],
)
def test_what_is_no_command_is_rejected(parser: Parser, lang: str, text: str) -> None:
    outcome = parser.parse(say(text, lang)).outcome
    assert isinstance(outcome, Rejected)
    assert (outcome.utterance_id, outcome.stage) == ("u1", "understand")


def test_a_room_that_the_house_does_not_have_is_not_taken_for_another(parser: Parser) -> None:
    for room in ("attic", "garage", "closet"):
        outcome = parser.parse(say(f"turn off the {room} light")).outcome
        assert isinstance(outcome, Rejected), room


def test_what_is_too_long_is_rejected(parser: Parser) -> None:
    outcome = parser.parse(say("light " * MAX_CHARACTERS)).outcome
    assert isinstance(outcome, Rejected)
    assert "longer than" in outcome.reason


def test_the_same_words_mean_the_same_every_time(parser: Parser) -> None:
    first = parser.parse(say("dim the hall to thirty percent"))
    parser.parse(say("set the bedroom to twenty degrees"))
    again = parser.parse(say("dim the hall to thirty percent"))
    assert replace(first, duration_ms=0) == replace(again, duration_ms=0)
    assert 0 < first.lm_calls <= first.lm_tokens


def test_a_catalog_over_which_the_model_fails_leaves_the_one_before_in_force(
    parser: Parser, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = say("dim the hall to thirty percent please would you")
    before, room = parser.parse(asked), parser.lm.room
    decode, calls = llama_cpp.llama_decode, itertools.count()
    monkeypatch.setattr(llama_cpp, "llama_decode", lambda *given: decode(*given) if next(calls) else 1)
    with pytest.raises(ModelError, match="llama_decode gave 1"):
        parser.set_catalog(replace(catalog, intents=dict(list(catalog.intents.items())[:2])))
    after = parser.parse(asked)
    assert replace(after, duration_ms=0) == replace(before, duration_ms=0)
    assert before.lm_calls > 0
    assert parser.lm.room == room


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(["turn", "on", "off", "light", "kitchen", "red", "fifty", "set", "heating", "불", "켜", "and", "{", '"']),
            max_size=10,
        ).map(" ".join),
    ),
    lang=st.sampled_from(["en", "ko", "de"]),
)  # fmt: skip
def test_whatever_is_said_every_intent_is_valid(parser: Parser, catalog: Catalog, text: str, lang: str) -> None:
    outcome = parser.parse(say(text, lang)).outcome
    if not isinstance(outcome, Rejected):
        for intent in outcome:
            jsonschema.validate({"intent": intent.name, **intent.slots}, dict(catalog.intents[intent.name].schema))


def test_what_the_model_is_not_sure_of_is_rejected(config: Config, catalog: Catalog) -> None:
    strict = config.model_copy(update={"understand": config.understand.model_copy(update={"min_confidence": 1.0})})
    with open_parser(strict, catalog) as parser:
        outcome = parser.parse(say("let there be light in the kitchen")).outcome
    assert isinstance(outcome, Rejected)
    assert "not sure enough" in outcome.reason


def test_without_any_intent_nothing_is_a_command(config: Config, catalog: Catalog, tmp_path: Path) -> None:
    with open_parser(config, read_catalog(tmp_path, catalog.home)) as parser:
        outcome: tuple[Intent, ...] | Rejected = parser.parse(say("let there be light in the kitchen")).outcome
    assert isinstance(outcome, Rejected)


def test_a_missing_model_says_how_to_get_it(config: Config, catalog: Catalog, tmp_path: Path) -> None:
    elsewhere = config.model_copy(update={"state": config.state.model_copy(update={"directory": tmp_path})})
    with pytest.raises(ModelError, match="edged models fetch smollm2-135m"), open_parser(elsewhere, catalog):
        pass


def test_what_a_file_refuses_is_no_command_whatever_the_model_makes_of_it(parser: Parser) -> None:
    outcome = parser.parse(say("turn off everything")).outcome
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "the file of thermostat lists this as no command"


def test_a_language_that_the_model_does_not_read_is_left_to_the_examples(parser: Parser) -> None:
    understood = parser.parse(say("schalte das Licht in der Küche ein", "de")).outcome
    assert not isinstance(understood, Rejected)
    left = parser.parse(say("es möge Licht werden", "de"))
    assert isinstance(left.outcome, Rejected)
    assert "does not read de" in left.outcome.reason
    assert left.lm_calls == 0
