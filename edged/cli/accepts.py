"""edged schema accepts: what the automaton of a schema says of JSON values, beside what jsonschema says."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from edged.cli.options import add_common, read_config
from edged.errors import UsageError
from edged.intents.accept import Acceptor, parse_instance
from edged.intents.catalog import Fault, Finding, Json
from edged.intents.folder import source_faults
from edged.intents.home import load_home
from edged.intents.load import place_findings
from edged.intents.lower import LoweringError, find_refusals
from edged.intents.references import HOME, resolve_references
from edged.intents.source import SourceError, parse_source, read_source

MAX_LINE_BYTES = 1 << 20
"""Of one value on stdin: four times the largest schema file."""


def add_action(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers the action of `edged schema`."""
    parser = actions.add_parser("accepts", help="JSON values on stdin, one a line: does the schema allow them?")
    parser.add_argument("file", type=Path, metavar="FILE", help="an intent file or any JSON Schema")
    parser.set_defaults(run=run)
    add_common(parser, log_level="error")


def run(arguments: argparse.Namespace) -> int:
    """Prints a line for each line of stdin; 1 if the schema is refused."""
    if not arguments.file.is_file():
        raise UsageError("is no file", where=str(arguments.file), remedy="give an intent file or a JSON Schema")
    opened = _open(arguments)
    if not isinstance(opened, Acceptor):
        for fault in opened:
            print(fault, file=sys.stderr)
        return 1
    while line := sys.stdin.buffer.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while rest := sys.stdin.buffer.readline(MAX_LINE_BYTES):
                if rest.endswith(b"\n"):
                    break
        print(json.dumps(answer(opened, line), ensure_ascii=False), flush=True)
    return 0


def answer(acceptor: Acceptor, line: bytes) -> dict[str, bool | str]:
    """What is said of the value in a line, or why there is none."""
    if len(line) > MAX_LINE_BYTES:
        return {"error": f"is longer than {MAX_LINE_BYTES} bytes"}
    try:
        instance = parse_instance(line.decode("utf-8-sig"))
    except ValueError as error:
        return {"error": f"is no JSON: {error}"}
    return {"accepts": acceptor.accepts(instance), "valid": acceptor.is_valid(instance)}


def _open(arguments: argparse.Namespace) -> Acceptor | Sequence[Fault]:
    """The schema, ready to be asked, or all that is wrong with it."""
    file = str(arguments.file)
    try:
        text = read_source(arguments.file)
        parsed = parse_source(text)
    except SourceError as error:
        return source_faults(error, file)
    try:
        schema = _resolve(parsed, arguments)
        refusals = find_refusals(schema)
    except LoweringError as error:
        refusals = (error,)
    if refusals:
        return place_findings([Finding(error.pointer, str(error), error.remedy) for error in refusals], text, file)
    return Acceptor(schema)


def _resolve(parsed: Json, arguments: argparse.Namespace) -> Json:
    """The schema with the references into the house replaced; others are followed when it is lowered."""
    if not isinstance(parsed, dict) or not _names_home(parsed):
        return parsed
    home = load_home(read_config(arguments).home.file)
    if "x-edged" in parsed and "properties" in parsed and "required" in parsed:
        return resolve_references(parsed, home)
    inner = {key: value for key, value in parsed.items() if key != "$defs"}
    around = {"properties": {"it": inner}, "required": ["it"], "$defs": parsed.get("$defs", {})}
    try:
        return resolve_references(around, home)["properties"]["it"]
    except LoweringError as error:
        raise LoweringError(error.pointer[2:], str(error), error.remedy) from None


def _names_home(value: Json) -> bool:
    if isinstance(value, dict):
        reference = value.get("$ref")
        return (isinstance(reference, str) and reference.startswith(HOME)) or any(map(_names_home, value.values()))
    return isinstance(value, list) and any(map(_names_home, value))
