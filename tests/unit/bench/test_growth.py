import pytest

from edged.bench.catalogues import grow
from edged.bench.growth import measure_growth
from edged.bench.sentences import SENTENCES
from edged.config import Config
from edged.intents.catalog import PLACEHOLDER, Catalog, restrict
from edged.intents.templates import match_examples


@pytest.fixture(scope="module")
def two(catalog: Catalog) -> Catalog:
    return restrict(catalog, list(catalog.intents)[:2])


def test_a_grown_catalog_has_the_given_intents_and_made_up_ones(two: Catalog) -> None:
    grown = grow(two, 40)
    assert len(grown.intents) == 40
    assert {name: grown.intents[name] for name in two.intents} == two.intents


def test_the_examples_of_made_up_intents_can_be_said(two: Catalog) -> None:
    grown = grow(two, 400)
    for name in grown.intents.keys() - two.intents.keys():
        for text in (example.text for example in grown.intents[name].examples["en"]):
            if not PLACEHOLDER.search(text):
                assert name in {match.intent for way in match_examples(grown, text, "en") for match in way}


def test_of_a_larger_catalog_the_first_intents_are_taken_those_that_are_named_before_the_others(two: Catalog) -> None:
    one, other = two.intents
    assert list(grow(two, 1).intents) == [one]
    assert list(grow(two, 1, first={other}).intents) == [other]


@pytest.mark.model
def test_there_is_a_row_for_each_number_of_intents_and_each_who_answers(config: Config) -> None:
    rows = measure_growth(config, [SENTENCES[0], *SENTENCES[10:12]], (40, 2), rounds=1)
    assert [(row.intents, row.answered_by, row.sentences) for row in rows] == [
        (2, "example", 1),
        (40, "example", 1),
        (2, "model", 2),
        (40, "model", 2),
    ]
    assert rows[0].times == rows[2].times == 1.0
    assert all(row.times == pytest.approx(row.cpu_ms_median / rows[0].cpu_ms_median) for row in rows[:2])
