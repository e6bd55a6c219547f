"""What a sentence means under a catalog, how it is answered, and how rows are packed into the lessons of a step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.intents.catalog import Catalog, restrict
from edged.train.dataset import (
    MAX_ROW_TOKENS,
    Lesson,
    Row,
    batches,
    load_files,
    make_lesson,
    meaning,
    pack,
    short_answer,
)
from edged.train.sentences import Sentence, read_schemas
from edged.types import SlotValue

HOUSE = '[areas.hall]\nnames.en = ["hall"]\n[areas.cellar]\nnames.en = ["cellar"]\n'
HALL_ON = {"intent": "light", "action": "on", "area": "hall"}
CELLAR_ON = {"intent": "light", "action": "on", "area": "cellar"}


class Letters:
    """A tokenizer: a token a byte."""

    def tokenize(self, text: bytes) -> list[int]:
        return list(text)


@pytest.fixture(scope="module")
def small(config_schemas: Path) -> Catalog:
    schemas = [s for s in read_schemas(config_schemas) if s["properties"]["intent"]["const"] in ("light", "media")]
    return load_files(schemas, HOUSE)


def sentence(text: str, *intents: Mapping[str, SlotValue]) -> Sentence:
    return Sentence(text, "en", intents, "template", held_back=False)


def test_files_are_loaded_with_their_house(small: Catalog) -> None:
    assert list(small.home.areas) == ["hall", "cellar"]
    assert "light" in small.intents


# ---- meaning and answer


def test_a_sentence_means_what_the_catalog_has(small: Catalog) -> None:
    assert meaning(sentence("the hall light on", HALL_ON), small) == (HALL_ON,)
    assert meaning(sentence("good morning"), small) == ()


def test_without_the_room_the_intent_or_the_device_all_of_it_is_no_command(small: Catalog) -> None:
    elsewhere = {"intent": "light", "action": "on", "area": "attic"}
    assert meaning(sentence("the hall and the attic light on", HALL_ON, elsewhere), small) == ()
    assert meaning(sentence("the sleeper on", {"intent": "light", "action": "on", "device": "sleeper"}), small) == ()
    assert meaning(sentence("the hall light on", HALL_ON), restrict(small, ["media"])) == ()


def test_an_answer_is_short(small: Catalog) -> None:
    assert short_answer("turn on the hall light", "en", [HALL_ON], small) == " light on area\n"
    assert short_answer("the hall and cellar light on", "en", [CELLAR_ON], small) == " light on area second\n"
    assert short_answer("good morning", "en", [], small) == " none"


def test_what_the_grounding_does_not_see_has_no_answer(small: Catalog) -> None:
    assert short_answer("turn on the light over there", "en", [HALL_ON], small) is None
    assert short_answer("turn on the cellar light", "en", [CELLAR_ON, HALL_ON], small) is None


# ---- lessons


def test_a_lesson_has_what_can_be_answered(small: Catalog) -> None:
    said = [
        sentence("turn on the hall light", HALL_ON),
        sentence("turn on the light over there", HALL_ON),
        sentence("turn on the attic light", {"intent": "light", "action": "on", "area": "attic"}),
    ]
    lesson = make_lesson(said, Letters(), small, frozenset(small.intents))  # type: ignore[arg-type]
    assert bytes(lesson.prefix).startswith(b"light(")
    assert [bytes(row.question + row.answer) for row in lesson.rows] == [
        b"turn on the {area} light\n light on area\n",
        b"turn on the attic light\n none",
    ]


def test_some_are_learned_with_answers_in_full_too(small: Catalog) -> None:
    said = [sentence("hall light on", HALL_ON), sentence("good morning"), sentence("good evening")]
    lesson = make_lesson(said, Letters(), small, frozenset(small.intents), json_share=1 / 3)  # type: ignore[arg-type]
    assert [bytes(row.question + row.answer) for row in lesson.rows] == [
        b"{area} light on\n light on area\n",
        b'json: hall light on\n[{"intent":"light","action":"on","area":"hall"}]',
        b"good morning\n none",
        b"good evening\n none",
    ]


def test_what_is_too_long_is_left_out(small: Catalog) -> None:
    said = [sentence("good " * MAX_ROW_TOKENS), sentence("good")]
    lesson = make_lesson(said, Letters(), small, frozenset(small.intents))  # type: ignore[arg-type]
    assert [bytes(row.question) for row in lesson.rows] == [b"good\n"]


# ---- packing

LENGTHS = st.lists(st.tuples(st.integers(1, 50), st.integers(1, MAX_ROW_TOKENS - 50)), max_size=60)


@given(LENGTHS)
def test_strips_lose_no_row_and_are_never_too_long(lengths: list[tuple[int, int]]) -> None:
    rows = [Row((number,) * asked, (number,) * answered) for number, (asked, answered) in enumerate(lengths)]
    strips = pack(rows)
    assert sorted(row.question for strip in strips for row in strip) == sorted(row.question for row in rows)
    for strip in strips:
        assert 0 < sum(len(row.question) + len(row.answer) - 1 for row in strip) <= MAX_ROW_TOKENS


def test_strips_are_filled() -> None:
    half, third = MAX_ROW_TOKENS // 2, MAX_ROW_TOKENS // 3
    rows = [Row((1,) * (length - 1), (2, 2)) for length in (third, half, third, half, third)]
    assert [[len(row.question) + 1 for row in strip] for strip in pack(rows)] == [[half, half], [third, third, third]]


# ---- the order of lessons

LESSONS = [Lesson((number,), ()) for number in range(20)]


def test_every_lesson_comes_once_before_any_comes_twice() -> None:
    seen = list(batches(LESSONS, 50, seed=1))
    assert len(seen) == 50
    for turn in (seen[:20], seen[20:40]):
        assert sorted(lesson.prefix for lesson in turn) == sorted(lesson.prefix for lesson in LESSONS)
    assert seen[:20] != seen[20:40]


def test_the_same_seed_gives_the_same_order() -> None:
    assert list(batches(LESSONS, 30, seed=3)) == list(batches(LESSONS, 30, seed=3))
    assert list(batches(LESSONS, 30, seed=3)) != list(batches(LESSONS, 30, seed=4))
