"""How sure an answer is: what the LM gave to its least likely choice, as the probability that the answer is right."""

from __future__ import annotations

import math
from typing import Final

EDGE: Final = 1e-7
"""Probabilities count as at least this far from 0 and 1: that is how fine the LM's own are (32-bit floats)."""


def temper(probability: float, temperature: float) -> float:
    """A probability after its log-odds were divided by a temperature; above 1 takes certainty away.

    Temperature scaling (Guo and others, "On Calibration of Modern Neural Networks", 2017) of a choice between right and
    wrong. The order of probabilities stays as it was.
    """
    return probability if temperature == 1 else 1 / (1 + math.exp(-log_odds(probability) / temperature))


def log_odds(probability: float) -> float:
    """The natural logarithm of the odds: at most 16.1 either way."""
    clipped = min(max(probability, EDGE), 1 - EDGE)
    return math.log(clipped) - math.log1p(-clipped)
