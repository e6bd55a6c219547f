"""The text of an intent file: read within bounds, parsed strictly, and every JSON pointer's place found again."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, Final

from edged.intents.catalog import Json
from edged.intents.files import NoRegularFileError, read_regular
from edged.intents.suggest import quote, shorten
from edged.intents.syntax import Complaint, explain_syntax

MAX_FILE_BYTES: Final = 512 * 1024
"""The largest shipped intent has 240 kB: six languages with up to five hundred sentences each."""
MAX_DEPTH: Final = 32
"""Nesting of objects and arrays; the deepest shipped file has 7."""
MAX_VALUES: Final = 30_000
"""Objects, lists, texts and numbers in one file: ten languages with 500 sentences of a few slots each."""
MAX_KEY_CHARACTERS: Final = 200
"""Names of slots have at most 64 characters, values that are spoken at most 200."""
MAX_TEXT_CHARACTERS: Final = 2000
"""A description or a pattern; sentences have at most 200 characters."""
MAX_NUMBER_CHARACTERS: Final = 24
"""A number as it is written; 15 digits are what every JSON reader gives back as it was."""
MAX_NUMBER: Final = 1e15
"""The largest whole number that every JSON reader keeps."""
MIN_NUMBER: Final = 1e-9
"""The smallest number that is no zero: finer than anything that a house measures."""

MAX_PLACES: Final = 50
"""Places that are told of what is refused in one text: a file of noise has thousands."""

_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|-?[A-Za-z]+', re.DOTALL
)
_UNPRINTED: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters but tab and line end, invisible marks that hide or turn text, and halves of a character."""


@dataclass(frozen=True, slots=True)
class SourceFault:
    """Why a text cannot be used, and where: 1-based, 0 where it is not known."""

    what: str
    remedy: str
    line: int = 0
    column: int = 0


class SourceError(ValueError):
    """The file holds no JSON that can be used."""

    def __init__(self, *faults: SourceFault) -> None:
        self.faults = faults
        self.line = faults[0].line if faults else 0
        super().__init__("; ".join(fault.what for fault in faults))


class _OddError(ValueError):
    """The JSON holds something that is refused; `_find_oddities` says where."""


def read_source(path: Path) -> str:
    """The file's text, without a byte order mark.

    Raises:
        SourceError: it is no regular file, cannot be read, is too large, or is not UTF-8.
    """
    try:
        data = read_regular(path, MAX_FILE_BYTES)
    except NoRegularFileError as error:
        raise SourceError(SourceFault("is no regular file", "an intent is a text file: move this elsewhere")) from error
    except OSError as error:
        dangling = path.is_symlink() and not path.exists()
        what = "is a link to nothing" if dangling else f"cannot be read: {error.strerror}"
        raise SourceError(SourceFault(what, "check its rights and where it links to, or remove it")) from error
    if len(data) > MAX_FILE_BYTES:
        raise SourceError(SourceFault(f"is larger than {MAX_FILE_BYTES // 1024} KiB", "split it into several intents"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[start : error.start].decode("utf-8", "replace")) + 1
        line = data.count(b"\n", 0, error.start) + 1
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        what = "is UTF-16 text, not UTF-8" if wide else "is not UTF-8 text"
        raise SourceError(SourceFault(what, "save it as UTF-8", line, column)) from error


def parse_source(text: str) -> Json:
    """The JSON value in `text`.

    Raises:
        SourceError: it is no JSON, names a key twice, or holds what is too deep, too large or cannot be shown. One
            fault where the JSON itself is broken, else one for each place.
    """
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_int=_number, parse_float=_number, parse_constant=_refuse
        )
        if _is_plain(value, text):
            return value
    except json.JSONDecodeError as error:
        raise SourceError(_place(text, explain_syntax(text, error))) from error
    except (_OddError, RecursionError):
        pass
    found = [_place(text, complaint) for complaint in itertools.islice(_find_oddities(text), MAX_PLACES)]
    raise SourceError(*(found or [SourceFault("holds more than a file may", "make it smaller", 1, 1)]))


def find_place(text: str, pointer: Sequence[str | int], *, at_key: bool = False) -> tuple[int, int]:
    """The 1-based line and column of what `pointer` names in `text`, or of the nearest value around it."""
    position = _skip(text, 0)
    for index, part in enumerate(pointer):
        place = _enter_object(text, position, part) if text[position] == "{" else _enter_array(text, position, part)
        if place is None:
            break
        key, position = place
        if at_key and index == len(pointer) - 1:
            position = key
    return _line_and_column(text, position)


def printable_path(path: Path) -> str:
    """The path as it can be shown and sent: what is no text in it as escapes."""
    return shorten(str(path).encode("utf-8", "backslashreplace").decode(), 1000)


def _number(text: str) -> int | float:
    reason = _refuse_number(text)
    if reason is not None:
        raise _OddError(reason)
    return float(text) if not text.lstrip("-").isdigit() else int(text)


