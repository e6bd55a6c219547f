"""What an evaluation says, to programs and to people."""

from __future__ import annotations

import json

import pytest

from edged.eval.report import Report, make_report
from edged.eval.talk import talk_rows
from edged.intents.catalog import Catalog
from tests.unit.eval.fakes import HALL_ON, KITCHEN_ON, OFF, ON, row, scored


@pytest.fixture
def report(catalog: Catalog) -> Report:
    answers = scored(
        (row("good", KITCHEN_ON), [KITCHEN_ON], 0.9),
        (row("wrong place", KITCHEN_ON, kind="hard"), [HALL_ON], 0.8),
        (row("unsure", ON), [ON], 0.25),
    )
    talk = scored(*[(one, [OFF], 0.9) for one in talk_rows(["on and off"], "en")])
    return make_report(answers, catalog, 0.5, talk=talk, words_a_minute=3.0, faults=["f:3: no JSON"])


def test_the_json_holds_everything(report: Report) -> None:
    found = json.loads(json.dumps(report.as_json()))
    assert found["min_confidence"] == 0.5
    assert found["all"]["all"]["exact"] == 1
    assert set(found["kinds"]) == {"any", "hard"}
    assert set(found["files"]) == {"rows.jsonl"}
    assert found["languages"]["en"]["rows"] == 3
    assert found["talk"]["false_accepts"] == 1
    assert found["talk"]["per_hour"] == pytest.approx(60.0)
    assert len(found["thresholds"]) == len(found["talk_thresholds"]) == 101
    assert found["calibration"] is None
    assert found["faults"] == ["f:3: no JSON"]
    assert [error["verdict"] for error in found["errors"]] == ["acted wrongly", "wrongly refused", "false accept"]
    assert found["errors"][0]["expect"] == [KITCHEN_ON]
    assert found["errors"][0]["got"] == [HALL_ON]
    assert (found["errors"][1]["got"], found["errors"][1]["refused"]) == ([], "not sure enough: light action=on")


def test_talk_is_not_counted_among_the_rows(report: Report) -> None:
    assert report.groups["all"]["all"].rows == 3


def test_a_person_sees_the_errors_where_asked_for(report: Report) -> None:
    short, long = "\n".join(report.lines(errors=False)), "\n".join(report.lines(errors=True))
    assert "kinds: hard" in short
    assert "1 of 1 sentences taken for a command" in short
    assert "wrong place" not in short
    assert "acted wrongly (0.80): wrong place\n  expected light action=on area=kitchen" in long
    assert "not sure enough: light action=on" in long
