"""Files of rows -> sentences with what they should give in this house; a line that is no row is said and left out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeGuard

from edged.errors import UsageError
from edged.eval.slurp import LANG, NOT_HERE, Slurp, allows
from edged.intents.accept import intent_validator
from edged.intents.catalog import Catalog
from edged.types import SlotValue

MAX_LINE_BYTES: Final = 1 << 16
"""Of one row: a hundred times an utterance."""
MAX_ROWS: Final = 200_000
"""Of all files: an hour and more at 20 ms a row."""

IntentObject: TypeAlias = Mapping[str, SlotValue]
"""An intent as its schema describes it, and perhaps its delay."""
DELAY: Final = "delay_s"
"""The key of an intent's delay in seconds."""

_FORM: Final = 'a row is {"text": "...", "lang": "en", "expect": [{"intent": "...", ...}]}'


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence and what it should give."""

    text: str
    lang: str
    expect: tuple[IntentObject, ...]
    """In the order in which they are said; none where it is no command."""
    kind: str
    """What the file calls it, else what it means: such rows are counted together."""
    file: str = ""
    line: int = 0
    """1-based; 0 where it comes of no file."""
    slots_known: bool = True
    """Whether `expect` names every slot; else only what it names is compared."""


@dataclass(frozen=True, slots=True)
class Read:
    """What some files hold."""

    rows: tuple[Row, ...]
    faults: tuple[str, ...]
    """Of each line that is no row: file, line and why."""


class RowError(ValueError):
    """Why something is no row."""


def read_rows(paths: Iterable[Path], catalog: Catalog, lang: str) -> Read:
    """The rows of files, as this house should take them.

    Args:
        paths: files of JSON lines: {"text", "lang", "expect"}, perhaps with "kind", or rows as SLURP has them.
        catalog: what can be said.
        lang: the language of rows that name none.

    Raises:
        UsageError: a file cannot be read, or they hold too many rows.
    """
    slurp, rows, faults = Slurp(catalog), list[Row](), list[str]()
    for path in paths:
        for number, line in _lines(path):
            try:
                rows.append(for_house(_row(line, str(path), number, slurp, lang), catalog))
            except RowError as error:
                faults.append(f"{path}:{number}: {error}")
            if len(rows) > MAX_ROWS:
                raise UsageError(f"more than {MAX_ROWS} rows", where=str(path), remedy="give a part of them")
    return Read(tuple(rows), tuple(faults))


def for_house(row: Row, catalog: Catalog) -> Row:
    """The row as this house should take it: what names an intent, area or device that it lacks is to be refused.

    Raises:
        RowError: no house allows what it expects.
    """
    if any(_is_lacking(intent, catalog) for intent in row.expect):
        return replace(row, expect=(), kind=NOT_HERE, slots_known=True)
    for intent in row.expect if row.slots_known else ():
        name = str(intent["intent"])
        error = next(intent_validator(catalog, name).iter_errors(_at_once(intent)), None)
        if error is not None:
            raise RowError(f'what it expects is no intent "{name}": {error.message}')
    return row


def _at_once(intent: IntentObject) -> IntentObject:
    return {key: value for key, value in intent.items() if key != DELAY}


def _is_lacking(intent: IntentObject, catalog: Catalog) -> bool:
    file = catalog.intents.get(str(intent["intent"]))
    if file is None:
        return True
    return any(not allows(file, slot, intent[slot]) for slot in file.homes if slot in intent)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, each with its number; of a longer one, its beginning."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                rest = line
                while rest and not rest.endswith(b"\n"):
                    rest = file.readline(MAX_LINE_BYTES)
                if line.strip():
                    yield number, line
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="give a file of JSON lines"
        ) from error


def _row(line: bytes, file: str, number: int, slurp: Slurp, lang: str) -> Row:
    if len(line) > MAX_LINE_BYTES:
        raise RowError(f"longer than {MAX_LINE_BYTES} bytes")
    try:
        row = json.loads(line, parse_constant=_refuse)
        json.dumps(row, ensure_ascii=False).encode()  # halves of surrogates are no text
    except (ValueError, RecursionError) as error:
        raise RowError(f"no JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not row["text"].strip():
        raise RowError(f"no sentence: {_FORM}")
    if "expect" not in row and "scenario" in row:
        expect, kind = slurp.read(row)
        return Row(row["text"], LANG, expect, kind, file, number, slots_known=not expect)
    spoken, meant, named = row.get("lang", lang), row.get("expect"), row.get("kind")
    if not isinstance(spoken, str) or not _is_expectation(meant):
        raise RowError(f"nothing to compare with: {_FORM}")
    return Row(row["text"], spoken, tuple(meant), named if isinstance(named, str) else kind_of(meant), file, number)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_expectation(value: Any) -> TypeGuard[list[IntentObject]]:  # noqa: ANN401 - what a file holds
    return isinstance(value, list) and all(
        isinstance(intent, dict) and isinstance(intent.get("intent"), str) for intent in value
    )


def kind_of(expect: Sequence[IntentObject]) -> str:
    """What rows of this meaning are called."""
    return " and ".join(str(intent["intent"]) for intent in expect) or "no command"
