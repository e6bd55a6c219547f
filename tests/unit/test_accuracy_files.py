"""The evaluation files say what the intents can mean: nothing is measured with a row that no answer could equal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

from edged.eval.rows import DELAY
from edged.intents.accept import intent_validator
from edged.intents.catalog import Catalog
from edged.intents.load import read_catalog

ACCURACY = Path(__file__).resolve().parents[1] / "accuracy"
UNSEEN = ACCURACY / "unseen"
LANGUAGES = ("en", "ko", "de", "pt-BR", "pl", "el")
MEASURED_ELSEWHERE = {"coffee", "cleaning", "plug"}
"""Intent files without sentences of their own."""
MAX_EXAMPLES = 8

Row: TypeAlias = Mapping[str, Any]


def read_rows(path: Path) -> Sequence[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def count_both(rows: Sequence[Row]) -> tuple[int, int]:
    commands = sum(bool(row["expect"]) for row in rows)
    return commands, len(rows) - commands


ALL_FILES = {
    **{language: ACCURACY / f"{language}.jsonl" for language in LANGUAGES},
    **{path.stem: path for path in sorted(UNSEEN.glob("*.jsonl"))},
}


@pytest.fixture(scope="module")
def unseen(catalog: Catalog) -> Catalog:
    """The intents that no training run sees, in the example house."""
    return read_catalog(UNSEEN, catalog.home)


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_row_has_a_text_of_one_line_a_language_a_meaning_and_a_kind(name: str) -> None:
    for row in read_rows(ALL_FILES[name]):
        assert set(row) == {"text", "lang", "expect", "kind"}
        assert row["text"] == " ".join(row["text"].split())
        assert row["text"]
        assert row["lang"] == (name if name in LANGUAGES else "en")
        assert row["kind"]


@pytest.mark.parametrize("name", ALL_FILES)
def test_no_sentence_is_there_twice(name: str) -> None:
    texts = [row["text"].casefold() for row in read_rows(ALL_FILES[name])]
    assert sorted(set(texts)) == sorted(texts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_its_commands_and_refusals(language: str) -> None:
    commands, refusals = count_both(read_rows(ALL_FILES[language]))
    assert commands >= 120
    assert refusals >= 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_sentence_means_is_valid_for_the_shipped_intents(language: str, catalog: Catalog) -> None:
    for row in read_rows(ALL_FILES[language]):
        for intent in row["expect"]:
            said = {key: value for key, value in intent.items() if key != DELAY}
            intent_validator(catalog, intent["intent"]).validate(said)


def test_every_unseen_intent_is_in_force_with_few_examples(unseen: Catalog) -> None:
    assert not [fault for fault in unseen.faults if fault.severity == "error"]
    assert set(unseen.intents) == {path.stem for path in UNSEEN.glob("*.json")}
    for intent in unseen.intents.values():
        assert 1 <= sum(len(examples) for examples in intent.examples.values()) <= MAX_EXAMPLES, intent.name


def test_there_are_twelve_unseen_intents_with_sentences_and_none_is_shipped(unseen: Catalog, catalog: Catalog) -> None:
    measured = {name for name in ALL_FILES if name not in LANGUAGES}
    assert len(measured) == 12
    assert set(unseen.intents) == measured | MEASURED_ELSEWHERE
    assert not set(unseen.intents) & set(catalog.intents)


@pytest.mark.parametrize("name", [name for name in ALL_FILES if name not in LANGUAGES])
def test_an_unseen_intent_has_valid_sentences_and_near_misses(name: str, unseen: Catalog) -> None:
    rows = read_rows(ALL_FILES[name])
    assert count_both(rows) == (24, 6)
    for row in rows:
        assert [intent["intent"] for intent in row["expect"]] in ([name], [])
        for intent in row["expect"]:
            intent_validator(unseen, name).validate(intent)


@pytest.mark.parametrize("name", [name for name in ALL_FILES if name not in LANGUAGES])
def test_no_sentence_of_an_unseen_intent_is_one_of_its_examples(name: str, unseen: Catalog) -> None:
    examples = {example.text.casefold() for example in unseen.intents[name].examples["en"]}
    assert not examples & {row["text"].casefold() for row in read_rows(ALL_FILES[name])}


def test_a_meaning_that_a_schema_does_not_allow_would_be_found(catalog: Catalog) -> None:
    with pytest.raises(jsonschema.ValidationError):
        intent_validator(catalog, "light").validate({"intent": "light", "action": "set", "brightness": 101})
