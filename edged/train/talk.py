"""Makes ordinary talk, no word of it meant for a house: how often it is taken for a command is measured with it.

It stands apart from the sentences that the model learns from: its templates and words (`talk/LANG.toml`) are its own.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from edged.errors import UsageError
from edged.intents.spoken.text import normalize_text

FOLDER: Final = Path(__file__).parent / "talk"
MIN_WORDS: Final = 4
"""Shorter talk is mostly "yes" and "oh really": such sentences would fill hours and test nothing."""
MAX_WORDS: Final = 20
"""A recogniser ends an utterance at a pause, which few people go without for longer."""
WORDS_A_MINUTE: Final = 150
"""Assumed pace: a commonly given average of conversational English, silence between turns aside. A room is rarely so
full of talk, so the false accepts of an hour at home are fewer than those of an hour of talk."""
MAX_TRIES: Final = 200
"""Draws in a row that give no new sentence before the templates count as used up."""
_START_SHARE: Final = 0.25
_END_SHARE: Final = 0.15
"""So many sentences begin and end with words that say nothing, as people do."""
_CHOICE: Final = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")
_NAME: Final = re.compile(r"\{(\w+)\}")


class _Talker:
    """Says sentences of one language."""

    def __init__(self, lang: str, rng: random.Random) -> None:
        table = _read(lang)
        self._lang, self._rng = lang, rng
        self._words: Mapping[str, Sequence[str]] = table["words"]
        self._templates = [template for topic in table["topic"] for template in topic["say"]]

    def sentences(self) -> Iterator[str]:
        """Distinct sentences until the templates are used up."""
        seen: set[str] = set()
        tries = 0
        while tries < MAX_TRIES:
            tries += 1
            text = normalize_text(self._expand(self._framed(self._rng.choice(self._templates))), self._lang)
            if text not in seen and MIN_WORDS <= len(text.split()) <= MAX_WORDS:
                seen.add(text)
                tries = 0
                yield text

    def _framed(self, template: str) -> str:
        if self._rng.random() < _START_SHARE:
            template = "{start} " + template
        if self._rng.random() < _END_SHARE:
            template += " {end}"
        return template

    def _expand(self, text: str) -> str:
        """A template with every choice made; no word is said twice for one name."""
        used: set[str] = set()
        while match := _CHOICE.search(text) or _NAME.search(text):
            text = text[: match.start()] + self._filling(match, used) + text[match.end() :]
        return text

    def _filling(self, match: re.Match[str], used: set[str]) -> str:
        if match.re is _CHOICE:
            choices: str = match[1] if match[1] is not None else f"{match[2]}|"
            return self._rng.choice(choices.split("|"))
        words = self._words[match[1]]
        word = self._rng.choice([word for word in words if word not in used] or words)
        used.add(word)
        return word


def make_talk(lang: str, count: int, seed: int) -> Iterator[str]:
    """So many distinct sentences of talk, normalised, of 4 to 20 words each; the same ones for the same seed.

    Raises:
        UsageError: there are no templates in `lang`, or too few for so many sentences.
    """
    rng = random.Random(seed)  # noqa: S311  # it is to be repeatable
    made = 0
    for text in islice(_Talker(lang, rng).sentences(), count):
        made += 1
        yield text
    if made < count:
        raise UsageError(
            f"the templates give {made} distinct sentences, not {count}",
            where=str(_file_of(lang)),
            remedy="ask for fewer, or add templates",
        )


def hours_of_talk(sentences: Iterable[str]) -> float:
    """How long the sentences take to say at `WORDS_A_MINUTE`, in hours."""
    return sum(len(text.split()) for text in sentences) / WORDS_A_MINUTE / 60


def _read(lang: str) -> Mapping[str, Any]:
    path = _file_of(lang)
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.toml")))
        raise UsageError(f"there is no talk in {lang!r}", where=str(FOLDER), remedy=f"there is in: {known}")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _file_of(lang: str) -> Path:
    return FOLDER / f"{lang}.toml"
