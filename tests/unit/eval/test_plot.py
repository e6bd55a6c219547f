"""The picture of an evaluation."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edged.errors import UsageError
from edged.eval.plot import draw
from edged.eval.report import Report, make_report
from edged.eval.talk import talk_rows
from edged.intents.catalog import Catalog
from tests.unit.eval.fakes import OFF, ON, row, scored


@pytest.fixture
def report(catalog: Catalog) -> Report:
    answers = [(row(f"r{i}", ON), [ON], 0.5 + i / 40) for i in range(20)] + [
        (row(f"w{i}", ON), [OFF], 0.3 + i / 40) for i in range(20)
    ]
    talk = scored(*[(one, [ON], 0.4) for one in talk_rows(["some words"], "en")])
    return make_report(scored(*answers), catalog, 0.5, talk=talk, words_a_minute=150)


def test_the_same_figures_give_the_same_picture(tmp_path: Path, report: Report) -> None:
    pytest.importorskip("matplotlib")
    for name in ("a.svg", "b.svg"):
        draw(tmp_path / name, report)
    written = (tmp_path / "a.svg").read_bytes()
    assert written == (tmp_path / "b.svg").read_bytes()
    assert b"<svg" in written
    assert b"wrongly refused" in written
    assert b"talk taken for commands" in written


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, report: Report) -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(UsageError, match="cannot be written"):
        draw(tmp_path / "none" / "a.svg", report)


def test_without_matplotlib_it_is_said_how_to_get_it(
    tmp_path: Path, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError) as caught:
        draw(tmp_path / "a.svg", report)
    assert "edged[train]" in caught.value.remedy
    assert not (tmp_path / "a.svg").exists()
