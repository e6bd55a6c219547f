"""edged eval: how much of files of sentences is understood, and what is taken for a command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edged.cli.options import add_common, read_config
from edged.config import Config
from edged.errors import UsageError
from edged.intents.catalog import Catalog
from edged.intents.home import load_home
from edged.intents.load import read_catalog, require_intents

if TYPE_CHECKING:
    from edged.eval.report import Report
    from edged.eval.rows import Row
    from edged.eval.score import Scored

MAX_TOLD: Final = 20
"""Bad lines that are told one by one; --json has them all."""
MAX_TALK: Final = 100_000
"""Sentences of talk: an hour at 36 ms."""
TALK_SEED: Final = 1
"""The same talk each time, so that two models can be compared."""
TOLD_ROWS: Final = 500
"""A line of progress after so many rows, where stderr is no terminal."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers the command."""
    parser = commands.add_parser("eval", help="how much of files of sentences is understood")
    parser.add_argument(
        "files", type=Path, nargs="*", metavar="FILE.jsonl", help='rows {"text", "lang", "expect"}, or rows of SLURP'
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--errors", action="store_true", help="print each row that went wrong")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw what each threshold would cost")
    parser.add_argument(
        "--talk", type=_read_count, default=0, metavar="N", help="so many sentences of ordinary talk too"
    )
    parser.add_argument("--confidence", type=_read_share, metavar="P", help="in place of understand.min_confidence")
    parser.add_argument(
        "--also",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="an intent file or a folder of them; repeat",
    )
    add_common(parser)
    parser.set_defaults(run=run)


def _read_count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MAX_TALK:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MAX_TALK}")
    return int(text)


def _read_share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return share


def run(arguments: argparse.Namespace) -> int:
    """Prints what the rows of the files came to."""
    from edged.eval.plot import find_matplotlib
    from edged.eval.report import make_report
    from edged.eval.rows import read_rows
    from edged.eval.talk import talk_rows
    from edged.models import find_training
    from edged.train.talk import WORDS_A_MINUTE, make_talk

    if not arguments.files and not arguments.talk:
        raise UsageError("there is nothing to measure", remedy="give files of rows, or --talk N")
    if arguments.plot is not None:
        find_matplotlib()
    config = read_config(arguments)
    catalog = _load_catalog(config, arguments.also)
    read = read_rows(arguments.files, catalog, config.hear.lang)
    _tell_faults(read.faults)
    if not read.rows and not arguments.talk:
        raise UsageError("there is no row in what was given", remedy='a row is {"text": "...", "expect": [...]}')
    talk = talk_rows(make_talk(config.hear.lang, arguments.talk, TALK_SEED), config.hear.lang)
    scored = _score(config, catalog, [*read.rows, *talk])
    training = find_training(config)
    report = make_report(
        scored[: len(read.rows)],
        catalog,
        config.understand.min_confidence if arguments.confidence is None else arguments.confidence,
        temperature=training.confidence_temperature if training else 1.0,
        talk=scored[len(read.rows) :],
        words_a_minute=WORDS_A_MINUTE,
        faults=read.faults,
    )
    _show(report, arguments)
    return 0


def _load_catalog(config: Config, also: Sequence[Path]) -> Catalog:
    """What the configuration puts in force, and the intents of further files."""
    for path in also:
        if not path.exists():
            raise UsageError("there is no such file", where=str(path), remedy="give --also an intent file or a folder")
    return require_intents(read_catalog(config.intents.directory, load_home(config.home.file), also))


def _score(config: Config, catalog: Catalog, rows: Sequence[Row]) -> list[Scored]:
    """The rows under a parser that refuses nothing for being unsure: the threshold is looked at afterwards."""
    from edged.eval.score import score
    from edged.understand.parser import open_parser

    unsure = config.understand.model_copy(update={"min_confidence": 0.0})
    scored: list[Scored] = []
    with open_parser(config.model_copy(update={"understand": unsure}), catalog) as parser:
        for lang in sorted({row.lang for row in rows}):
            parser.warm_up(lang)
        for one in score(rows, parser):
            scored.append(one)
            _tell_progress(len(scored), len(rows))
    return scored


def _show(report: Report, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        print(*report.lines(errors=arguments.errors), sep="\n")
    if arguments.plot is not None:
        from edged.eval.plot import draw

        draw(arguments.plot, report)


def _tell_faults(faults: Sequence[str]) -> None:
    for fault in faults[:MAX_TOLD]:
        print(f"left out: {fault}", file=sys.stderr)
    if len(faults) > MAX_TOLD:
        print(f"left out: {len(faults) - MAX_TOLD} more lines", file=sys.stderr)


def _tell_progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{done} of {of} rows" if done < of else "\r\033[K", end="", file=sys.stderr, flush=True)
    elif done % TOLD_ROWS == 0 and done < of:
        print(f"{done} of {of} rows", file=sys.stderr, flush=True)
