"""What the LM learns from: the shipped intents in many houses and six languages, and catalogues of other intents."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edged.intents.catalog import restrict
from edged.intents.home import Home
from edged.train.catalogues import CatalogueSample, make_catalogue_samples
from edged.train.dataset import Lesson, load_files, make_lesson
from edged.train.houses import house_file
from edged.train.sentences import Sentence
from edged.understand.lm import LanguageModel

_LOG = logging.getLogger(__name__)

LESSONS_A_HOUSE: Final = 8
"""To load a house's files takes as long as a lesson's sentences."""
ROWS: Final = 44
"""Of one lesson."""
JSON_SHARE: Final = 1 / 30
WHOLE_SHARE: Final = 0.4
"""Of the lessons of houses have all shipped intents."""
OWN_SHARE: Final = 0.2
"""Have those alone that there are templates of."""
MIXED_SHARE: Final = 0.35
"""Of the lessons of houses have intents of other domains beside the shipped ones."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The shipped intents and what people say for them."""

    home: Home
    schemas: Sequence[Mapping[str, Any]]
    templated: frozenset[str]
    """The intents with templates of their own."""
    sentences: Sequence[Sentence]


def make_lessons(shipped: Shipped, lm: LanguageModel, houses: int, catalogues: int, seed: int) -> Iterator[Lesson]:
    """The lessons of so many houses and so many catalogues of other intents; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311  # it is to be repeatable
    samples = make_catalogue_samples(catalogues + houses, seed)
    deck: list[Sentence] = []
    for place in range(houses):
        yield from _house_lessons(shipped, next(samples), deck, lm, rng)
        _tell(place, houses, "houses")
    for place, sample in enumerate(samples):
        catalog = load_files(sample.schemas, rooms_file(sample.home))
        yield make_lesson(sample.rows, lm, catalog, frozenset())
        _tell(place, catalogues, "catalogues")


def _house_lessons(
    shipped: Shipped, sample: CatalogueSample, deck: list[Sentence], lm: LanguageModel, rng: random.Random
) -> Iterator[Lesson]:
    """Several lessons of one house, some of them with the intents of `sample` beside the shipped ones."""
    home = house_file(shipped.home, rng)
    names = frozenset(schema["properties"]["intent"]["const"] for schema in shipped.schemas)
    others = [schema for schema in sample.schemas if schema["properties"]["intent"]["const"] not in names]
    catalog = load_files([*shipped.schemas, *others], home)
    added = catalog.intents.keys() - names
    for place in range(LESSONS_A_HOUSE):
        is_mixed = place < LESSONS_A_HOUSE * MIXED_SHARE
        part = restrict(catalog, _some(names, shipped.templated, rng) | (added if is_mixed else frozenset()))
        rows = [*(sample.rows[: ROWS // 3] if is_mixed else ())]
        while len(rows) < ROWS:
            if not deck:
                deck += rng.sample(shipped.sentences, len(shipped.sentences))
            sentence = deck.pop()
            if not sentence.unless & part.intents.keys():
                rows.append(sentence)
        yield make_lesson(rows, lm, part, names, JSON_SHARE)


def _some(names: frozenset[str], templated: frozenset[str], rng: random.Random) -> frozenset[str]:
    """Some of the shipped intents."""
    chosen = rng.random()
    if chosen < WHOLE_SHARE:
        return names
    if chosen < WHOLE_SHARE + OWN_SHARE:
        return templated
    return frozenset(name for name in sorted(names) if rng.random() < (0.9 if name in templated else 0.5))


def rooms_file(home: Mapping[str, Sequence[str]]) -> str:
    """The areas of a sample as a home.toml."""
    return "".join(f"[areas.{key}]\nnames.en = {json.dumps(list(names))}\n" for key, names in home.items())


def _tell(place: int, count: int, what: str) -> None:
    if (place + 1) % 50 == 0 or place + 1 == count:
        _LOG.info("%d of %d %s", place + 1, count, what)
