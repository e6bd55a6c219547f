"""edged schema: check the intent files, and show what they let a person say."""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from itertools import groupby
from pathlib import Path

from edged.cli import accepts
from edged.cli.options import add_common, read_config
from edged.cli.schema_show import show_intent
from edged.config import Config
from edged.errors import CoreError, ModelError, UsageError
from edged.hear.recognizer import SpeechModel
from edged.hear.vocabulary import split_word
from edged.intents.catalog import Catalog, Fault
from edged.intents.compile import compile_catalog
from edged.intents.home import load_home
from edged.intents.lint.words import Knows, find_unknown_names, find_unknown_words
from edged.intents.load import place_findings, read_catalog, read_intent
from edged.intents.source import SourceError, printable_path, read_source
from edged.intents.suggest import offer, shorten
from edged.models import find_model, get_model, speech_model_name

_EXCERPT = 100
"""Characters of a line that are shown around a fault."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers the command."""
    parser = commands.add_parser("schema", help="check and show the intent files")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="say what is wrong with the intent files; 1 if a file is left out")
    check.add_argument("directory", nargs="?", type=Path, metavar="DIR", help="a folder or one file")
    check.add_argument("--json", action="store_true", help="print the faults as JSON")
    check.add_argument("--words", action="store_true", help="also look for words that no installed model can hear")
    check.set_defaults(run=_check)
    show = actions.add_parser("show", help="print what can be said and what comes out")
    show.add_argument("intent", nargs="?", help="only this one")
    show.set_defaults(run=_show)
    for action in (check, show):
        add_common(action, log_level="error")
    accepts.add_action(actions)


def _check(arguments: argparse.Namespace) -> int:
    config = read_config(arguments)
    path = arguments.directory or config.intents.directory
    catalog = _read(path, config)
    faults = list(catalog.faults)
    if arguments.words:
        faults += _check_words(catalog, config)
    states = _count_states(catalog, path, faults)
    if arguments.json:
        print(json.dumps({"loaded": list(catalog.intents), "faults": [asdict(fault) for fault in faults]}))
    else:
        _print_faults(faults)
        _print_summary(catalog, faults, states)
    return 1 if any(fault.severity == "error" for fault in faults) or not catalog.intents else 0


def _read(path: Path, config: Config) -> Catalog:
    """The catalog of a folder or of one file.

    Raises:
        UsageError: there is neither.
    """
    home = load_home(config.home.file)
    if path.is_dir():
        return read_catalog(path, home)
    if not path.exists():
        raise UsageError("there is no such folder or file", where=str(path), remedy="name the folder of intents")
    intent, faults = read_intent(path, home)
    return Catalog({intent.name: intent} if intent is not None else {}, home, tuple(faults))


def _count_states(catalog: Catalog, path: Path, faults: list[Fault]) -> int:
    """The states of the automaton of the whole catalog; one fault more where it cannot be made."""
    try:
        return compile_catalog(catalog).n_states
    except CoreError as error:
        faults.append(Fault(str(path), "", 0, 0, f"all files together: {error.what}", error.remedy))
        return 0


def _check_words(catalog: Catalog, config: Config) -> list[Fault]:
    """Warnings for the words that the installed speech models lack."""
    knows: dict[str, Knows] = {}
    for lang in sorted({lang for intent in catalog.intents.values() for lang in intent.examples}):
        try:
            path = find_model(get_model(speech_model_name(lang)).name, config.models_directory)
            knows[lang] = partial(_can_hear, SpeechModel(path))
        except (ModelError, UsageError):  # it is not installed, or there is none
            print(f"no speech model for {lang} is installed: its words are not looked up", file=sys.stderr)
    faults = []
    for intent in catalog.intents.values():
        found = list(find_unknown_words(intent, knows))
        faults += place_findings(found, read_source(Path(intent.file)), intent.file) if found else []
    where = printable_path(config.home.file)
    for finding in find_unknown_names(catalog.home, knows):
        pointer = "/" + "/".join(map(str, finding.pointer))
        faults.append(Fault(where, pointer, 0, 0, finding.what, finding.remedy, finding.severity))
    return faults


def _can_hear(model: SpeechModel, word: str) -> bool:
    """Whether the model knows the word or the pieces that it is made of."""
    return split_word(word, model.knows) is not None


def _print_faults(faults: Iterable[Fault]) -> None:
    ordered = sorted(faults, key=lambda fault: fault.file)
    for file, group in groupby(ordered, key=lambda fault: fault.file):
        print(f"{file}:")
        try:
            lines = read_source(Path(file)).split("\n")
        except SourceError:
            lines = []
        for fault in sorted(group, key=lambda fault: fault.severity):
            place = f"{fault.line}:{fault.column}: " if fault.line else ""
            pointer = f" ({fault.pointer})" if fault.pointer else ""
            print(f"  {place}{fault.severity}: {fault.what}{pointer}")
            _print_excerpt(lines, fault)
            if fault.remedy:
                print(f"    {fault.remedy}")
        print()


def _print_excerpt(lines: list[str], fault: Fault) -> None:
    """The line of a fault with a mark below its column."""
    if not 0 < fault.line <= len(lines):
        return
    line = lines[fault.line - 1].replace("\t", " ").rstrip()
    at = max(fault.column - 1, 0)
    start = max(0, at - _EXCERPT // 2)
    shown = line[start : start + _EXCERPT]
    indent = len(shown) - len(shown.lstrip())
    print(f"    | {shorten(shown[indent:], _EXCERPT)}")
    print(f"    | {_blank(shown[indent : at - start])}^")


def _blank(text: str) -> str:
    """Blanks as wide as a terminal shows the text: East Asian characters take two."""
    return "".join("  " if unicodedata.east_asian_width(letter) in "WF" else " " for letter in text)


def _print_summary(catalog: Catalog, faults: list[Fault], states: int) -> None:
    refused = {fault.file for fault in faults if fault.severity == "error"}
    warnings = sum(fault.severity == "warning" for fault in faults)
    if not catalog.intents and not faults:
        print("there is no *.json file")
    print(f"in force: {len(catalog.intents)} intents: {', '.join(catalog.intents) or 'none'} ({states} states)")
    if faults:
        print(f"left out: {len(refused)} files; {len(faults) - warnings} errors, {warnings} warnings")


def _show(arguments: argparse.Namespace) -> int:
    config = read_config(arguments)
    catalog = _read(config.intents.directory, config)
    for file in dict.fromkeys(fault.file for fault in catalog.faults if fault.severity == "error"):
        print(f"left out: {file} (edged schema check says why)")
    shown = [intent for intent in catalog.intents.values() if arguments.intent in (None, intent.name)]
    if not shown:
        wanted = arguments.intent or ""
        print(f"there is no intent {shorten(wanted)}: {offer(wanted, catalog.intents, 'no file is in force')}")
        return 1
    for intent in shown:
        print("\n".join(show_intent(intent, catalog, config.mqtt.node, arguments.lang)))
    return 0
