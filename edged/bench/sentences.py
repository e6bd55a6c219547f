"""What is said to every path: our own sentences, or those of files.

Of ours, the first eight are commands that examples spell out; the others are commands in free words, and no commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edged.errors import UsageError

MAX_FILE_BYTES: Final = 16 << 20
"""100,000 sentences; more take days."""


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """Something said, and what it means where that is known; equal to itself alone."""

    text: str
    lang: str
    expect: tuple[Mapping[str, Any], ...] | None
    """The intents, as their schemas describe them; None where nobody wrote them down."""

    @property
    def count(self) -> int:
        """How many intents it has; 0 where nobody wrote them down."""
        return len(self.expect or ())


def read_sentences(path: Path, lang: str) -> Sequence[Sentence]:
    """The rows of a file: JSON lines with `text`, and perhaps `lang` and `expect`.

    Args:
        path: the file.
        lang: the language of rows that name none.

    Raises:
        UsageError: it cannot be read, has no row, or a row is not such a row.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"larger than {MAX_FILE_BYTES} bytes", where=str(path), remedy="give a part of it")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(path), remedy="give a file of JSON lines") from error
    rows = [_sentence(line, f"{path}:{number}", lang) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise UsageError("it has no sentence", where=str(path), remedy='a row is {"text": "...", "expect": [...]}')
    return rows


def read_all(paths: Iterable[Path], lang: str) -> Sequence[Sentence]:
    """The rows of all files; our own sentences where there is none."""
    return [row for path in paths for row in read_sentences(path, lang)] or SENTENCES


def _sentence(line: str, where: str, lang: str) -> Sentence:
    wrong = UsageError("no sentence", where=where, remedy='a row is {"text": "...", "lang": "en", "expect": [...]}')
    try:
        row = json.loads(line)
    except ValueError as error:
        raise wrong from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise wrong
    spoken, expect = row.get("lang", lang), row.get("expect")
    is_list = isinstance(expect, list) and all(isinstance(intent, dict) for intent in expect)
    if not isinstance(spoken, str) or not (expect is None or is_list):
        raise wrong
    return Sentence(row["text"], spoken, None if expect is None else tuple(expect))


SENTENCES: Final = read_sentences(Path(__file__).parent / "sentences.jsonl", "en")
