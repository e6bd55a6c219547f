"""Home Assistant discovery of the daemon itself: one retained message that describes a device and its entities.

Keys are written out, as Home Assistant's documentation of MQTT discovery has them (device discovery payload, and the
pages of the event, button, switch and sensor platforms, read in November 2026); the tests hold each against that list.
`qos` stands at every entity, since not every version takes it from the root.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, TypeAlias

from edged import __version__
from edged.act.inbound import ListenMessage, TokenBucket
from edged.act.messages import (
    LISTENING,
    NOT_LISTENING,
    ONLINE,
    Report,
    answer_topic,
    ask_topic,
    availability_topic,
    catalog_topic,
    check_level,
    diagnostics_topic,
    every_intent_topic,
    intent_topic,
    is_level,
    listen_topic,
    listening_topic,
    rejected_topic,
    timers_topic,
)
from edged.config import MqttConfig
from edged.types import ListenMode

MAX_STATE_CHARACTERS: Final = 255
"""Of an entity's state in Home Assistant; a longer one becomes `unknown`."""
ANSWERS_PER_S: Final = 0.1
ANSWER_BURST: Final = 3
"""Home Assistant starts seldom, and what is retained reaches it all the same."""
QOS: Final = 1
EVENT_PREFIX: Final = "intent_"
"""Of the ids of event entities; no other entity's id begins with it."""
MAX_DESCRIPTION_BYTES: Final = 1 << 20
"""400 intents with the longest names take less than half of it."""
MAX_GONE: Final = 400
"""Intents that a description may have had: as many as a folder may have files."""

Entity: TypeAlias = dict[str, Any]


