"""Training on a person's own files: their intents, their house, and the utterances that they labelled."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edged.eval.rows import Row
from edged.eval.score import score, tally
from edged.intents.catalog import Catalog
from edged.models import Training
from edged.models.language import read_training
from edged.models.record import write_atomically
from edged.ops.labels import Label
from edged.train.catalogues import make_catalogue_samples
from edged.train.dataset import Lesson, load_files, make_lesson
from edged.train.lessons import rooms_file
from edged.train.lora import Plan
from edged.train.run import Work, train_adapter
from edged.train.sentences import FOLDER, Sentence, make_sentences
from edged.understand.ask import Limits
from edged.understand.lm import LanguageModel
from edged.understand.parser import Parser

_LOG = logging.getLogger(__name__)

PLAN: Final = Plan(steps=120, learning_rate=6e-4, warmup_steps=10, save_every_steps=20, snap_every_steps=4)
"""So much is 20 minutes on a Raspberry Pi 5 by the estimate in README.md."""
ROWS: Final = 40
"""Of one lesson."""
OTHERS_SHARE: Final = 0.2
"""Of the lessons are random catalogues, so that the model goes on reading what it was never trained on."""
LABELS_SHARE: Final = 0.15
"""Of the rows at most are labelled utterances, however few they are."""
CHECKED: Final = 120
"""Held-back sentences that must not be understood worse than before."""


@dataclass(frozen=True, slots=True)
class House:
    """What a person has."""

    catalog: Catalog
    schemas: Sequence[dict[str, Any]]
    langs: Sequence[str]
    labels: Sequence[Label]


@dataclass(frozen=True, slots=True)
class Gain:
    """What the training changed: exact answers before and after."""

    labels: tuple[int, int]
    """Of the labelled utterances."""
    held_back: tuple[int, int]
    """Of sentences of the same intents that were not learned."""

    @property
    def is_safe(self) -> bool:
        """Whether what it is for got no worse; one sentence in sixty is chance."""
        return self.labels[1] >= self.labels[0] and self.held_back[1] >= self.held_back[0] - CHECKED // 60


def speakable(langs: Iterable[str]) -> list[str]:
    """Those of some languages in which sentences can be made."""
    return [lang for lang in dict.fromkeys(langs) if (FOLDER / f"{lang}.toml").is_file()]


def train_house(work: Work, house: House, start: Path, current: Path, plan: Plan = PLAN) -> tuple[Path, Gain]:
    """Goes on from the adapter `start`; gives the new one and what it changes. Nothing is put in force.

    Args:
        work: what it is made from, and where.
        house: what it learns.
        start: the adapter in force, with its record beside it.
        current: the model file in force, to compare with.
        plan: how long and how fast.
    """
    training = read_training(start.with_suffix(".json"))
    count = plan.steps * ROWS // len(house.langs)
    counts = dict.fromkeys(house.langs, (count, count * 2 // 3))
    made = list(make_sentences(house.catalog.home, house.schemas, counts, plan.seed))
    learned = [sentence for sentence in made if not sentence.held_back]
    held_back = [s for s in made if s.held_back and not s.unless & house.catalog.intents.keys()]
    rng = random.Random(plan.seed)  # noqa: S311  # it is to be repeatable
    checked = rng.sample(held_back, min(CHECKED, len(held_back)))

    def make() -> list[Lesson]:
        with LanguageModel(work.base, adapter=None, threads=1) as lm:
            return _lessons(house, training, learned, lm, plan)

    record = json.loads(start.with_suffix(".json").read_text(encoding="utf-8"))
    kept = ("intents", "languages", "form", "confidence_temperature")
    about = {"command": "edged train --house"} | {key: record[key] for key in kept if key in record}
    adapter = train_adapter(work, make, plan, about, start)
    models = current, work.out / f"{work.name}-adapted.gguf"
    return adapter, _gain(house, training, checked, models, work.threads)


def _lessons(
    house: House, training: Training, learned: Sequence[Sentence], lm: LanguageModel, plan: Plan
) -> list[Lesson]:
    rng = random.Random(plan.seed)  # noqa: S311  # it is to be repeatable
    others = make_catalogue_samples(plan.steps, plan.seed)
    labelled = [Sentence(label.text, label.lang, label.expect, "label", held_back=False) for label in house.labels]
    lessons: list[Lesson] = []
    deck: list[Sentence] = []
    for _ in range(plan.steps):
        if rng.random() < OTHERS_SHARE:
            sample = next(others)
            catalog = load_files(sample.schemas, rooms_file(sample.home))
            lessons.append(make_lesson(sample.rows, lm, catalog, frozenset()))
            continue
        rows = rng.sample(labelled, min(len(labelled), round(ROWS * LABELS_SHARE)))
        while len(rows) < ROWS:
            deck = deck or rng.sample(learned, len(learned))
            sentence = deck.pop()
            if not sentence.unless & house.catalog.intents.keys():
                rows.append(sentence)
        lessons.append(make_lesson(rows, lm, house.catalog, training.intents))
    return lessons


def _gain(house: House, training: Training, checked: Sequence[Sentence], models: Sequence[Path], threads: int) -> Gain:
    """Answers before and after, with examples aside: what equals one was understood already."""
    labels = [_row(label.text, label.lang, label.expect) for label in house.labels]
    rows = [_row(sentence.text, sentence.lang, sentence.intents) for sentence in checked]
    exact = []
    for path in models:
        with LanguageModel(path, adapter=None, threads=threads) as lm:
            parser = Parser(lm, house.catalog, Limits(min_confidence=0.0), training)
            exact.append([tally(list(score(part, parser)), house.catalog, 0.5).exact for part in (labels, rows)])
    return Gain((exact[0][0], exact[1][0]), (exact[0][1], exact[1][1]))


def _row(text: str, lang: str, expect: Sequence[Any]) -> Row:
    return Row(text, lang, tuple(expect), "", "", 0, slots_known=True)


def put_in_force(adapter: Path, folder: Path) -> None:
    """Copies an adapter and its record to where the daemon finds them at its next start, the record last."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (adapter, adapter.with_suffix(".json")):
        write_atomically(folder / path.name, path.read_bytes())
