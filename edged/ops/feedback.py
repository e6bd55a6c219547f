"""What was said and not understood, kept on the device for `edged review` where the configuration says so.

Words and what was made of them, never sound. Off by default; `forget` deletes everything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from edged.config import Config, Lang
from edged.errors import UsageError
from edged.ops.lines import NEW_SUFFIX, Bounds, append_lines, json_line, locked, make_folder, read_lines, replace_lines
from edged.types import Intent, Rejected, SlotValue, Utterance

logger = logging.getLogger(__name__)

KEPT_NAME: Final = "feedback.jsonl"
LABELS_NAME: Final = "labels.jsonl"

BOUNDS: Final = Bounds(rows=1000, size_bytes=1 << 20)
"""More than a person labels in an evening, and nothing that a memory card notices."""
MAX_TEXT_CHARACTERS: Final = 500
"""Of an utterance: what is longer is understood by nobody."""
MAX_REASON_CHARACTERS: Final = 300
MAX_LINE_BYTES: Final = 16 << 10
"""Of one utterance with all that was made of it: a few hundred bytes are usual."""
CORRECTION_S: Final = 8.0
"""From the end of an utterance to the start of one that may correct it: the lamp fails to change, the person notices,
says it again."""

Json: TypeAlias = Mapping[str, Any]
Keep: TypeAlias = Callable[[Utterance, Sequence[Intent], Sequence[Rejected]], None]
"""Is told what became of each utterance, on one thread; never raises and never waits."""


class Refusal(BaseModel):
    """Why nothing was done, or not all."""

    model_config = ConfigDict(frozen=True)

    stage: str
    reason: str


class Kept(BaseModel):
    """A line of feedback.jsonl: one utterance."""

    model_config = ConfigDict(frozen=True)

    id: str
    time: str
    """When it was understood or refused: ISO 8601, UTC, seconds."""
    text: str
    lang: Lang
    intents: tuple[dict[str, SlotValue], ...]
    """What was understood, also where it was not done."""
    rejected: Refusal | None
    confidence: float | None
    """0..1, the least of the intents'; None where there is none."""
    follows: str | None = None
    """The id of the utterance that this one probably corrects."""


@dataclass(frozen=True, slots=True)
class _Heard:
    utterance: Utterance
    kept: Kept


class Recorder:
    """Appends utterances to feedback.jsonl; belongs to the thread that understands."""

    def __init__(self, folder: Path, *, keeps_all: bool) -> None:
        """Writes nothing yet.

        Args:
            folder: made at need.
            keeps_all: also what was understood at once; else what was refused or corrected alone.
        """
        self._folder = folder
        self._keeps_all = keeps_all
        self._previous: _Heard | None = None
        """In memory alone, unless it is kept or what follows corrects it."""
        self._complained = False

    def keep(self, utterance: Utterance, intents: Sequence[Intent], rejected: Sequence[Rejected]) -> None:
        """Keeps an utterance, if it is one to be kept; what cannot be written is lost, and told once."""
        previous, self._previous = self._previous, None
        if not 0 < len(utterance.text) <= MAX_TEXT_CHARACTERS:
            return
        try:
            heard = _Heard(utterance, _describe(utterance, intents, rejected))
        except ValidationError:
            logger.debug("utterance %s: no file can hold it", utterance.id)
            return
        rows = []
        if previous is not None and _corrects(heard, previous):
            heard = _Heard(utterance, heard.kept.model_copy(update={"follows": previous.kept.id}))
            rows += [] if self._is_kept(previous.kept) else [previous.kept]
        self._previous = heard
        rows += [heard.kept] if self._is_kept(heard.kept) else []
        lines = [_line(row) for row in rows]
        if lines and all(len(line) <= MAX_LINE_BYTES for line in lines):
            self._append(lines)

    def _is_kept(self, kept: Kept) -> bool:
        return self._keeps_all or kept.rejected is not None or kept.follows is not None

    def _append(self, lines: Sequence[bytes]) -> None:
        try:
            make_folder(self._folder)
            with locked(self._folder, waits=False):
                append_lines(self._folder / KEPT_NAME, lines, BOUNDS)
        except OSError as error:
            if not self._complained:
                logger.warning("utterances cannot be kept in %s: %s", self._folder, error.strerror)
            self._complained = True
        else:
            self._complained = False


