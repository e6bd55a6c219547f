"""One written form for what was said, whether it was spoken or typed."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SIGNS: Final[dict[str, dict[str, str]]] = {
    "en": {"%": " percent ", "°": " degrees "},
    "ko": {"%": " 퍼센트 ", "°": " 도 "},
}
"""Signs that people type where they would say a word."""

_TYPOGRAPHIC: Final = str.maketrans({"’": "'", "‘": "'", "´": "'", "℃": "°C", "℉": "°F", "−": "-"})
_UNITS: Final = re.compile(r"(?<=\d)\s*°\s*([cf])\b")
_UNIT_WORDS: Final = {
    "en": {"c": " degrees celsius ", "f": " degrees fahrenheit "},
    "ko": {"c": " 도 ", "f": " 도 화씨 "},
}
_UNSAID: Final = re.compile(r"[.,:](?!\d)|(?<!\d)[.,:]|[^\w\s'.,:-]|_|(?<=\w)-|-(?!\d)|(?<!\w)'|'(?!\w)")
"""What nobody says: punctuation that is no part of a number, a minus sign or a contraction."""
_BLANKS: Final = re.compile(r"\s+")


def normalize_text(text: str, lang: str) -> str:
    """Gives `text` as a recogniser would write it: lower case, words and numbers alone, single blanks.

    Signs that are spoken ("%", "°C") become their words where the language has them here, other punctuation goes, and a
    decimal point or comma between digits stays. The result is in Unicode's composed form (NFC).
    """
    primary = lang.split("-")[0]
    text = unicodedata.normalize("NFC", text).translate(_TYPOGRAPHIC).lower()
    words = _UNIT_WORDS.get(primary)
    if words:
        text = _UNITS.sub(lambda match: words[match[1]], text)
    for sign, word in _SIGNS.get(primary, {}).items():
        text = text.replace(sign, word)
    return _BLANKS.sub(" ", _UNSAID.sub(" ", text)).strip()
