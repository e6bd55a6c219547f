"""What is fuzzed of MQTT: strange bytes, names and files, and what must hold whatever they are.

Each target is a strategy and a function that takes what it draws and fails where something does not hold.
`tests/fuzz/test_mqtt.py` runs them, shortly under pytest and for any time by itself.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from edged.act.delivery import Fate
from edged.act.discovery import read_intents, report_device
from edged.act.drivers import DRIVERS
from edged.act.hermes import report_hermes_intent, report_hermes_not_recognized
from edged.act.inbound import MAX_REASON_CHARACTERS, MAX_TEXT_CHARACTERS, Inbox, ListenRequest, Reply
from edged.act.inventory import Inventory, read_inventory
from edged.act.mapping import DeviceChange
from edged.act.messages import (
    Report,
    confirm_topic,
    listen_topic,
    report_catalog,
    report_diagnostics,
    report_intent,
    report_outbox,
    report_rejected,
    text_topic,
)
from edged.act.payload import MAX_KEYS, MAX_NUMBER
from edged.act.pipeline import Pipeline
from edged.act.state import DeviceStates
from edged.act.topic import describe_bad_topic
from edged.config import MqttConfig
from edged.errors import BrokerError, ConfigError
from edged.intents.capabilities import CAPABILITIES, READINGS
from edged.intents.catalog import Catalog, Fault
from edged.intents.home import Device, Home, Message
from edged.types import Intent, Rejected, SlotValue, Utterance
from tests.fuzz.mqtt_rules import (
    LEVEL,
    NODE,
    UNSAFE,
    check_command,
    check_report,
    check_topic,
    checked_log,
    strict_json,
)
from tests.fuzz.mqtt_store import check_file, files
from tests.fuzz.mqtt_values import KINDS, PAYLOADS, TEXTS, changes, devices, names

Target: TypeAlias = tuple[st.SearchStrategy[Any], Callable[[Any], None]]


@dataclass(frozen=True)
class Told:
    device: Device
    messages: list[tuple[int, bytes]]
    changes: list[dict[str, SlotValue]]


@st.composite
def told_states(draw: st.DrawFn) -> Told:
    device = draw(devices(strange=False))
    messages = draw(st.lists(st.tuples(st.integers(0, 9), PAYLOADS), max_size=4))
    return Told(device, messages, draw(st.lists(changes(device), min_size=1, max_size=2)))


def check_states(told: Told) -> None:
    """Whatever a device says, what is sent to it and what is told of it is sound."""
    device, driver = told.device, DRIVERS[told.device.driver]
    driver.check(device)
    topics = driver.state_topics(device)
    states = DeviceStates({topic: (device,) for topic in topics})
    with checked_log():
        for number, payload in told.messages if topics else ():
            states.update(topics[number % len(topics)], payload)
        for change in told.changes:
            state = states.state_of(device.key)
            _check_state(driver.interpret(device, state), state)
            commands = driver.render(DeviceChange(device, change), state, now_ns=0, expires_s=1, intent_id="u1")
            if isinstance(commands, Rejected):
                assert commands.reason
                assert not UNSAFE.search(commands.reason), commands.reason
                continue
            for command in commands:
                check_command(device, command)
                states.assume(device.key, driver.assume(device, command))


def _check_state(meant: Mapping[str, SlotValue], state: Mapping[str, object]) -> None:
    assert len(state) <= MAX_KEYS
    for capability, value in meant.items():
        assert capability in CAPABILITIES or capability in READINGS
        choices = CAPABILITIES[capability].choices if capability in CAPABILITIES else ()
        if choices:
            assert value in choices, (capability, value)
        elif capability != "action":
            assert isinstance(value, int | float)
            assert math.isfinite(value)
            assert abs(value) <= 100 * MAX_NUMBER
    strict_json(json.dumps(dict(meant)).encode())


class _Nobody:
    """Takes what is sent and reported."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def publish_all(self, commands: Any, *, instead_of: object = None) -> tuple[Fate, ...]:  # noqa: ARG002
        return tuple(None for _ in commands)

    def report(self, report: Report) -> bool:
        self.reports.append(report)
        return True


INPUTS: Final = (text_topic(NODE), listen_topic(NODE), confirm_topic(NODE))
EVERY_INPUT: Final = MqttConfig(node=NODE, text_input=True, listen_input=True, confirm_input=True)


