"""Telling a person on stderr how a download goes: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol, Self, TextIO

PLAIN_STEP_PERCENT = 25
"""In a log a line for each quarter is enough."""


class Reporter(Protocol):
    """Where a fetch reports to."""

    def say(self, line: str) -> None:
        """A line for the person."""

    def begin(self, label: str, done_bytes: int, total_bytes: int) -> None:
        """A download starts, `done_bytes` of it being there from before."""

    def advance(self, count_bytes: int) -> None:
        """So many bytes more have come."""

    def end(self) -> None:
        """The download is over, one way or the other."""


class Silent:
    """Reports nothing."""

    def say(self, line: str) -> None:
        """Says nothing."""

    def begin(self, label: str, done_bytes: int, total_bytes: int) -> None:
        """Shows nothing."""

    def advance(self, count_bytes: int) -> None:
        """Shows nothing."""

    def end(self) -> None:
        """Shows nothing."""


class PlainLines:
    """A line at the start and one for each quarter."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._label, self._done, self._total, self._said = "", 0, 1, 0

    def say(self, line: str) -> None:
        """Writes the line."""
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def begin(self, label: str, done_bytes: int, total_bytes: int) -> None:
        """Writes what is fetched and how large it is."""
        self._label, self._done, self._total = label, done_bytes, max(total_bytes, 1)
        self._said = self._percent()
        rest = f", {megabytes(done_bytes)} of it already here" if done_bytes else ""
        self.say(f"{label}: {megabytes(total_bytes)}{rest}")

    def advance(self, count_bytes: int) -> None:
        """Writes a line when another quarter is complete."""
        self._done += count_bytes
        percent = self._percent()
        if percent > self._said:
            self._said = percent
            self.say(f"{self._label}: {percent} %")

    def end(self) -> None:
        """Writes nothing: what comes next is said by `say`."""

    def _percent(self) -> int:
        return min(100, self._done * 100 // self._total) // PLAIN_STEP_PERCENT * PLAIN_STEP_PERCENT


class Bar:
    """A progress bar on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True, highlight=False)
        self._columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._new_progress = Progress
        self._progress: Progress | None = None

    def say(self, line: str) -> None:
        """Writes the line above the bar."""
        self._console.print(line, markup=False, soft_wrap=True)

    def begin(self, label: str, done_bytes: int, total_bytes: int) -> None:
        """Shows the bar."""
        self._progress = self._new_progress(*self._columns, console=self._console)
        self._progress.add_task(label, completed=done_bytes, total=total_bytes)
        self._progress.start()

    def advance(self, count_bytes: int) -> None:
        """Moves the bar."""
        if self._progress is not None:
            self._progress.advance(self._progress.task_ids[0], count_bytes)

    def end(self) -> None:
        """Leaves the bar as it is."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class Shown:
    """A download while it is shown: ends it however the block is left."""

    def __init__(self, reporter: Reporter, label: str, done_bytes: int, total_bytes: int) -> None:
        self._reporter = reporter
        reporter.begin(label, done_bytes, total_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._reporter.end()

    def advance(self, count_bytes: int) -> None:
        """So many bytes more have come."""
        self._reporter.advance(count_bytes)


def make_reporter(*, progress: bool) -> Reporter:
    """What suits stderr, or silence."""
    if not progress:
        return Silent()
    return Bar() if sys.stderr.isatty() else PlainLines()


def megabytes(count_bytes: int) -> str:
    """A size for people: 98 MB."""
    return f"{count_bytes / 1_000_000:.0f} MB" if count_bytes >= 1_000_000 else f"{count_bytes / 1000:.0f} kB"
