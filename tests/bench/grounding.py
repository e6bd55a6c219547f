"""What grounding is worth: the same sentences understood with it and without it, by the LM alone.

    python -m tests.bench.grounding tests/bench/unsaid.jsonl ../shared/data/slurp_devel_iot.jsonl ...

A row is {"text", "expect": [intents]}; without "expect" only values are counted. An unsaid value is that of a slot whose
value must have been said, and was not. The checks are those after decoding: the threshold of confidence, and that every
name that was said is used. Prints a table: commands found, exact answers where they are known, commands with an unsaid
value, and those values.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from edged.config import load_config
from edged.intents.catalog import Catalog, without_examples
from edged.intents.grounding import Grounding, ground
from edged.intents.load import load_catalog
from edged.types import Intent, Rejected, Utterance
from edged.understand import ask as asking
from edged.understand import parser as parsing
from edged.understand.answers import FORMS
from edged.understand.coverage import Unused
from edged.understand.prompt import Lines


@dataclass
class Tally:
    """What became of the sentences of one file."""

    sentences: int = 0
    commands: int = 0
    exact: int = 0
    unsaid: int = 0
    wrong: int = 0
    """Commands with an unsaid value."""


def count_unsaid(intents: Sequence[Intent], said: Grounding, catalog: Catalog) -> list[int]:
    """How many values of each intent nobody said."""
    return [
        sum(
            slot in intent.slots and intent.slots[slot] not in said[intent.name][slot]
            for slot in catalog.intents[intent.name].said
        )
        for intent in intents
    ]


def measure(
    rows: Sequence[Mapping[str, object]], parse: Callable[[Utterance], parsing.Understanding], catalog: Catalog
) -> Tally:
    """Understands every row."""
    tally = Tally()
    for row in rows:
        text = str(row["text"])
        outcome = parse(Utterance("bench", text, "en", 1.0, 0, 0, "cli")).outcome
        intents = () if isinstance(outcome, Rejected) else outcome
        unsaid = count_unsaid(intents, ground(catalog, text, "en"), catalog)
        tally.sentences += 1
        tally.commands += bool(intents)
        tally.unsaid += sum(unsaid)
        tally.wrong += any(unsaid)
        if "expect" in row:
            tally.exact += [{"intent": intent.name, **intent.slots} for intent in intents] == row["expect"]
    return tally


@contextmanager
def only(parser: parsing.Parser, *, grounded: bool, checked: bool) -> Iterator[None]:
    """Takes away what is not to be measured; answers are in JSON, as the short form cannot say what nobody said."""
    parser.forget()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(parser._asker, "_form", FORMS["json"]))
        stack.enter_context(mock.patch.object(parser._asker, "_prompt", Lines(parser.lm, json=True)))
        if not grounded:
            stack.enter_context(
                mock.patch.object(asking, "ground", return_value={name: {} for name in parser.readable.intents})
            )
        if not checked:
            stack.enter_context(mock.patch.object(parser._asker, "_limits", asking.Limits(min_confidence=0.0)))
            stack.enter_context(mock.patch.object(asking, "find_unused", return_value=Unused((), ())))
            stack.enter_context(mock.patch.object(asking, "find_overused", return_value=frozenset()))
        yield


def main() -> None:
    """Prints the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("files", nargs="+", type=Path)
    files = options.parse_args().files
    config = load_config()
    catalog = without_examples(load_catalog(config))
    print(f"{'file':26}{'grounded':>9}{'checked':>8}{'rows':>6}{'commands':>10}{'exact':>7}{'wrong':>7}{'unsaid':>8}")
    with parsing.open_parser(config, catalog) as parser:
        for path, grounded, checked in itertools.product(files, (True, False), (True, False)):
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            with only(parser, grounded=grounded, checked=checked):
                tally = measure(rows, parser.parse, catalog)
            exact = tally.exact if any("expect" in row for row in rows) else "-"
            print(
                f"{path.name:26}{_yes(grounded):>9}{_yes(checked):>8}{tally.sentences:>6}{tally.commands:>10}"
                f"{exact:>7}{tally.wrong:>7}{tally.unsaid:>8}",
                flush=True,
            )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    main()
