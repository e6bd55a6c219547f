"""Whether the confidence means what it says: the temperature that makes it so, and what each threshold would cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from edged.eval.score import Scored, share
from edged.understand.confidence import log_odds, temper

BINS: Final = 10
"""Of the reliability table, each as wide as the others."""
STEPS: Final = 100
"""Thresholds from 0 to 1 are looked at in so many steps."""
LEAST_WRONG: Final = 5
"""Fewer wrong answers, or right ones, say nothing of how sure is too sure."""
WARMEST: Final = 100.0
"""Temperatures are sought between this and one by this."""
_GOLDEN: Final = (math.sqrt(5) - 1) / 2

Judgement: TypeAlias = tuple[float, bool]
"""How sure an answer was, and whether it was right."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers of one range of confidence."""

    least: float
    most: float
    answers: int
    confidence: float
    """Their mean."""
    right: float
    """The share of them that was right."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well the confidence of some answers fits how often they were right."""

    answers: int
    temperature: float
    """By which the log-odds were divided already."""
    best_temperature: float
    """With which they would fit best."""
    error: float
    """Expected calibration error: the mean distance of confidence and share of right answers."""
    best_error: float
    """The same at the best temperature."""
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """What one threshold costs."""

    min_confidence: float
    wrongly_accepted: int
    """Rows acted upon otherwise than expected."""
    wrongly_refused: int
    """Rows that expect something, not acted upon."""
    wrongly_accepted_share: float
    """Of all rows."""
    wrongly_refused_share: float
    """Of the rows that expect something."""


def judgements(scored: Sequence[Scored]) -> list[Judgement]:
    """The answers that the threshold decides about: intents that the model wrote."""
    return [
        (one.answer.confidence, one.matches)
        for one in scored
        if one.answer.intents and one.answer.answered_by in ("model", "cache")
    ]


def calibrate(answers: Sequence[Judgement], temperature: float = 1.0) -> Calibration | None:
    """How well the confidences of answers fit; None where they are too few to say.

    Args:
        answers: confidences after `temperature` was applied.
        temperature: what stands in the model's record.
    """
    right = sum(is_right for _, is_right in answers)
    if min(right, len(answers) - right) < LEAST_WRONG:
        return None
    factor = fit_temperature(answers)
    fitted = [(temper(confidence, factor), is_right) for confidence, is_right in answers]
    table = reliability(answers)
    return Calibration(
        answers=len(answers),
        temperature=temperature,
        best_temperature=temperature * factor,
        error=calibration_error(table),
        best_error=calibration_error(reliability(fitted)),
        bins=table,
    )


def fit_temperature(answers: Sequence[Judgement]) -> float:
    """The temperature under which the answers are likeliest to have been right and wrong as they were.

    The likelihood has one peak: it is a logistic regression with one coefficient, 1 by the temperature.
    """

    def loss(log_temperature: float) -> float:
        return log_loss(answers, math.exp(log_temperature))

    low, high = -math.log(WARMEST), math.log(WARMEST)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 1e-5:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
    return math.exp((low + high) / 2)


def log_loss(answers: Sequence[Judgement], temperature: float = 1.0) -> float:
    """The mean negative log-likelihood of what was right and wrong, under a temperature."""
    total = 0.0
    for confidence, is_right in answers:
        odds = log_odds(confidence) / temperature
        # log(1 + exp(x)) without overflow, x being the odds against what came out
        against = -odds if is_right else odds
        total += max(against, 0.0) + math.log1p(math.exp(-abs(against)))
    return total / len(answers)


def reliability(answers: Sequence[Judgement]) -> tuple[Bin, ...]:
    """The answers by confidence; ranges without any are left out."""
    ranges: list[list[Judgement]] = [[] for _ in range(BINS)]
    for confidence, is_right in answers:
        ranges[min(int(confidence * BINS), BINS - 1)].append((confidence, is_right))
    return tuple(
        Bin(
            least=number / BINS,
            most=(number + 1) / BINS,
            answers=len(inside),
            confidence=sum(confidence for confidence, _ in inside) / len(inside),
            right=sum(is_right for _, is_right in inside) / len(inside),
        )
        for number, inside in enumerate(ranges)
        if inside
    )


def calibration_error(table: Sequence[Bin]) -> float:
    """The expected calibration error: distances of confidence and share of right answers, weighed by answers."""
    return sum(abs(row.confidence - row.right) * row.answers for row in table) / sum(row.answers for row in table)


def trade_offs(scored: Sequence[Scored]) -> tuple[Point, ...]:
    """What thresholds from 0 to 1 cost."""
    expecting = sum(bool(one.row.expect) for one in scored)
    points = []
    for step in range(STEPS + 1):
        verdicts = [one.verdict(step / STEPS) for one in scored]
        refused = verdicts.count("wrongly refused")
        accepted = verdicts.count("acted wrongly") + verdicts.count("false accept")
        points.append(
            Point(step / STEPS, accepted, refused, 1 - share(len(scored) - accepted, len(scored)),
                  1 - share(expecting - refused, expecting))
        )  # fmt: skip
    return tuple(points)
