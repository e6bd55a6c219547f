"""edged bench: what edged costs, side by side with its peers, in one run."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edged.cli.options import add_common, read_config
from edged.config import Config
from edged.errors import BrokerError, UsageError
from edged.intents.folder import MAX_FILES
from edged.ops.doctor import cpu_model

if TYPE_CHECKING:
    from edged.bench.command import CommandRow
    from edged.bench.decode import DecodeRow


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers the command."""
    parser = commands.add_parser("bench", help="what edged costs, beside its peers")
    actions = parser.add_subparsers(required=True, metavar="WHAT")
    core = actions.add_parser("core", help="one step of sampling under a grammar, and compiling it")
    core.add_argument("--model", type=Path, action="append", default=[], help="a GGUF file; repeat it for more")
    core.add_argument("--limit", type=float, metavar="S", help="seconds for one row (default: 60)")
    decode = actions.add_parser("decode", help="what the model makes of a sentence, in several ways to decode")
    command = actions.add_parser("command", help="an utterance, from its text to what it means")
    command.add_argument("--stream", action="store_true", help="also let the words arrive one by one")
    command.add_argument(
        "--intents", type=_read_counts, metavar="N,N", help="instead: under catalogs of so many intents, as in 2,40,400"
    )
    for action in (decode, command):
        action.add_argument(
            "--file", type=Path, action="append", default=[], help='rows {"text", "lang", "expect"}; repeat it for more'
        )
    mqtt = actions.add_parser("mqtt", help="commands to the broker, some that wait for it, questions to workers")
    mqtt.add_argument("--queued", type=int, metavar="N", help="commands that wait (default: 10000)")
    for action, run in ((core, _run_core), (decode, _run_decode), (command, _run_command), (mqtt, _run_mqtt)):
        action.add_argument("--json", action="store_true", help="print the rows as JSON")
        add_common(action, log_level="error")
        action.set_defaults(run=run)


def _read_counts(text: str) -> list[int]:
    counts = [int(part) for part in text.split(",")]
    if not all(0 < count <= MAX_FILES for count in counts):
        raise ValueError(text)
    return counts


def _run_core(arguments: argparse.Namespace) -> int:
    from edged.bench.core import LIMIT_S, measure_core

    for path in arguments.model:
        if not path.is_file():
            raise UsageError("there is no such file", where=str(path), remedy="give --model a GGUF file")
    _print_machine()
    rows = measure_core(read_config(arguments), arguments.model, arguments.limit or LIMIT_S)
    _print_results([asdict(row) for row in rows], {}, as_json=arguments.json)
    return 0


def _run_decode(arguments: argparse.Namespace) -> int:
    from edged.bench.decode import measure_decoding
    from edged.bench.sentences import read_all

    config = read_config(arguments)
    sentences = read_all(arguments.file, config.hear.lang)
    _print_machine()
    rows = measure_decoding(config, sentences)
    _print_estimated(rows, config, as_json=arguments.json)
    return 0


def _run_command(arguments: argparse.Namespace) -> int:
    from edged.bench.command import describe_gains, measure_commands
    from edged.bench.growth import measure_growth
    from edged.bench.sentences import read_all

    config = read_config(arguments)
    sentences = read_all(arguments.file, config.hear.lang)
    _print_machine()
    if arguments.intents:
        growth = measure_growth(config, sentences, arguments.intents)
        _print_results([asdict(row) for row in growth], {}, as_json=arguments.json)
        return 0
    rows, gains = measure_commands(config, sentences, streamed=arguments.stream)
    more = {"gains": [asdict(gain) for gain in gains]}
    _print_estimated(rows, config, [describe_gains(gains)], more, as_json=arguments.json)
    return 0


def _run_mqtt(arguments: argparse.Namespace) -> int:
    from edged.bench.mqtt import QUEUED, measure_mqtt

    queued = arguments.queued or QUEUED
    if queued < 1:
        raise UsageError("nothing would wait", where="--queued", remedy="give a number above 0")
    config = read_config(arguments)
    _print_machine()
    latency, queues = measure_mqtt(config, queued=queued)
    more = {"queues": [asdict(row) for row in queues], "fleet": _measure_fleet(config)}
    _print_results([asdict(row) for row in latency], more, as_json=arguments.json)
    if not arguments.json:
        for rows in filter(None, more.values()):
            _print_results(rows, {}, as_json=False)
    return 0


def _measure_fleet(config: Config) -> list[dict[str, Any]]:
    """Nothing for a broker that workers cannot use."""
    from edged.bench.fleet import measure_fleet

    try:
        return [asdict(row) for row in measure_fleet(config)]
    except BrokerError as error:
        print(f"no fleet: {error}", file=sys.stderr)
        return []


def _print_estimated(
    rows: Sequence[DecodeRow] | Sequence[CommandRow],
    config: Config,
    lines: Sequence[str] = (),
    more: Mapping[str, Any] = MappingProxyType({}),
    *,
    as_json: bool,
) -> None:
    """The rows, what else there is, and what the passes of the paths would take elsewhere; a floor is no path."""
    from edged.bench.cost import describe_estimates, estimate_paths
    from edged.bench.stock import measure_size
    from edged.models import find_configured_model

    estimates = estimate_paths(
        [row for row in rows if "floor" not in row.path], measure_size(find_configured_model(config)[0])
    )
    results = {**more, "estimates": [asdict(estimate) for estimate in estimates]}
    _print_results([asdict(row) for row in rows], results, as_json=as_json)
    if not as_json:
        print(*lines, *describe_estimates(estimates), sep="\n")


def _print_machine() -> None:
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    print(f"{cpu_model()}, {platform.machine()}, {cores} cores, load {load:.1f}", file=sys.stderr)


def _print_results(rows: Sequence[Mapping[str, Any]], more: Mapping[str, Any], *, as_json: bool) -> None:
    """The rows as a table or, with what else there is, as JSON."""
    if as_json:
        print(json.dumps({"rows": rows, **more}))
        return
    widths = {key: max(len(key), *(len(_shown(row[key])) for row in rows)) for key in rows[0]}
    print("  ".join(key.rjust(width) for key, width in widths.items()))
    for row in rows:
        print("  ".join(_shown(row[key]).rjust(width) for key, width in widths.items()))


def _shown(value: Any) -> str:  # noqa: ANN401 - a cell of any table
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
