from __future__ import annotations

import io

import pytest

from edged.models.progress import Bar, PlainLines, Shown, Silent, make_reporter, megabytes


def test_log_gets_a_line_for_each_quarter() -> None:
    stream = io.StringIO()
    with Shown(PlainLines(stream), "toy", 0, 100_000_000) as shown:
        for _ in range(100):
            shown.advance(1_000_000)

    assert stream.getvalue().splitlines() == ["toy: 100 MB", "toy: 25 %", "toy: 50 %", "toy: 75 %", "toy: 100 %"]


def test_log_says_what_was_there_before() -> None:
    stream = io.StringIO()
    with Shown(PlainLines(stream), "toy", 60_000_000, 100_000_000) as shown:
        shown.advance(1_000_000)

    assert stream.getvalue() == "toy: 100 MB, 60 MB of it already here\n"


def test_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar()
    with Shown(bar, "toy", 0, 100) as shown:
        shown.advance(50)
    bar.say("[done]")

    assert "toy" in (said := capsys.readouterr().err)
    assert "[done]" in said


def test_reporter_suits_stderr() -> None:
    assert isinstance(make_reporter(progress=False), Silent)
    assert isinstance(make_reporter(progress=True), PlainLines)


def test_sizes_are_for_people() -> None:
    assert (megabytes(98_362_432), megabytes(1500)) == ("98 MB", "2 kB")
