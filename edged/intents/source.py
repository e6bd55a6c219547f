"""The text of an intent file: read within bounds, parsed strictly, and every JSON pointer's line found again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, Final

from edged.intents.catalog import Json

MAX_FILE_BYTES: Final = 256 * 1024
"""The largest shipped intent has 9 kB; ten languages with a hundred sentences each come to about 150 kB."""
MAX_DEPTH: Final = 32
"""Nesting of objects and arrays; the deepest shipped file has 7."""

_BLANKS: Final = re.compile(r"[ \t\r\n]*")


class SourceError(ValueError):
    """The file holds no JSON that can be used; `line` is 1-based, 0 where it is not known."""

    def __init__(self, what: str, line: int = 0) -> None:
        self.line = line
        super().__init__(what)


def read_source(path: Path) -> str:
    """The file's text.

    Raises:
        SourceError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise SourceError(f"is larger than {MAX_FILE_BYTES // 1024} KiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError("is not UTF-8 text", data[: error.start].count(b"\n") + 1) from error


def parse_source(text: str) -> Json:
    """The JSON value in `text`.

    Raises:
        SourceError: it is no JSON, names a key twice, holds NaN or Infinity, or is nested too deeply.
    """
    _check_depth(text)
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise SourceError(f"is not valid JSON: {error.msg}", error.lineno) from error
    except SourceError:
        raise
    except ValueError as error:
        raise SourceError(f"is not valid JSON: {error}") from error


def find_line(text: str, pointer: Sequence[str | int]) -> int:
    """The 1-based line of the value that `pointer` names in the JSON `text`, or of the nearest one around it."""
    position = _skip(text, 0)
    for part in pointer:
        inner = _enter_object(text, position, part) if text[position] == "{" else _enter_array(text, position, part)
        if inner is None:
            break
        position = inner
    return text.count("\n", 0, position) + 1


def _enter_object(text: str, position: int, key: str | int) -> int | None:
    position = _skip(text, position + 1)
    while text[position] == '"':
        name, position = scanstring(text, position + 1, True)
        position = _skip(text, _skip(text, position) + 1)
        if name == key:
            return position
        position = _after(text, position)
        if text[position] == "}":
            break
        position = _skip(text, position + 1)
    return None


def _enter_array(text: str, position: int, index: str | int) -> int | None:
    if text[position] != "[":
        return None
    position = _skip(text, position + 1)
    count = 0
    while text[position] != "]":
        if str(count) == str(index):
            return position
        position = _after(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
        count += 1
    return None


def _after(text: str, position: int) -> int:
    return _skip(text, json.JSONDecoder().raw_decode(text, position)[1])


def _skip(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _check_depth(text: str) -> None:
    depth = 0
    for mark in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{\]}\n]', text):
        if mark[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise SourceError(f"is nested more than {MAX_DEPTH} deep", text.count("\n", 0, mark.start()) + 1)
        elif mark[0] in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise SourceError(f'names the key "{key}" twice')
        table[key] = value
    return table


def _refuse_constant(name: str) -> None:
    raise SourceError(f"holds {name}, which is no JSON")
