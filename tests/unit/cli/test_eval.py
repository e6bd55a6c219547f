"""edged eval as a person or a script meets it: the real program, the real model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edged.cli import main
from tests.unit.eval.test_slurp import an_intent

ROWS = [
    {"text": "turn on the kitchen light", "expect": [{"intent": "light", "action": "on", "area": "kitchen"}]},
    {"text": "turn on the kitchen light", "expect": [{"intent": "light", "action": "off"}], "kind": "wrong on purpose"},
    {"text": "거실 불을 켜 줘", "lang": "ko", "expect": [{"intent": "light", "action": "on", "area": "living_room"}]},
    {"text": "who won the match last night", "expect": []},
    {"text": "brew the coffee", "expect": [{"intent": "coffee", "action": "brew"}]},
    {"text": "turn off the lights", "scenario": "iot", "action": "hue_lightoff", "entities": []},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps(row) for row in ROWS]
    path.write_text("\n".join([*lines[:2], "{oops", *lines[2:]]) + "\n", encoding="utf-8")
    return path


def evaluate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edged", "eval", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, text=True)


@pytest.mark.model
def test_everything_is_printed_as_json(rows: Path) -> None:
    done = evaluate(rows, "--json")
    assert done.returncode == 0, done.stderr
    assert f"left out: {rows}:3: no JSON" in done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    whole = printed["all"]["all"]
    assert (whole["rows"], whole["expecting"], whole["acted_wrongly"], whole["false_accepts"]) == (6, 4, 1, 0)
    assert whole["median_ms"] > 0
    assert printed["languages"]["ko"]["exact"] == 1
    assert printed["kinds"]["not in this house"]["exact"] == 1
    assert printed["kinds"]["hue_lightoff"]["required"] == 1
    (error,) = printed["errors"]
    assert (error["kind"], error["verdict"], error["line"]) == ("wrong on purpose", "acted wrongly", 2)


@pytest.mark.model
def test_an_intent_that_is_added_is_no_longer_to_be_refused(rows: Path, tmp_path: Path) -> None:
    added = tmp_path / "coffee.json"
    added.write_text(json.dumps(an_intent("coffee", ["brew", "stop"])))
    printed = json.loads(evaluate(rows, "--json", "--also", added).stdout)
    assert "not in this house" not in printed["kinds"]
    assert printed["kinds"]["coffee"]["exact"] == 1


@pytest.mark.model
def test_a_person_gets_a_table_and_the_errors(rows: Path) -> None:
    done = evaluate(rows, "--errors")
    assert done.returncode == 0, done.stderr
    assert "languages: ko" in done.stdout
    assert (
        "turn on the kitchen light\n  expected light action=off\n  got      light action=on area=kitchen" in done.stdout
    )


@pytest.mark.model
def test_talk_is_counted_by_the_hour() -> None:
    printed = json.loads(evaluate("--talk", "12", "--json").stdout)
    talk = printed["talk"]
    assert talk["sentences"] == 12
    assert talk["false_accepts"] == len(printed["errors"])
    assert talk["per_hour"] <= talk["per_hour_at_most"]
    assert "all" not in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to measure"),
        (["{tmp}/none.jsonl"], "cannot be read"),
        (["{tmp}/empty.jsonl"], "no row"),
        (["{tmp}/empty.jsonl", "--also", "{tmp}/none.json"], "no such file"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    assert main(["eval", *(argument.format(tmp=tmp_path) for argument in arguments)]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["--confidence=1.5", "--confidence=nan", "--confidence=x", "--talk=0", "--talk=10e9"])
def test_numbers_that_are_none_are_refused(wrong: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["eval", "rows.jsonl", wrong])
    assert ended.value.code == 2
