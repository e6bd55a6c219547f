"""edged train: makes the adapter that edged ships with, or fits the one in force to this house."""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from edged.cli.options import add_common, read_config
from edged.config import Config
from edged.errors import ModelError, UsageError

NEEDED: Final = ("torch", "gguf")
OUT: Final = Path("train")
PLAIN: Final = 2
"""Threads at least, where the number of cores is not known."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers the command."""
    parser = commands.add_parser("train", help="teach the language model this house, or anew")
    parser.add_argument(
        "--house", action="store_true", help="go on from the adapter in force, on your own files and labels"
    )
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="DIR", help=f"lessons, checkpoints, result (default: {OUT})"
    )
    parser.add_argument("--steps", type=_read_steps, metavar="N", help="how long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or PLAIN)
    parser.add_argument("--model", default="smollm2-135m", metavar="NAME", help="a model of the catalogue of models")
    add_common(parser, log_level="info")
    parser.set_defaults(run=run)


def _read_steps(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Trains; goes on where an earlier run in the same folder was stopped."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ModelError(f"{' and '.join(missing)} not installed", remedy="pip install 'edged[train]'")
    config = read_config(arguments)
    return _train_house(arguments, config) if arguments.house else _train_shipped(arguments, config)


def _train_shipped(arguments: argparse.Namespace, config: Config) -> int:
    from edged.models.find import find_model
    from edged.train.run import SHIPPED_PLAN, Work, planned, train_shipped

    base = find_model(arguments.model, config.models_directory)
    plan = planned(SHIPPED_PLAN, arguments.steps, arguments.seed)
    work = Work(arguments.out, base, arguments.model, arguments.threads)
    adapter = train_shipped(work, config.intents.directory, config.home.file, plan)
    merged = adapter.with_name(f"{arguments.model}-adapted.gguf")
    print(f"{adapter} is the adapter, {merged} the model with it; try it:")
    print(f"  cp {adapter} {adapter.with_suffix('.json')} {_own_folder(config)}/")
    return 0


def _train_house(arguments: argparse.Namespace, config: Config) -> int:
    from edged.intents.catalog import restrict
    from edged.intents.load import load_catalog
    from edged.models.find import find_model
    from edged.models.language import find_adapter, find_language_model
    from edged.ops.labels import read_labels
    from edged.train.house import PLAN, House, put_in_force, speakable, train_house
    from edged.train.run import Work, planned
    from edged.train.sentences import read_schemas

    name = arguments.model
    start = find_adapter(name, config.models_directory)
    langs = speakable([config.hear.lang])
    if start is None:
        raise UsageError(f"{name} has no adapter to go on from", remedy="train one with `edged train`")
    if not langs:
        raise UsageError(f"there are no sentences to learn in {config.hear.lang}", remedy="set hear.lang or --lang")
    loaded = load_catalog(config)
    catalog = restrict(loaded, [name for name, intent in loaded.intents.items() if not intent.examples_only])
    labels = list(read_labels(config.feedback_directory))
    files = [
        file
        for file in read_schemas(config.intents.directory)
        if file["properties"]["intent"]["const"] in catalog.intents
    ]
    house = House(catalog, files, langs, labels)
    work = Work(arguments.out, find_model(name, config.models_directory), name, arguments.threads)
    current = find_language_model(name, config.models_directory)
    adapter, gain = train_house(work, house, start, current, planned(PLAN, arguments.steps, arguments.seed))
    print(f"labels understood: {gain.labels[0]} before, {gain.labels[1]} now, of {len(labels)}")
    print(f"held-back sentences understood: {gain.held_back[0]} before, {gain.held_back[1]} now")
    if not gain.is_safe:
        print(f"that is worse: the adapter stays as it was ({adapter} is the new one)")
        return 1
    put_in_force(adapter, _own_folder(config))
    print(f"{_own_folder(config)} has the new adapter: restart edged; delete that folder to go back")
    return 0


def _own_folder(config: Config) -> Path:
    from edged.models.language import OWN_ADAPTERS

    return config.models_directory / OWN_ADAPTERS
