"""From sentences to the tokens that the LM is trained on: the same pieces that it gets at run time."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from edged.train.sentences import Sentence
from edged.understand.lm import LanguageModel
from edged.understand.prompt import utterance_line

_PARTS = 4
"""Parts of a batch, each of like length."""


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt's own tokens (without the shared prefix) and the answer's."""

    question: tuple[int, ...]
    answer: tuple[int, ...]


def make_rows(sentences: Iterable[Sentence], lm: LanguageModel) -> list[Row]:
    """Each sentence as its own tokens and its answer's."""
    return [
        Row(tuple(lm.tokenize(utterance_line(s.text, s.lang).encode())), tuple(lm.tokenize(s.answer.encode())))
        for s in sentences
    ]


def batches(rows: Sequence[Row], batch_rows: int, steps: int, seed: int) -> Iterator[list[list[Row]]]:
    """`steps` batches, every row once before any comes twice; the same for the same seed.

    A batch has one part from each quarter of the lengths: rows of a part are of like length, and each batch still holds
    commands and others. (Batches of one length teach to answer as the last batch did, for others have short answers.)
    """
    rng = random.Random(seed)  # noqa: S311  # it is to be repeatable
    by_length = sorted(rows, key=lambda row: len(row.question) + len(row.answer))
    part_rows = batch_rows // _PARTS
    quarters = [by_length[len(rows) * i // _PARTS : len(rows) * (i + 1) // _PARTS] for i in range(_PARTS)]
    decks: list[list[list[Row]]] = [[] for _ in quarters]
    for _ in range(steps):
        for deck, quarter in zip(decks, quarters, strict=True):
            if not deck:
                deck += _deal(quarter, part_rows, rng)
        yield [deck.pop() for deck in decks]


def _deal(rows: Sequence[Row], part_rows: int, rng: random.Random) -> list[list[Row]]:
    order = sorted(rows, key=lambda row: len(row.question) + len(row.answer) + rng.random())
    parts = [order[i : i + part_rows] for i in range(0, len(order), part_rows)]
    rng.shuffle(parts)
    return parts
