"""From the base GGUF to an adapter: lessons, training, conversion, and the record that says what it was made of."""

from __future__ import annotations

import json
import logging
import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from edged.intents.home import load_home
from edged.models.merge import merge
from edged.models.record import take_state, write_atomically
from edged.train.convert import read_adapter, write_adapter
from edged.train.dataset import Lesson
from edged.train.lessons import Shipped, make_lessons
from edged.train.llama import load_llama
from edged.train.lora import Plan, train
from edged.train.sentences import make_sentences, read_schemas, read_templated, write_sentences
from edged.understand.lm import LanguageModel

_LOG = logging.getLogger(__name__)

RANK: Final = 16
ALPHA: Final = 32.0
COUNTS: Final[Mapping[str, tuple[int, int]]] = {
    "en": (13000, 11000),
    "ko": (5000, 4400),
    "de": (4200, 3600),
    "pt-BR": (4200, 3600),
    "pl": (4200, 3600),
    "el": (4200, 3600),
}
"""Sentences a language: commands, others."""
SHIPPED_PLAN: Final = Plan(steps=3100, snap_every_steps=8)
HOUSES: Final = 250
CATALOGUES: Final = 1100


@dataclass(frozen=True, slots=True)
class Work:
    """What an adapter is made from, and where it is made."""

    out: Path
    """Holds the lessons and checkpoints, so that a run goes on where it stopped, and the result."""
    base: Path
    """The GGUF of the base model."""
    name: str
    """The base's name in the catalogue of models."""
    threads: int


def train_shipped(work: Work, schemas: Path, home: Path, plan: Plan) -> Path:
    """Makes `work.out`/NAME.gguf with its record NAME.json and the merged model: the adapter that edged ships with."""

    def make() -> list[Lesson]:
        shipped_home, files = load_home(home), read_schemas(schemas)
        sentences = [s for s in make_sentences(shipped_home, files, COUNTS, plan.seed) if not s.held_back]
        write_sentences(work.out / "sentences.jsonl", sentences)
        shipped = Shipped(shipped_home, files, read_templated(), sentences)
        with LanguageModel(work.base, adapter=None, threads=1) as lm:
            return list(make_lessons(shipped, lm, HOUSES, CATALOGUES, plan.seed))

    names = sorted(str(schema["properties"]["intent"]["const"]) for schema in read_schemas(schemas))
    languages = sorted(lang.partition("-")[0] for lang in COUNTS)
    about = {"command": "edged train", "intents": names, "languages": languages, "form": "short"}
    return train_adapter(work, make, plan, about)


def train_adapter(
    work: Work,
    make_lessons: Callable[[], list[Lesson]],
    plan: Plan,
    about: Mapping[str, Any],
    start: Path | None = None,
) -> Path:
    """Trains on lessons and writes the adapter, its record and the merged model.

    Args:
        work: what it is made from, and where.
        make_lessons: asked once; what it gives is kept for a run that goes on.
        plan: how long and how fast.
        about: what the record says of it besides.
        start: the adapter to go on from; without it, from the base model.
    """
    work.out.mkdir(parents=True, exist_ok=True)
    lessons = _kept(work.out / "lessons.pickle", make_lessons)
    torch.manual_seed(plan.seed)
    torch.set_num_threads(work.threads)
    torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")
    model = load_llama(work.base, RANK, ALPHA)
    if start is not None:
        model.load_adapters(read_adapter(start))
    model.compile()
    began = time.monotonic()
    loss = train(model, lessons, plan, work.out / "checkpoint.pt")
    adapter, merged = work.out / f"{work.name}.gguf", work.out / f"{work.name}-adapted.gguf"
    write_adapter(adapter, model.adapters(), ALPHA, adapter.stem)
    merge(work.base, adapter, merged)
    files = {"base": work.base, "adapter": adapter, "merged": merged}
    record = {
        **about,
        "plan": asdict(plan) | {"rank": RANK, "alpha": ALPHA},
        "lessons": len(lessons),
        "rows": sum(len(lesson.rows) for lesson in lessons),
        **{what: {"file": path.name, "sha256": take_state(path).sha256} for what, path in files.items()},
        "loss": round(loss, 5),
        "seconds": round(time.monotonic() - began),
    }
    adapter.with_suffix(".json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return adapter


def _kept(path: Path, make: Callable[[], list[Lesson]]) -> list[Lesson]:
    """The lessons of an earlier run in the same folder, or new ones."""
    if path.is_file():
        with path.open("rb") as file:
            lessons: list[Lesson] = pickle.load(file)  # noqa: S301  # written below, in the user's own folder
        _LOG.info("going on with the %d lessons of %s", len(lessons), path)
        return lessons
    lessons = make()
    write_atomically(path, pickle.dumps(lessons))
    return lessons


def planned(plan: Plan, steps: int | None, seed: int) -> Plan:
    """The plan with a seed, for another number of steps where one is given."""
    return replace(plan, seed=seed, steps=steps or plan.steps)
