"""Model files that are made on the device out of fetched ones, such as a merge of an adapter into a model."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edged.errors import ModelError
from edged.models.download import disk_error
from edged.models.record import Entry, is_same_file, locked, read_record, store_entry, sync_directory, take_state


@dataclass(frozen=True, slots=True)
class Derived:
    """How a file is made on the device."""

    name: str
    """Its name in the record; no name of the catalogue."""
    file: str
    """Its file name in the folder of models."""
    inputs: Mapping[str, str]
    """What it is made from -> SHA-256; if one changes, it is made anew."""
    make: Callable[[Path], None]
    """Writes it to the path that it is given."""


def find_derived(derived: Derived, models_directory: Path) -> Path:
    """The derived file: made if it is not there or was made from other inputs, else compared with its own hash.

    Raises:
        ModelError: it is damaged, or the disk cannot take it; what `make` raises comes through.
    """
    path = models_directory / derived.file
    models_directory.mkdir(parents=True, exist_ok=True)
    with locked(models_directory / f".{derived.name}.lock"):
        entry = read_record(models_directory).models.get(derived.name)
        if entry is not None and path.is_file() and entry.inputs == dict(derived.inputs):
            _check(path, derived, entry, models_directory)
        else:
            _make(path, derived, models_directory)
    return path


def derived_faults(name: str, directory: Path) -> list[str]:
    """What is wrong with the files of a recorded derived model, every byte being read; empty where nothing is."""
    faults = []
    for file, state in read_record(directory).models[name].files.items():
        path = directory / file
        if not path.is_file():
            faults.append(f"{file} is missing")
        elif (found := take_state(path)).sha256 != state.sha256:
            faults.append(f"{file} has the SHA-256 {found.sha256} instead of {state.sha256}")
    return faults


def _check(path: Path, derived: Derived, entry: Entry, directory: Path) -> None:
    state = entry.files.get(derived.file)
    if state is not None and is_same_file(path, state):
        return
    found = take_state(path)
    if state is None or found.sha256 != state.sha256:
        expected = state.sha256 if state else "a recorded one"
        raise ModelError(
            f"has the SHA-256 {found.sha256} instead of {expected}",
            where=str(path),
            remedy="delete it: it is made anew at the next start",
        )
    store_entry(directory, derived.name, entry.model_copy(update={"files": {derived.file: found}}))


def _make(path: Path, derived: Derived, directory: Path) -> None:
    try:
        with tempfile.TemporaryDirectory(prefix=f".{derived.name}.", dir=directory) as scratch:
            temporary = Path(scratch, derived.file)
            derived.make(temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        sync_directory(directory)
    except OSError as error:
        raise disk_error(error, directory) from error
    entry = Entry(source="made on this device", inputs=dict(derived.inputs), files={derived.file: take_state(path)})
    store_entry(directory, derived.name, entry)
