"""Knows which sentences the examples of the intent files say, so that none of those is learned as no command."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from edged.intents.spoken.language import language_of
from edged.intents.spoken.numbers import find_numbers
from edged.intents.spoken.text import fold_text, normalize_text
from edged.train.values import Values

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


class Examples:
    """The examples of some intent files in one language, compared without articles and the like."""

    def __init__(self, schemas: Sequence[Mapping[str, Any]], values: Values, lang: str) -> None:
        self._lang = lang
        self._patterns: list[tuple[re.Pattern[str], list[frozenset[str]]]] = []
        for schema in schemas:
            intent = schema["properties"]["intent"]["const"]
            for row in schema["x-edged"]["examples"].get(lang, ()):
                literal, *rest = _PLACEHOLDER.split(row["text"])
                pattern, names = re.escape(self._plain(literal)), []
                for slot, text in zip(rest[::2], rest[1::2], strict=True):
                    pattern += r"\s*(.+?)\s*" + re.escape(self._plain(text))
                    names.append(frozenset(map(self._plain, values.names(f"{intent}.{slot}"))))
                self._patterns.append((re.compile(pattern), names))

    def say(self, text: str) -> bool:
        """Whether the text is one of them with any number, room or device for its placeholders."""
        plain = self._plain(text)
        return any(
            all(words in known or self._is_number(words) for known, words in zip(names, match.groups(), strict=True))
            for pattern, names in self._patterns
            if (match := pattern.fullmatch(plain))
        )

    def _is_number(self, text: str) -> bool:
        words = text.split()
        return [(said.start, said.end) for said in find_numbers(words, self._lang)] == [(0, len(words))]

    def _plain(self, text: str) -> str:
        folded = fold_text(normalize_text(text, self._lang), self._lang).split()
        return " ".join(word for word in folded if (word,) not in language_of(self._lang).skippable)