class Discovery:
    """What Home Assistant is told of this daemon; thread-safe, but for `answer`, which belongs to one thread."""

    def __init__(self, config: MqttConfig, *, listens: bool, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """`listens`: whether requests to listen are taken."""
        self._mode = config.discovery
        self._prefix, self._node = config.discovery_prefix, config.node
        self._listens = listens
        self._intents: frozenset[str] = frozenset()
        self._gone: frozenset[str] = frozenset()
        self._report: Report | None = None
        self._lock = threading.Lock()
        """Over the last three."""
        self._answers = TokenBucket(ANSWERS_PER_S, ANSWER_BURST, clock)
        self._status_topic = status_topic(self._prefix)
        own = device_topic(self._prefix, self._node)
        self.topics = (self._status_topic, own) if self._mode == "on" else ()
        """What to subscribe to: also what a daemon said here before, for it may have known other intents."""

    @property
    def announces(self) -> bool:
        """Whether Home Assistant is to know of this daemon."""
        return self._mode == "on"

    def describe(self, intents: Iterable[str]) -> Report | None:
        """The message for these intents; None where there is none, or it is as it was."""
        if self._mode == "off":
            return None
        with self._lock:
            present = frozenset(intents)
            self._gone = (self._gone | self._intents) - present
            self._intents = present
            return self._make_report()

    def answer(self, topic: str, payload: bytes, *, retained: bool) -> Report | None:
        """What is to be said about a message on one of `topics`, None for nothing.

        The device is described once more where Home Assistant says that it has started, and anew where the description
        at the broker has intents that are no more.
        """
        if topic == self._status_topic:
            started = not retained and payload == ONLINE
            return self._report if started and self._answers.take() else None
        if not retained:
            return None
        with self._lock:
            self._gone |= read_intents(payload) - self._intents
            return None if self._report is None else self._make_report()

    def _make_report(self) -> Report | None:
        """None where it would say what was said last."""
        if self._mode == "remove":
            report = report_removal(self._prefix, self._node)
        else:
            report = report_device(self._prefix, self._node, self._intents, gone=self._gone, listens=self._listens)
        if report == self._report:
            return None
        self._report = report
        return report


def status_topic(prefix: str) -> str:
    """Where Home Assistant says `online` and `offline`."""
    return f"{check_level(prefix)}/status"


def device_topic(prefix: str, node: str) -> str:
    """Where the device is described."""
    return f"{check_level(prefix)}/device/{_id_of(node)}/config"


def report_removal(prefix: str, node: str) -> Report:
    """The message that makes Home Assistant forget the device, and the broker its description."""
    return Report(device_topic(prefix, node), b"", retain=True)


def report_device(prefix: str, node: str, intents: Collection[str], *, gone: Collection[str], listens: bool) -> Report:
    """The message that describes the daemon.

    Args:
        prefix: under which Home Assistant looks for devices.
        node: this daemon.
        intents: each has an event entity.
        gone: intents that had one. Home Assistant removes an entity only where its platform is all that is said of it.
        listens: whether there are a switch for listening and a button to be listened to once; there may have been.

    Raises:
        ValueError: a name is no topic level.
    """
    entities = _sensors(node) | _diagnostics(node) | _controls(node)
    entities |= {f"{EVENT_PREFIX}{name}": _event(node, name) for name in sorted(intents)}
    components = {key: _complete(node, key, entity) for key, entity in entities.items()}
    components |= {f"{EVENT_PREFIX}{check_level(name)}": {"platform": "event"} for name in sorted(gone)}
    if not listens:
        components |= {key: {"platform": components[key]["platform"]} for key in _controls(node)}
    message = {
        "device": {
            "identifiers": [_id_of(node)],
            "name": f"edged {node}",
            "manufacturer": "edged",
            "model": "Voice commands",
            "sw_version": __version__,
        },
        "origin": {"name": "edged", "sw_version": __version__},
        "availability_topic": availability_topic(node),
        "components": components,
    }
    return Report(device_topic(prefix, node), json.dumps(message, separators=(",", ":")).encode(), retain=True)


def read_intents(payload: bytes) -> frozenset[str]:
    """The intents that have an event entity in a description; none where it is not one that this module makes."""
    if len(payload) > MAX_DESCRIPTION_BYTES:
        return frozenset()
    try:
        components = json.loads(payload)["components"]
        found = [key for key, entity in components.items() if len(entity) > 1]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return frozenset()
    names = (key.removeprefix(EVENT_PREFIX) for key in found if key.startswith(EVENT_PREFIX))
    return frozenset(list(filter(is_level, names))[:MAX_GONE])


def _id_of(node: str) -> str:
    return f"edged_{check_level(node)}"


def _complete(node: str, key: str, entity: Entity) -> Entity:
    return {**entity, "unique_id": f"{_id_of(node)}_{key}", "qos": QOS}


def _sensors(node: str) -> dict[str, Entity]:
    told = {
        "last_intent": ("Last intent", every_intent_topic(node), "intent"),
        "last_rejection": ("Last rejection", rejected_topic(node), "reason"),
        "last_question": ("Last question", ask_topic(node), "question"),
        "last_answer": ("Last answer", answer_topic(node), "reply"),
    }
    sensors = {
        key: _sensor(name, topic, f"{{{{ value_json.{part}[:{MAX_STATE_CHARACTERS}] }}}}", json_attributes_topic=topic)
        for key, (name, topic, part) in told.items()
    }
    timers = timers_topic(node)
    count = "{{ value_json.timers | count }}"
    return {**sensors, "timers": _sensor("Timers", timers, count, json_attributes_topic=timers)}


def _diagnostics(node: str) -> dict[str, Entity]:
    catalog, runs = catalog_topic(node), diagnostics_topic(node)
    latency = {"device_class": "duration", "unit_of_measurement": "ms", "state_class": "measurement"}
    found = {
        "intents": _sensor("Intents in force", catalog, "{{ value_json.intents | count }}"),
        "faults": _sensor("Faults in files", catalog, "{{ value_json.faults | count + value_json.more_faults }}"),
        "latency": _sensor("Time to understand", every_intent_topic(node), "{{ value_json.latency_ms }}", **latency),
        "started": _sensor("Started", runs, "{{ value_json.time }}", device_class="timestamp"),
        "model": _sensor("Language model", runs, "{{ value_json.model }}"),
    }
    return {key: {**entity, "entity_category": "diagnostic"} for key, entity in found.items()}


def _sensor(name: str, topic: str, template: str, **more: str) -> Entity:
    return {"platform": "sensor", "name": name, "state_topic": topic, "value_template": template, **more}


def _controls(node: str) -> dict[str, Entity]:
    return {
        "listening": {
            "platform": "switch",
            "name": "Listening",
            "state_topic": listening_topic(node),
            "command_topic": listen_topic(node),
            "payload_on": _request("on"),
            "payload_off": _request("off"),
            "state_on": LISTENING.decode(),
            "state_off": NOT_LISTENING.decode(),
        },
        "listen": {
            "platform": "button",
            "name": "Listen",
            "command_topic": listen_topic(node),
            "payload_press": _request("once"),
        },
    }


def _request(mode: ListenMode) -> str:
    return ListenMessage(listen=mode).model_dump_json()


def _event(node: str, intent: str) -> Entity:
    """An event's type has to stand in its payload, where an intent's message has `intent`."""
    return {
        "platform": "event",
        "name": f"Intent {intent}",
        "state_topic": intent_topic(node, intent),
        "event_types": [intent],
        "value_template": "{{ dict(value_json, event_type=value_json.intent) | tojson }}",
    }
