"""How often ordinary talk would be taken for a command: in an hour of it, and how often at most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edged.eval.rows import Row
from edged.eval.score import Scored

KIND: Final = "talk"
CERTAINTY: Final = 0.95
"""That the true rate is not above the bound."""
_HALVINGS: Final = 60
"""Of the range in which the bound is sought: as fine as a float."""


@dataclass(frozen=True, slots=True)
class TalkRate:
    """False accepts of ordinary talk."""

    sentences: int
    hours: float
    """How long it takes to say them."""
    false_accepts: int
    per_hour: float
    per_hour_at_most: float
    """The upper end of the one-sided 95 % confidence interval (Clopper-Pearson); with no false accept at all, three by
    the hours."""


def talk_rows(sentences: Iterable[str], lang: str) -> list[Row]:
    """Sentences of talk as rows that expect nothing."""
    return [Row(text, lang, (), KIND) for text in sentences]


def rate_talk(scored: Sequence[Scored], min_confidence: float, words_a_minute: float) -> TalkRate:
    """How often an hour of such talk would do something."""
    words = sum(len(one.row.text.split()) for one in scored)
    hours = words / words_a_minute / 60
    accepted = sum(one.verdict(min_confidence) == "false accept" for one in scored)
    per_hour = len(scored) / hours
    return TalkRate(len(scored), hours, accepted, accepted / hours, upper_bound(accepted, len(scored)) * per_hour)


def upper_bound(count: int, of: int, certainty: float = CERTAINTY) -> float:
    """The probability that so few of so many are as unlikely with as `certainty` says (Clopper and Pearson, 1934)."""
    if count >= of:
        return 1.0
    low, high = count / of, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(count, of, middle) > 1 - certainty:
            low = middle
        else:
            high = middle
    return high


def _at_most(count: int, of: int, probability: float) -> float:
    """The probability of `count` or fewer of `of`, each with `probability`, which is neither 0 nor 1."""
    log_right, log_wrong = math.log(probability), math.log1p(-probability)
    return math.fsum(
        math.exp(
            math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * log_right + (of - k) * log_wrong
        )
        for k in range(count + 1)
    )
