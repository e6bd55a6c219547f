"""From sentences to the tokens that the LM is trained on: the same pieces that it gets at run time."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edged.intents.catalog import Catalog
from edged.intents.compile import Said
from edged.intents.grounding import ground
from edged.intents.short import write_short
from edged.train.sentences import Sentence
from edged.types import SlotValue
from edged.understand.lm import LanguageModel
from edged.understand.prompt import json_line, utterance_line

_PARTS = 4
"""Parts of a batch, each of like length."""
JSON_SHARE = 1 / 6
"""Of the sentences are learned in the form of JSON as well: the short form is measured against it on the same model."""


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt's own tokens (without the shared prefix) and the answer's."""

    question: tuple[int, ...]
    answer: tuple[int, ...]


def make_rows(sentences: Iterable[Sentence], lm: LanguageModel, catalog: Catalog, seed: int) -> list[Row]:
    """Each sentence as its own tokens and its short answer's, and some with their answers as JSON."""
    rng = random.Random(seed)  # noqa: S311  # it is to be repeatable
    rows = []
    for sentence in sentences:
        answer = short_answer(sentence, catalog)
        if answer is not None:
            rows.append(_row(lm, utterance_line(sentence.text, sentence.lang), answer))
        if rng.random() < JSON_SHARE:
            rows.append(_row(lm, json_line(sentence.text, sentence.lang), sentence.answer))
    return rows


def _row(lm: LanguageModel, question: str, answer: str) -> Row:
    return Row(tuple(lm.tokenize(question.encode())), tuple(lm.tokenize(answer.encode())))


def short_answer(sentence: Sentence, catalog: Catalog) -> str | None:
    """What the LM is to write of a sentence; None where it is not clear which of the said values are meant.

    A room that the house does not have counts as said: the LM cannot know which there are.
    """
    said = ground(catalog, sentence.text, sentence.lang)
    known: dict[str, Said] = {}
    for name in {str(intent["intent"]) for intent in sentence.intents}:
        slots = {slot: _options(slot, values, sentence.intents) for slot, values in said[name].items()}
        if any(values is None for values in slots.values()):
            return None
        known[name] = {slot: values for slot, values in slots.items() if values is not None}
    return write_short(sentence.intents, catalog, known)


def _options(
    slot: str, said: Sequence[SlotValue], intents: Sequence[Mapping[str, SlotValue]]
) -> Sequence[SlotValue] | None:
    """What was said for a slot, in the order of speech; unknown where it lies between what the house has."""
    meant = list(dict.fromkeys(intent[slot] for intent in intents if slot in intent))
    if set(meant) <= set(said):
        return said
    return meant if set(said) <= set(meant) else None


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
