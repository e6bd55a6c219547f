"""Ways to do the same, timed in turn, so that what disturbs one disturbs all.

Each is a sentence ahead of the one before: no way finds in a cache what another one has just put there.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from edged.bench.sentences import Sentence

ENOUGH: Final = 48
"""Samples of a path; few sentences are said in several rounds until there are as many."""
MOST_ROUNDS: Final = 5
_WARM_UP: Final = 3
"""Sentences before the first that counts; then caches are warm."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the LM evaluated."""

    tokens: int
    calls: int


class Route(Protocol):
    """A way to find out what a sentence means."""

    @property
    def name(self) -> str:
        """As it stands in the table."""

    def prepare(self, sentence: Sentence) -> None:
        """What comes before the sentence is complete; it leaves nothing of the sentences before."""

    def run(self, sentence: Sentence) -> Work:
        """What comes then."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one sentence cost on one path."""

    sentence: Sentence
    cpu_ms: float
    wall_ms: float
    work: Work
    before_cpu_ms: float
    """Of `prepare`."""


Samples = Mapping[str, Sequence[Sample]]
"""Those of each path, by its name."""

T = TypeVar("T")


def measure(paths: Sequence[Route], sentences: Sequence[Sentence], rounds: int | None = None) -> Samples:
    """Samples of every path with every sentence; as many rounds as give `ENOUGH` of them where none are said."""
    rounds = rounds or max(1, min(MOST_ROUNDS, -(-ENOUGH // len(sentences))))
    for sentence in sentences[-_WARM_UP:]:
        for path in paths:
            take(path, sentence)
    samples: dict[str, list[Sample]] = {path.name: [] for path in paths}
    for number in range(rounds):
        for index in range(len(sentences)):
            _show(f"round {number + 1} of {rounds}, sentence {index + 1} of {len(sentences)}")
            for ahead, path in enumerate(paths):
                samples[path.name].append(take(path, sentences[(index + ahead) % len(sentences)]))
    _show("")
    return samples


def take(path: Route, sentence: Sentence) -> Sample:
    """One sample."""
    _, before_cpu_ms, _ = timed(lambda: path.prepare(sentence))
    work, cpu_ms, wall_ms = timed(lambda: path.run(sentence))
    return Sample(sentence, cpu_ms, wall_ms, work, before_cpu_ms)


def timed(do: Callable[[], T]) -> tuple[T, float, float]:
    """What it gives, the CPU time of all threads, and the time that passed."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = do()
    return result, (time.process_time() - cpu) * 1e3, (time.perf_counter() - wall) * 1e3


def median(values: Sequence[float]) -> float:
    """The median; 0 of none."""
    return float(statistics.median(values)) if values else 0.0


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The first and the third."""
    if len(values) < 2:
        return median(values), median(values)
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def _show(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)
