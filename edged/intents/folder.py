"""A folder of intent files, read within bounds: the text of each file, or why there is none."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from edged.errors import ConfigError
from edged.intents.catalog import Fault
from edged.intents.source import SourceError, printable_path, read_source

MAX_FILES: Final = 400
"""Intent files in one folder."""
MAX_ENTRIES: Final = 20_000
"""Entries of a folder that are looked at: a folder of more is no folder of intents, and listing it takes long."""

Label: TypeAlias = Callable[[Path], str]
"""What a file or the folder is called in faults."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What a look at a folder found."""

    files: Mapping[str, str | tuple[Fault, ...]]
    """Name -> text, or why there is none; by name."""
    faults: tuple[Fault, ...]
    """What is wrong with the folder itself."""


def read_folder(directory: Path, label: Label = printable_path) -> Folder:
    """Every file of a folder that is an intent file by its name.

    Raises:
        ConfigError: `directory` is no folder that can be read.
    """
    names, faults = _list_files(directory, label)
    files: dict[str, str | tuple[Fault, ...]] = {}
    for name in names:
        text, found = read_text(directory / name, label)
        files[name] = tuple(found) if text is None else text
    return Folder(files, tuple(faults))


def read_text(path: Path, label: Label = printable_path) -> tuple[str | None, list[Fault]]:
    """The text of an intent file, or None and why."""
    try:
        return read_source(path), []
    except SourceError as error:
        return None, source_faults(error, label(path))


def source_faults(error: SourceError, file: str) -> list[Fault]:
    """Why a text is no JSON that can be used, as faults of its file."""
    return [Fault(file, "", found.line, found.column, found.what, found.remedy) for found in error.faults]


def _list_files(directory: Path, label: Label) -> tuple[list[str], list[Fault]]:
    """The names of the files that are read, and a fault where there are more than may be."""
    names: list[str] = []
    faults: list[Fault] = []
    try:
        with os.scandir(directory) as entries:
            for entry in itertools.islice(entries, MAX_ENTRIES):
                if entry.name.endswith(".json") and not entry.name.startswith("."):
                    names.append(entry.name)
            is_cut = next(entries, None) is not None
    except OSError as error:
        what = "is no folder" if not directory.is_dir() else f"cannot be read: {error.strerror}"
        remedy = "give the folder of intents with --schemas"
        raise ConfigError(what, where=printable_path(directory), remedy=remedy) from error
    names.sort()
    if is_cut:
        what = f"holds more than {MAX_ENTRIES} entries: the others are not looked at"
        faults.append(Fault(label(directory), "", 0, 0, what, "keep other files elsewhere"))
    if len(names) > MAX_FILES:
        what = f"holds {len(names)} intent files: those after {label(Path(names[MAX_FILES - 1]))} are left out"
        faults.append(Fault(label(directory), "", 0, 0, what, f"keep at most {MAX_FILES} in one folder"))
    return names[:MAX_FILES], faults
