"""Everything that an evaluation found, as JSON and as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from edged.eval.calibrate import Calibration, Point, calibrate, judgements, trade_offs
from edged.eval.score import Scored, Tally, share, tally, tally_by
from edged.eval.talk import TalkRate, rate_talk
from edged.intents.catalog import Catalog

_HEADINGS: Final = (
    "rows", "exact", "intent", "required", "slot P", "slot R", "slot F1", "false accepts", "wrongly refused",
    "acted wrongly", "ms", "p95 ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of some rows under a threshold."""

    min_confidence: float
    groups: Mapping[str, Mapping[str, Tally]]
    """What is counted by -> its value -> counts."""
    errors: tuple[Scored, ...]
    """Rows that went wrong."""
    calibration: Calibration | None
    points: tuple[Point, ...]
    """What every threshold would cost."""
    faults: tuple[str, ...]
    """Lines that are no rows."""
    talk: TalkRate | None
    talk_points: tuple[Point, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything."""
        return {
            "min_confidence": self.min_confidence,
            **{by: {name: one.as_json() for name, one in group.items()} for by, group in self.groups.items()},
            "calibration": asdict(self.calibration) if self.calibration else None,
            "thresholds": [asdict(point) for point in self.points],
            "talk": asdict(self.talk) if self.talk else None,
            "talk_thresholds": [asdict(point) for point in self.talk_points],
            "errors": [error_object(one, self.min_confidence) for one in self.errors],
            "faults": list(self.faults),
        }

    def lines(self, *, errors: bool) -> Iterator[str]:
        """A table, and what else there is to say."""
        if self.groups:
            yield from _table(self.groups)
        if self.calibration is not None:
            yield _describe_calibration(self.calibration)
        if self.talk is not None:
            yield _describe_talk(self.talk)
        for one in self.errors if errors else ():
            yield describe_error(one, self.min_confidence)


def make_report(
    scored: Sequence[Scored],
    catalog: Catalog,
    min_confidence: float,
    *,
    temperature: float = 1.0,
    talk: Sequence[Scored] = (),
    words_a_minute: float = 0.0,
    faults: Sequence[str] = (),
) -> Report:
    """The figures of scored rows.

    Args:
        scored: rows of files.
        catalog: under which they were scored.
        min_confidence: the threshold.
        temperature: that the confidences have seen already.
        talk: rows of ordinary talk, which are counted apart.
        words_a_minute: how fast people talk.
        faults: lines that are no rows.
    """
    groups: dict[str, dict[str, Tally]] = {}
    if scored:
        groups["files"] = tally_by(scored, lambda row: row.file, catalog, min_confidence)
        groups["languages"] = tally_by(scored, lambda row: row.lang, catalog, min_confidence)
        groups["kinds"] = tally_by(scored, lambda row: row.kind, catalog, min_confidence)
        groups["all"] = {"all": tally(scored, catalog, min_confidence)}
    return Report(
        min_confidence=min_confidence,
        groups=groups,
        errors=tuple(one for one in (*scored, *talk) if one.verdict(min_confidence) != "right"),
        calibration=calibrate(judgements(scored), temperature),
        points=trade_offs(scored),
        faults=tuple(faults),
        talk=rate_talk(talk, min_confidence, words_a_minute) if talk else None,
        talk_points=trade_offs(talk),
    )


def error_object(one: Scored, min_confidence: float) -> dict[str, Any]:
    """A row that went wrong, as it is printed with --json."""
    return {
        "file": one.row.file,
        "line": one.row.line,
        "text": one.row.text,
        "lang": one.row.lang,
        "kind": one.row.kind,
        "expect": [dict(intent) for intent in one.row.expect],
        "got": [dict(intent) for intent in one.acted(min_confidence)],
        "confidence": round(one.answer.confidence, 4),
        "verdict": one.verdict(min_confidence),
        "refused": _why(one, min_confidence),
    }


def describe_error(one: Scored, min_confidence: float) -> str:
    """The same for a person."""
    why = _why(one, min_confidence)
    return (
        f"{one.verdict(min_confidence)} ({one.answer.confidence:.2f}): {one.row.text}\n"
        f"  expected {_say_intents(one.row.expect)}\n"
        f"  got      {_say_intents(one.acted(min_confidence))}" + (f" ({why})" if why else "")
    )


def _why(one: Scored, min_confidence: float) -> str:
    """Why nothing was done; empty where something was."""
    if one.acted(min_confidence):
        return ""
    return one.answer.refused or f"not sure enough: {_say_intents(one.answer.intents)}"


def _say_intents(intents: Sequence[Mapping[str, Any]]) -> str:
    said = (
        " ".join([str(intent["intent"]), *(f"{slot}={value}" for slot, value in intent.items() if slot != "intent")])
        for intent in intents
    )
    return "; ".join(said) or "nothing"


def _table(groups: Mapping[str, Mapping[str, Tally]]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [("", *_HEADINGS)]
    for by, group in groups.items():
        rows += [(name if by == "all" else f"{by}: {name}", *_cells(one)) for name, one in group.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        yield "  ".join(cells)


def _cells(one: Tally) -> tuple[str, ...]:
    nothing = one.rows - one.expecting
    return (
        str(one.rows),
        f"{one.exact}/{one.known}",
        f"{one.intent}/{one.rows}",
        f"{one.required}/{one.rows}",
        *(f"{value:.3f}" for value in one.slot_scores or ()),
        *("-" for _ in range(0 if one.slot_scores else 3)),
        f"{one.false_accepts}/{nothing}",
        f"{one.wrongly_refused}/{one.expecting}",
        f"{one.acted_wrongly}/{one.expecting}",
        f"{one.median_ms:.1f}",
        f"{one.p95_ms:.1f}",
    )


def _describe_calibration(calibration: Calibration) -> str:
    return (
        f"confidence of {calibration.answers} answers: error {calibration.error:.3f} at temperature "
        f"{calibration.temperature:.2f}; {calibration.best_error:.3f} at {calibration.best_temperature:.2f}, "
        "which fits best"
    )


def _describe_talk(talk: TalkRate) -> str:
    return (
        f"talk: {talk.false_accepts} of {talk.sentences} sentences taken for a command "
        f"({share(talk.false_accepts, talk.sentences):.2%}), {talk.per_hour:.2f} in an hour of talk; "
        f"with 95 % certainty at most {talk.per_hour_at_most:.2f} ({talk.hours:.1f} hours)"
    )
