"""`python -m edged.train --seed 1 --out DIR`: from the base GGUF to the adapter and its scores."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from edged.config import load_config
from edged.intents.catalog import Catalog, restrict
from edged.intents.load import load_catalog
from edged.models import Training
from edged.models.find import find_model
from edged.models.merge import merge
from edged.train.convert import write_adapter
from edged.train.dataset import make_rows
from edged.train.llama import load_llama
from edged.train.lora import Plan, train
from edged.train.score import score_model, tally
from edged.train.sentences import Sentence, make_sentences, read_schemas
from edged.train.slurp import for_house, read_expected, read_slurp
from edged.understand.lm import LanguageModel
from edged.understand.prompt import catalog_prefix

_LOG = logging.getLogger("edged.train")
BASE = "smollm2-135m"
"""The model in the catalogue of models that it is made for."""
ADAPTER = f"{BASE}.gguf"
MERGED = f"{BASE}-adapted.gguf"


def main() -> int:
    """Makes the data, trains, converts, merges and scores; gives the exit code."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    options.out.mkdir(parents=True, exist_ok=True)
    config = load_config(schemas=options.schemas, home=options.home)
    catalog = load_catalog(config)
    schemas = read_schemas(options.schemas)
    options.model = options.model or find_model(BASE, config.models_directory)
    learned, kept = _sentences(options, catalog, schemas)
    if options.data_only:
        return 0
    record = _train(options, restrict(catalog, {str(i["intent"]) for s in learned for i in s.intents}), learned)
    merged, adapter = options.out / MERGED, options.out / ADAPTER
    merge(options.model, adapter, merged)
    rows = for_house(read_expected(kept), catalog.home, schemas) + read_slurp(options.score, catalog.home, schemas)
    training = Training(frozenset(record["intents"]), frozenset(record["languages"]), record["form"])
    readable = restrict(catalog, training.intents)
    results = score_model(rows, merged, None, readable, training, threads=options.threads)
    record["merged"] = {"file": MERGED, "sha256": _sha256(merged)}
    least = config.understand.min_confidence
    record["min_confidence"] = least
    record["scores"] = {kind: asdict(entry) for kind, entry in tally(results, min_confidence=least).items()}
    adapter.with_suffix(".json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _sentences(
    options: argparse.Namespace, catalog: Catalog, schemas: Sequence[Mapping[str, Any]]
) -> tuple[list[Sentence], Path]:
    """The sentences to learn, and the file of those that are held back."""
    counts = {"en": tuple(options.english), "ko": tuple(options.korean)}
    measured = frozenset(row.text for row in read_slurp(options.score, catalog.home, schemas))
    sentences = list(make_sentences(catalog.home, schemas, counts, options.seed, avoid=measured))
    learned = [s for s in sentences if not s.held_back]
    kept = [s for s in sentences if s.held_back]
    _write_rows(options.out / "train.jsonl", learned)
    _write_rows(options.out / "test.jsonl", kept)
    _LOG.info("%d sentences to learn, %d held back", len(learned), len(kept))
    return learned, options.out / "test.jsonl"


def _train(options: argparse.Namespace, catalog: Catalog, learned: Sequence[Sentence]) -> dict[str, Any]:
    """Trains and writes the adapter; gives what is to be known about it."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    with LanguageModel(options.model, adapter=None, threads=1) as lm:
        prefix, rows = lm.tokenize(catalog_prefix(catalog).encode()), make_rows(learned, lm, catalog, options.seed)
    model = load_llama(options.model, options.rank, options.alpha)
    plan = Plan(
        steps=options.steps,
        batch_rows=options.batch,
        learning_rate=options.rate,
        seed=options.seed,
        snap_every_steps=options.snap,
    )
    began = time.monotonic()
    loss = train(model, prefix, rows, plan, options.out / "checkpoint.pt")
    adapter = options.out / ADAPTER
    write_adapter(adapter, model.adapters(), options.alpha, adapter.stem)
    return {
        "command": " ".join(["python -m edged.train", *(Path(word).name for word in sys.argv[1:])]),
        "plan": asdict(plan) | {"rank": options.rank, "alpha": options.alpha},
        "intents": list(catalog.intents),
        "languages": sorted({sentence.lang for sentence in learned}),
        "form": "short",
        "learned": len(learned),
        "base": {"file": options.model.name, "sha256": _sha256(options.model)},
        "adapter": {"file": ADAPTER, "sha256": _sha256(adapter)},
        "loss": round(loss, 5),
        "seconds": round(time.monotonic() - began),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m edged.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for data, checkpoint and adapter")
    parser.add_argument("--model", type=Path, help="the base GGUF; by default the fetched one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, default=Path("home.toml"))
    parser.add_argument("--schemas", type=Path, default=Path("schemas"))
    parser.add_argument("--english", type=int, nargs=2, default=(4800, 5600), metavar=("COMMANDS", "OTHERS"))
    parser.add_argument("--korean", type=int, nargs=2, default=(3000, 2900), metavar=("COMMANDS", "OTHERS"))
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=48, help="sentences a step")
    parser.add_argument("--rate", type=float, default=3e-3, help="the highest learning rate")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--alpha", type=float, default=16.0)
    parser.add_argument(
        "--snap", type=int, default=4, help="put the weights on Q4_0's grid each so many steps; 0: never"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--score", type=Path, nargs="*", default=[], help="SLURP files to score with; never learned")
    parser.add_argument("--data-only", action="store_true", help="write the sentences and stop")
    return parser.parse_args()


def _write_rows(path: Path, sentences: list[Sentence]) -> None:
    rows = (
        json.dumps(
            {"text": s.text, "lang": s.lang, "expect": list(s.intents), "template": s.template}, ensure_ascii=False
        )
        for s in sentences
    )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
