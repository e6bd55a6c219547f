"""What the devices last said of themselves: a store that paho's thread fills and the understanding thread reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from edged.act.driver import State
from edged.act.drivers import DRIVERS
from edged.act.payload import MAX_KEYS
from edged.intents.home import Device


class DeviceStates:
    """Thread-safe; keeps what each device's state messages say, and beside it what its last commands let expect."""

    def __init__(
        self, topics: Mapping[str, tuple[Device, ...]], *, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """`topics` is state topic -> the devices whose state is told there."""
        self._clock = clock
        self._topics = dict(topics)
        self._lock = threading.Lock()
        self._told: dict[str, dict[str, object]] = {}
        self._assumed: dict[str, dict[str, object]] = {}
        self._answers: dict[str, int] = {}
        self._heard_ns: dict[str, int] = {}
        self._ignored = 0

    def set_topics(self, topics: Mapping[str, tuple[Device, ...]]) -> None:
        """Another house: what is known of devices that keep their topics and driver stays, the rest is forgotten."""
        with self._lock:
            before, now = _by_device(self._topics), _by_device(topics)
            self._topics = dict(topics)
            known: tuple[dict[str, Any], ...] = (self._told, self._assumed, self._answers, self._heard_ns)
            for states in known:
                for device in [device for device in states if before.get(device) != now.get(device)]:
                    del states[device]

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to subscribe to."""
        return tuple(self._topics)

    def follows(self, topic: str) -> bool:
        """Whether it is one of `topics`."""
        return topic in self._topics

    @property
    def ignored(self) -> int:
        """How many messages could not be used."""
        with self._lock:
            return self._ignored

    def update(self, topic: str, payload: bytes, *, retained: bool = False) -> tuple[str, ...]:
        """Takes one state message in; what no driver can read and what is of no device is counted and ignored.

        Returns:
            The devices whose state it told.
        """
        devices = self._topics.get(topic, ())
        read = [(device, DRIVERS[device.driver].read_state(device, topic, payload)) for device in devices]
        updated: list[str] = []
        with self._lock:
            if not any(values is not None for _, values in read):
                self._ignored += 1
            for device, values in read:
                if values is not None and device in self._topics.get(topic, ()):
                    updated.append(device.key)
                    self._heard_ns[device.key] = self._clock()
                    self._answers[device.key] = self._answers.get(device.key, 0) + (not retained)
                    _merge(self._told.setdefault(device.key, {}), values)
                    assumed = self._assumed.get(device.key, {})
                    for key in values:
                        assumed.pop(key, None)
        return tuple(updated)

    def assume(self, device: str, values: State) -> None:
        """Takes it that the device now has these values, until it says otherwise."""
        with self._lock:
            _merge(self._assumed.setdefault(device, {}), values)

    def retract(self, device: str, values: State) -> None:
        """Takes an assumption back, but for what the device has said or was told since."""
        with self._lock:
            assumed = self._assumed.get(device, {})
            for key, value in values.items():
                if key in assumed and assumed[key] == value:
                    del assumed[key]

    def state_of(self, device: str) -> State:
        """A copy of what the device is taken to be in: what it said, and what it was told to do since."""
        with self._lock:
            return {**self._told.get(device, {}), **self._assumed.get(device, {})}

    def told_by(self, device: str) -> State:
        """A copy of what the device itself said; empty where it said nothing."""
        with self._lock:
            return dict(self._told.get(device, {}))

    def answers_of(self, device: str) -> int:
        """How many messages the device has sent; those that the broker had kept do not count."""
        with self._lock:
            return self._answers.get(device, 0)

    def is_heard_since(self, device: str, start_ns: int) -> bool:
        """Whether a message of it, kept or not, has come since a moment of the clock."""
        with self._lock:
            return self._heard_ns.get(device, start_ns - 1) >= start_ns


def _merge(state: MutableMapping[str, object], values: State) -> None:
    for key, value in values.items():
        if key in state or len(state) < MAX_KEYS:
            state[key] = value


def _by_device(topics: Mapping[str, tuple[Device, ...]]) -> dict[str, tuple[str, set[str]]]:
    """Key of a device -> its driver and where it is told of."""
    found: dict[str, tuple[str, set[str]]] = {}
    for topic, devices in topics.items():
        for device in devices:
            found.setdefault(device.key, (device.driver, set()))[1].add(topic)
    return found
