"""Rows -> what a parser makes of them, and the counts of what was right."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from edged.eval.rows import DELAY, IntentObject, Row
from edged.intents.catalog import Catalog
from edged.types import AnsweredBy, Intent, Rejected, SlotValue, Utterance
from edged.understand.parser import Understanding

Verdict: TypeAlias = Literal["right", "wrongly refused", "acted wrongly", "false accept"]
"""False accept: acted where nothing was to be done. Acted wrongly: something was, and it did something else."""

TIMED: Final[frozenset[AnsweredBy]] = frozenset(("example", "model", "nobody"))
"""An answer that was kept from the same words before says nothing of how long it takes."""


class Understands(Protocol):
    """What is measured: a parser whose `min_confidence` is 0, so that any threshold can be looked at afterwards."""

    def parse(self, utterance: Utterance) -> Understanding:
        """The meaning of an utterance."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was made of a sentence, however unsure."""

    intents: tuple[IntentObject, ...]
    confidence: float
    """0..1; 1 where no model was asked."""
    answered_by: AnsweredBy
    latency_ms: float
    refused: str = ""
    """Why there are no intents."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A row and what was made of it."""

    row: Row
    answer: Answer

    @property
    def matches(self) -> bool:
        """Whether the intents are the expected ones, whatever the confidence."""
        return _matches(self.row, self.answer.intents)

    def acted(self, min_confidence: float) -> tuple[IntentObject, ...]:
        """What is done under a threshold."""
        return self.answer.intents if self.answer.confidence >= min_confidence else ()

    def verdict(self, min_confidence: float) -> Verdict:
        """What the answer is worth under a threshold."""
        acted = self.acted(min_confidence)
        if _matches(self.row, acted):
            return "right"
        if not acted:
            return "wrongly refused"
        return "acted wrongly" if self.row.expect else "false accept"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of rows under a threshold."""

    rows: int
    expecting: int
    """Rows that expect an intent; the others are to be refused."""
    known: int
    """Rows whose expectation names every slot."""
    exact: int
    """Of these: all as expected."""
    intent: int
    """Rows with the expected intents, whatever the slots."""
    required: int
    """Of those: with the required slots right as well, such as what is to be done."""
    slots_right: int
    """Slots with the expected value, in known rows."""
    slots_wrong: int
    """Slots that nobody expected, or with another value."""
    slots_missed: int
    """Expected slots that are not there, or have another value."""
    false_accepts: int
    """Of rows that expect nothing: acted upon."""
    wrongly_refused: int
    """Of rows that expect something: not acted upon."""
    acted_wrongly: int
    """Of rows that expect something: acted upon in another way."""
    median_ms: float
    p95_ms: float

    @property
    def slot_scores(self) -> tuple[float, float, float] | None:
        """Precision, recall and F1 of the slots; None where there is none to be right or wrong."""
        if not self.slots_right + self.slots_wrong + self.slots_missed:
            return None
        precision = share(self.slots_right, self.slots_right + self.slots_wrong)
        recall = share(self.slots_right, self.slots_right + self.slots_missed)
        f1 = share(2 * self.slots_right, 2 * self.slots_right + self.slots_wrong + self.slots_missed)
        return precision, recall, f1

    def as_json(self) -> dict[str, Any]:
        """The counts, with the shares that follow from them."""
        precision, recall, f1 = self.slot_scores or (None, None, None)
        return {
            **asdict(self),
            "exact_share": share(self.exact, self.known),
            "intent_share": share(self.intent, self.rows),
            "slot_precision": precision,
            "slot_recall": recall,
            "slot_f1": f1,
        }


def score(rows: Sequence[Row], parser: Understands) -> Iterator[Scored]:
    """Each row with its answer, one after the other.

    Raises:
        ModelError: the model failed.
    """
    for number, row in enumerate(rows):
        understood = parser.parse(Utterance(f"eval-{number}", row.text, row.lang, 1.0, 0, 0, "eval"))
        outcome, refused = understood.outcome, ""
        intents: tuple[IntentObject, ...] = ()
        if isinstance(outcome, Rejected):
            refused = outcome.reason
        else:
            intents = tuple(_object(intent) for intent in outcome)
        yield Scored(
            row, Answer(intents, understood.confidence, understood.answered_by, understood.duration_ms, refused)
        )


def tally(scored: Sequence[Scored], catalog: Catalog, min_confidence: float) -> Tally:
    """The counts of all rows under a threshold."""
    verdicts = Counter(one.verdict(min_confidence) for one in scored)
    known = [one for one in scored if one.row.slots_known]
    named = [one for one in scored if _names(one.row.expect) == _names(one.acted(min_confidence))]
    right, wrong, missed = _count_slots(known, min_confidence)
    times = sorted(one.answer.latency_ms for one in scored if one.answer.answered_by in TIMED)
    return Tally(
        rows=len(scored),
        expecting=sum(bool(one.row.expect) for one in scored),
        known=len(known),
        exact=sum(one.verdict(min_confidence) == "right" for one in known),
        intent=len(named),
        required=sum(_has_required(one, catalog, min_confidence) for one in named),
        slots_right=right,
        slots_wrong=wrong,
        slots_missed=missed,
        false_accepts=verdicts["false accept"],
        wrongly_refused=verdicts["wrongly refused"],
        acted_wrongly=verdicts["acted wrongly"],
        median_ms=round(quantile(times, 0.5), 2),
        p95_ms=round(quantile(times, 0.95), 2),
    )


def tally_by(
    scored: Sequence[Scored], key: Callable[[Row], str], catalog: Catalog, min_confidence: float
) -> dict[str, Tally]:
    """The counts of the rows of each key, by key."""
    groups: dict[str, list[Scored]] = {}
    for one in scored:
        groups.setdefault(key(one.row), []).append(one)
    return {name: tally(groups[name], catalog, min_confidence) for name in sorted(groups)}


def share(count: int, of: int) -> float:
    """The part that they are; 1 of none."""
    return count / of if of else 1.0


def quantile(ordered: Sequence[float], part: float) -> float:
    """The least of the ordered values that `part` of them do not exceed; 0 of none."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0


