"""The lessons: of many houses and catalogues, the same for the same seed, and none that contradicts another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from edged.intents.catalog import Catalog
from edged.train.dataset import Lesson
from edged.train.lessons import LESSONS_A_HOUSE, ROWS, Shipped, make_lessons, rooms_file
from edged.train.sentences import Sentence, read_schemas

HOUSES, CATALOGUES = 1, 2


class Letters:
    """A tokenizer: a token a byte."""

    def tokenize(self, text: bytes) -> list[int]:
        return list(text)


@pytest.fixture(scope="module")
def shipped(catalog: Catalog, config_schemas: Path) -> Shipped:
    """Short sentences: some that are always no command, one that is none beside no intent that asks."""
    schemas = read_schemas(config_schemas)
    names = frozenset(schema["properties"]["intent"]["const"] for schema in schemas)
    said = [Sentence(f"so {letter}", "en", (), "plain", held_back=False) for letter in "abcdefgh"]
    said.append(Sentence("is it on", "en", (), "asked", held_back=False, unless=frozenset({"query"})))
    return Shipped(catalog.home, schemas, names - {"query"}, said)


def lessons_of(shipped: Shipped, seed: int) -> list[Lesson]:
    return list(make_lessons(shipped, Letters(), HOUSES, CATALOGUES, seed))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lessons(shipped: Shipped) -> Sequence[Lesson]:
    return lessons_of(shipped, 5)


def headers(lesson: Lesson) -> set[str]:
    return {line.partition("(")[0] for line in bytes(lesson.prefix).decode().partition("\n\n")[0].split("\n")}


def test_there_are_as_many_as_asked_for(lessons: Sequence[Lesson]) -> None:
    assert len(lessons) == HOUSES * LESSONS_A_HOUSE + CATALOGUES
    for lesson in lessons:
        assert lesson.prefix
        assert lesson.rows


def test_the_same_seed_makes_the_same_lessons(shipped: Shipped, lessons: Sequence[Lesson]) -> None:
    assert lessons_of(shipped, 5) == lessons
    assert lessons_of(shipped, 6) != lessons


def test_what_is_no_command_beside_some_intents_alone_is_said_only_there(lessons: Sequence[Lesson]) -> None:
    asked = {
        place
        for place, lesson in enumerate(lessons)
        for row in lesson.rows
        if bytes(row.question).startswith(b"is it on")
    }
    knows = {place for place, lesson in enumerate(lessons) if "query" in headers(lesson)}
    assert asked
    assert knows
    assert not asked & knows


def test_lessons_of_houses_show_other_parts_of_the_shipped_intents(lessons: Sequence[Lesson]) -> None:
    parts = {frozenset(headers(lesson)) for lesson in lessons[: HOUSES * LESSONS_A_HOUSE]}
    assert len(parts) > HOUSES
    assert any(len(lesson.rows) >= ROWS for lesson in lessons)


def test_the_rooms_of_a_catalogue_are_a_house() -> None:
    assert rooms_file({"den": ["den", 'the "den"']}) == '[areas.den]\nnames.en = ["den", "the \\"den\\""]\n'
    assert rooms_file({}) == ""
