"""False accepts in an hour of talk."""

from __future__ import annotations

import pytest

from edged.eval.talk import KIND, rate_talk, talk_rows, upper_bound
from tests.unit.eval.fakes import ON, scored


@pytest.mark.parametrize(
    ("count", "of", "bound"),
    [
        (0, 10_000, 2.9953e-4),
        (0, 600, 4.980e-3),
        (1, 600, 7.882e-3),
        (3, 100, 0.075707),
        (5, 10, 0.777559),
        (10, 10, 1.0),
    ],
)
def test_the_bound_is_that_of_clopper_and_pearson(count: int, of: int, bound: float) -> None:
    assert upper_bound(count, of) == pytest.approx(bound, rel=1e-3)


def test_without_a_false_accept_the_bound_is_three_by_the_sentences() -> None:
    assert upper_bound(0, 10_000) == pytest.approx(3 / 10_000, rel=2e-3)


def test_an_hour_is_so_many_words() -> None:
    rows = talk_rows(["one two three four", "five six"], "en")
    assert [(row.expect, row.kind, row.lang) for row in rows] == [((), KIND, "en")] * 2
    rate = rate_talk(scored((rows[0], [ON], 0.9), (rows[1], [ON], 0.3)), 0.5, words_a_minute=2.0)
    assert (rate.sentences, rate.false_accepts) == (2, 1)
    assert rate.hours == pytest.approx(0.05)
    assert rate.per_hour == pytest.approx(20.0)
    assert rate.per_hour_at_most == pytest.approx(upper_bound(1, 2) * 2 / 0.05)
