"""What the devices last said of themselves: a store that paho's thread fills and the understanding thread reads."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import NoReturn

from edged.act.driver import State

MAX_PAYLOAD_BYTES = 65_536
"""Zigbee2MQTT's longest state messages are a few kB."""
MAX_NUMBER = 1e15
"""Beyond it a float no longer holds tenths; time stamps in milliseconds are below."""
MAX_KEYS = 256
"""Of one device; devices expose some dozens of values."""


class DeviceStates:
    """Thread-safe; keeps the numbers, texts and booleans at the top of each device's state messages."""

    def __init__(self, topics: Mapping[str, tuple[str, ...]]) -> None:
        """`topics` is state topic -> keys of the devices whose state is told there."""
        self._topics = dict(topics)
        self._lock = threading.Lock()
        self._states: dict[str, dict[str, object]] = {}
        self._ignored = 0

    def set_topics(self, topics: Mapping[str, tuple[str, ...]]) -> None:
        """Another house: what is known of devices that keep their topic stays, the rest is forgotten."""
        with self._lock:
            stay = {key for topic, keys in topics.items() for key in keys if key in self._topics.get(topic, ())}
            self._topics = dict(topics)
            self._states = {device: state for device, state in self._states.items() if device in stay}

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to subscribe to."""
        return tuple(self._topics)

    @property
    def ignored(self) -> int:
        """How many messages could not be used."""
        with self._lock:
            return self._ignored

    def update(self, topic: str, payload: bytes) -> None:
        """Takes one state message in; what is too large, no JSON object or of no device is counted and ignored."""
        values = _read_values(payload) if topic in self._topics else None
        with self._lock:
            devices = self._topics.get(topic)
            if devices is None or values is None:
                self._ignored += 1
                return
            for device in devices:
                self._merge(device, values)

    def assume(self, device: str, values: State) -> None:
        """Takes it that the device now has these values, until it says otherwise."""
        with self._lock:
            self._merge(device, values)

    def state_of(self, device: str) -> State:
        """A copy of what is known; empty where nothing is."""
        with self._lock:
            return dict(self._states.get(device, {}))

    def _merge(self, device: str, values: State) -> None:
        state = self._states.setdefault(device, {})
        for key, value in values.items():
            if key in state or len(state) < MAX_KEYS:
                state[key] = value


def _read_values(payload: bytes) -> dict[str, object] | None:
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        message = json.loads(payload, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    return {key: value for key, value in message.items() if isinstance(value, str) or _is_number(value)}


def _is_number(value: object) -> bool:
    """A truth value, or a number that can be reckoned with: JSON also takes 1e999 and whole numbers of any length."""
    return isinstance(value, int | float) and abs(value) <= MAX_NUMBER


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
