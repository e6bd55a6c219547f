import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.model


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edged", "bench", *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Two sentences that no example says."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "who won the match last night", "expect": []}\n{"text": "tell me a story"}\n')
    return path


def _printed(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def test_the_bench_of_the_core_prints_the_rows_of_the_contract() -> None:
    rows = _printed(_bench("core", "--json", "--limit", "5"))["rows"]
    assert {row["catalogue"] for row in rows} == {"union", "forty", "grounded"}
    for row in rows:
        assert list(row) == [
            "engine", "model", "catalogue", "pick_us_median", "pick_us_p99", "compile_ms", "start_ms", "bytes",
        ]  # fmt: skip
    for row in (row for row in rows if row["engine"] == "edged"):
        assert 0 < row["pick_us_median"] <= row["pick_us_p99"]
        assert row["bytes"] > 0


def test_the_bench_of_decoding_prints_rows_and_estimates_for_all_but_the_floor(rows: Path) -> None:
    printed = _printed(_bench("decode", "--json", "--file", str(rows)))
    assert list(printed["rows"][0]) == [
        "path", "exact", "questions", "lm_tokens", "lm_calls", "cpu_ms_median", "wall_ms_median", "wall_ms_q1", "wall_ms_q3",
    ]  # fmt: skip
    paths = [row["path"] for row in printed["rows"]]
    assert [row["path"] for row in printed["estimates"]] == [path for path in paths if path != "floor"] * 2


def test_the_bench_of_commands_prints_the_rows_of_the_contract_and_what_streaming_gains(rows: Path) -> None:
    printed = _printed(_bench("command", "--stream", "--json", "--file", str(rows)))
    assert {"path", "cpu_ms_median", "wall_ms_median", "lm_tokens", "lm_calls"} <= printed["rows"][0].keys()
    assert {"edged", "edged-lm stream", "stock"} <= {row["path"] for row in printed["rows"]}
    assert "edged-lm stream" in {row["path"] for row in printed["gains"]}
    assert "edged-lm stream" in {row["path"] for row in printed["estimates"]}


def test_the_bench_of_growing_catalogs_prints_a_table_for_a_person(rows: Path) -> None:
    done = _bench("command", "--intents", "2,3", "--file", str(rows))
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["intents", "answered_by", "sentences", "cpu_ms_median", "wall_ms_median", "times"]
    assert [line.split()[:3] for line in lines] == [["2", "model", "2"], ["3", "model", "2"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("core", "--model", "none.gguf"),
        ("decode", "--file", "none.jsonl"),
        ("command", "--intents", "2,none"),
        ("command", "--intents", "0"),
        ("command", "--intents", "401"),
    ],
)
def test_what_no_bench_can_measure_is_wrong_use(arguments: tuple[str, ...]) -> None:
    done = _bench(*arguments)
    assert done.returncode == 2
    assert arguments[-1] in done.stderr
