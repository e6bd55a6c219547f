"""`edged review`: what was kept of what people said, and what they say it means."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from edged.cli.options import add_common, read_config
from edged.cli.review_dialogue import (
    Dialogue,
    Intents,
    Said,
    describe_meaning,
    describe_proposal,
    describe_said,
    gather,
    propose,
)
from edged.config import Config
from edged.errors import UsageError
from edged.intents.load import load_catalog, require_intents
from edged.ops.feedback import LABELS_NAME, forget, read_kept
from edged.ops.labels import read_labels
from edged.ops.lines import json_line
from edged.types import Intent, Rejected, Utterance

MAX_ANSWER_BYTES = 4096
"""Of a line that is typed: as much as Linux's terminals take."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers `edged review`."""
    parser = commands.add_parser("review", help="label what was not understood ([feedback] keep), or delete it")
    parser.add_argument("--list", action="store_true", help="print what is kept, and ask nothing")
    parser.add_argument("--json", action="store_true", help="the same as JSON lines")
    parser.add_argument("--forget", action="store_true", help="delete all that is kept, with all labels")
    add_common(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints, deletes or asks."""
    only_prints = arguments.list or arguments.json
    if arguments.forget and only_prints:
        raise UsageError("--forget deletes and prints nothing", remedy="give it alone")
    config = read_config(arguments)
    folder = config.feedback_directory
    if arguments.forget:
        print(f"{'all is deleted' if forget(folder) else 'nothing was kept'} in {folder}")
        return 0
    if not only_prints and not sys.stdin.isatty():
        raise UsageError("stdin is no terminal", remedy="edged review --list and --json ask nothing")
    utterances = gather(read_kept(folder))
    labels = {(label.text, label.lang): label.expect for label in read_labels(folder)}
    if not utterances:
        off = ': [feedback] keep is "none"' if config.feedback.keep == "none" else ""
        print(f"nothing is kept in {folder}{off}", file=sys.stderr)
    elif only_prints:
        _print_all(utterances, labels, as_json=arguments.json)
    else:
        _review([said for said in utterances if (said.text, said.lang) not in labels], config)
    return 0


def _print_all(utterances: Sequence[Said], labels: Mapping[tuple[str, str], Intents], *, as_json: bool) -> None:
    for said in utterances:
        label = labels.get((said.text, said.lang))
        if as_json:
            print(json_line(_to_object(said, label)))
            continue
        for line in describe_said(said):
            print(line)
        for proposal in propose(said):
            print(f"  {describe_proposal(proposal)}")
        print(f"  label: {'none' if label is None else describe_meaning(label)}")


def _review(utterances: Sequence[Said], config: Config) -> None:
    if not utterances:
        print(f"all that is kept in {config.feedback_directory} has a label")
        return
    catalog = require_intents(load_catalog(config))
    with ExitStack() as stack:

        @cache
        def open_once() -> Callable[[Utterance], tuple[Intent, ...] | Rejected]:
            """The model is loaded when the first other words are typed: most labels need none."""
            from edged.understand.parser import open_parser

            parser = stack.enter_context(open_parser(config, catalog))
            return lambda utterance: parser.parse(utterance).outcome

        def understand(words: str, lang: str) -> tuple[Intent, ...] | Rejected:
            now_ns = time.monotonic_ns()
            return open_once()(Utterance("review", words, lang, 1.0, now_ns, now_ns, "cli"))

        dialogue = Dialogue(config.feedback_directory, catalog, understand=understand, ask=_ask, say=print)
        try:
            dialogue.run(utterances)
        finally:
            _report(dialogue, len(utterances), config.feedback_directory / LABELS_NAME)


def _ask(prompt: str) -> str:
    print(prompt, end="", flush=True)
    line = sys.stdin.buffer.readline(MAX_ANSWER_BYTES)
    if not line:
        raise EOFError
    return line.decode(errors="replace")


def _report(dialogue: Dialogue, count: int, labels: Path) -> None:
    tally = dialogue.tally
    left = count - tally.labelled - tally.deleted
    print(f"{tally.labelled} labelled, {tally.deleted} deleted, {left} left; the labels are in {labels}")


def _to_object(said: Said, label: Intents | None) -> dict[str, object]:
    last = said.times[-1]
    return {
        "text": said.text,
        "lang": said.lang,
        "times": len(said.times),
        **last.model_dump(mode="json", include={"time", "intents", "rejected", "confidence"}),
        "corrections": [row.model_dump(mode="json", include={"text", "intents"}) for row in said.corrections],
        "label": label,
    }
