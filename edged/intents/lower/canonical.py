"""The one text of a JSON value: compact, numbers as short decimals, keys in the order of the schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from json.encoder import encode_basestring

from edged.intents.catalog import Json
from edged.intents.lower.number import exact, number_text


def json_text(value: Json) -> str:
    """The text of a value, its keys in their own order.

    Raises:
        Refusal: a number is infinite or has too many digits.
    """
    return _quote(value) if isinstance(value, str) else KeyOrder().text(value)


class KeyOrder:
    """The keys of the objects at one place of an instance, and what lies below it."""

    __slots__ = ("_below", "_items")

    def __init__(self) -> None:
        self._below: dict[str, KeyOrder] = {}
        self._items: KeyOrder | None = None

    def key(self, name: str) -> KeyOrder:
        """The place below a key, which comes last if it is new."""
        found = self._below.get(name)
        if found is None:
            found = self._below[name] = KeyOrder()
        return found

    @property
    def items(self) -> KeyOrder:
        """The place of the items of an array."""
        if self._items is None:
            self._items = KeyOrder()
        return self._items

    def learn(self, value: Json) -> None:
        """Takes the keys of a value that the schema lists."""
        if isinstance(value, dict):
            for name, inner in value.items():
                self.key(name).learn(inner)
        elif isinstance(value, list):
            for inner in value:
                self.items.learn(inner)

    def sorted(self, names: Iterable[str]) -> list[str]:
        """The names in their order, unknown ones last."""
        places = {name: place for place, name in enumerate(self._below)}
        return sorted(names, key=lambda name: places.get(name, len(places)))

    def text(self, value: Json) -> str:
        """The text of a value at this place.

        Raises:
            Refusal: a number is infinite or has too many digits.
        """
        if isinstance(value, str):
            return _quote(value)
        if isinstance(value, dict):
            below = self._below
            members = (f"{_quote(name)}:{below.get(name, _EMPTY).text(value[name])}" for name in self.sorted(value))
            return f"{{{','.join(members)}}}"
        if isinstance(value, list):
            items = self._items or _EMPTY
            return f"[{','.join(items.text(item) for item in value)}]"
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            number = exact(value)
            return number_text(number) if number is not None else ""
        return _quote(value)


_EMPTY = KeyOrder()


def _quote(value: str | bool | None) -> str:
    return encode_basestring(value) if isinstance(value, str) else json.dumps(value)
