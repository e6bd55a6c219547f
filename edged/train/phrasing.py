"""Says templates: chooses, fills in values, makes them polite and adds what people say around an order."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from edged.intents.spoken.numbers import number_forms
from edged.intents.spoken.text import normalize_text
from edged.train.domains import AREA, Common, Json, Kind, Slot, Template, Words
from edged.types import SlotValue

LANG: Final = "en"
NAME: Final = re.compile(r"\{(\w+)\}")
_MACRO_DEPTH: Final = 6
"""Macros stand in macros at most so deep."""
_CHOICE: Final = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")
_SHUFFLE: Final = re.compile(r"<([^<>]*)>")
_ARTICLE: Final = re.compile(r"\ba (?=[aeio]|u[mn](?!i)|hour)(?!one\b|once\b|eu)")
_PLURAL: Final = re.compile(r"^( \w+(?:ss|x|ch|sh))es\b|^( \w{3,}[^s\W])s\b")
"""What is counted, behind a one."""
_TWICE: Final = re.compile(r"\b(?:the|an?|my|our) (?=(?:the|an?|my|our) )")
"""A word of a template before a value that brings its own."""


class _UnsayableError(Exception):
    """A template needs a slot or a value that the catalogue does not have."""


@dataclass(slots=True)
class Place:
    """A slot of an intent of the sample: what the file calls it and its values."""

    name: str
    slot: Slot
    values: dict[str, str]
    """Value of the domain -> value of the file."""
    forms: dict[str, tuple[str, ...]]
    """Value of the domain -> how it is said."""
    bounds: tuple[int, int]
    required: bool
    said: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A template with all chosen but the values."""

    text: str
    means: Mapping[str, str]
    template: str

    @property
    def slots(self) -> list[str]:
        """Those whose values it names."""
        return NAME.findall(self.text)


@dataclass(slots=True)
class Drawn:
    """An intent of the sample."""

    kind: Kind
    name: str
    places: dict[str, Place]
    examples: list[Draft] = field(default_factory=list)

    def can_mean(self, means: Mapping[str, str]) -> bool:
        """Whether it has these slots and values."""
        return all(slot in self.places and value in self.places[slot].values for slot, value in means.items())

    def lacks(self, draft: Draft) -> bool:
        """Whether a required slot is missing in it."""
        given = {*draft.slots, *draft.means}
        return any(place.required and slot not in given for slot, place in self.places.items())

    def fields(self, values: Mapping[str, SlotValue]) -> Json:
        """The intent as its schema describes it, from the values as the domain calls them."""
        found: Json = {"intent": self.name}
        for slot, place in self.places.items():
            if slot in values:
                value = values[slot]
                found[place.name] = place.values.get(value, value) if isinstance(value, str) else value
        return found


def whole(kind: Kind, rooms: Mapping[str, tuple[str, ...]]) -> Drawn:
    """An intent with all its slots and values as its domain calls them."""
    places = {
        key: Place(key, slot, {}, dict(rooms if key == AREA else slot.values), slot.bounds, slot.needed, said=False)
        for key, slot in kind.slots.items()
    }
    return Drawn(kind, "", places)


def fix_article(text: str) -> str:
    """With "an" before a vowel, and one article where there were two."""
    return _ARTICLE.sub("an ", _TWICE.sub("", text))


