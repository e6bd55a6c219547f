"""Finding an installed model and making sure that it is the right one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from edged.errors import ModelError
from edged.models.catalogue import Model, get_model
from edged.models.record import Entry, FileState, is_same_file, read_record, store_entry, take_state


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look at every byte of an installed model found."""

    name: str
    path: Path
    faults: tuple[str, ...]
    """One for each wrong file; empty where all is as it must be."""
    pinned: bool
    """No hash is known in advance: what was first downloaded or found is what it is compared with."""


def find_model(name: str, models_directory: Path) -> Path:
    """The file or folder of an installed model, verified.

    Files that are not the ones that were verified before are hashed in full (98 MB: 0.1 to 0.3 s). A model that was
    copied into the folder by hand is taken over.

    Raises:
        UsageError: the catalogue has no such model.
        ModelError: it is missing or not what the catalogue or its record says.
    """
    model = get_model(name)
    path = models_directory / model.path
    if not path.exists():
        raise ModelError(f"the model {name} is not installed", where=str(path), remedy=_fetch(name))
    entry = read_record(models_directory).models.get(name)
    faults, states = _inspect(model, path, entry, every_byte=False)
    if faults:
        raise ModelError(f"the model {name} is damaged: {'; '.join(faults)}", where=str(path), remedy=_fetch(name))
    _remember(name, models_directory, entry, states)
    return path


def verify_model(name: str, directory: Path) -> Verification:
    """Reads every byte of an installed model and compares.

    Raises:
        UsageError: the catalogue has no such model.
        ModelError: it is not installed.
    """
    model = get_model(name)
    path = directory / model.path
    if not path.exists():
        raise ModelError(f"the model {name} is not installed", where=str(path), remedy=_fetch(name))
    entry = read_record(directory).models.get(name)
    faults, states = _inspect(model, path, entry, every_byte=True)
    if not faults:
        _remember(name, directory, entry, states)
    return Verification(name, path, tuple(faults), pinned=not model.pins)


def check_pins(model: Model, path: Path, states: dict[str, FileState]) -> list[str]:
    """What is wrong with freshly hashed files, by the catalogue; empty where nothing is."""
    faults = []
    for pin in model.pins:
        state = states.get(pin.path)
        if state is None:
            faults.append(f"{pin.path} is missing")
        elif state.size != pin.size_bytes:
            faults.append(f"{pin.path} has {state.size} bytes instead of {pin.size_bytes}")
        elif state.sha256 != pin.sha256:
            faults.append(f"{pin.path} has the SHA-256 {state.sha256} instead of {pin.sha256}")
    if not states:
        faults.append(f"{path.name} holds no file")
    return faults


def take_states(path: Path) -> dict[str, FileState]:
    """Hashes a file, or every file of a folder."""
    return {name: take_state(file) for name, file in _files(path).items()}


def _files(path: Path) -> dict[str, Path]:
    if path.is_file():
        return {path.name: path}
    return {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if file.is_file()}


def _inspect(
    model: Model, path: Path, entry: Entry | None, *, every_byte: bool
) -> tuple[list[str], dict[str, FileState]]:
    """Faults, and the states of all files; hashes only what the record does not know, unless `every_byte`."""
    if path.is_dir() != model.folder:
        return [f"{path.name} is {'no folder' if model.folder else 'a folder'}"], {}
    recorded = entry.files if entry else {}
    wrong_size = _wrong_sizes(model, _files(path), recorded)
    if wrong_size:
        return wrong_size, {}
    states = {}
    for name, file in _files(path).items():
        known = recorded.get(name)
        states[name] = known if known and not every_byte and is_same_file(file, known) else take_state(file)
    faults = check_pins(model, path, states)
    pinned = {pin.path for pin in model.pins}
    for name, state in recorded.items():
        if name not in pinned and states[name].sha256 != state.sha256:
            faults.append(f"{name} has the SHA-256 {states[name].sha256} instead of {state.sha256}")
    return faults, states


def _wrong_sizes(model: Model, files: dict[str, Path], recorded: dict[str, FileState]) -> list[str]:
    """What can be seen without reading: files that are missing or of another size."""
    sizes = {name: state.size for name, state in recorded.items()} | {pin.path: pin.size_bytes for pin in model.pins}
    faults = []
    for name, size in sizes.items():
        if name not in files:
            faults.append(f"{name} is missing")
        elif files[name].stat().st_size != size:
            faults.append(f"{name} has {files[name].stat().st_size} bytes instead of {size}")
    return faults


def _remember(name: str, directory: Path, entry: Entry | None, states: dict[str, FileState]) -> None:
    """Stores states that are new, so that the next look need not read the files."""
    if entry is not None and entry.files == states:
        return
    updated = entry.model_copy(update={"files": states}) if entry else Entry(source="found in the folder", files=states)
    with contextlib.suppress(OSError):  # a folder that may only be read is served all the same, only slower
        store_entry(directory, name, updated)


def _fetch(name: str) -> str:
    return f"edged models fetch {name}"
