"""The synthetic sentences: valid, repeatable, unambiguous, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edged.intents.catalog import Catalog
from edged.intents.spoken.text import normalize_text
from edged.train.sentences import Sentence, make_sentences, read_schemas
from edged.train.values import korean_number, slug

COUNTS = {"en": (1500, 1500), "ko": (1000, 1000)}


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


@pytest.mark.parametrize(
    ("number", "words"), [(0, "영"), (10, "십"), (21, "이십일"), (100, "백"), (2700, "이천칠백"), (20.5, "이십 점 오")]
)
def test_korean_numbers(number: float, words: str) -> None:
    assert korean_number(number) == words


def test_keys_are_those_that_a_house_may_have() -> None:
    assert slug("anna's reading lamp") == "annas_reading_lamp"
