"""Draws values of slots together with the words that somebody says for them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from num2words import num2words

from edged.intents.home import Home
from edged.types import SlotValue

Drawn: TypeAlias = tuple[str, str, SlotValue]
"""Words, slot (empty for a mere word), value."""

_HOME_SHARE: Final = 0.5
"""So many of the rooms and devices are those of the example house; the rest are invented."""


class Values:
    """The values of the slots in one language."""

    def __init__(self, lang: str, names: Mapping[str, Any], home: Home, schemas: Sequence[Mapping[str, Any]]) -> None:
        self._lang = lang
        areas = [(name, area.key) for area in home.areas.values() for name in area.names.get(lang, ())]
        self._homes = {
            "area": areas,
            "lamp": _devices(home, "lamp", schemas, lang),
            "heater": _devices(home, "heater", schemas, lang),
        }
        self._others = {kind: _keyed(entries) for kind, entries in names.items()}
        self._spoken: dict[str, list[tuple[str, SlotValue]]] = {}
        for schema in schemas:
            for slot, values in schema["x-edged"]["spoken"].items():
                self._spoken[slot] = [(word, _value(text)) for text, by in values.items() for word in by.get(lang, ())]

    def draw(self, name: str, rng: random.Random, slots: Mapping[str, SlotValue]) -> Drawn:
        """A value for a placeholder's name; `slots` are those that the sentence has already."""
        if name in self._homes:
            known = self._homes[name]
            words, key = rng.choice(known if known and rng.random() < _HOME_SHARE else self._others[name])
            return words, "area" if name == "area" else "device", key
        if name == "unit":
            wanted = "fahrenheit" if float(str(slots.get("temperature", 0))) > 35 else "celsius"
            words, unit = rng.choice([pair for pair in self._spoken["unit"] if pair[1] == wanted or "step" in slots])
            return words, "unit", unit
        if name == "anycolor":
            return rng.choice(self._spoken["color"])[0], "", None
        if name.endswith("_word") or name == "color":
            slot = name.removesuffix("_word")
            words, value = rng.choice(self._spoken[slot])
            return words, slot, value
        return self._number(name, rng)

    def _number(self, name: str, rng: random.Random) -> Drawn:
        slot, number = _NUMBERS[name](rng)
        return self._words(number, rng), slot, number

    def _words(self, number: float, rng: random.Random) -> str:
        if rng.random() < 0.35:
            return f"{number:g}"
        if self._lang == "ko":
            return korean_number(number)
        if number % 1 and rng.random() < 0.6:
            whole = num2words(int(number), lang="en").replace("-", " ").replace(",", "")
            return f"{whole} and a half"
        return (
            str(num2words(number, lang="en"))
            .replace("-", " ")
            .replace(",", "")
            .replace(" and ", rng.choice([" ", " and "]))
        )


def _brightness(rng: random.Random) -> int:
    return rng.choice([rng.randrange(0, 101, 10), rng.randrange(0, 101, 5), rng.randint(1, 100)])


def _degrees(rng: random.Random) -> float:
    celsius = rng.choice([rng.randint(15, 26), rng.randint(16, 30), rng.randint(10, 60) / 2, rng.randint(55, 85)])
    return int(celsius) if celsius == int(celsius) else celsius


def _few_degrees(rng: random.Random) -> float:
    return rng.choice([1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 0.5, 1.5, 2.5])


_NUMBERS: Final[Mapping[str, Callable[[random.Random], tuple[str, float]]]] = {
    "brightness": lambda rng: ("brightness", _brightness(rng)),
    "step": lambda rng: ("step", max(1, _brightness(rng))),
    "color_temp": lambda rng: (
        "color_temp",
        rng.choice([rng.randrange(1500, 9001, 100), rng.randrange(2000, 7001, 500)]),
    ),
    "transition": lambda rng: ("transition", rng.choice([2, 3, 4, 5, 8, 10, 15, 20, 30, 45, 60, 90, 120])),
    "temperature": lambda rng: ("temperature", _degrees(rng)),
    "degrees": lambda rng: ("step", _few_degrees(rng)),
}

_KO_DIGITS: Final = "영일이삼사오육칠팔구"
_KO_PLACES: Final = ((1000, "천"), (100, "백"), (10, "십"))


def korean_number(number: float) -> str:
    """A number under 10,000 in Sino-Korean words, a half as 점 오."""
    if number % 1:
        return f"{korean_number(int(number))} 점 오"
    rest, words = int(number), ""
    if rest == 0:
        return _KO_DIGITS[0]
    for place, word in _KO_PLACES:
        count, rest = divmod(rest, place)
        if count:
            words += (_KO_DIGITS[count] if count > 1 else "") + word
    return words + (_KO_DIGITS[rest] if rest else "")


def _devices(home: Home, names: str, schemas: Sequence[Mapping[str, Any]], lang: str) -> list[tuple[str, str]]:
    kinds = [schema["x-edged"]["command"]["kind"] for schema in schemas]
    kind = kinds[("lamp", "heater").index(names)]
    return [(name, device.key) for device in home.devices_of(kind) for name in device.names.get(lang, ())]


def _keyed(entries: Sequence[str] | Mapping[str, str]) -> list[tuple[str, str]]:
    if isinstance(entries, Mapping):
        return list(entries.items())
    return [(name, slug(name)) for name in entries]


def slug(name: str) -> str:
    """A name as a key of home.toml."""
    return re.sub(r"[^a-z0-9]+", "_", name.replace("'", "").lower()).strip("_")


def _value(text: str) -> SlotValue:
    try:
        value: SlotValue = json.loads(text)
    except json.JSONDecodeError:
        return text
    return value
