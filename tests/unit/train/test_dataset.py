"""Batches hold every row, and both commands and others at a time."""

from __future__ import annotations

from edged.train.dataset import Row, batches

ROWS = [Row((number,), tuple(range(number % 7 + 2))) for number in range(100)]


def test_every_row_comes_once_before_any_comes_twice() -> None:
    seen = [row for batch in batches(ROWS, 20, 5, seed=1) for part in batch for row in part]
    assert sorted(row.question for row in seen) == sorted(row.question for row in ROWS)


def test_each_batch_has_short_and_long_answers() -> None:
    for batch in batches(ROWS, 20, 8, seed=1):
        lengths = [len(row.answer) for part in batch for row in part]
        assert min(lengths) <= 3
        assert max(lengths) >= 7


def test_the_same_seed_gives_the_same_batches() -> None:
    assert list(batches(ROWS, 20, 8, seed=3)) == list(batches(ROWS, 20, 8, seed=3))
    assert list(batches(ROWS, 20, 8, seed=3)) != list(batches(ROWS, 20, 8, seed=4))
