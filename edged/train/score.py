"""Scores what ships: sentences through llama.cpp, freely and greedily or through the daemon's own decoder.

`python -m edged.train.score --model GGUF --adapter GGUF FILE.jsonl...` prints a JSON table. Files named slurp* are read
as SLURP's, others as rows of {"text", "lang", "expect"}.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from edged.config import load_config
from edged.intents.catalog import Catalog
from edged.intents.home import load_home
from edged.intents.load import load_catalog
from edged.models import Training
from edged.train.sentences import read_schemas
from edged.train.slurp import Expected, for_house, read_expected, read_slurp
from edged.types import Rejected, SlotValue, Utterance
from edged.understand.answers import FORMS
from edged.understand.ask import Limits
from edged.understand.lm import LanguageModel
from edged.understand.parser import Parser
from edged.understand.prompt import catalog_prefix, json_line

Intents: TypeAlias = Sequence[Mapping[str, SlotValue]]
Answer: TypeAlias = tuple[Intents | None, float]
"""The intents, None where the answer is no JSON, and how sure the LM was: 0..1."""

MAX_ANSWER_TOKENS: Final = 120


@dataclass(slots=True)
class Tally:
    """What was right among the sentences of one kind."""

    rows: int = 0
    actions: int = 0
    """Intents and actions right; where no command is meant, nothing was answered."""
    slot_rows: int = 0
    """Rows whose slots are known."""
    exact: int = 0
    """Of these: everything right."""


@dataclass(frozen=True, slots=True)
class Result:
    """One sentence, what it should have given and what it gave."""

    expected: Expected
    answer: Answer

    @property
    def actions_right(self) -> bool:
        """Whether the intents and their actions are the expected ones."""
        return self.answer[0] is not None and _actions(self.answer[0]) == _actions(self.expected.intents)

    @property
    def exact(self) -> bool:
        """Whether every slot is right as well."""
        return self.answer[0] is not None and list(self.answer[0]) == [dict(i) for i in self.expected.intents]


def tally(results: Sequence[Result], *, min_confidence: float = 0.0) -> dict[str, Tally]:
    """Scores by kind; an answer below `min_confidence` counts as none."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for result in results:
        if result.answer[1] < min_confidence:
            result = Result(result.expected, ((), result.answer[1]))
        entry = tallies[result.expected.kind]
        entry.rows += 1
        entry.actions += result.actions_right
        if result.expected.slots_known:
            entry.slot_rows += 1
            entry.exact += result.exact
    return dict(sorted(tallies.items()))


def score(rows: Sequence[Expected], answer: Callable[[str, str], Answer]) -> list[Result]:
    """Every row with its answer."""
    return [Result(row, answer(row.text, row.lang)) for row in rows]


@contextmanager
def free_decoder(
    model: Path, adapter: Path | None, catalog: Catalog, threads: int
) -> Iterator[Callable[[str, str], Answer]]:
    """Answers by plain greedy decoding, without any grammar: what the LM itself has learned."""
    with LanguageModel(model, adapter=adapter, threads=threads) as lm:
        pieces = lm.pieces()
        lm.set_prefix(lm.tokenize(catalog_prefix(catalog).encode()))

        def answer(text: str, lang: str) -> Answer:
            tokens = lm.tokenize(json_line(text, lang).encode())
            written, least = b"", 1.0
            for _ in range(MAX_ANSWER_TOKENS):
                token, probability = _best(lm.read(tokens), len(pieces))
                written, least = written + pieces[token], min(least, probability)
                tokens.append(token)
                if written.endswith(b"]"):
                    break
            return _read(written), least

        yield answer


def parser_answers(parser: Parser) -> Callable[[str, str], Answer]:
    """Answers as the daemon gives them, under the grammar."""

    def answer(text: str, lang: str) -> Answer:
        understanding = parser.parse(Utterance("score", text, lang, 1.0, (), 0, 0, "cli"))
        outcome = understanding.outcome
        if isinstance(outcome, Rejected):
            return (), understanding.confidence
        return [{"intent": intent.name, **intent.slots} for intent in outcome], understanding.confidence

    return answer


def main() -> int:
    """Scores files of sentences; gives the exit code."""
    options = _options()
    catalog = load_catalog(load_config(schemas=options.schemas, home=options.home))
    schemas, home = read_schemas(options.schemas), load_home(options.home)
    rows: list[Expected] = []
    for path in options.files:
        rows += read_slurp([path], home, schemas) if path.name.startswith("slurp") else read_expected(path)
    rows = for_house(rows, home, schemas)[:: options.every] if options.grammar else rows[:: options.every]
    began = time.monotonic()
    training = Training(frozenset(catalog.intents), frozenset(row.lang for row in rows), options.form)
    results = score_model(
        rows, options.model, options.adapter, catalog, training if options.grammar else None, threads=options.threads
    )
    table: dict[str, Any] = {
        kind: asdict(entry) for kind, entry in tally(results, min_confidence=options.min_confidence).items()
    }
    table["ms_per_sentence"] = round((time.monotonic() - began) / max(1, len(rows)) * 1000)
    sys.stdout.write("\n".join(f"{kind}: {json.dumps(entry)}" for kind, entry in table.items()) + "\n")
    if options.rows:
        _write_rows(options.rows, results)
    return 0


def score_model(
    rows: Sequence[Expected],
    model: Path,
    adapter: Path | None,
    catalog: Catalog,
    training: Training | None,
    *,
    threads: int,
) -> list[Result]:
    """Every row's answer by a model file: under the grammar in the form that it was trained for, or freely as JSON."""
    if training is None:
        with free_decoder(model, adapter, catalog, threads) as answer:
            return score(rows, answer)
    with LanguageModel(model, adapter=adapter, threads=threads) as lm:
        return score(rows, parser_answers(Parser(lm, catalog, Limits(min_confidence=0.0), training)))


def _best(address: int, count: int) -> tuple[int, float]:
    logits = np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(ctypes.c_float)), (count,))
    best = int(logits.argmax())
    return best, 1 / float(np.exp(logits - logits[best]).sum())


def _read(written: bytes) -> Intents | None:
    try:
        intents: Any = json.loads(written)
    except ValueError:
        return None
    return intents if isinstance(intents, list) and all(isinstance(intent, dict) for intent in intents) else None


def _actions(intents: Intents) -> list[tuple[SlotValue, SlotValue]]:
    return [(intent.get("intent"), intent.get("action")) for intent in intents]


def _write_rows(path: Path, results: Sequence[Result]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for result in results:
            row = {
                "text": result.expected.text,
                "kind": result.expected.kind,
                "expect": [dict(intent) for intent in result.expected.intents],
                "got": result.answer[0],
                "confidence": round(result.answer[1], 4),
                "actions": result.actions_right,
                "exact": result.exact if result.expected.slots_known else None,
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m edged.train.score", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--grammar", action="store_true", help="decode as the daemon does")
    parser.add_argument("--form", choices=list(FORMS), default="short", help="of the answers under the grammar")
    parser.add_argument("--min-confidence", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="score each so-many-th row alone")
    parser.add_argument("--home", type=Path, default=Path("home.toml"))
    parser.add_argument("--schemas", type=Path, default=Path("schemas"))
    parser.add_argument("--rows", type=Path, help="write every row with its answer here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
