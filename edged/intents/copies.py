"""Copies of the files that were last in force, kept on disk so that a broken file stays harmless across restarts."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from edged.intents.files import read_regular

log = logging.getLogger(__name__)

MAX_BYTES: Final = 16 << 20
"""Of all copies together: 400 files of 40 kB. What goes beyond is not kept."""
MAX_COPIES: Final = 512
"""Files in the folder that are looked at: the 400 intent files of a catalog, the house, and leftovers."""

_COPY_NAME: Final = re.compile(r"[0-9a-f]{32}(\.new)?")


class Copies:
    """A folder with one copy a file. It belongs to one thread; a folder that cannot be written is told once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saved: dict[str, str] = {}
        self._complained = False

    def load(self) -> dict[str, str]:
        """File -> text of every undamaged copy; damaged ones are told and left out."""
        texts: dict[str, str] = {}
        left = MAX_BYTES
        for path in self._list():
            data = _read(path, left)
            if data is None:
                continue
            left -= len(data)
            found = _open_copy(data, path.name)
            if found is None:
                log.warning("the copy %s is damaged and of no use", path)
            else:
                texts[found[0]] = found[1]
        self._saved = dict(texts)
        return texts

    def save(self, texts: Mapping[str, str]) -> None:
        """Makes the folder hold these texts and no others, each replaced in one step."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            kept = self._write_changed(texts)
            for path in self._list():
                if path.name not in kept:
                    path.unlink(missing_ok=True)
            _sync(self._folder)
        except OSError as error:
            if not self._complained:
                log.warning("last good versions cannot be kept in %s: %s", self._folder, error.strerror)
            self._complained = True
        else:
            self._complained = False

    def _path_of(self, file: str) -> Path:
        return self._folder / _copy_name(file)

    def _list(self) -> list[Path]:
        try:
            with os.scandir(self._folder) as entries:
                names = sorted(entry.name for entry in islice(entries, MAX_COPIES) if _COPY_NAME.fullmatch(entry.name))
        except OSError:
            return []
        return [self._folder / name for name in names]

    def _write_changed(self, texts: Mapping[str, str]) -> set[str]:
        """The names of the copies that are to stay."""
        kept = set()
        left = MAX_BYTES
        for file, text in texts.items():
            data = _make_copy(file, text)
            left -= len(data)
            if left < 0:
                log.warning("more than %d MiB of intent files: the rest has no last good version", MAX_BYTES >> 20)
                break
            path = self._path_of(file)
            kept.add(path.name)
            if self._saved.get(file) != text or not path.exists():
                self._saved.pop(file, None)
                _replace(path, data)
                self._saved[file] = text
        return kept


def _make_copy(file: str, text: str) -> bytes:
    body = text.encode()
    head = json.dumps({"file": file, "sha256": hashlib.sha256(body).hexdigest()})
    return f"# {head}\n".encode() + body


def _open_copy(data: bytes, name: str) -> tuple[str, str] | None:
    """The file and its text; None where the copy is not as it was written, or lies under another name."""
    head, _, body = data.partition(b"\n")
    try:
        known = json.loads(head.removeprefix(b"# "))
        file, digest = str(known["file"]), known["sha256"]
        text = body.decode()
        right_name = _copy_name(file) == name
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not right_name or hashlib.sha256(body).hexdigest() != digest:
        return None
    return file, text


def _copy_name(file: str) -> str:
    return hashlib.sha256(os.fsencode(file)).hexdigest()[:32]


def _read(path: Path, most_bytes: int) -> bytes | None:
    if path.name.endswith(".new"):
        return None
    try:
        data = read_regular(path, most_bytes)
    except OSError as error:
        log.warning("the copy %s cannot be read: %s", path, error.strerror)
        return None
    return data if len(data) <= most_bytes else None


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
