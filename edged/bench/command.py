"""What an utterance costs: edged beside what a user would write by hand with llama-cpp-python, in one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from edged.bench.decode import only_asked
from edged.bench.model import Counting, Floor, Opened, open_model
from edged.bench.sentences import Sentence
from edged.bench.stock import StockModel
from edged.bench.timing import Route, Sample, Work, measure, median
from edged.config import Config
from edged.intents.catalog import Catalog
from edged.intents.load import load_catalog, require_intents
from edged.models import find_configured_model, find_training
from edged.types import Utterance
from edged.understand.parser import Parser

STREAM: Final = "stream"
"""The last word of the name of a path whose sentences come word by word."""
MOST_FOR_STOCK: Final = 40
"""Sentences that llama-cpp-python is asked about, evenly spread: one takes it about a second."""


@dataclass(frozen=True, slots=True)
class CommandRow:
    """What an utterance costs on one path from its last word on: medians over its sentences and all rounds."""

    path: str
    """edged: as the daemon does it. edged-lm: the same with the sentences that no example says; stream: the LM read
    them while they were spoken; paused: and answered them in the pause that tells Vosk of their end; floor: bare calls
    of llama.cpp with the same tokens. stock: llama-cpp-python, for the intents that the LM reads."""
    sentences: int
    cpu_ms_median: float
    cpu_ms_min: float
    cpu_ms_max: float
    wall_ms_median: float
    lm_tokens: float
    lm_calls: float
    listen_cpu_ms: float | None
    """CPU time while the words came; None where nobody listened."""


@dataclass(frozen=True, slots=True)
class Gain:
    """How many times as much CPU time stock takes with the same sentences."""

    path: str
    times: float


def measure_commands(
    config: Config, sentences: Sequence[Sentence], *, streamed: bool = False, rounds: int | None = None
) -> tuple[list[CommandRow], list[Gain]]:
    """A row for each path, and what edged gains.

    Raises:
        UsageError: examples say all sentences.
        ModelError: the model is missing or cannot be used.
    """
    catalog = require_intents(load_catalog(config))
    training = find_training(config)
    with open_model(config) as opened:
        parser = Parser(opened.lm, catalog, opened.limits, training, vocab=opened.vocab)
        asked = only_asked(sentences, catalog, parser.readable, training)
        paths = _paths(opened, parser, streamed=streamed)
        rows = [_row("edged", measure([Parsing("edged", parser)], sentences, rounds)["edged"])]
        stock = _open_stock(config, opened, parser.readable)
        compared = asked[:: -(-len(asked) // MOST_FOR_STOCK)]
        samples = {name: list(taken) for name, taken in measure([*paths, stock], compared, rounds).items()}
        stock.close()
        gains = _gains(samples)
        others = [sentence for sentence in asked if sentence not in compared]
        if others:
            for name, taken in measure(paths, others, rounds).items():
                samples[name] += taken
    return [*rows, *(_row(name, taken) for name, taken in samples.items())], gains


def _paths(opened: Opened, parser: Parser, *, streamed: bool) -> list[Route]:
    ours = [Parsing("edged-lm", parser)]
    if streamed:
        ours.append(Parsing(f"edged-lm {STREAM}", parser, streamed=True))
    floors = [Floor(f"{path.name} floor", opened.lm, path) for path in ours]
    if streamed:
        ours.append(Parsing(f"edged-lm paused {STREAM}", parser, streamed=True, pauses=True))
    return [*ours, *floors]


class Parsing:
    """edged, from the text to intents."""

    def __init__(self, name: str, parser: Parser, *, streamed: bool = False, pauses: bool = False) -> None:
        self.name = name
        self._parser = parser
        self._streamed = streamed
        self._pauses = pauses

    def prepare(self, sentence: Sentence) -> None:
        """Forgets all sentences, and listens to this one, word by word and with a pause, where that is the path."""
        self._parser.forget()
        if self._streamed:
            for words in accumulate(sentence.text.split(), "{} {}".format):
                self._parser.listen(words, sentence.lang)
        if self._pauses:
            self._parser.anticipate(sentence.text, sentence.lang)

    def run(self, sentence: Sentence) -> Work:
        """Understands it."""
        counting = Counting(self._parser.lm)
        self._parser.parse(Utterance("bench", sentence.text, sentence.lang, 1.0, 0, 0, "bench"))
        return counting.work


class Stock:
    """llama-cpp-python."""

    name = "stock"

    def __init__(self, model: StockModel) -> None:
        self._model = model
        self.close = model.close

    def prepare(self, sentence: Sentence) -> None:
        """Nothing: it keeps the prompt's beginning by itself, and no sentence comes twice in a row."""

    def run(self, sentence: Sentence) -> Work:
        """Completes the chat."""
        counting = Counting(self._model)
        self._model.answer(sentence)
        return counting.work


def _open_stock(config: Config, opened: Opened, catalog: Catalog) -> Stock:
    path, adapter = find_configured_model(config)
    return Stock(StockModel(path, adapter, opened.threads, catalog))


def _gains(samples: dict[str, list[Sample]]) -> list[Gain]:
    cpu_ms = {name: median([sample.cpu_ms for sample in taken]) for name, taken in samples.items()}
    return [Gain(name, cpu_ms[Stock.name] / value) for name, value in cpu_ms.items() if name != Stock.name]


def describe_gains(gains: Sequence[Gain]) -> str:
    """One line for a person."""
    times = ", ".join(f"{gain.times:.1f} times that of {gain.path}" for gain in gains)
    return f"CPU time of stock, the same sentences: {times}"


def _row(name: str, samples: Sequence[Sample]) -> CommandRow:
    cpu_ms = [sample.cpu_ms for sample in samples]
    listens = name.endswith(STREAM)
    return CommandRow(
        name,
        len({sample.sentence for sample in samples}),
        median(cpu_ms),
        min(cpu_ms),
        max(cpu_ms),
        median([sample.wall_ms for sample in samples]),
        median([sample.work.tokens for sample in samples]),
        median([sample.work.calls for sample in samples]),
        median([sample.before_cpu_ms for sample in samples]) if listens else None,
    )
