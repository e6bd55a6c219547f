"""How sure is sure."""

from __future__ import annotations

import math
import random

import pytest

from edged.eval.calibrate import (
    calibrate,
    calibration_error,
    fit_temperature,
    judgements,
    log_loss,
    reliability,
    trade_offs,
)
from edged.eval.score import score
from edged.understand.confidence import EDGE, log_odds, temper
from tests.unit.eval.fakes import OFF, ON, FakeParser, row, scored


def overconfident(temperature: float, count: int = 4000, seed: int = 1) -> list[tuple[float, bool]]:
    """Answers whose log-odds are so many times what they should be."""
    rng = random.Random(seed)
    sure = [rng.uniform(0.05, 0.99) for _ in range(count)]
    return [(temper(true, 1 / temperature), rng.random() < true) for true in sure]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found_again(temperature: float) -> None:
    assert fit_temperature(overconfident(temperature)) == pytest.approx(temperature, rel=0.1)


def test_no_other_temperature_fits_better() -> None:
    answers = overconfident(2.0, count=300)
    best = fit_temperature(answers)
    assert all(log_loss(answers, best) <= log_loss(answers, best * step) for step in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0))


def test_the_loss_is_the_mean_surprise() -> None:
    assert log_loss([(0.8, True), (0.8, False)]) == pytest.approx(-(math.log(0.8) + math.log(0.2)) / 2)
    assert log_loss([(1.0, False)]) == pytest.approx(-math.log(EDGE), rel=1e-6)


def test_the_best_temperature_brings_confidence_and_share_of_right_answers_together() -> None:
    found = calibrate(overconfident(3.0), temperature=1.5)
    assert found is not None
    assert found.best_temperature == pytest.approx(1.5 * 3.0, rel=0.1)
    assert found.best_error < 0.03 < found.error


def test_too_few_wrong_answers_say_nothing() -> None:
    assert calibrate([(0.9, True)] * 1000 + [(0.9, False)] * 4) is None
    assert calibrate([]) is None


def test_the_reliability_table_has_each_answer_once() -> None:
    table = reliability([(0.0, False), (0.91, True), (0.93, False), (1.0, True)])
    assert [(row.least, row.answers) for row in table] == [(0.0, 1), (0.9, 3)]
    assert table[1].confidence == pytest.approx((0.91 + 0.93 + 1) / 3)
    assert table[1].right == pytest.approx(2 / 3)
    assert calibration_error(table) == pytest.approx(3 / 4 * (2.84 / 3 - 2 / 3))


def test_the_threshold_decides_about_what_the_model_wrote_alone() -> None:
    answers = scored((row("a", ON), [ON], 0.8), (row("b"), [OFF], 0.3), (row("c", ON), [], 0.9))
    assert judgements(answers) == [(0.8, True), (0.3, False)]
    parser = FakeParser({"a": ([ON], 1.0)})
    parser.answered_by = "example"
    assert judgements(list(score([row("a", ON)], parser))) == []


def test_a_higher_threshold_refuses_more_and_accepts_less() -> None:
    answers = scored(
        (row("a", ON), [ON], 0.805), (row("b", ON), [OFF], 0.405), (row("c"), [ON], 0.205), (row("d"), [], 1.0)
    )
    points = trade_offs(answers)
    assert [(p.min_confidence, p.wrongly_accepted, p.wrongly_refused) for p in points if p.min_confidence * 10 % 3 == 0]
    at = {point.min_confidence: point for point in points}
    assert (at[0.0].wrongly_accepted, at[0.0].wrongly_refused) == (2, 0)
    assert (at[0.3].wrongly_accepted, at[0.3].wrongly_refused) == (1, 0)
    assert (at[0.5].wrongly_accepted, at[0.5].wrongly_refused) == (0, 1)
    assert (at[1.0].wrongly_accepted, at[1.0].wrongly_refused) == (0, 2)
    assert at[0.0].wrongly_accepted_share == pytest.approx(2 / 4)
    assert at[0.5].wrongly_refused_share == pytest.approx(1 / 2)


@pytest.mark.parametrize("probability", [0.0, 1e-300, 0.1, 1 / 3, 0.99, 1.0])
def test_a_temperature_of_one_changes_nothing_at_all(probability: float) -> None:
    assert temper(probability, 1.0) == probability


def test_warmth_takes_certainty_away_and_keeps_the_order() -> None:
    sure = [0.0, 1e-9, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-9, 1.0]
    warm = [temper(probability, 2.0) for probability in sure]
    assert warm == sorted(warm)
    assert warm[4] == 0.5
    assert warm[5] == pytest.approx(1 / (1 + math.sqrt(3 / 7)))
    assert warm[-1] < 1.0
    assert temper(0.7, 0.5) > 0.7
    assert log_odds(1.0) == pytest.approx(-log_odds(0.0))
