"""The synthetic sentences: valid, repeatable, unambiguous, and nobody else's."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edged.intents.catalog import Catalog
from edged.intents.spoken.text import normalize_text
from edged.train.dataset import meaning, short_answer
from edged.train.sentences import Sentence, Speaker, make_sentences, read_schemas
from edged.train.values import slug

COUNTS = {
    "en": (1500, 1500),
    "ko": (1000, 1000),
    "de": (600, 300),
    "pt-BR": (600, 300),
    "pl": (600, 300),
    "el": (600, 300),
}


@pytest.fixture(scope="module")
def sentences(catalog: Catalog, config_schemas: Path) -> list[Sentence]:
    return list(make_sentences(catalog.home, read_schemas(config_schemas), COUNTS, seed=1))


@pytest.fixture(scope="module")
def schemas(config_schemas: Path) -> dict[str, Mapping[str, Any]]:
    """Intent name -> its schema, where any room and device may be named: the adapter learns those of other houses too."""
    schemas: dict[str, Mapping[str, Any]] = {}
    for schema in read_schemas(config_schemas):
        for properties in schema["properties"].values():
            if properties.pop("$ref", None):
                properties |= {"type": "string", "pattern": "^[a-z0-9][a-z0-9_]*$"}
        schemas[schema["properties"]["intent"]["const"]] = schema
    return schemas


def test_as_many_sentences_as_asked_for(sentences: list[Sentence]) -> None:
    for lang, (commands, others) in COUNTS.items():
        of_lang = [s for s in sentences if s.lang == lang]
        assert len([s for s in of_lang if s.intents]) == commands
        assert len([s for s in of_lang if not s.intents]) == others


def test_every_intent_is_valid_under_its_schema(
    sentences: list[Sentence], schemas: dict[str, Mapping[str, Any]]
) -> None:
    for sentence in sentences:
        for intent in sentence.intents:
            jsonschema.validate(dict(intent), schemas[str(intent["intent"])])


def test_answers_are_compact_json_with_slots_in_the_order_of_the_schema(
    sentences: list[Sentence], schemas: dict[str, Mapping[str, Any]]
) -> None:
    for sentence in sentences:
        assert " " not in sentence.answer
        intents = json.loads(sentence.answer)
        assert len(intents) <= 3
        for intent in intents:
            order = list(schemas[intent["intent"]]["properties"])
            assert list(intent) == sorted(intent, key=order.index)


def test_the_same_seed_gives_the_same_sentences(
    sentences: list[Sentence], catalog: Catalog, config_schemas: Path
) -> None:
    again = make_sentences(catalog.home, read_schemas(config_schemas), COUNTS, seed=1)
    assert list(again) == sentences


def test_another_seed_gives_others(sentences: list[Sentence], catalog: Catalog, config_schemas: Path) -> None:
    others = make_sentences(catalog.home, read_schemas(config_schemas), COUNTS, seed=2)
    assert [s.text for s in others] != [s.text for s in sentences]


def test_no_sentence_means_two_things(sentences: list[Sentence]) -> None:
    texts = [(s.lang, s.text) for s in sentences]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("lang", ["de", "pt-BR", "pl", "el"])
def test_nearly_every_command_says_what_it_means(sentences: list[Sentence], catalog: Catalog, lang: str) -> None:
    commands = [s for s in sentences if s.lang == lang and meaning(s, catalog)]
    assert sum(short_answer(s.text, s.lang, s.intents, catalog) is None for s in commands) < 0.03 * len(commands)


@pytest.mark.parametrize(
    ("lang", "wrong"),
    [
        ("de", {"im küche", "in der bad", "auf der flur", "das küchenlampe", "eins grad", "1 sekunden"}),
        ("pt-BR", {"no cozinha", "da banheiro", "na lá fora", "um graus", "em máximo"}),
        ("pl", {"w kuchnia", "w kuchnię", "w łazienka", "w na dworze", "włącz lampa sufitowa", "trzy stopni"}),
        ("el", {"στην σαλόνι", "στο κουζίνα", "της υπνοδωματίου", "τον λάμπα", "1 βαθμούς", "ένα βαθμούς"}),
    ],
)
def test_words_fit_the_name_or_number_beside_them(sentences: list[Sentence], lang: str, wrong: set[str]) -> None:
    texts = [f" {s.text} " for s in sentences if s.lang == lang]
    for words in wrong:
        assert sum(f" {words} " in text for text in texts) <= 1, words  # a recogniser's slip may make one


def test_what_another_intent_may_mean_says_beside_which_it_is_unclear(catalog: Catalog, config_schemas: Path) -> None:
    speaker = Speaker("de", catalog.home, read_schemas(config_schemas), random.Random(1))
    groups = [group for group in speaker.nothing if "ist die heizung an" in group.say and group.weight > 1]
    assert groups
    assert all("query" in group.unless for group in groups)


def test_texts_are_in_the_form_that_the_runtime_reads(sentences: list[Sentence]) -> None:
    for sentence in sentences:
        assert sentence.text == normalize_text(sentence.text, sentence.lang)
        assert not set("{}[]()|~<>+") & set(sentence.text)


def test_a_held_back_template_is_never_learned(sentences: list[Sentence]) -> None:
    held_back = {s.template for s in sentences if s.held_back} - {"two joined"}
    assert held_back
    assert not held_back & {s.template for s in sentences if not s.held_back}


def test_no_sentence_is_one_of_those_that_are_to_be_avoided(
    catalog: Catalog, config_schemas: Path, shared: Path
) -> None:
    measured = set()
    for path in (shared / "data").glob("*.jsonl"):
        measured |= {json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()}
    made = make_sentences(
        catalog.home, read_schemas(config_schemas), {"en": (4000, 4000)}, seed=1, avoid=frozenset(measured)
    )
    assert measured
    assert not measured & {sentence.text for sentence in made}


def test_every_intent_of_the_folder_is_said(sentences: list[Sentence], schemas: dict[str, Mapping[str, Any]]) -> None:
    for lang in COUNTS:
        said = {intent["intent"] for s in sentences if s.lang == lang for intent in s.intents}
        assert said == set(schemas)


def test_what_an_example_says_is_never_no_command(sentences: list[Sentence]) -> None:
    nothing = {s.text for s in sentences if not s.intents}
    assert not nothing & {"is the heating on", "how warm is it in the bedroom", "open the blinds", "turn on the fan"}


def test_keys_are_those_that_a_house_may_have() -> None:
    assert slug("anna's reading lamp") == "annas_reading_lamp"
    assert slug("Gästezimmer") == "gastezimmer"


def test_names_in_other_letters_have_keys_of_their_own() -> None:
    keys = {slug("σοφίτα"), slug("υπόγειο"), slug("다락방")}
    assert len(keys) == 3
    assert all(re.fullmatch("[a-z0-9_]+", key) for key in keys)


def test_an_intent_file_that_refuses_nothing_can_be_spoken(catalog: Catalog) -> None:
    schema = json.loads(Path("tests/accuracy/unseen/pizza.json").read_text(encoding="utf-8"))
    schema["x-edged"].pop("refused", None)
    assert Speaker("en", catalog.home, [schema], random.Random(1)).command().intents[0]["intent"] == "pizza"
