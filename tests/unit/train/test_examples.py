"""What the examples of the intent files say is known to be a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from edged.intents.catalog import Catalog
from edged.train.examples import Examples
from edged.train.sentences import read_schemas
from edged.train.values import Values

NAMES = {"names": {"area": ["Keller"]}}


@pytest.fixture(scope="module")
def examples(catalog: Catalog, config_schemas: Path) -> Examples:
    schemas = read_schemas(config_schemas)
    return Examples(schemas, Values("de", NAMES, catalog.home, schemas), "de")


@pytest.mark.parametrize(
    "text", ["ist das licht in der küche an", "mach das licht im keller an", "schalte den wasserkocher ein"]
)
def test_an_example_with_names_of_the_house_or_rooms_of_others_is_one(examples: Examples, text: str) -> None:
    assert examples.say(text)


@pytest.mark.parametrize("text", ["schalte den backofen ein", "mach das licht im auto an", "es regnet"])
def test_what_names_nothing_of_the_house_is_none(examples: Examples, text: str) -> None:
    assert not examples.say(text)
