"""The language model that is loaded: a catalogue's file with the adapter that comes with the project merged into it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from edged.config import Config
from edged.models.catalogue import get_model
from edged.models.derive import Derived, find_derived
from edged.models.find import find_model
from edged.models.merge import merge


@dataclass(frozen=True, slots=True)
class Training:
    """What a model was trained to read."""

    intents: frozenset[str]
    languages: frozenset[str]
    form: Literal["json", "short"]
    """How it answers."""


ADAPTERS: Final = Path(__file__).parent / "adapters"
"""Adapters that come with the project: NAME.gguf for the model NAME of the catalogue."""


def find_language_model(name: str, models_directory: Path) -> Path:
    """The file to load for a model of the catalogue; merged with its adapter where there is one.

    The merge is made once (3 s, 115 MB of memory) and is faster than both files together: ten tokens in one batch
    take 54 ms instead of 91, one token 17 instead of 24 (one thread of x86_64, November 2026).

    Raises:
        UsageError: the catalogue has no such model.
        ModelError: the model is missing or damaged, or the merge is.
    """
    model = find_model(name, models_directory)
    adapter = ADAPTERS / f"{name}.gguf"
    if not adapter.is_file():
        return model
    with adapter.open("rb") as file:
        adapter_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    derived = Derived(
        name=f"{name}-adapted",
        file=f"{name}-adapted.gguf",
        inputs={**{pin.path: pin.sha256 for pin in get_model(name).pins}, adapter.name: adapter_sha256},
        make=lambda out: merge(model, adapter, out),
    )
    return find_derived(derived, models_directory)


def find_configured_model(config: Config) -> tuple[Path, Path | None]:
    """The GGUF file that the configuration means, and an adapter to apply to it as it is loaded.

    Raises:
        UsageError: the catalogue has no such model.
        ModelError: the catalogue's model is missing or damaged.
    """
    chosen = config.understand
    if chosen.model.endswith(".gguf"):
        return Path(chosen.model), chosen.adapter
    if chosen.adapter is not None:
        return find_model(chosen.model, config.models_directory), chosen.adapter
    return find_language_model(chosen.model, config.models_directory), None


def find_training(config: Config) -> Training | None:
    """What the configured model was trained to read; None for one that did not come with the project."""
    record = ADAPTERS / f"{config.understand.model}.json"
    if config.understand.adapter is not None or not record.is_file():
        return None
    known = json.loads(record.read_text(encoding="utf-8"))
    return Training(frozenset(known["intents"]), frozenset(known["languages"]), known["form"])
