"""labels.jsonl: what a person said that utterances mean. The rows have the form that `edged eval` reads."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edged.config import Lang
from edged.errors import UsageError
from edged.ops.feedback import LABELS_NAME, MAX_TEXT_CHARACTERS, readable
from edged.ops.lines import Bounds, json_line, locked, make_folder, read_lines, replace_lines
from edged.types import SlotValue

logger = logging.getLogger(__name__)

BOUNDS: Final = Bounds(rows=10_000, size_bytes=4 << 20)
"""More than a household ever labels. A person's work never goes by itself: one more is refused."""


class Label(BaseModel):
    """What an utterance means, by a person's word."""

    model_config = ConfigDict(frozen=True)

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)]
    lang: Lang
    expect: tuple[dict[str, SlotValue], ...]
    """The intents as their schemas describe them; none where it is no command."""


def read_labels(folder: Path) -> Iterator[Label]:
    """The labels in their order, one a text and language where `store_label` alone wrote them.

    Lines that are none are told and left out. Whether an intent is still valid is for the reader to see: the catalog
    may have changed since.

    Raises:
        UsageError: the file cannot be read.
    """
    path = folder / LABELS_NAME
    with readable(path):
        lines = read_lines(path, BOUNDS)
    for number, line in lines:
        label = _parse(line)
        if label is None:
            logger.warning("%s:%d is no label: left out", path, number)
        else:
            yield label


def store_label(folder: Path, label: Label) -> None:
    """Adds a label in one step; it takes the place of one for the same words.

    Raises:
        UsageError: the file cannot be written, or is full.
    """
    path = folder / LABELS_NAME
    with readable(path):
        make_folder(folder)
        with locked(folder, waits=True):
            lines = [line for _, line in read_lines(path, BOUNDS) if not _is_about(line, label)]
            size_bytes = path.stat().st_size if path.exists() else 0
            added = json_line(label.model_dump(mode="json")).encode()
            if len(lines) >= BOUNDS.rows or size_bytes + len(added) >= BOUNDS.size_bytes:
                raise UsageError(
                    f"holds {len(lines)} labels and takes no more", where=str(path), remedy="delete lines of it"
                )
            replace_lines(path, [*lines, added])


def _parse(line: bytes) -> Label | None:
    try:
        return Label.model_validate_json(line)
    except ValidationError:
        return None


def _is_about(line: bytes, label: Label) -> bool:
    known = _parse(line)
    return known is not None and (known.text, known.lang) == (label.text, label.lang)