@st.composite
def inbound(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    good = st.fixed_dictionaries(
        {}, optional={key: TEXTS | st.just("en") | st.just("u1") for key in ("text", "id", "lang", "listen", "answer")}
    ).map(lambda value: json.dumps(value).encode())
    return draw(st.lists(st.tuples(st.sampled_from(INPUTS), PAYLOADS | good), min_size=1, max_size=5))


def check_inbox(messages: list[tuple[str, bytes]]) -> None:
    """Nothing that comes in reaches a topic, a log line or a refusal as it is."""
    inbox, sender = Inbox(EVERY_INPUT, "en"), _Nobody()
    pipeline = Pipeline(
        understand=lambda utterance: Rejected(utterance.id, "understand", "no command"),
        catalog=Catalog({}, Home({}, {}), ()),
        states=DeviceStates({}),
        sender=sender,
        node=NODE,
        hermes_site="hall",
    )
    with checked_log():
        for topic, payload in messages:
            taken = inbox.read(topic, payload, retained=False)
            if isinstance(taken, Utterance):
                assert LEVEL.fullmatch(taken.id)
                assert 1 <= len(taken.text) <= MAX_TEXT_CHARACTERS
                assert not re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", taken.text), taken.text
                pipeline.handle(taken)
            elif isinstance(taken, Rejected):
                assert len(taken.reason) <= MAX_REASON_CHARACTERS + 20
                assert not UNSAFE.search(taken.reason), taken.reason
                pipeline.refuse(taken)
            elif isinstance(taken, Reply):
                assert LEVEL.fullmatch(taken.utterance_id)
                assert len(taken.text) <= MAX_TEXT_CHARACTERS
            else:
                assert taken is None or isinstance(taken, ListenRequest)
    for report in sender.reports:
        check_report(report, f"edged/{NODE}/", "hermes/")


@st.composite
def strange_devices(draw: st.DrawFn) -> tuple[Device, dict[str, SlotValue], list[str]]:
    device = draw(devices(strange=True))
    if draw(st.integers(0, 3)) == 0:
        piece = names() | st.sampled_from(
            ["{{ address }}", "{{ value }}", "{{ value | upper }}", "{% if value %}x{% endif %}"]
        )
        texts = st.lists(piece, min_size=1, max_size=4).map("".join)
        template = {capability: Message(draw(texts), draw(texts)) for capability in KINDS[device.kind]}
        device = Device("lamp", device.kind, None, {}, "template", device.address, {}, template)
    return device, draw(changes(device)), draw(st.lists(TEXTS, max_size=3))


def check_topics(drawn: tuple[Device, dict[str, SlotValue], list[str]]) -> None:
    """What is taken as a topic is one, and a device that its driver takes is only ever sent to sound topics."""
    device, change, texts = drawn
    for text in texts:
        reason = describe_bad_topic(text)
        if reason is None:
            check_topic(text)
        else:
            assert not UNSAFE.search(reason), reason
    try:
        DRIVERS[device.driver].check(device)
    except ConfigError as refusal:
        told = str(refusal)
    else:
        told = ""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", told), told
    if told:
        return
    for topic in DRIVERS[device.driver].state_topics(device):
        check_topic(topic)
    commands = DRIVERS[device.driver].render(DeviceChange(device, change), {}, now_ns=0, expires_s=1, intent_id="u1")
    for command in () if isinstance(commands, Rejected) else commands:
        check_topic(command.topic)
        assert not command.retain
        command.payload.decode()


SLOTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True)
class Named:
    node: str
    intent: str
    text: str
    reason: str
    slots: dict[str, Any]
    others: list[str]
    payloads: tuple[bytes, bytes]
    description: bytes


