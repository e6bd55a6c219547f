"""Sentences that somebody might say: the examples of a catalog, filled in and then garbled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from edged.intents.catalog import PLACEHOLDER, Catalog, IntentFile, is_sayable
from edged.intents.spoken.forms import named_values, value_forms
from edged.types import Utterance

JOINING = {"en": " and ", "ko": " 그리고 "}


def say(text: str, lang: str = "en", utterance_id: str = "u1") -> Utterance:
    return Utterance(utterance_id, text, lang, 1.0, 0, 0, "cli")


def made_up(catalog: Catalog, count: int, seed: int) -> Iterator[Utterance]:
    """Whole examples and garbled ones, alone and in twos and threes, in English and Korean."""
    random = Random(seed)
    known = {lang: list(_examples(catalog, lang)) for lang in JOINING}
    for number in range(count):
        lang = random.choice(["en", "en", "ko"])
        said = [
            _filled(catalog, *random.choice(known[lang]), lang, random) for _ in range(random.choice([1, 1, 1, 2, 3]))
        ]
        text = JOINING[lang].join(said)
        for _ in range(random.choice([0, 1, 1, 2, 5])):
            text = _garbled(text, lang, known, random)
        yield say(text, lang, f"u{number}")


def by_other_people(shared: Path) -> list[Utterance]:
    """Commands to a house and sentences that are none."""
    lines = [line for name in ("iot", "other") for line in _lines(shared / "data" / f"slurp_devel_{name}.jsonl")]
    return [say(json.loads(line)["text"], "en", f"s{number}") for number, line in enumerate(lines)]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _examples(catalog: Catalog, lang: str) -> Iterator[tuple[IntentFile, str]]:
    for intent in catalog.intents.values():
        for example in intent.examples.get(lang, ()):
            if is_sayable(intent, example):
                yield intent, example.text


def _filled(catalog: Catalog, intent: IntentFile, text: str, lang: str, random: Random) -> str:
    return PLACEHOLDER.sub(lambda found: _words(catalog, intent, found[1], lang, random), text)


def _words(catalog: Catalog, intent: IntentFile, slot: str, lang: str, random: Random) -> str:
    schema = intent.schema["properties"][slot]
    values = list(named_values(intent, slot, lang))
    if schema.get("type") in ("integer", "number"):
        values = [random.randint(int(schema.get("minimum", 0)), int(schema.get("maximum", 100)))]
    if not values:
        return "milk"
    value = random.choice(values)
    return random.choice([*value_forms(intent, slot, value, catalog, lang), str(value)])


def _garbled(text: str, lang: str, known: dict[str, list[tuple[IntentFile, str]]], random: Random) -> str:
    words = text.split() or ["light"]
    place = random.randrange(len(words))
    match random.randrange(4):
        case 0:
            del words[place]
        case 1:
            other = random.randrange(len(words))
            words[place], words[other] = words[other], words[place]
        case 2:
            words.insert(place, random.choice(random.choice(known[lang])[1].split()).strip("{}"))
        case _:
            words.insert(place, random.choice(["not", "please", "30", "the", "twenty", "kitchen", "불", "not the"]))
    return " ".join(words)
