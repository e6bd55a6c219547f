"""The configured model, opened so that what it was made to read can be repeated without anything else around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from edged.bench.sentences import Sentence
from edged.bench.timing import Route, Work
from edged.config import Config
from edged.core import Vocab
from edged.models import find_configured_model
from edged.understand.ask import Limits
from edged.understand.lm import LanguageModel
from edged.understand.parser import open_model_vocab
from edged.understand.threads import Threads, choose_threads

Reading: TypeAlias = tuple[tuple[int, ...], int | None]
"""The arguments of a call of `LanguageModel.read`."""


class RecordingModel(LanguageModel):
    """A model that notes what it was made to read."""

    def __init__(self, path: Path, adapter: Path | None, threads: Threads) -> None:
        super().__init__(path, adapter=adapter, threads=threads.token, batch_threads=threads.batch)
        self.readings: list[Reading] = []

    def read(self, tokens: Sequence[int], *, every_from: int | None = None) -> int:
        """Notes the call."""
        self.readings.append((tuple(tokens), every_from))
        return super().read(tokens, every_from=every_from)


@dataclass(frozen=True, slots=True)
class Opened:
    """What every path shares."""

    lm: RecordingModel
    vocab: Vocab
    limits: Limits
    threads: Threads


@contextmanager
def open_model(config: Config) -> Iterator[Opened]:
    """Loads the configured model as `open_parser` does, and frees it in the end.

    Raises:
        ModelError: a model file is missing, damaged or cannot be used.
    """
    path, adapter = find_configured_model(config)
    threads = choose_threads(config, path)
    limits = Limits(config.understand.min_confidence, config.hear.min_confidence, config.home.area)
    lm = RecordingModel(path, adapter, threads)
    with lm:
        yield Opened(lm, open_model_vocab(lm, config.models_directory, path), limits, threads)


class Counter(Protocol):
    """What counts what it evaluates."""

    evaluated_tokens: int
    evaluations: int


class Counting:
    """The work of a model since this object was made."""

    def __init__(self, lm: Counter) -> None:
        self._lm = lm
        self._tokens, self._calls = lm.evaluated_tokens, lm.evaluations

    @property
    def work(self) -> Work:
        """What was evaluated since."""
        return Work(self._lm.evaluated_tokens - self._tokens, self._lm.evaluations - self._calls)


class Floor:
    """What another path's LM read, in the same batches and with the same logits, and nothing else."""

    def __init__(self, name: str, lm: RecordingModel, of: Route) -> None:
        self.name = name
        self._lm = lm
        self._of = of
        self._readings: tuple[Reading, ...] = ()

    def prepare(self, sentence: Sentence) -> None:
        """Takes the other path once to see what is read, and prepares it again."""
        self._of.prepare(sentence)
        self._lm.readings.clear()
        self._of.run(sentence)
        self._readings = tuple(self._lm.readings)
        self._of.prepare(sentence)

    def run(self, _sentence: Sentence) -> Work:
        """Reads the same."""
        counting = Counting(self._lm)
        for tokens, every_from in self._readings:
            self._lm.read(tokens, every_from=every_from)
        return counting.work