def _documents() -> tuple[st.SearchStrategy[bytes], st.SearchStrategy[bytes]]:
    """What Zigbee2MQTT and Home Assistant's discovery may hold, with anything in the places of their values."""
    anything = st.one_of(SLOTS, st.integers(-2, 3), st.sampled_from(["light", "state", "", "x" * 300, 1e308, 0b111]))

    def table(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.fixed_dictionaries({}, optional={key: value | anything for key, value in known.items()})

    kinds = st.sampled_from(["light", "switch", "cover", "fan", "climate", "lock"])
    words = st.sampled_from(
        ["state", "brightness", "color_xy", "mode", "speed", "occupied_heating_setpoint", "state_l1"]
    )
    feature = table(
        name=words, property=words | TEXTS, access=st.integers(0, 7), type=st.sampled_from(["composite", "numeric"]),
        value_min=st.floats(), value_max=st.floats(), values=st.lists(TEXTS, max_size=4),
        features=st.lists(table(access=st.integers(0, 7)), max_size=2),
    )  # fmt: skip
    expose = table(type=kinds, features=st.lists(feature, max_size=3), endpoint=TEXTS)
    scene = table(id=st.integers(-1, 256), name=TEXTS)
    entry = table(
        friendly_name=names(), ieee_address=TEXTS, type=TEXTS, disabled=st.booleans(), description=TEXTS,
        definition=table(exposes=st.lists(expose, max_size=3)), scenes=st.lists(scene, max_size=2),
        members=st.lists(table(ieee_address=TEXTS), max_size=2),
    )  # fmt: skip
    inventory = st.lists(entry | anything, max_size=3).map(lambda value: json.dumps(value).encode())
    keys = st.builds("intent_{}".format, names()) | TEXTS
    described = st.fixed_dictionaries({"components": st.dictionaries(keys, table(platform=TEXTS) | anything)})
    return inventory, described.map(lambda value: json.dumps(value).encode())


INVENTORIES, DESCRIPTIONS = _documents()


@st.composite
def named(draw: st.DrawFn) -> Named:
    level = st.just("hall") | names()
    return Named(
        draw(level), draw(level), draw(TEXTS), draw(TEXTS), draw(st.dictionaries(TEXTS, SLOTS, max_size=4)),
        draw(st.lists(level, max_size=3)), (draw(INVENTORIES | PAYLOADS), draw(INVENTORIES | PAYLOADS)),
        draw(DESCRIPTIONS | PAYLOADS),
    )  # fmt: skip


def check_messages(drawn: Named) -> None:
    """Whatever things are called, what is said of them is JSON on a topic of ours, or is refused."""
    utterance = Utterance("u1", drawn.text, "en", 0.5, 0, 0, "mqtt")
    intent = Intent("u1", drawn.intent, drawn.slots, 0.5, math.inf)
    rejected = Rejected("u1", "act", drawn.reason)
    fault = Fault(drawn.reason, drawn.text, 1, 1, drawn.reason, drawn.text, "error")
    makers: list[Callable[[], Report]] = [
        lambda: report_hermes_intent(drawn.node, utterance, intent),
        lambda: report_hermes_not_recognized(drawn.node, rejected, text=drawn.text),
        lambda: report_intent(drawn.node, utterance, intent, latency_ms=1),
        lambda: report_rejected(drawn.node, rejected, text=drawn.text, lang="en"),
        lambda: report_catalog(drawn.node, drawn.others, drawn.others, [fault]),
        lambda: report_diagnostics(drawn.node, model=drawn.text, lang="en", source="mic"),
        lambda: report_outbox(drawn.node, is_durable=False, fault=drawn.reason),
        lambda: report_device("homeassistant", drawn.node, drawn.others, gone=[drawn.intent], listens=True),
    ]
    is_sound = LEVEL.fullmatch(drawn.node) and LEVEL.fullmatch(drawn.intent) and all(map(LEVEL.fullmatch, drawn.others))
    for make in makers:
        report = None
        with contextlib.suppress(ValueError):
            report = make()
        if report is not None:
            check_report(report, "edged/", "hermes/", "homeassistant/")
        assert report is not None or not is_sound or _has_surrogates(drawn), "a sound name was refused"
    for intent_name in read_intents(drawn.description):
        assert LEVEL.fullmatch(intent_name)
    inventory = Inventory((), ())
    with contextlib.suppress(BrokerError):
        inventory = read_inventory(*drawn.payloads)
    for found in inventory.found:
        check_topic(DRIVERS["zigbee2mqtt"].state_topics(replace(found.device, kind="light"))[0])
        assert found.device.names["en"][0].isprintable(), found.device.names
        assert set(found.device.limits) <= set(CAPABILITIES)
        assert all(math.isfinite(end) for ends in found.device.limits.values() for end in ends)
    for skipped in inventory.skipped:
        assert not UNSAFE.search(f"{skipped.name} {skipped.reason}"), skipped


def _has_surrogates(drawn: Named) -> bool:
    """Texts that no UTF-8 can hold: no message can."""
    try:
        repr((drawn.text, drawn.reason)).encode()
        json.dumps([drawn.text, drawn.reason, drawn.slots], ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


TARGETS: Final[dict[str, Target]] = {
    "states": (told_states(), check_states),
    "inbox": (inbound(), check_inbox),
    "topics": (strange_devices(), check_topics),
    "store": (files(), check_file),
    "messages": (named(), check_messages),
}
