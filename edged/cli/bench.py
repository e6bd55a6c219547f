"""edged bench: what a command costs, side by side with what a user would write by hand, in one run."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from edged.cli.options import add_common, read_config
from edged.core import Matcher, Vocab
from edged.intents.catalog import Catalog, without_examples
from edged.intents.compile import compile_catalog
from edged.intents.grounding import ground
from edged.intents.load import load_catalog, require_intents
from edged.models import find_configured_model
from edged.ops.doctor import cpu_model
from edged.types import Utterance

SENTENCES: Final = (
    "turn on the kitchen light",
    "please switch off the lights in the bedroom",
    "dim the floor lamp to thirty percent",
    "make the living room blue",
    "set the bedroom to nineteen and a half degrees",
    "turn the heating off in the office",
    "it is too dark in the hall",
    "turn off the desk lamp and set the heating to twenty degrees",
    "what is the weather like tomorrow",
    "play some jazz in the living room",
)
ROUNDS: Final = 3
PICKS: Final = 2000


@dataclass(frozen=True, slots=True)
class CommandRow:
    """What an utterance costs on one path: medians over all sentences and rounds."""

    path: str
    """edged; edged-lm: no example may answer; stock: llama-cpp-python alone, for the intents that the LM reads."""
    cpu_ms_median: float
    cpu_ms_min: float
    cpu_ms_max: float
    wall_ms_median: float
    lm_tokens: float
    lm_calls: float


@dataclass(frozen=True, slots=True)
class CoreRow:
    """What one step of the sampling core costs."""

    engine: str
    model: str
    catalogue: str
    pick_us_median: float
    pick_us_p99: float
    compile_ms: float
    start_ms: float
    bytes: int


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers the command."""
    parser = commands.add_parser("bench", help="what a command costs, beside what a user would write by hand")
    actions = parser.add_subparsers(required=True, metavar="WHAT")
    for name, measure in (("command", _bench_command), ("core", _bench_core)):
        action = actions.add_parser(name)
        action.add_argument("--json", action="store_true", help="print the rows as JSON")
        add_common(action, log_level="error")
        action.set_defaults(run=run, measure=measure)


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints a table or its rows."""
    _print_machine()
    rows = [asdict(row) for row in arguments.measure(arguments)]
    if arguments.json:
        print(json.dumps({"rows": rows}))
        return 0
    widths = {key: max(len(key), *(len(_shown(row[key])) for row in rows)) for key in rows[0]}
    print("  ".join(key.rjust(width) for key, width in widths.items()))
    for row in rows:
        print("  ".join(_shown(row[key]).rjust(width) for key, width in widths.items()))
    return 0


def _print_machine() -> None:
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    print(f"{cpu_model()}, {platform.machine()}, {cores} cores, load {load:.1f}; {ROUNDS} rounds", file=sys.stderr)


def _shown(value: Any) -> str:  # noqa: ANN401 - a cell of any table
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _bench_command(arguments: argparse.Namespace) -> Iterator[CommandRow]:
    from edged.understand.lm import open_stock_model
    from edged.understand.parser import open_parser, thread_count

    config = read_config(arguments)
    catalog = require_intents(load_catalog(config))
    with open_parser(config, catalog) as parser:
        readable = parser.readable

        def understand(text: str) -> tuple[int, int]:
            understanding = parser.parse(Utterance("bench", text, config.hear.lang, 1.0, (), 0, 0, "bench"))
            return understanding.lm_tokens, understanding.lm_calls

        yield _measure_commands("edged", understand)
        parser.set_catalog(without_examples(catalog))
        yield _measure_commands("edged-lm", understand)
    path, adapter = find_configured_model(config)
    stock = open_stock_model(path, adapter=adapter, threads=thread_count(config))
    schema = {
        "type": "array",
        "maxItems": 3,
        "items": {"anyOf": [intent_schema(readable, name) for name in readable.intents]},
    }
    instructions = f"Answer with a JSON array of the intents in what is said. Intents: {', '.join(readable.intents)}."

    def complete(text: str) -> tuple[int, int]:
        answer = stock.create_chat_completion(
            messages=[{"role": "system", "content": instructions}, {"role": "user", "content": text}],
            response_format={"type": "json_object", "schema": schema},
            temperature=0.0,
            max_tokens=120,
        )
        written = answer["usage"]["completion_tokens"]
        return written, written

    yield _measure_commands("stock", complete)


def intent_schema(catalog: Catalog, name: str) -> Mapping[str, Any]:
    """The plain JSON Schema of an intent."""
    return {key: value for key, value in catalog.intents[name].schema.items() if not key.startswith(("$", "x-"))}


def _measure_commands(path: str, understand: Callable[[str], tuple[int, int]]) -> CommandRow:
    understand(SENTENCES[0])
    cpu_ms, wall_ms, tokens, calls = [], [], [], []
    for number in range(ROUNDS):
        for text in SENTENCES:
            print(f"\r{path}: round {number + 1} of {ROUNDS}", end="", file=sys.stderr)
            wall, cpu = time.perf_counter(), time.process_time()
            cost = understand(text)
            cpu_ms.append((time.process_time() - cpu) * 1e3)
            wall_ms.append((time.perf_counter() - wall) * 1e3)
            tokens.append(cost[0])
            calls.append(cost[1])
    print(file=sys.stderr)
    return CommandRow(
        path,
        statistics.median(cpu_ms),
        min(cpu_ms),
        max(cpu_ms),
        statistics.median(wall_ms),
        statistics.median(tokens),
        statistics.median(calls),
    )


def _bench_core(arguments: argparse.Namespace) -> Iterator[CoreRow]:
    from edged.understand.lm import LanguageModel

    config = read_config(arguments)
    catalog = require_intents(load_catalog(config))
    path, _ = find_configured_model(config)
    with LanguageModel(path, adapter=None, threads=1) as lm:
        pieces = lm.pieces()
        tokens = lm.tokenize(b'[{"intent":"')
    started = time.perf_counter()
    vocab = Vocab(pieces)
    start_ms = (time.perf_counter() - started) * 1e3
    for name, said in (("whole", None), ("grounded", SENTENCES[2])):
        grounding = None if said is None else ground(catalog, said, config.hear.lang)
        started = time.perf_counter()
        program = compile_catalog(catalog, grounding)
        compile_ms = (time.perf_counter() - started) * 1e3
        matcher = Matcher(vocab, program)
        times_us = sorted(_pick_times_us(matcher, vocab, tokens))
        yield CoreRow(
            "edged",
            path.name,
            name,
            statistics.median(times_us),
            times_us[len(times_us) * 99 // 100],
            compile_ms,
            start_ms,
            program.memory_bytes,
        )


def _pick_times_us(matcher: Matcher, vocab: Vocab, tokens: list[int]) -> Iterator[float]:
    """Pick and advance, along one answer, on logits that want its tokens; unscored, as a sampler alone would."""
    for _ in range(PICKS // len(tokens)):
        matcher.reset()
        for token in tokens:
            logits = array("f", bytes(4 * len(vocab)))
            logits[token] = 1.0
            address = logits.buffer_info()[0]
            started = time.perf_counter_ns()
            picked = matcher.pick(address, scored=False).token
            matcher.advance(picked)
            yield (time.perf_counter_ns() - started) / 1e3
