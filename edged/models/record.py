"""record.json: what was installed in the folder of models, from where, and with which hashes.

It holds the pins of models without a known hash, the hashes of what was made on the device, and the size, time and
inode of every verified file, so that a file is hashed again only when it is another one. So it does for a user's own
model files, which lie anywhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from edged.errors import ModelError

RECORD_NAME = "record.json"
LOCK_NAME = ".record.lock"
HASH_BLOCK_BYTES = 1 << 20
MAX_OTHERS = 16
"""Files that lie elsewhere and are remembered; the oldest is forgotten, and is hashed again at need."""


class FileState(BaseModel):
    """One file as it was when its hash was taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int
    sha256: str
    mtime_ns: int
    inode: int


class Entry(BaseModel):
    """One installed model."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    source: str
    """Where it came from, for people."""
    archive_sha256: str | None = None
    """Hash of the downloaded zip, where it came in one."""
    inputs: dict[str, str] | None = None
    """Of a derived model: what it was made from -> SHA-256."""
    files: dict[str, FileState]
    """Path relative to the model's folder (of a model of one file: its name) -> state."""


class Record(BaseModel):
    """All of record.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    models: dict[str, Entry] = {}
    others: dict[str, FileState] = {}
    """Absolute path of a file that is no model of the catalogue -> state."""


def read_record(directory: Path) -> Record:
    """The record of a folder of models; an empty one where there is none.

    Raises:
        ModelError: it cannot be read or is damaged.
    """
    path = directory / RECORD_NAME
    try:
        return Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Record()
    except OSError as error:
        raise ModelError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="give this user the right to read it"
        ) from error
    except ValidationError as error:
        raise ModelError(
            "is damaged", where=str(path), remedy="delete it: what lies beside it is then verified anew"
        ) from error


def store_entry(directory: Path, name: str, entry: Entry) -> None:
    """Writes one model's entry, atomically and safe beside other processes that do the same.

    Raises:
        OSError: the folder cannot be written.
        ModelError: the record is damaged.
    """
    with locked(directory / LOCK_NAME):
        record = read_record(directory)
        _write(directory, record.model_copy(update={"models": {**record.models, name: entry}}))


def find_sha256(path: Path, directory: Path) -> str:
    """SHA-256 of a model file that may lie anywhere, read only if the record of `directory` does not know the file.

    Raises:
        ModelError: it cannot be read, or the record is damaged.
    """
    path = path.absolute()
    record = read_record(directory)
    known = [state for entry in record.models.values() for name, state in entry.files.items() if path.name == name]
    try:
        for state in (*known, *(state for name, state in record.others.items() if name == str(path))):
            if is_same_file(path, state):
                return state.sha256
        found = take_state(path)
    except OSError as error:
        raise ModelError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="give this user the right to read it"
        ) from error
    with contextlib.suppress(OSError):  # a folder that may only be read is served all the same, only slower
        _remember_other(path, found, directory)
    return found.sha256


def _remember_other(path: Path, state: FileState, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with locked(directory / LOCK_NAME):
        record = read_record(directory)
        others = {name: known for name, known in record.others.items() if name != str(path)}
        kept = dict(list(others.items())[1 - MAX_OTHERS :])
        _write(directory, record.model_copy(update={"others": {**kept, str(path): state}}))


def _write(directory: Path, record: Record) -> None:
    write_atomically(directory / RECORD_NAME, (json.dumps(record.model_dump(), indent=1) + "\n").encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file as a whole: after a crash it holds either the old content or the new."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Makes renames in a folder durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Holds an exclusive lock on a file; it goes with the process, however that ends.

    Args:
        path: the file; made if it is not there.
        on_wait: called before waiting for another process that holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait is not None:
                on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def take_state(path: Path) -> FileState:
    """Hashes a file and notes which file it was.

    The state is taken before the hash: a file that changes meanwhile is hashed again at the next look.
    """
    status = path.stat()
    return FileState(size=status.st_size, sha256=hash_file(path), mtime_ns=status.st_mtime_ns, inode=status.st_ino)


def is_same_file(path: Path, state: FileState) -> bool:
    """Whether this is the very file whose hash was taken; it is not read for that."""
    status = path.stat()
    return (status.st_size, status.st_mtime_ns, status.st_ino) == (state.size, state.mtime_ns, state.inode)
