"""Messages that teach: the nearest known word for a misspelt one, and values shown short and harmless."""

from __future__ import annotations

import difflib
import itertools
import json
from collections.abc import Iterable
from typing import Final

SHOWN_CHARACTERS: Final = 60
"""Of a value inside a message: enough to find it again."""
LISTED: Final = 12
"""Of the words that would be right: more are not read."""

COMPARED: Final = 200
"""Known words that a misspelt one is compared with: each takes some ten microseconds."""

_ALIKE: Final = 0.6
"""The share of letters in order that two words must have in common to be offered for one another."""


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant; upper and lower case, "-" and "_" count as the same."""
    plain = {_plain(candidate): candidate for candidate in itertools.islice(known, COMPARED)}
    found = difflib.get_close_matches(_plain(word[:SHOWN_CHARACTERS]), plain, n=1, cutoff=_ALIKE)
    return plain[found[0]] if found else None


def offer(word: str, known: Iterable[str], otherwise: str = "leave it out") -> str:
    """What to write instead of `word`: the nearest known word and all of them, `otherwise` where there is none."""
    known = list(known)
    if not known:
        return otherwise
    nearest = find_nearest(word, known)
    guess = f"did you mean {quote(nearest)}? " if nearest is not None else ""
    return f"{guess}use one of: {list_words(known)}"


def list_words(words: Iterable[str]) -> str:
    """The words with commas, the last ones counted where there are many."""
    words = list(words)
    more = f" and {len(words) - LISTED} more" if len(words) > LISTED else ""
    return ", ".join(shorten(word) for word in words[:LISTED]) + more


def quote(value: object) -> str:
    """A JSON value as it stands in a file, shortened, nothing in it that moves a terminal's cursor."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        value = f"{value[: SHOWN_CHARACTERS - 3]}..."
    return shorten(json.dumps(value, ensure_ascii=False), SHOWN_CHARACTERS * 2)


def shorten(text: str, length: int = SHOWN_CHARACTERS) -> str:
    """`text` on one line, at most `length` characters long, every character that does not print as an escape."""
    cut = text if len(text) <= length else f"{text[: length - 3]}..."
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in cut
    )


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_")
