"""How the time of a command grows with the number of intents in the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from edged.bench.catalogues import grow
from edged.bench.model import Counting, open_model
from edged.bench.sentences import Sentence
from edged.bench.timing import Sample, Work, measure, median
from edged.config import Config
from edged.intents.load import load_catalog, require_intents
from edged.models import find_training
from edged.types import AnsweredBy, Utterance
from edged.understand.parser import Parser

COUNTS: Final = (2, 40, 400)
"""The most is what one folder may hold."""


@dataclass(frozen=True, slots=True)
class GrowthRow:
    """What a command costs under so many intents: medians over all sentences and rounds that were so answered."""

    intents: int
    answered_by: AnsweredBy
    sentences: int
    cpu_ms_median: float
    wall_ms_median: float
    times: float = 1.0
    """The CPU time, as a multiple of that with the fewest intents."""


def measure_growth(
    config: Config, sentences: Sequence[Sentence], counts: Sequence[int] = COUNTS, rounds: int | None = None
) -> list[GrowthRow]:
    """A row for each number of intents and each who answers.

    The intents are those that the sentences mean, then others that the LM reads, then made up ones.

    Raises:
        ModelError: the model is missing or cannot be used.
    """
    catalog = require_intents(load_catalog(config))
    training = find_training(config)
    with open_model(config) as opened:
        readable = Parser(opened.lm, catalog, opened.limits, training, vocab=opened.vocab).readable
        meant = {str(intent.get("intent")) for sentence in sentences for intent in sentence.expect or ()}
        paths = [
            Growing(
                Parser(opened.lm, grow(readable, count, first=meant), opened.limits, training, vocab=opened.vocab),
                count,
            )
            for count in sorted(counts)
        ]
        samples = measure(paths, sentences, rounds)
    answers: tuple[AnsweredBy, ...] = ("example", "model")
    groups = [[_row(path, by, samples[path.name]) for path in paths] for by in answers]
    return [
        replace(row, times=row.cpu_ms_median / rows[0].cpu_ms_median)
        for rows in groups
        for row in rows
        if row.sentences
    ]


class Growing:
    """edged under one of the catalogs."""

    def __init__(self, parser: Parser, count: int) -> None:
        """The parser's prefix is the one in force."""
        self.name = f"{count} intents"
        self.count = count
        self._parser = parser
        self._prefix = parser.lm.prefix
        self._state = parser.lm.build_prefix(self._prefix, threads=parser.lm.threads)
        self.answered_by: dict[Sentence, AnsweredBy] = {}

    def prepare(self, _sentence: Sentence) -> None:
        """Forgets all sentences, and has the LM stand behind this catalog's prefix."""
        self._parser.lm.set_prefix_state(self._prefix, self._state)
        self._parser.forget()

    def run(self, sentence: Sentence) -> Work:
        """Understands it."""
        counting = Counting(self._parser.lm)
        utterance = Utterance("bench", sentence.text, sentence.lang, 1.0, 0, 0, "bench")
        self.answered_by[sentence] = self._parser.parse(utterance).answered_by
        return counting.work


def _row(path: Growing, by: AnsweredBy, samples: Sequence[Sample]) -> GrowthRow:
    taken = [sample for sample in samples if path.answered_by[sample.sentence] == by]
    return GrowthRow(
        path.count,
        by,
        len({sample.sentence for sample in taken}),
        median([sample.cpu_ms for sample in taken]),
        median([sample.wall_ms for sample in taken]),
    )
