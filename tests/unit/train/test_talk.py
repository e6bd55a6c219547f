"""The talk that false accepts are counted on: enough of it, repeatable, and nothing that the model has learned."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edged.errors import UsageError
from edged.intents.catalog import Catalog
from edged.intents.spoken.text import normalize_text
from edged.intents.templates import match_examples
from edged.train import sentences, talk
from edged.train.sentences import make_sentences, read_schemas
from edged.train.talk import MAX_WORDS, MIN_WORDS, WORDS_A_MINUTE, hours_of_talk, make_talk

COUNT = 10_000


@pytest.fixture(scope="module")
def said() -> list[str]:
    return list(make_talk("en", COUNT, seed=1))


@pytest.fixture
def _small_talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Talk in a language with a single template."""
    (tmp_path / "xx.toml").write_text(
        'words = { start = ["well"], end = ["then"], who = ["ann", "bob"] }\n'
        'topic = [{ say = ["{who} met {who} [right] here (today|now)", "too short"] }]\n'
    )
    monkeypatch.setattr(talk, "FOLDER", tmp_path)


def test_ten_thousand_distinct_sentences_can_be_drawn(said: list[str]) -> None:
    assert len(set(said)) == len(said) == COUNT


def test_sentences_are_as_long_as_people_speak(said: list[str]) -> None:
    assert all(MIN_WORDS <= len(text.split()) <= MAX_WORDS for text in said)


def test_texts_are_in_the_form_that_the_runtime_reads(said: list[str]) -> None:
    for text in said:
        assert text == normalize_text(text, "en")
        assert not set("{}[]()|") & set(text)


def test_the_same_seed_gives_the_same_talk_and_another_seed_other_talk() -> None:
    assert list(make_talk("en", 200, seed=2)) == list(make_talk("en", 200, seed=2))
    assert list(make_talk("en", 200, seed=2)) != list(make_talk("en", 200, seed=3))


def test_no_template_is_one_that_the_model_learns() -> None:
    learned = set(_templates(sentences.FOLDER / "en.toml")) | set(_templates(sentences.FOLDER / "en-nothing.toml"))
    own = set(_templates(talk.FOLDER / "en.toml"))
    assert own
    assert not own & learned


def test_no_sentence_is_one_that_the_model_learns(said: list[str], catalog: Catalog, config_schemas: Path) -> None:
    learned = make_sentences(catalog.home, read_schemas(config_schemas), {"en": (1000, 3000)}, seed=1)
    assert not {sentence.text for sentence in learned} & set(said)


def test_no_sentence_is_an_example_of_an_intent(said: list[str], catalog: Catalog) -> None:
    assert [text for text in said if match_examples(catalog, text, "en")] == []


@pytest.mark.usefixtures("_small_talk")
def test_all_the_choices_of_a_template_are_made_and_a_word_is_said_once() -> None:
    made = set(make_talk("xx", 20, seed=1))
    assert "ann met bob here now" in made
    assert "well bob met ann right here today" in made
    assert not {text for text in made if text.count("ann") > 1 or "short" in text}


@pytest.mark.usefixtures("_small_talk")
def test_more_talk_than_there_is_ends_with_an_error() -> None:
    with pytest.raises(UsageError, match="distinct sentences, not 1000"):
        list(make_talk("xx", 1000, seed=1))


@pytest.mark.usefixtures("_small_talk")
def test_a_language_without_talk_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        list(make_talk("yy", 1, seed=1))
    assert "xx" in caught.value.remedy


def test_hours_follow_from_the_words() -> None:
    assert hours_of_talk(["one two three four five"] * (WORDS_A_MINUTE * 60 // 5)) == 1.0


def _templates(path: Path) -> Iterator[str]:
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    for section in ("command", "nothing", "topic"):
        for group in table.get(section, ()):
            yield from group["say"]
