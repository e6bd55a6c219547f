"""JSON lines in a folder that nobody but its owner may look into: appended, read and replaced under one lock.

Whatever a crash or a full disk leaves behind, at most one line is lost, and it does not spoil the next one.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
NEW_SUFFIX: Final = ".new"
"""Of what is written beside a file to replace it."""

_OTHERS: Final = 0o077
_SAFE: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""The folder may be written by another user than the one who reads: no link is followed and no FIFO waited for."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a file may hold; the oldest lines are the first to go."""

    rows: int
    size_bytes: int


def json_line(value: object) -> str:
    """A value as JSON on one line; what does not print is escaped, so that it cannot command a terminal."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(letter: str) -> str:
    if letter.isprintable():
        return letter
    return re.sub("....", r"\\u\g<0>", letter.encode("utf-16-be", "surrogatepass").hex())


def make_folder(folder: Path) -> None:
    """Makes the folder, or closes one that others may look into.

    Raises:
        OSError: it cannot be made, or is not ours.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if folder.stat().st_mode & _OTHERS:
        folder.chmod(FOLDER_MODE)


@contextmanager
def locked(folder: Path, *, waits: bool) -> Iterator[None]:
    """Keeps every other process that asks for it from changing the files; the lock goes with the process.

    Raises:
        OSError: there is no such folder, or another process has it and this one does not wait.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def read_lines(path: Path, bounds: Bounds) -> list[tuple[int, bytes]]:
    """The newest lines within the bounds with their numbers from 1; empty ones and a missing file count for nothing.

    Of a file that is larger, the end alone is read, and its lines are counted.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _SAFE)
    except FileNotFoundError:
        return []
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, no path
        left_out = max(0, _regular_size(descriptor) - bounds.size_bytes)
        file.seek(left_out)
        lines = file.read(bounds.size_bytes).split(b"\n")
    numbered = list(enumerate(lines, 1))[1 if left_out else 0 :]
    return [(number, line) for number, line in numbered if line.strip()][-bounds.rows :]


def append_lines(path: Path, lines: Sequence[bytes], bounds: Bounds) -> None:
    """Adds lines at the end, under the lock; where that is too much, a quarter of the old ones goes.

    Not synced to the disk: a line that a power cut takes is not worth the wear of a memory card.

    Raises:
        OSError: they could not be written, and none of them was.
    """
    old = [line for _, line in read_lines(path, bounds)]
    data = b"".join(line + b"\n" for line in lines)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _SAFE, FILE_MODE)
    try:
        size = _regular_size(descriptor)
        fits = len(old) + len(lines) <= bounds.rows and size + 1 + len(data) <= bounds.size_bytes
        if fits:
            _close_to_others(descriptor)
            is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            _write_whole(descriptor, b"\n" + data if is_torn else data, size)
    finally:
        os.close(descriptor)
    if not fits:
        quarter = Bounds(bounds.rows * 3 // 4, bounds.size_bytes * 3 // 4)
        replace_lines(path, [*_newest(old, quarter), *lines])


def _newest(lines: Sequence[bytes], bounds: Bounds) -> Sequence[bytes]:
    """The last lines that fit the bounds."""
    total, count = 0, 0
    for line in reversed(lines[-bounds.rows :]):
        total += len(line) + 1
        if total > bounds.size_bytes:
            break
        count += 1
    return lines[len(lines) - count :]


def replace_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Makes a file hold these lines and no others, in one step and safe on the disk, under the lock.

    It belongs to the owner of the folder, also where root writes it: the daemon goes on with it.

    Raises:
        OSError: they could not be written; the file is as it was.
    """
    new = path.with_name(path.name + NEW_SUFFIX)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _SAFE, FILE_MODE)
    try:
        _regular_size(descriptor)
        _close_to_others(descriptor)
        owner = path.parent.stat()
        if os.fstat(descriptor).st_uid != owner.st_uid:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        _write_whole(descriptor, b"".join(line + b"\n" for line in lines), 0)
        os.fsync(descriptor)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    _sync(path.parent)


def _regular_size(descriptor: int) -> int:
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return state.st_size


def _close_to_others(descriptor: int) -> None:
    if os.fstat(descriptor).st_mode & _OTHERS:
        os.fchmod(descriptor, FILE_MODE)


def _write_whole(descriptor: int, data: bytes, start: int) -> None:
    """Writes all behind `start`, or nothing: a full disk takes the first part without a word."""
    written = -1
    try:
        written = os.write(descriptor, data)
    finally:
        if written != len(data):
            with suppress(OSError):
                os.ftruncate(descriptor, start)
    if written != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
