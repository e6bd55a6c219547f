"""edged schema: check the intent files, and show what they let a person say."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from edged.cli.options import add_common, read_config
from edged.intents.catalog import Catalog, IntentFile
from edged.intents.compile import compile_catalog
from edged.intents.load import load_catalog
from edged.intents.phrases import slot_forms

_SHOWN_FORMS = 12
"""Spoken forms of a slot that are printed; the rest is counted."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers the command."""
    parser = commands.add_parser("schema", help="check and show the intent files")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="say what is wrong with the intent files; 1 if anything is")
    check.add_argument("directory", nargs="?", type=Path, metavar="DIR", help="default: the configured folder")
    check.add_argument("--json", action="store_true", help="print the faults as JSON")
    check.set_defaults(run=_check)
    show = actions.add_parser("show", help="print what was loaded and every way to say it")
    show.add_argument("intent", nargs="?", help="only this one")
    show.set_defaults(run=_show)
    for action in (check, show):
        add_common(action, log_level="error")


def _check(arguments: argparse.Namespace) -> int:
    catalog = _load(arguments)
    if arguments.json:
        print(json.dumps({"loaded": list(catalog.intents), "faults": [asdict(fault) for fault in catalog.faults]}))
        return 1 if catalog.faults or not catalog.intents else 0
    for fault in catalog.faults:
        print(fault)
    if not catalog.intents and not catalog.faults:
        print("the folder holds no *.json file")
    if catalog.intents:
        states = compile_catalog(catalog).n_states
        print(f"{len(catalog.intents)} intents loaded: {', '.join(catalog.intents)} ({states} states)")
    if catalog.faults:
        print(f"{len({fault.file for fault in catalog.faults})} files refused")
    return 1 if catalog.faults or not catalog.intents else 0


def _show(arguments: argparse.Namespace) -> int:
    catalog = _load(arguments)
    for fault in catalog.faults:
        print(f"left out: {fault}")
    shown = [intent for intent in catalog.intents.values() if arguments.intent in (None, intent.name)]
    for intent in shown:
        _print_intent(intent, catalog)
    if not shown:
        print(f"there is no intent {arguments.intent}; there are: {', '.join(catalog.intents) or 'none'}")
        return 1
    return 0


def _load(arguments: argparse.Namespace) -> Catalog:
    arguments.schemas = getattr(arguments, "directory", None) or arguments.schemas
    return load_catalog(read_config(arguments))


def _print_intent(intent: IntentFile, catalog: Catalog) -> None:
    print(f"\n{intent.name}: {intent.schema.get('description', '')}")
    languages = sorted(intent.examples)
    for slot in intent.slots:
        needed = ", must be said" if slot in intent.said else ""
        print(f"  {slot} ({'required' if slot in intent.schema['required'] else 'optional'}{needed})")
        for lang in languages:
            forms = slot_forms(intent, slot, catalog, lang)
            more = f" and {len(forms) - _SHOWN_FORMS} more" if len(forms) > _SHOWN_FORMS else ""
            print(f"    {lang}: {', '.join(forms[:_SHOWN_FORMS])}{more}")
    for lang in languages:
        print(f"  say, in {lang}:")
        for example in intent.examples[lang]:
            print(f"    {example.text}  ->  {json.dumps(dict(example.slots), ensure_ascii=False)}")
    for lang, sentences in intent.refused.items():
        print(f"  not this, in {lang}: {'; '.join(sentences)}")
