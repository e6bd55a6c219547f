"""What arrives in payloads, read within bounds: bytes that nobody vouches for become plain values, or nothing."""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn, TypeGuard

MAX_PAYLOAD_BYTES: Final = 65_536
"""Zigbee2MQTT's longest state messages are a few kB."""
MAX_NUMBER: Final = 1e15
"""Beyond it a float no longer holds tenths; time stamps in milliseconds are below."""
MAX_KEYS: Final = 256
"""Of one message and of what is kept of one device; devices expose some dozens of values."""
MAX_TEXT: Final = 256
"""Characters of a text that is kept: states are words."""

AVAILABLE: Final = {"online": True, "offline": False}
"""What Zigbee2MQTT and Tasmota say of a device that can be reached, and of one that cannot."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,16}(\.[0-9]{1,16})?")


def read_object(payload: bytes) -> dict[str, object] | None:
    """The values of a JSON object, those of the objects in it as `outer.inner`; None where it is no object.

    Numbers, short texts and truth values alone are kept.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        message = json.loads(payload, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    values: dict[str, object] = {}
    for key, value in message.items():
        inner = value.items() if isinstance(value, dict) else ()
        for name, found in ((key, value), *((f"{key}.{name}", found) for name, found in inner)):
            if _is_kept(name, found) and len(values) < MAX_KEYS:
                values[name] = found
    return values


def read_plain(payload: bytes) -> float | str | None:
    """A payload that is one number or one word; None where it is empty, too long or no text."""
    if not 0 < len(payload) <= MAX_TEXT:
        return None
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError:
        return None
    if not _NUMBER.fullmatch(text):
        return text or None
    number = float(text)
    return number if abs(number) <= MAX_NUMBER else None


def read_word(payload: bytes) -> str:
    """A payload that is a word, or a JSON object whose `state` is one, in small letters; else nothing."""
    told = read_object(payload)
    word = read_plain(payload) if told is None else told.get("state")
    return word.lower() if isinstance(word, str) else ""


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it can be reckoned with: JSON also takes 1e999, whole numbers of any length, and truth values."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER


def _is_kept(name: str, value: object) -> bool:
    if len(name) > MAX_TEXT:
        return False
    return isinstance(value, bool) or is_number(value) or (isinstance(value, str) and len(value) <= MAX_TEXT)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
