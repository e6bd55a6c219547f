"""One written form for what was said, whether it was spoken or typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

from edged.intents.spoken.entry import Language, Unit
from edged.intents.spoken.language import language_of

_TYPOGRAPHIC: Final = str.maketrans({"’": "'", "‘": "'", "´": "'", "℃": "°C", "℉": "°F", "K": "K", "−": "-"})
_SIGNS: Final[Mapping[str, tuple[Unit, ...]]] = {
    "%": ("percent",),
    "°": ("degrees",),
    "°c": ("degrees", "celsius"),
    "°f": ("degrees", "fahrenheit"),
    "c": ("degrees", "celsius"),
    "f": ("degrees", "fahrenheit"),
    "k": ("kelvin",),
    "s": ("seconds",),
    "min": ("minutes",),
}
"""Signs that people type where they would say words."""
_SIGN: Final = re.compile(r"(?<=\d)\s*(?:([°º])\s*([cf])|([ckf]|min))(?![a-z])|(?<=\d)(s)(?![a-z])|([%°])")
"""Letters are signs behind digits alone, and º (what some keyboards have for °) before a scale alone: 1º is "first"."""
_UNSAID: Final = re.compile(r"[.,:](?!\d)|(?<!\d)[.,:]|[^\w\s'.,:-]|_|(?<=\w)-|-(?!\d)|(?<!\w)'|'(?!\w)")
"""What nobody says: punctuation that is no part of a number, a minus sign or a contraction."""
_BLANKS: Final = re.compile(r"\s+")


def normalize_text(text: str, lang: str) -> str:
    """Gives `text` as a recogniser would write it: lower case, words and numbers alone, single blanks.

    Signs that are spoken ("%", "°C") become their words where the language has them, other punctuation goes, and a
    decimal point or comma between digits stays. The result is in Unicode's composed form (NFC).
    """
    signs = _sign_words(language_of(lang))
    text = unicodedata.normalize("NFC", text).translate(_TYPOGRAPHIC).lower()
    text = _SIGN.sub(lambda match: signs.get(_sign(match), match[0]), text)
    return _BLANKS.sub(" ", _UNSAID.sub(" ", text)).strip()


def fold_text(text: str, lang: str) -> str:
    """Gives normalised `text` as it is compared: without the differences that do not tell words apart.

    Those are accents in Greek and Portuguese, the final sigma, ae, oe, ue, ss for ä, ö, ü, ß, and the article in a
    preposition ("im" for "in"). Words stay in their number and order; folded text stays as it is.
    """
    return " ".join(map(language_of(lang).fold, text.split(" ")))


def _sign(match: re.Match[str]) -> str:
    return f"°{match[2]}" if match[1] else match[3] or match[4] or match[5]


@cache
def _sign_words(language: Language) -> Mapping[str, str]:
    words = {
        sign: " ".join(language.units[unit][0] for unit in units)
        for sign, units in _SIGNS.items()
        if all(unit in language.units for unit in units)
    }
    return {sign: f" {said} " for sign, said in {**words, **language.signs}.items()}
