"""What the stages count. Whoever reads it is another matter: see `prometheus.py`."""

from __future__ import annotations

from typing import Final

from edged.types import AnsweredBy, ResultStatus, Stage


class Metrics:
    """Counts nothing: what the stages are given where nobody reads. Thread-safe, as are those that count."""

    def count_answer(self, answered_by: AnsweredBy) -> None:
        """This decided what an utterance means."""

    def count_lm(self, *, tokens: int, calls: int) -> None:
        """So many tokens were read for an utterance after its text was complete, in so many calls."""

    def count_cached(self, *, hit: bool) -> None:
        """The result cache was asked."""

    def count_prefix(self, *, loaded: bool) -> None:
        """The catalog's prefix state was loaded from a file, or else built."""

    def count_partial(self) -> None:
        """The words so far of an unfinished utterance were read."""

    def count_rejected(self, stage: Stage) -> None:
        """Something was rejected."""

    def count_command(self, *, sent: bool) -> None:
        """A command was confirmed by the broker, or else it was not or expired."""

    def count_result(self, status: ResultStatus) -> None:
        """A command that the broker has was confirmed by its device, was not, or cannot be."""

    def show_durable(self, *, is_durable: bool) -> None:
        """Whether commands that wait for the broker outlive a restart from now on."""

    def observe_utterance(self, seconds: float) -> None:
        """All was done about an utterance, so long after its end."""

    def count_reload(self, *, taken: bool) -> None:
        """Files changed and were read; the new catalog was put in force, or else refused as a whole."""


UNCOUNTED: Final = Metrics()
"""Serves wherever nobody reads."""
