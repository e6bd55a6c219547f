"""Numbers that are hours of the clock: "at eleven o'clock", "half past seven"."""

from __future__ import annotations

from collections.abc import Sequence

from edged.intents.spoken.language import language_of


def is_hour(words: Sequence[str], start: int, end: int, lang: str) -> bool:
    """Whether the number at `start` to `end` of normalised words, or of their letters where glued, is an hour."""
    language = language_of(lang)
    if language.is_glued:
        return "".join(words)[end:].startswith(tuple("".join(phrase) for phrase in language.behind_hour))
    if any(tuple(words[end : end + len(phrase)]) == phrase for phrase in language.behind_hour):
        return True
    if not any(tuple(words[max(0, start - len(phrase)) : start]) == phrase for phrase in language.before_hour):
        return False
    units = (tuple(form.split()) for forms in language.units.values() for form in forms)
    return not any(tuple(words[end : end + len(unit)]) == unit for unit in units)
