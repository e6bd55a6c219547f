from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.config import Config
from edged.intents.accept import takes, text_matcher
from edged.intents.catalog import Catalog, restrict, without_examples
from edged.intents.grounding import find_home_mentions, find_number_spans, ground
from edged.intents.load import load_catalog
from edged.intents.spoken.text import normalize_text
from edged.types import SlotValue
from edged.understand.answers import FORMS
from edged.understand.draft import Continuation, draft_fields, rank_fields
from tests.unit.understand.utterances import made_up


@pytest.fixture(scope="module")
def whole(config: Config) -> Catalog:
    """All intents that come with the project."""
    return load_catalog(config)


@pytest.fixture(scope="module")
def catalog(catalog: Catalog) -> Catalog:
    """What the language model is asked about."""
    return restrict(catalog, ("light", "thermostat"))


def drafted(catalog: Catalog, text: str, lang: str = "en") -> dict[str, SlotValue] | None:
    """As the daemon has it."""
    mentions = find_home_mentions(catalog, text, lang)
    names = {place for mention in mentions for place in range(mention.start, mention.end)}
    for start, end, _ in find_number_spans(normalize_text(text, lang).split(), lang):
        names.update(range(start, end))
    fields = draft_fields(catalog, text, lang, ground(catalog, text, lang), names)
    return None if fields is None else dict(fields)


@pytest.mark.parametrize(
    ("text", "lang", "meant"),
    [
        ("turn on the kitchen light please", "en", {"intent": "light", "action": "on", "area": "kitchen"}),
        ("turn off the lights", "en", {"intent": "light", "action": "off"}),
        (
            "set the bedroom to 19.5 degrees",
            "en",
            {"intent": "thermostat", "action": "set", "area": "bedroom", "temperature": 19.5},
        ),
        ("거실 불 켜 줘", "ko", {"intent": "light", "action": "on", "area": "living_room"}),
        (
            "침실 온도를 이십이도로 맞춰 줘",
            "ko",
            {"intent": "thermostat", "action": "set", "area": "bedroom", "temperature": 22},
        ),
    ],
)
def test_a_plain_command_is_drafted(catalog: Catalog, text: str, lang: str, meant: dict[str, SlotValue]) -> None:
    assert drafted(catalog, text, lang) == meant


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("what is the weather like tomorrow", "en"),
        ("remind me about the meeting with john", "en"),
        ("", "en"),
        ("?!", "en"),
        ("오늘 날씨 어때", "ko"),
        ("schalte das Licht ein", "xx"),
    ],
)
def test_what_shares_few_words_with_the_examples_has_no_draft(catalog: Catalog, text: str, lang: str) -> None:
    assert drafted(catalog, text, lang) is None


def test_without_examples_there_is_no_draft(catalog: Catalog) -> None:
    assert drafted(without_examples(catalog), "turn on the kitchen light") is None
    assert drafted(replace(catalog, intents={}), "turn on the kitchen light") is None


def test_a_number_that_was_not_said_is_in_no_draft(catalog: Catalog) -> None:
    for utterance in made_up(catalog, 150, seed=3):
        fields = drafted(catalog, utterance.text, utterance.lang)
        if fields is not None:
            said = ground(catalog, utterance.text, utterance.lang)[str(fields["intent"])]
            for slot, value in fields.items():
                assert slot not in said or value in said[slot], utterance.text


def test_a_draft_is_an_answer_that_the_grammar_takes_most_often(catalog: Catalog) -> None:
    """It need not be one, but what the grammar refuses was drafted for nothing."""
    taken = drafts = 0
    for utterance in made_up(catalog, 100, seed=4):
        fields = drafted(catalog, utterance.text, utterance.lang)
        if fields is not None:
            said = ground(catalog, utterance.text, utterance.lang)
            answer = FORMS["short"].write(fields, catalog, said).encode()
            drafts += 1
            taken += takes(text_matcher(FORMS["short"].compile(catalog, said, ())), answer)
    assert taken > 0.9 * drafts > 0


def test_a_draft_is_the_same_every_time_and_with_other_catalogs_in_between(catalog: Catalog) -> None:
    text = "could you turn off the hall light"
    first = drafted(catalog, text)
    fewer = replace(catalog, intents={name: catalog.intents[name] for name in ("thermostat",)})
    drafted(fewer, text)
    assert first is not None
    assert drafted(catalog, text) == first
    assert drafted(replace(catalog), text) == first


@settings(deadline=None, max_examples=60)
@given(
    text=st.text(max_size=80)
    | st.lists(
        st.sampled_from(["turn", "on", "light", "kitchen", "30", "-1", "1e9", "half", "불", "켜", "줘", "이십이도로", "{area}", "\0"]),
        max_size=12,
    ).map(" ".join),
    lang=st.sampled_from(["en", "ko", "de", "pt-BR", "xx"]),
)  # fmt: skip
def test_whatever_is_said_a_draft_can_be_written_or_there_is_none(catalog: Catalog, text: str, lang: str) -> None:
    fields = drafted(catalog, text, lang)
    if fields is not None:
        assert FORMS["short"].write(fields, catalog, ground(catalog, text, lang))
        assert all(not isinstance(value, Decimal) for value in fields.values())


def test_a_draft_of_any_intent_can_be_written(whole: Catalog) -> None:
    written = 0
    for utterance in made_up(whole, 300, seed=3):
        fields = drafted(whole, utterance.text, utterance.lang)
        if fields is not None:
            said = ground(whole, utterance.text, utterance.lang)
            written += bool(FORMS["short"].write(fields, whole, said))
    assert written > 20


def test_an_intent_that_needs_what_nobody_said_is_not_drafted(catalog: Catalog) -> None:
    light = catalog.intents["light"]
    needy = replace(light, schema={**light.schema, "required": ["intent", "action", "area"]})
    changed = replace(catalog, intents={"light": needy})
    assert drafted(changed, "turn on the light please") is None
    assert drafted(changed, "turn on the kitchen light please") == {
        "intent": "light",
        "action": "on",
        "area": "kitchen",
    }


def after(answers: Iterable[str], written: str) -> list[str]:
    """What goes on, a token being a word."""
    known: list[str] = []

    def tokenize(text: bytes) -> list[int]:
        for word in (words := text.decode().replace(",", " ,").replace("\n", " \n").split(" ")):
            if word not in known:
                known.append(word)
        return [known.index(word) for word in words if word]

    return [known[token] for token in Continuation(answers, tokenize).after(written.encode())]


def test_the_likeliest_answer_that_begins_so_goes_on() -> None:
    made = (" query state\n", " light off area\n", " light on area\n")
    assert after(made, " light") == ["off", "area"]
    assert after(made, " light on") == ["area"]
    assert after(made, " query") == ["state"]
    assert after(made, " thermostat") == []


def test_a_second_intent_is_not_the_first_once_more() -> None:
    assert after((" light off area\n", " thermostat set area\n"), " light off area,") == ["thermostat", "set", "area"]


def test_letters_that_are_cut_go_on_with_nothing() -> None:
    assert Continuation([" light on\n"], list).after("é".encode()[:1]) == []


def test_every_kind_of_example_that_fits_is_ranked_once(catalog: Catalog) -> None:
    text = "turn on the kitchen light please"
    ranked = [dict(fields) for fields in rank_fields(catalog, text, "en", ground(catalog, text, "en"), ())]
    assert ranked[0] == {"intent": "light", "action": "on", "area": "kitchen"}
    assert {"intent": "light", "action": "off", "area": "kitchen"} in ranked
    assert not any("temperature" in fields for fields in ranked)
