"""Lessons say nothing that the grammar would not let through, and nothing is taught that a file says otherwise."""

from __future__ import annotations

from itertools import islice

import pytest

from edged.intents.accept import takes, text_matcher
from edged.intents.catalog import PLACEHOLDER, Catalog, restrict
from edged.intents.grounding import ground
from edged.types import Rejected
from edged.understand.answers import FORMS
from edged.understand.examples import read_examples
from edged.understand.lessons import COMMANDS_A_REFUSAL, NOTHING, make_instruction, make_lessons
from tests.unit.understand.utterances import say

LANGUAGES = ["en", "ko", "de", "pt-BR", "pl", "el"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_grammar_allows_every_answer(catalog: Catalog, lang: str) -> None:
    lessons = list(islice(make_lessons(catalog, lang), 40))
    assert len(lessons) == 40
    for lesson in lessons:
        assert not PLACEHOLDER.search(lesson.said)
        program = FORMS["json"].compile(catalog, ground(catalog, lesson.said, lang), ())
        assert takes(text_matcher(program), lesson.answer.encode()), lesson


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_intent_is_taught_before_one_is_taught_again(catalog: Catalog, lang: str) -> None:
    count = len(catalog.intents)
    answers = [lesson.answer for lesson in islice(make_lessons(catalog, lang), count + count // COMMANDS_A_REFUSAL)]
    commands = [answer for answer in answers if answer != NOTHING]
    assert [answer.split('"')[3] for answer in commands] == list(catalog.intents)
    assert len(answers) - len(commands) == len(commands) // COMMANDS_A_REFUSAL


def test_nothing_that_an_example_says_is_taught_as_nothing(catalog: Catalog) -> None:
    for lesson in islice(make_lessons(catalog, "en"), 60):
        if lesson.answer == NOTHING:
            outcome = read_examples(catalog, say(lesson.said)).outcome
            assert outcome is None or isinstance(outcome, Rejected), lesson


def test_a_language_without_examples_is_taught_in_english(catalog: Catalog) -> None:
    assert list(islice(make_lessons(catalog, "fr"), 3)) == list(islice(make_lessons(catalog, "en"), 3))


def test_the_instruction_names_slots_and_values_and_nothing_of_the_house(catalog: Catalog) -> None:
    lights = restrict(catalog, ["light"])
    full, brief = make_instruction(lights), make_instruction(lights, brief=True)
    assert "light(action: on|off|toggle|set|" in full
    assert "brightness: 0..100" in full
    assert "light(action, area, device, brightness," in brief
    for key in (*catalog.home.areas, *catalog.home.devices):
        assert key not in full + brief