def _refuse_number(text: str) -> str | None:
    if len(text) > MAX_NUMBER_CHARACTERS:
        return f"a number of more than {MAX_NUMBER_CHARACTERS} characters"
    size = abs(float(text))
    if not math.isfinite(size) or size > MAX_NUMBER:
        return f"{text} is larger than any number that can be kept exactly"
    if size < MIN_NUMBER and text.lower().split("e")[0].strip("-0."):
        return f"{text} is smaller than anything that is measured"
    return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise _OddError("a key twice")
    return table


def _refuse(name: str) -> None:
    raise _OddError(name)


def _is_plain(root: Json, text: str) -> bool:
    """Whether nothing in a value is too deep, too long, too much, or cannot be shown."""
    if _UNPRINTED.search(text):
        return False
    escaped = "\\" in text
    level, count, depth = [root], 0, 0
    while level:
        count += len(level)
        if count > MAX_VALUES or not all(_is_short(value, escaped=escaped) for value in level):
            return False
        holders = [value for value in level if isinstance(value, dict | list)]
        depth += bool(holders)
        if depth > MAX_DEPTH:
            return False
        level = [inner for value in holders for inner in _members(value)]
    return True


def _members(value: Json) -> Iterable[Json]:
    return value.values() if isinstance(value, dict) else value


def _is_short(value: Json, *, escaped: bool) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT_CHARACTERS and not (escaped and _UNPRINTED.search(value))
    if isinstance(value, dict):
        return all(len(key) <= MAX_KEY_CHARACTERS and not (escaped and _UNPRINTED.search(key)) for key in value)
    return True


def _find_oddities(text: str) -> Iterator[Complaint]:
    """Every place of a JSON text that is refused although a JSON reader would take it."""
    yield from _odd_tokens(text)
    for found in _UNPRINTED.finditer(text):
        yield _unprinted(found[0], found.start())


def _odd_tokens(text: str) -> Iterator[Complaint]:
    open_objects: list[set[str] | None] = []
    at_key, count = False, 0
    for token in _TOKEN.finditer(text):
        mark, place = token[0], token.start()
        if mark in "{[":
            open_objects.append(set() if mark == "{" else None)
            if len(open_objects) > MAX_DEPTH:
                yield f"nested more than {MAX_DEPTH} deep", "make it flatter", place
                return
        elif mark in "}]" and open_objects:
            open_objects.pop()
        elif mark[0] == '"':
            yield from _odd_string(mark, place, open_objects[-1] if at_key and open_objects else None, is_key=at_key)
        elif mark not in ",:}]":
            yield from _odd_scalar(mark, place)
        count += mark not in ",:}]" and not (at_key and mark[0] == '"')
        if count > MAX_VALUES:
            yield f"more than {MAX_VALUES} values in one file", "split it into several intents", place
            return
        at_key = mark == "{" or (mark == "," and bool(open_objects) and open_objects[-1] is not None)


def _odd_string(mark: str, place: int, keys: set[str] | None, *, is_key: bool) -> Iterator[Complaint]:
    try:
        value = scanstring(mark, 1, False)[0]
    except json.JSONDecodeError:  # the text is broken further on, too: what is odd before that is said first
        return
    longest = MAX_KEY_CHARACTERS if is_key else MAX_TEXT_CHARACTERS
    if len(value) > longest:
        yield f"a {'key' if is_key else 'text'} of more than {longest} characters", "shorten it", place
    odd = _UNPRINTED.search(value) if "\\" in mark else None
    if odd:
        yield _unprinted(odd[0], place)
    if keys is not None:
        if value in keys:
            yield f"the key {quote(value)} stands twice in one object", "remove or rename one of the two", place
        keys.add(value)


def _odd_scalar(mark: str, place: int) -> Iterator[Complaint]:
    if mark[0] in "-0123456789" and mark[1:2] != "I":
        reason = _refuse_number(mark)
        if reason is not None:
            yield reason, f"write a number from {-MAX_NUMBER:.0e} to {MAX_NUMBER:.0e} with few digits", place
    elif mark not in ("true", "false", "null"):
        yield f"{mark}: JSON has no such number", "write a number with digits", place


def _unprinted(mark: str, place: int) -> Complaint:
    kind = "half of a character" if "\ud800" <= mark <= "\udfff" else "a character that cannot be seen"
    return f"{kind} (U+{ord(mark):04X}) in a text", "remove it", place


def _place(text: str, complaint: Complaint) -> SourceFault:
    what, remedy, position = complaint
    return SourceFault(what, remedy, *_line_and_column(text, position))


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _enter_object(text: str, position: int, key: str | int) -> tuple[int, int] | None:
    position = _skip(text, position + 1)
    while text[position] == '"':
        start = position
        name, position = scanstring(text, position + 1, True)
        position = _skip(text, _skip(text, position) + 1)
        if name == key:
            return start, position
        position = _after(text, position)
        if text[position] == "}":
            break
        position = _skip(text, position + 1)
    return None


def _enter_array(text: str, position: int, index: str | int) -> tuple[int, int] | None:
    if text[position] != "[":
        return None
    position = _skip(text, position + 1)
    count = 0
    while text[position] != "]":
        if str(count) == str(index):
            return position, position
        position = _after(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
        count += 1
    return None


_DECODER: Final = json.JSONDecoder()


def _after(text: str, position: int) -> int:
    return _skip(text, _DECODER.raw_decode(text, position)[1])


def _skip(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position
