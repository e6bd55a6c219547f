"""A parser that answers what it was told to, and rows to ask it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edged.eval.rows import Row
from edged.eval.score import Scored, score
from edged.types import AnsweredBy, Intent, Rejected, Utterance
from edged.understand.parser import Understanding

ON = {"intent": "light", "action": "on"}
OFF = {"intent": "light", "action": "off"}
KITCHEN_ON = {**ON, "area": "kitchen"}
HALL_ON = {**ON, "area": "hall"}


class FakeParser:
    """Answers from a table: text -> intents and how sure they are."""

    def __init__(self, answers: Mapping[str, tuple[list[dict[str, Any]], float]]) -> None:
        self._answers = answers
        self.answered_by: AnsweredBy = "model"
        self.asked: list[Utterance] = []

    def parse(self, utterance: Utterance) -> Understanding:
        self.asked.append(utterance)
        objects, confidence = self._answers[utterance.text]
        intents = tuple(
            Intent(utterance.id, one["intent"], {k: v for k, v in one.items() if k != "intent"}, confidence, 1.0)
            for one in objects
        )
        outcome = intents or Rejected(utterance.id, "understand", "no command in this")
        return Understanding(outcome, confidence, self.answered_by, 1, 3, 2, 10.0 * len(self.asked))


def row(text: str, *expect: dict[str, Any], lang: str = "en", kind: str = "any", slots_known: bool = True) -> Row:
    return Row(text, lang, expect, kind, "rows.jsonl", 1, slots_known)


def scored(*answered: tuple[Row, list[dict[str, Any]], float]) -> list[Scored]:
    """Rows with what a parser makes of them; each row needs a text of its own."""
    parser = FakeParser({one.text: (got, confidence) for one, got, confidence in answered})
    return list(score([one for one, _, _ in answered], parser))
