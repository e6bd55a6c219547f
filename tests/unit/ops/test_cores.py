from __future__ import annotations

import os
from pathlib import Path

import pytest

from edged.ops.cores import busy_s, usable_cores


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of four cores whose control groups set no limit."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1, 2, 3})
    (tmp_path / "own").write_text("3:cpuset:/\n0::/house/edged.service\n")
    (tmp_path / "house" / "edged.service").mkdir(parents=True)
    return tmp_path


def test_without_a_quota_all_cores_of_the_affinity_count(groups: Path) -> None:
    assert usable_cores(groups / "own", groups) == 4
    assert usable_cores(groups / "none", groups / "none") == 4


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", 4), ("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1), ("900000 100000", 4)],
)
def test_a_quota_leaves_its_whole_cores(groups: Path, quota: str, cores: int) -> None:
    (groups / "house" / "edged.service" / "cpu.max").write_text(quota + "\n")
    assert usable_cores(groups / "own", groups) == cores


def test_the_quota_of_a_group_above_counts_too(groups: Path) -> None:
    (groups / "house" / "edged.service" / "cpu.max").write_text("300000 100000\n")
    (groups / "house" / "cpu.max").write_text("200000 100000\n")
    assert usable_cores(groups / "own", groups) == 2


def test_in_a_container_the_group_that_is_mounted_counts(groups: Path) -> None:
    (groups / "cpu.max").write_text("100000 100000\n")
    for own in ("0::/\n", "0::/../../elsewhere\n"):
        (groups / "own").write_text(own)
        assert usable_cores(groups / "own", groups) == 1


@pytest.mark.parametrize("text", ["", "1", "a b", "1 0", "-1 100000", "\xff"])
def test_a_quota_that_makes_no_sense_leaves_a_core_at_least(groups: Path, text: str) -> None:
    (groups / "cpu.max").write_text(text, encoding="latin-1")
    assert 1 <= usable_cores(groups / "own", groups) <= 4


def test_busy_is_everything_but_idle_and_waiting(tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    (tmp_path / "stat").write_text(f"cpu  {ticks} {ticks} {ticks} 99999 99999 {ticks} {ticks} 7 0 0\ncpu0 1 2\n")
    assert busy_s(tmp_path / "stat") == 5


@pytest.mark.parametrize("text", ["", "cpu 1 2 3", "cpu a b c d e f g h"])
def test_where_the_kernel_does_not_say_nothing_is_busy(tmp_path: Path, text: str) -> None:
    (tmp_path / "stat").write_text(text)
    assert busy_s(tmp_path / "stat") == 0
    assert busy_s(tmp_path / "none") == 0