class Phrasing:
    """Says what the intents of one sample take, in the house of the sample."""

    def __init__(self, common: Common, rng: random.Random) -> None:
        self.common, self.rng = common, rng
        self.rooms: dict[str, tuple[str, ...]] = {}
        """Areas and their names; empty where the sample has no house."""

    def chance(self, share: float) -> bool:
        """True in so many of all cases."""
        return self.rng.random() < share

    def expand(self, text: str, words: Words, slots: Mapping[str, object]) -> str:
        """A template with all chosen; what needs a slot that is not in `slots` is left out."""
        share = self.rng.choice((0.2, 0.5, 0.8, 1))
        for _ in range(_MACRO_DEPTH):
            text = NAME.sub(lambda found: f"({words[found[1]]})" if found[1] in words else found[0], text)
        while match := _CHOICE.search(text):
            is_group = match[1] is not None
            choices = [one for one in (match[1] if is_group else match[2]).split("|") if _is_sayable(one, slots)]
            if is_group and not choices:
                choices = ["{-}"]
            named = any("{" in one for one in choices)
            is_there = is_group or (bool(choices) and self.chance(share if named else 0.4))
            text = text[: match.start()] + (self.rng.choice(choices) if is_there else "") + text[match.end() :]
        if not _is_sayable(text, slots):
            raise _UnsayableError(text)
        return " ".join(_SHUFFLE.sub(self._shuffled, text).split())

    def _shuffled(self, found: re.Match[str]) -> str:
        parts = found[1].split(";")
        if self.chance(0.7):
            self.rng.shuffle(parts)
        return " ".join(parts)

    def say(self, drawn: Drawn, template: Template, slots: Mapping[str, object]) -> Draft | None:
        """The template as this catalogue can say it, its values still to come; None where it cannot."""
        words = {**self.common.words, **drawn.kind.words}
        words = {name: text for name, text in words.items() if name not in drawn.kind.slots}
        try:
            text = self.expand(template.text, words, slots)
        except _UnsayableError:
            return None
        twice = len(set(found := NAME.findall(text))) < len(found)
        return None if twice or set(found) & set(template.means) else Draft(text, template.means, template.text)

    def fill(self, drawn: Drawn, draft: Draft) -> tuple[str, dict[str, SlotValue]]:
        """The sentence, and the values of its slots as the domain calls them."""
        values: dict[str, SlotValue] = dict(draft.means)
        used: set[str] = set()
        parts = NAME.split(draft.text)
        for index in range(1, len(parts), 2):
            slot = parts[index]
            parts[index], values[slot] = self._draw_value(drawn.places[slot], slot, used)
            if values[slot] == 1 and self.chance(0.8):
                parts[index + 1] = _PLURAL.sub(r"\1\2", parts[index + 1])
        return fix_article("".join(parts)), values

    def _draw_value(self, place: Place, slot: str, used: set[str]) -> tuple[str, SlotValue]:
        if slot == AREA:
            key = self.rng.choice(list(place.forms or self.rooms))
            return self.rng.choice(place.forms.get(key) or self.rooms[key]), key
        if not place.forms:
            least, most = place.bounds
            most = most if self.chance(0.6) else min(most, least + 12 * place.slot.step)
            number = self.rng.randrange(least, most + 1, place.slot.step)
            return self.number(number), number
        values = [value for value in place.forms if value not in used] or list(place.forms)
        value = self.rng.choice(values)
        used.add(value)
        return self.rng.choice(place.forms[value]), value

    def number(self, number: int) -> str:
        """A number in digits or in words."""
        forms = number_forms(Decimal(number), LANG)
        return str(number) if self.chance(0.45) else forms[0] if self.chance(0.8) else self.rng.choice(forms)

    def refused(self, drawn: Drawn) -> str:
        """A sentence that is listed as one that the intent must not take; empty where the catalogue cannot say it."""
        draft = self.say(drawn, self.rng.choice(drawn.kind.refused), drawn.places)
        return normalize_text(self.fill(drawn, draft)[0], LANG) if draft is not None else ""

    def pick(self, name: str) -> str:
        """One of a list of what is said everywhere; `{x}` in it is kept."""
        return self.expand(self.rng.choice(self.common.lists[name]), self.common.words, {"x": None})

    def is_order(self, text: str) -> bool:
        """Whether it begins with a verb, so that it may go behind 'could you'."""
        return text.split(" ", 1)[0] in self.common.verbs

    def spoken(self, text: str) -> str:
        """A template as people say it: polite, with fillers, articles lost."""
        if self.chance(0.06):
            text = re.sub(r"\b(the|an?) ", "", text)
        if self.chance(0.04):
            words = text.split(" ")
            sounds = dict(pair.split("=") for pair in self.common.lists["homophones"])
            text = " ".join(sounds.get(word, word) for word in words)
        return self.wrapped(text)

    def wrapped(self, text: str) -> str:
        """Polite, with something before or after it."""
        if self.is_order(text) and self.chance(0.3):
            text = self.pick("orders").replace("{x}", text)
        if self.chance(0.16):
            text = f"{self.pick('front')} {text}"
        if self.chance(0.12):
            text = f"{text} {self.pick('back')}"
        return text


def _is_sayable(text: str, slots: Mapping[str, object]) -> bool:
    return "{-}" not in text and all(name in slots for name in NAME.findall(text))
