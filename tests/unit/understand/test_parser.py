import itertools
from collections.abc import Iterator
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
from edged.types import Intent, Rejected
from edged.understand import parser as parser_module
from edged.understand.ask import MAX_CHARACTERS, Judged
from edged.understand.parser import Parser, open_parser
from tests.unit.understand.utterances import say

pytestmark = pytest.mark.model


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


def test_the_same_words_mean_the_same_every_time(parser: Parser, catalog: Catalog) -> None:
    text = "would you dim the hall to thirty percent"
    first = parser.parse(say(text))
    parser.parse(say("would you set the bedroom to twenty degrees"))
    parser.set_catalog(catalog)
    again = parser.parse(say(text))
    assert first.answered_by == again.answered_by == "model"
    assert (first.outcome, first.confidence, first.questions) == (again.outcome, again.confidence, again.questions)
    assert 0 < first.lm_calls <= first.lm_tokens
    assert first.questions > 0


def test_a_catalog_over_which_the_model_fails_leaves_the_one_before_in_force(
    parser: Parser, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = say("dim the hall to thirty percent please would you")
    before, room = parser.parse(asked), parser.lm.room
    decode, calls = llama_cpp.llama_decode, itertools.count()
    monkeypatch.setattr(llama_cpp, "llama_decode", lambda *given: decode(*given) if next(calls) else 1)
    with pytest.raises(ModelError, match="llama_decode gave 1"):
        parser.set_catalog(replace(catalog, intents={"unread": replace(catalog.intents["light"], name="unread")}))
    after = parser.parse(asked)
    assert after.outcome == before.outcome
    assert before.lm_calls > 0
    assert after.answered_by == "cache"
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
        again = parser.parse(replace(say("let there be light in the kitchen"), id="again")).outcome
    assert isinstance(outcome, Rejected)
    assert "not sure enough" in outcome.reason
    assert isinstance(again, Rejected)
    assert [intent.utterance_id for intent in again.meant] == ["again"] * len(outcome.meant) != []


def test_without_any_intent_nothing_is_a_command(config: Config, catalog: Catalog, tmp_path: Path) -> None:
    with open_parser(config, read_catalog(tmp_path, catalog.home)) as parser:
        outcome: tuple[Intent, ...] | Rejected = parser.parse(say("let there be light in the kitchen")).outcome
    assert isinstance(outcome, Rejected)


def test_a_missing_model_says_how_to_get_it(config: Config, catalog: Catalog, tmp_path: Path) -> None:
    elsewhere = config.model_copy(update={"state": config.state.model_copy(update={"directory": tmp_path})})
    with pytest.raises(ModelError, match="edged models fetch smollm2-135m"), open_parser(elsewhere, catalog):
        pass


def test_what_a_file_refuses_is_no_command_whatever_the_model_makes_of_it(
    fresh: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    meant = (Intent("u1", "thermostat", {"action": "mode", "mode": "off"}, 1.0, 1.0),)
    monkeypatch.setattr(fresh._asker, "ask", lambda *_: Judged(meant, 1.0, 1))
    outcome = fresh.parse(say("turn off everything")).outcome
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "the file of thermostat lists this as no command"


@pytest.fixture
def fresh(parser: Parser, catalog: Catalog) -> Iterator[Parser]:
    """The parser, which has kept nothing; afterwards it has the shipped catalog again."""
    parser.set_catalog(catalog)
    yield parser
    parser.set_catalog(catalog)


COMMAND = "let there be light in the kitchen"


def test_the_same_words_are_not_asked_about_twice(fresh: Parser) -> None:
    first = fresh.parse(say(COMMAND))
    again = fresh.parse(say(f" {COMMAND.title()}! ", utterance_id="u2"))
    assert (first.answered_by, again.answered_by) == ("model", "cache")
    assert (again.lm_tokens, again.lm_calls) == (0, 0)
    assert again.confidence == first.confidence
    assert not isinstance(first.outcome, Rejected)
    assert again.outcome == tuple(replace(intent, utterance_id="u2") for intent in first.outcome)


def test_a_rejection_is_kept_as_well(fresh: Parser) -> None:
    first, again = (fresh.parse(say("make me a cup of coffee", utterance_id=name)) for name in ("u1", "u2"))
    assert isinstance(first.outcome, Rejected)
    assert again.answered_by == "cache"
    assert again.outcome == replace(first.outcome, utterance_id="u2")


@pytest.mark.parametrize(
    ("text", "lang"), [(COMMAND, "en-GB"), (COMMAND, "ko"), (f"{COMMAND} now", "en"), ("would you", "en")]
)
def test_other_words_and_other_languages_are_asked_about(fresh: Parser, text: str, lang: str) -> None:
    fresh.parse(say(COMMAND))
    other = fresh.parse(say(text, lang))
    assert other.answered_by == "model"
    assert other.lm_calls > 0


def test_the_same_words_in_another_area_are_asked_about(fresh: Parser) -> None:
    answered_by = [
        fresh.parse(replace(say(COMMAND), area=area)).answered_by for area in ("kitchen", "office", "kitchen")
    ]
    assert answered_by == ["model", "model", "cache"]


def test_of_two_devices_of_one_name_that_in_the_area_where_it_was_said_is_meant(
    fresh: Parser, catalog: Catalog
) -> None:
    devices = dict(catalog.home.devices)
    devices["bedside_lamp"] = replace(devices["bedside_lamp"], names=devices["desk_lamp"].names)
    fresh.set_catalog(replace(catalog, home=replace(catalog.home, devices=devices)))
    meant = []
    for text in ("turn on the desk lamp", "could you get that desk lamp turned on"):  # an example, and none
        for area in ("bedroom", "office"):
            outcome = fresh.parse(replace(say(text), area=area)).outcome
            assert not isinstance(outcome, Rejected)
            meant.append(outcome[0].slots["device"])
    assert meant == ["bedside_lamp", "desk_lamp"] * 2


def test_a_new_catalog_forgets_what_was_kept(fresh: Parser, catalog: Catalog) -> None:
    fresh.parse(say(COMMAND))
    fresh.set_catalog(replace(catalog, intents={"light": catalog.intents["light"]}))
    assert fresh.parse(say(COMMAND)).answered_by == "model"


def test_a_catalog_that_is_only_prepared_forgets_nothing(fresh: Parser, catalog: Catalog) -> None:
    fresh.parse(say(COMMAND))
    use = fresh.prepare_catalog(replace(catalog))
    assert fresh.parse(say(COMMAND)).answered_by == "cache"
    use()
    assert fresh.parse(say(COMMAND)).answered_by == "model"


def test_what_was_used_longest_ago_is_forgotten(fresh: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_module, "MAX_KEPT", 2)
    one, two, three = "would you one", "would you two", "would you three"
    answered = [fresh.parse(say(text)).answered_by for text in (one, two, one, three, one, two)]
    assert answered == ["model", "model", "cache", "model", "cache", "model"]
    assert len(fresh._kept) == 2


def test_what_was_heard_unclearly_is_rejected_though_it_is_kept(config: Config, catalog: Catalog) -> None:
    strict = config.model_copy(update={"hear": config.hear.model_copy(update={"min_confidence": 0.6})})
    with open_parser(strict, catalog) as parser:
        parser.parse(say(COMMAND))
        unclear = parser.parse(replace(say(COMMAND), asr_confidence=0.5))
        clear = parser.parse(replace(say(COMMAND), asr_confidence=0.6))
    assert isinstance(unclear.outcome, Rejected)
    assert (unclear.outcome.stage, unclear.answered_by) == ("hear", "nobody")
    assert "0.50 of 0.60" in unclear.outcome.reason
    assert clear.answered_by == "cache"


def test_who_answered_is_told(fresh: Parser) -> None:
    assert fresh.parse(say("turn on the kitchen light")).answered_by == "example"
    assert fresh.parse(say("")).answered_by == "nobody"
    assert fresh.parse(say("turn on the kitchen light", "en")).questions == 0


def test_a_language_that_the_model_does_not_read_is_left_to_the_examples(parser: Parser) -> None:
    understood = parser.parse(say("schalte das Licht in der Küche ein", "de")).outcome
    assert not isinstance(understood, Rejected)
    left = parser.parse(say("que la lumière soit", "fr"))
    assert isinstance(left.outcome, Rejected)
    assert "does not read fr" in left.outcome.reason
    assert left.lm_calls == 0