def _object(intent: Intent) -> IntentObject:
    later = {DELAY: intent.delay_s} if intent.delay_s else {}
    return {"intent": intent.name, **intent.slots, **later}


def _matches(row: Row, acted: Sequence[IntentObject]) -> bool:
    if len(acted) != len(row.expect):
        return False
    for expected, got in zip(row.expect, acted, strict=True):
        if row.slots_known and expected.keys() != got.keys():
            return False
        if any(slot not in got or not _same(value, got[slot]) for slot, value in expected.items()):
            return False
    return True


def _has_required(one: Scored, catalog: Catalog, min_confidence: float) -> bool:
    for expected, got in zip(one.row.expect, one.acted(min_confidence), strict=True):
        file = catalog.intents[str(expected["intent"])]
        for slot in file.schema["required"]:
            if slot in expected and not (slot in got and _same(expected[slot], got[slot])):
                return False
    return True


def _count_slots(scored: Sequence[Scored], min_confidence: float) -> tuple[int, int, int]:
    """Slots right, wrong and missed; a slot counts by its intent, its name and its value."""
    right = wrong = missed = 0
    for one in scored:
        expected, got = _slots(one.row.expect), _slots(one.acted(min_confidence))
        common = (expected & got).total()
        right, wrong, missed = right + common, wrong + got.total() - common, missed + expected.total() - common
    return right, wrong, missed


def _slots(intents: Sequence[IntentObject]) -> Counter[tuple[SlotValue, str, str]]:
    return Counter(
        (intent["intent"], slot, _text(value))
        for intent in intents
        for slot, value in intent.items()
        if slot != "intent"
    )


def _names(intents: Sequence[IntentObject]) -> list[SlotValue]:
    return [intent["intent"] for intent in intents]


def _same(one: SlotValue, other: SlotValue) -> bool:
    return _text(one) == _text(other)


def _text(value: SlotValue) -> str:
    """The same text for the same JSON value: 20 and 20.0 are one, 1 and true are not."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