def open_feedback(config: Config) -> Keep:
    """What keeps utterances as the configuration says; by default it keeps none and touches no disk."""
    if config.feedback.keep == "none":
        return lambda _utterance, _intents, _rejected: None
    return Recorder(config.feedback_directory, keeps_all=config.feedback.keep == "all").keep


def read_kept(folder: Path) -> list[Kept]:
    """What is kept, the oldest first; broken lines are told and left out.

    Raises:
        UsageError: the file cannot be read.
    """
    path = folder / KEPT_NAME
    with readable(path):
        lines = read_lines(path, BOUNDS)
    rows = []
    for number, line in lines:
        try:
            rows.append(Kept.model_validate_json(line))
        except ValidationError:
            logger.warning("%s:%d is no utterance that edged wrote: left out", path, number)
    return rows


def delete_kept(folder: Path, ids: Collection[str]) -> None:
    """Deletes utterances, and with them the lines that nobody can read.

    Raises:
        UsageError: the file cannot be written.
    """
    path = folder / KEPT_NAME
    with readable(path), locked(folder, waits=True):
        replace_lines(path, [_line(row) for row in read_kept(folder) if row.id not in ids])


def forget(folder: Path) -> bool:
    """Deletes everything that is kept, with all labels; False where there was nothing.

    Raises:
        UsageError: a file cannot be deleted.
    """
    ours = {name + suffix for name in (KEPT_NAME, LABELS_NAME) for suffix in ("", NEW_SUFFIX)}
    with readable(folder):
        if not folder.exists():
            return False
        with locked(folder, waits=True):
            there = ours & {path.name for path in folder.iterdir()}
            for name in there:
                (folder / name).unlink()
    return bool(there)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raises what the system refuses as a UsageError that says what to do."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot be used: {error.strerror}", where=str(path), remedy="run this as the daemon's user, or with sudo"
        ) from error


def _describe(utterance: Utterance, intents: Sequence[Intent], rejected: Sequence[Rejected]) -> Kept:
    """The row of an utterance. That the broker is away says nothing about what was understood.

    Raises:
        ValidationError: it could not be read back, as a text that is no Unicode.
    """
    refusal = next((refused for refused in rejected if refused.stage != "mqtt"), None)
    meant = tuple(intents) or (refusal.meant if refusal is not None else ())
    row = {
        "id": utterance.id,
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "text": utterance.text,
        "lang": utterance.lang,
        "intents": [{"intent": intent.name, **intent.slots} for intent in meant],
        "rejected": refusal and {"stage": refusal.stage, "reason": refusal.reason[:MAX_REASON_CHARACTERS]},
        "confidence": min((round(intent.confidence, 4) for intent in meant), default=None),
    }
    return Kept.model_validate_json(json_line(row))


def _line(kept: Kept) -> bytes:
    return json_line(kept.model_dump(mode="json")).encode()


def _corrects(heard: _Heard, before: _Heard) -> bool:
    """Whether an utterance is the one before said again, so that it is understood."""
    if heard.kept.rejected is not None or not heard.kept.intents:
        return False
    if (heard.utterance.source, heard.kept.lang) != (before.utterance.source, before.kept.lang):
        return False
    if heard.utterance.start_ns - before.utterance.end_ns > CORRECTION_S * 1e9:
        return False
    return (
        before.kept.rejected is not None
        or _differs_in_a_word(heard.kept.text, before.kept.text)
        or _differs_in_a_slot(heard.kept.intents, before.kept.intents)
    )


def _differs_in_a_word(one: str, other: str) -> bool:
    """Whether one word more, one less or another one makes the difference."""
    longer, shorter = sorted((one.casefold().split(), other.casefold().split()), key=len, reverse=True)
    first = next((i for i, (a, b) in enumerate(zip(longer, shorter, strict=False)) if a != b), len(shorter))
    return longer != shorter and longer[first + 1 :] in (shorter[first + 1 :], shorter[first:])


def _differs_in_a_slot(one: Sequence[Json], other: Sequence[Json]) -> bool:
    """Whether as many intents have the same slots but for one value; the name of an intent counts as one."""
    if len(one) != len(other):
        return False
    missing = object()
    pairs = zip(one, other, strict=True)
    slots = [a.get(slot, missing) == b.get(slot, missing) for a, b in pairs for slot in a.keys() | b.keys()]
    return slots.count(False) == 1
