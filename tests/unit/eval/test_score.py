"""What counts as right, and the counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edged.eval.score import quantile, score, tally, tally_by
from edged.intents.catalog import Catalog
from edged.types import Utterance
from edged.understand.parser import Understanding
from tests.unit.eval.fakes import HALL_ON, KITCHEN_ON, OFF, ON, FakeParser, row, scored

WARM = {"intent": "thermostat", "action": "set", "temperature": 20}


def test_each_row_is_asked_once_in_its_language() -> None:
    parser = FakeParser({"a": ([ON], 0.7), "b": ([], 0.9)})
    first, second = score([row("a", ON, lang="ko"), row("b")], parser)
    assert [(said.text, said.lang) for said in parser.asked] == [("a", "ko"), ("b", "en")]
    assert (first.answer.intents, first.answer.confidence, first.answer.latency_ms) == ((ON,), 0.7, 10.0)
    assert (second.answer.intents, second.answer.refused) == ((), "no command in this")


def test_every_wrong_answer_is_wrong_in_one_way() -> None:
    answers = scored(
        (row("right", ON), [ON], 0.9),
        (row("silence"), [], 0.9),
        (row("refused", ON), [], 0.9),
        (row("unsure", ON), [ON], 0.2),
        (row("otherwise", ON), [OFF], 0.9),
        (row("one of two", ON, WARM), [ON], 0.9),
        (row("talk"), [ON], 0.9),
        (row("unsure talk"), [ON], 0.2),
    )
    assert [one.verdict(0.5) for one in answers] == [
        "right", "right", "wrongly refused", "wrongly refused", "acted wrongly", "acted wrongly", "false accept", "right",
    ]  # fmt: skip


def test_a_threshold_takes_an_answer_that_is_just_sure_enough() -> None:
    (one,) = scored((row("x", ON), [ON], 0.5))
    assert one.acted(0.5) == (ON,)
    assert one.acted(0.5000001) == ()


@pytest.mark.parametrize(
    ("expected", "got", "is_right"),
    [
        ([KITCHEN_ON], [KITCHEN_ON], True),
        ([KITCHEN_ON], [ON], False),
        ([ON], [KITCHEN_ON], False),
        ([ON, WARM], [WARM, ON], False),
        ([WARM], [{**WARM, "temperature": 20.0}], True),
        ([{**ON, "quick": True}], [{**ON, "quick": 1}], False),
        ([{**ON, "list": ["a", 1]}], [{**ON, "list": ["a", 1.0]}], True),
    ],
)
def test_an_answer_is_right_where_all_of_it_is(
    expected: list[dict[str, object]], got: list[dict[str, object]], is_right: bool
) -> None:
    (one,) = scored((row("x", *expected), got, 1.0))
    assert one.matches == is_right


def test_slots_that_nobody_knows_are_not_compared() -> None:
    (one,) = scored((row("x", ON, slots_known=False), [KITCHEN_ON], 1.0))
    assert one.matches
    (other,) = scored((row("x", KITCHEN_ON, slots_known=False), [ON], 1.0))
    assert not other.matches


def test_a_delay_is_a_part_of_what_is_right() -> None:
    class LaterParser(FakeParser):
        def parse(self, utterance: Utterance) -> Understanding:
            understood = super().parse(utterance)
            assert isinstance(understood.outcome, tuple)
            return replace(understood, outcome=(replace(understood.outcome[0], delay_s=600.0),))

    rows = [row("x", {**ON, "delay_s": 600}), row("x", ON), row("x", {**ON, "delay_s": 60})]
    verdicts = [one.verdict(0.5) for one in score(rows, LaterParser({"x": ([ON], 0.9)}))]
    assert verdicts == ["right", "acted wrongly", "acted wrongly"]


def test_the_counts_of_rows_add_up(catalog: Catalog) -> None:
    answers = scored(
        (row("a", KITCHEN_ON), [KITCHEN_ON], 0.9),
        (row("b", KITCHEN_ON), [HALL_ON], 0.9),
        (row("c", ON), [OFF], 0.9),
        (row("d", WARM), [ON], 0.9),
        (row("e", ON), [ON], 0.1),
        (row("f", ON, slots_known=False), [KITCHEN_ON], 0.9),
        (row("g"), [ON], 0.9),
        (row("h"), [], 0.9),
    )
    found = tally(answers, catalog, 0.5)
    assert (found.rows, found.expecting, found.known) == (8, 6, 7)
    assert found.exact == 2  # a, h; f is right as far as it is known
    assert found.intent == 5  # a, b, c, f, h
    assert found.required == 4  # of these all but c
    assert (found.false_accepts, found.wrongly_refused, found.acted_wrongly) == (1, 1, 3)
    # right: a's two, b's action; wrong: b's area, c's, d's and g's action; missed: b's area, c's action, d's two, e's
    assert (found.slots_right, found.slots_wrong, found.slots_missed) == (3, 4, 5)
    assert found.slot_scores == pytest.approx((3 / 7, 3 / 8, 6 / 15))
    assert found.as_json()["exact_share"] == pytest.approx(2 / 7, abs=1e-5)


def test_without_rows_nothing_is_wrong(catalog: Catalog) -> None:
    found = tally([], catalog, 0.5)
    assert found.slot_scores is None
    assert (found.rows, found.median_ms) == (0, 0.0)


def test_rows_are_counted_by_what_they_are_told_apart_by(catalog: Catalog) -> None:
    answers = scored((row("a", ON, lang="ko"), [ON], 1.0), (row("b"), [], 1.0), (row("c"), [ON], 1.0))
    found = tally_by(answers, lambda one: one.lang, catalog, 0.5)
    assert {lang: (one.rows, one.exact) for lang, one in found.items()} == {"en": (2, 1), "ko": (1, 1)}


def test_quantiles_are_values_that_were_measured(catalog: Catalog) -> None:
    assert quantile([], 0.5) == 0.0
    assert quantile([3.0], 0.95) == 3.0
    assert quantile([float(value) for value in range(1, 101)], 0.95) == 95.0
    found = tally(scored(*[(row(str(number)), [], 1.0) for number in range(20)]), catalog, 0.5)
    assert (found.median_ms, found.p95_ms) == (100.0, 190.0)


def test_answers_that_were_kept_say_nothing_of_time(catalog: Catalog) -> None:
    parser = FakeParser({"a": ([], 1.0)})
    parser.answered_by = "cache"
    assert tally(list(score([row("a")], parser)), catalog, 0.5).median_ms == 0.0
