"""Unpacking a folder out of a zip file that nobody vouches for."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

BLOCK_BYTES = 1 << 20
MAX_MEMBERS = 1000
"""A Vosk model has about 20 files."""


class UnpackError(Exception):
    """The zip file is damaged, holds what it must not, or lacks what is wanted."""


def unpack_folder(archive_path: Path, root: str, target: Path, limit_bytes: int) -> None:
    """Writes the files beneath `root` in the zip into the new folder `target`, durably.

    Raises:
        UnpackError: the zip is damaged, a name points outside, a member is no plain file, or there is too much.
    """
    try:
        with zipfile.ZipFile(archive_path) as archive:
            members = _plain_members(archive, root)
            if sum(member.file_size for member in members.values()) > limit_bytes:
                raise UnpackError(f"it holds more than {limit_bytes} bytes")
            target.mkdir(parents=True)
            for name, member in members.items():
                path = target / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as out:
                    copy_member(archive, member, out, limit_bytes)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise UnpackError(str(error)) from error


def copy_member(archive: zipfile.ZipFile, member: str | zipfile.ZipInfo, out: IO[bytes], limit_bytes: int) -> None:
    """Copies one member to an open file, durably; the CRC is checked on the way.

    Raises:
        UnpackError: it is larger than `limit_bytes`, whatever its header says, or damaged.
    """
    copied = 0
    try:
        with archive.open(member) as source:
            while block := source.read(BLOCK_BYTES):
                copied += len(block)
                if copied > limit_bytes:
                    raise UnpackError(f"it holds more than {limit_bytes} bytes")
                out.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnpackError(str(error) or "it ends too early") from error
    out.flush()
    os.fsync(out.fileno())


def _plain_members(archive: zipfile.ZipFile, root: str) -> dict[str, zipfile.ZipInfo]:
    """Path relative to `root` -> member, of all files beneath it."""
    if len(archive.infolist()) > MAX_MEMBERS:
        raise UnpackError(f"it holds more than {MAX_MEMBERS} files")
    found = {}
    for member in archive.infolist():
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            raise UnpackError(f"it holds a file that points outside: {member.filename}")
        if member.is_dir() or not path.is_relative_to(root) or path == PurePosixPath(root):
            continue
        mode = member.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise UnpackError(f"it holds what is no plain file: {member.filename}")
        found[path.relative_to(root).as_posix()] = member
    if not found:
        raise UnpackError(f"it holds no folder {root}")
    return found
