"""From sentences to the tokens that the LM is trained on: the same pieces that it gets at run time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from edged.config import load_config
from edged.intents.catalog import Catalog
from edged.intents.compile import Said
from edged.intents.grounding import ground
from edged.intents.load import load_catalog
from edged.intents.short import write_short
from edged.train.sentences import Sentence
from edged.types import SlotValue
from edged.understand.lm import LanguageModel
from edged.understand.prompt import Lines

MAX_ROW_TOKENS = 72
"""Of a question and its answer; the few that are longer would make all rows of a step as long."""


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt's own tokens (without the prefix) and the answer's."""

    question: tuple[int, ...]
    answer: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one step learns from: a catalogue's prefix and rows that follow it."""

    prefix: tuple[int, ...]
    rows: tuple[Row, ...]


def load_files(schemas: Iterable[Mapping[str, object]], home: str) -> Catalog:
    """The catalog of intent files and of a house, each given as what stands in it."""
    with TemporaryDirectory() as folder:
        for schema in schemas:
            name = schema["properties"]["intent"]["const"]  # type: ignore[index]
            (Path(folder) / f"{name}.json").write_text(json.dumps(schema), encoding="utf-8")
        home_file = Path(folder) / "home.toml"
        home_file.write_text(home, encoding="utf-8")
        return load_catalog(load_config(schemas=Path(folder), home=home_file))


def make_lesson(
    sentences: Iterable[Sentence], lm: LanguageModel, catalog: Catalog, known: frozenset[str], json_share: float = 0
) -> Lesson:
    """Sentences as the LM reads and answers them under a catalog.

    Args:
        sentences: what is said; an intent or a place that the catalog lacks makes it no command.
        lm: its tokenizer is used.
        catalog: what can be said.
        known: the intents of which the prefix shows no examples.
        json_share: so many are learned with their answers as JSON too, against which the short form is measured.
    """
    prompt, json_prompt = Lines(lm, known), Lines(lm, known, json=True)
    rows = []
    for place, sentence in enumerate(sentences):
        meant = meaning(sentence, catalog)
        answer = short_answer(sentence.text, sentence.lang, meant, catalog)
        if answer is None:
            continue
        said = catalog, sentence.text, sentence.lang
        rows.append(Row(tuple(prompt.question(*said)), tuple(lm.tokenize(answer.encode()))))
        if place < json_share * len(rows):
            whole = json.dumps(list(meant), separators=(",", ":"), ensure_ascii=False)
            rows.append(Row(tuple(json_prompt.question(*said)), tuple(lm.tokenize(whole.encode()))))
    short = [row for row in rows if len(row.question) + len(row.answer) <= MAX_ROW_TOKENS]
    return Lesson(tuple(prompt.prefix(catalog)), tuple(short))


def meaning(sentence: Sentence, catalog: Catalog) -> Sequence[Mapping[str, SlotValue]]:
    """What a sentence means under a catalog: nothing where that has no such intent, room or device."""
    for fields in sentence.intents:
        intent = catalog.intents.get(str(fields["intent"]))
        if intent is None:
            return ()
        for slot in intent.homes.keys() & fields.keys():
            if fields[slot] not in intent.schema["properties"].get(slot, {}).get("enum", ()):
                return ()
    return sentence.intents


def short_answer(text: str, lang: str, intents: Sequence[Mapping[str, SlotValue]], catalog: Catalog) -> str | None:
    """What the LM is to write of a text; None where the grounding does not see what is meant."""
    said = ground(catalog, text, lang)
    known: dict[str, Said] = {}
    for fields in intents:
        name = str(fields["intent"])
        known[name] = said[name]
        if any(fields[slot] not in said[name][slot] for slot in said[name].keys() & fields.keys()):
            return None
    return write_short(intents, catalog, known)


def pack(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows in strips of at most MAX_ROW_TOKENS tokens, each into the first with room, the longest first."""
    strips: list[list[Row]] = []
    room: list[int] = []
    for row in sorted(rows, key=_tokens, reverse=True):
        place = next((i for i, left in enumerate(room) if left >= _tokens(row)), len(room))
        if place == len(room):
            strips.append([])
            room.append(MAX_ROW_TOKENS)
        strips[place].append(row)
        room[place] -= _tokens(row)
    return strips


def _tokens(row: Row) -> int:
    """Tokens of a row that are read; the last of the answer is only written."""
    return len(row.question) + len(row.answer) - 1


def batches(lessons: Sequence[Lesson], steps: int, seed: int) -> Iterator[Lesson]:
    """`steps` lessons, every one once before any comes twice; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311  # it is to be repeatable
    deck: list[Lesson] = []
    for _ in range(steps):
        if not deck:
            deck = rng.sample(lessons, len(lessons))
        yield deck.pop()
