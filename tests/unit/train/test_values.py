"""Values come with the words for them, in any language."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edged.intents.catalog import Catalog
from edged.intents.spoken.numbers import find_numbers
from edged.intents.spoken.text import normalize_text
from edged.train.sentences import read_schemas
from edged.train.values import Values

TABLE = {
    "names": {"area": ["Keller", "Kammer"]},
    "agreement": {"im": "m", "in der": "f"},
    "gender": {"(kammer|küche|diele|stube|garten|terrasse)$": "f"},
    "numbers": {"temperature": [[20, 21, 0.5]]},
}


def values(catalog: Catalog, schemas: Path, lang: str) -> Values:
    return Values(lang, TABLE, catalog.home, read_schemas(schemas))


@pytest.mark.parametrize("lang", ["en", "ko", "de", "pt-BR", "pl", "el"])
def test_the_words_of_a_number_are_read_as_that_number(catalog: Catalog, config_schemas: Path, lang: str) -> None:
    drawing, rng = values(catalog, config_schemas, lang), random.Random(3)
    for name in ("brightness", "color_temp", "transition"):
        for _ in range(100):
            words, _, number = drawing.draw(name, rng, {})
            said = find_numbers(normalize_text(words, lang).split(), lang)
            assert [float(mention.value) for mention in said] == [number], words


def test_a_name_fits_the_words_before_it(catalog: Catalog, config_schemas: Path) -> None:
    drawing, rng = values(catalog, config_schemas, "de"), random.Random(3)
    drawn = {drawing.draw("area", rng, {}, "Licht in der ")[0] for _ in range(200)}
    assert {"Kammer", "Küche"} <= drawn
    assert not drawn & {"Keller", "Flur", "Bad"}


def test_numbers_of_the_language_replace_the_usual_ones(catalog: Catalog, config_schemas: Path) -> None:
    drawing, rng = values(catalog, config_schemas, "de"), random.Random(3)
    assert {drawing.draw("temperature", rng, {})[2] for _ in range(100)} == {20, 20.5, 21}


def test_any_slot_of_any_intent_can_be_drawn(catalog: Catalog, config_schemas: Path) -> None:
    drawing, rng = values(catalog, config_schemas, "el"), random.Random(3)
    words, slot, value = drawing.draw("fan.speed", rng, {})
    assert words
    assert slot == "speed"
    assert 0 <= float(str(value)) <= 100
    assert drawing.draw("scene.scene", rng, {})[2] in catalog.home.devices


def test_a_mere_word_sets_no_slot(catalog: Catalog, config_schemas: Path) -> None:
    words, slot, value = values(catalog, config_schemas, "de").draw("anyarea", random.Random(3), {})
    assert words
    assert (slot, value) == ("", None)
