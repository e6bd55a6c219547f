"""edged parse: text -> intents."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from edged.cli.options import add_common, read_config
from edged.intents.load import load_catalog, require_intents
from edged.types import Intent, Rejected, Utterance


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers the command."""
    parser = commands.add_parser("parse", help="say what sentences mean")
    parser.add_argument("text", nargs="+", help="sentences in quotes, or the words of one; - reads a sentence a line")
    parser.add_argument("--json", action="store_true", help="print a JSON line for each sentence")
    add_common(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the intents of each sentence."""
    from edged.understand.parser import open_parser

    config = read_config(arguments)
    catalog = require_intents(load_catalog(config))
    with open_parser(config, catalog) as parser:
        for utterance in _utterances(arguments.text, config.hear.lang):
            understanding = parser.parse(utterance)
            outcome = understanding.outcome
            if arguments.json:
                intents = () if isinstance(outcome, Rejected) else outcome
                delays_s = [intent.delay_s for intent in intents]
                line = {
                    "text": utterance.text,
                    "lang": utterance.lang,
                    "intents": [intent_object(intent) for intent in intents],
                    **({"delays_s": delays_s} if any(delays_s) else {}),
                    "rejected": rejection_object(outcome) if isinstance(outcome, Rejected) else None,
                    "confidence": round(understanding.confidence, 4),
                    "latency_ms": round(understanding.duration_ms, 1),
                    "lm_tokens": understanding.lm_tokens,
                    "lm_calls": understanding.lm_calls,
                }
                print(json.dumps(line, ensure_ascii=False), flush=True)
            else:
                print(f"{utterance.text}\n  {describe(outcome)}", flush=True)
    return 0


def intent_object(intent: Intent) -> dict[str, Any]:
    """The intent as its schema describes it."""
    return {"intent": intent.name, **intent.slots}


def rejection_object(rejected: Rejected) -> dict[str, str]:
    """Why nothing is to be done, as the contract has it."""
    return {"stage": rejected.stage, "reason": rejected.reason}


def describe(outcome: tuple[Intent, ...] | Rejected) -> str:
    """One line for a person."""
    if isinstance(outcome, Rejected):
        return f"nothing to do: {outcome.reason}"
    return "; ".join(
        " ".join([intent.name, *(f"{slot}={value}" for slot, value in intent.slots.items())])
        + (f" in {intent.delay_s:g} s" if intent.delay_s else "")
        + f" ({intent.confidence:.0%})"
        for intent in outcome
    )


def _utterances(words: list[str], lang: str) -> Iterator[Utterance]:
    for number, text in zip(count(1), _sentences(words)):
        now_ns = time.monotonic_ns()
        yield Utterance(f"cli-{number}", text, lang, 1.0, now_ns, now_ns, "cli")


def _sentences(words: list[str]) -> Iterable[str]:
    if words == ["-"]:
        return (line.decode(errors="replace").rstrip("\r\n") for line in sys.stdin.buffer)
    return words if any(" " in word for word in words) else [" ".join(words)]
