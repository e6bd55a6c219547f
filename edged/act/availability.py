"""Which devices say that they cannot be reached; of one that has not said so, nothing is known and it is commanded."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

from edged.act.drivers import DRIVERS, availability_topics
from edged.intents.home import Device, Home


class Availability:
    """Thread-safe; one thing that says offline is enough, be it the device or the bridge that it is behind."""

    def __init__(self, home: Home) -> None:
        self._lock = threading.Lock()
        self._topics: Mapping[str, tuple[Device, ...]] = {}
        self._offline: dict[str, set[str]] = {}
        """Device -> the topics on which it is said to be offline."""
        self.set_home(home)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to subscribe to."""
        return tuple(self._topics)

    def set_home(self, home: Home) -> None:
        """Another house: what is known stays where its topics do."""
        topics = availability_topics(home)
        told = {topic: {device.key for device in devices} for topic, devices in topics.items()}
        with self._lock:
            self._topics = topics
            kept = {key: {t for t in said if key in told.get(t, ())} for key, said in self._offline.items()}
            self._offline = {key: said for key, said in kept.items() if said}

    def update(self, topic: str, payload: bytes) -> bool:
        """Takes one message in; what says neither is ignored. False where the topic is none of `topics`."""
        with self._lock:
            devices = self._topics.get(topic, ())
            for device in devices:
                is_online = DRIVERS[device.driver].read_availability(device, topic, payload)
                if is_online is False:
                    self._offline.setdefault(device.key, set()).add(topic)
                elif is_online:
                    self._clear(device.key, topic)
            return bool(devices)

    def note_alive(self, devices: Collection[str]) -> None:
        """These have said something just now, so what was said of them before is over."""
        with self._lock:
            for device in devices:
                self._offline.pop(device, None)

    def is_offline(self, device: str) -> bool:
        """Whether the device says so."""
        with self._lock:
            return device in self._offline

    def _clear(self, device: str, topic: str) -> None:
        said = self._offline.get(device, set())
        said.discard(topic)
        if not said:
            self._offline.pop(device, None)
