"""What Home Assistant is told, held against the keys that its documentation knows."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from edged import __version__
from edged.act.discovery import (
    ANSWER_BURST,
    MAX_GONE,
    Discovery,
    device_topic,
    read_intents,
    report_device,
    report_removal,
    status_topic,
)
from edged.act.inbound import Inbox, ListenRequest
from edged.act.messages import (
    Report,
    TimerEntry,
    report_answer,
    report_ask,
    report_catalog,
    report_diagnostics,
    report_intent,
    report_listening,
    report_rejected,
    report_timer_answer,
    report_timers,
)
from edged.config import MqttConfig
from edged.intents.catalog import Fault
from edged.types import ListenMode, Rejected, Utterance
from tests.unit.act.conftest import intent_of

UTTERANCE = Utterance("u1", 'say "hi" <b>\\ & 불', "en", 1.0, 0, 0, "mqtt")

ROOT: Final = {
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "command_topic",
    "components",
    "device",
    "encoding",
    "origin",
    "payload_available",
    "payload_not_available",
    "qos",
    "state_topic",
}
"""The documentation of MQTT, Device discovery payload: mandatory and shared options. All keys in their long form."""
DEVICE: Final = {
    "configuration_url",
    "connections",
    "hw_version",
    "identifiers",
    "manufacturer",
    "model",
    "model_id",
    "name",
    "serial_number",
    "suggested_area",
    "sw_version",
    "via_device",
}
ORIGIN: Final = {"name", "support_url", "sw_version"}
COMMON: Final = {
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "device",
    "enabled_by_default",
    "encoding",
    "entity_category",
    "entity_picture",
    "icon",
    "json_attributes_template",
    "json_attributes_topic",
    "name",
    "payload_available",
    "payload_not_available",
    "platform",
    "qos",
    "unique_id",
}
"""Of the entities of every platform."""
PLATFORMS: Final[dict[str, tuple[set[str], set[str]]]] = {
    "button": ({"command_topic"}, {"command_template", "device_class", "payload_press", "retain"}),
    "event": ({"event_types", "state_topic"}, {"device_class", "value_template"}),
    "sensor": (
        {"state_topic"},
        {
            "device_class",
            "expire_after",
            "force_update",
            "last_reset_value_template",
            "options",
            "state_class",
            "suggested_display_precision",
            "unit_of_measurement",
            "value_template",
        },
    ),
    "switch": (
        {"command_topic"},
        {
            "command_template",
            "device_class",
            "optimistic",
            "payload_off",
            "payload_on",
            "retain",
            "state_off",
            "state_on",
            "state_topic",
            "value_template",
        },
    ),
}
"""Platform -> the keys that it requires, and those that it knows besides."""
TOPICS: Final = re.compile(
    r"edged/hall/(answer|ask|availability|catalog|diagnostics|listening|rejected|timers|in/listen|intent/[\w+-]+)"
)


def _device(*intents: str, gone: tuple[str, ...] = (), listens: bool = True) -> dict[str, Any]:
    report = report_device("homeassistant", "hall", intents, gone=gone, listens=listens)
    assert report.retain
    message: dict[str, Any] = json.loads(report.payload)
    return message


def _render(entity: dict[str, Any], report: Report) -> str:
    """The state that Home Assistant makes of a message on the entity's topic."""
    assert re.fullmatch(entity["state_topic"].replace("+", "[^/]+"), report.topic)
    value = report.payload.decode()
    if "value_template" not in entity:
        return value
    return ImmutableSandboxedEnvironment().from_string(entity["value_template"]).render(value_json=json.loads(value))


def test_every_key_is_documented_and_no_required_one_is_missing() -> None:
    message = _device("light", "a-b_C9")
    assert set(message) <= ROOT
    assert {"device", "origin", "components"} <= set(message)
    assert set(message["device"]) <= DEVICE
    assert set(message["origin"]) <= ORIGIN
    assert "name" in message["origin"]
    for key, entity in message["components"].items():
        assert len(entity) > 1, "that would remove it"
        required, known = PLATFORMS[entity["platform"]]
        assert set(entity) <= COMMON | required | known, key
        assert required | {"platform", "unique_id"} <= set(entity), key
        assert entity["qos"] in (0, 1, 2)


def test_ids_are_what_home_assistant_takes_and_unique() -> None:
    message = _device("light", "listening", "a-b_C9")
    components = message["components"]
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", device_topic("homeassistant", "hall"))
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", key) for key in components)
    ids = [entity["unique_id"] for entity in components.values()]
    assert len(set(ids)) == len(ids)
    assert all(unique.startswith("edged_hall_") for unique in ids)


def test_every_topic_is_one_of_the_daemons_own() -> None:
    message = _device("light", "a-b_C9")
    assert TOPICS.fullmatch(message["availability_topic"])
    for entity in message["components"].values():
        for key, value in entity.items():
            assert not key.endswith("_topic") or TOPICS.fullmatch(value), (key, value)


def test_the_device_is_named_after_the_node() -> None:
    assert _device()["device"] == {
        "identifiers": ["edged_hall"],
        "name": "edged hall",
        "manufacturer": "edged",
        "model": "Voice commands",
        "sw_version": __version__,
    }


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "a\0", "x" * 65])
def test_a_name_that_is_no_topic_level_never_reaches_a_topic(name: str) -> None:
    for make in (
        lambda: report_device("homeassistant", name, (), gone=(), listens=True),
        lambda: report_device(name, "hall", (), gone=(), listens=True),
        lambda: report_device("homeassistant", "hall", (name,), gone=(), listens=True),
        lambda: report_device("homeassistant", "hall", (), gone=(name,), listens=True),
        lambda: report_removal("homeassistant", name),
        lambda: status_topic(name),
    ):
        with pytest.raises(ValueError, match="pattern"):
            make()


def test_an_intent_is_an_event_of_its_own_with_all_that_was_understood() -> None:
    event = _device("light")["components"]["intent_light"]
    report = report_intent("hall", UTTERANCE, intent_of("light", action="on"), latency_ms=12)
    rendered = json.loads(_render(event, report))
    assert rendered.pop("event_type") in event["event_types"]
    assert rendered == json.loads(report.payload)


def test_the_last_intent_and_the_last_rejection_are_told_with_everything_about_them() -> None:
    components = _device("light")["components"]
    intent = report_intent("hall", UTTERANCE, intent_of("light", action="on"), latency_ms=12)
    rejected = report_rejected("hall", Rejected("u1", "act", "no"), text="x", lang="en")
    assert _render(components["last_intent"], intent) == "light"
    assert _render(components["last_rejection"], rejected) == "no"
    for key in ("last_intent", "last_rejection"):
        assert components[key]["json_attributes_topic"] == components[key]["state_topic"]


def test_the_last_question_the_last_answer_and_the_timers_are_told() -> None:
    components = _device("light")["components"]
    ask = report_ask("hall", UTTERANCE, question="Which one?", options=("a", "b"), expires_s=15)
    answer = report_answer("hall", UTTERANCE, intent_of("light"), devices=(), more_devices=0, reply="lamp: on")
    timer = TimerEntry(id="u1+1", text="x", lang="en", intent="light", slots={}, due=None)
    assert _render(components["last_question"], ask) == "Which one?"
    assert _render(components["last_answer"], answer) == "lamp: on"
    assert (
        _render(components["last_answer"], report_timer_answer("hall", UTTERANCE, intent_of("light"), (), "none"))
        == "none"
    )
    assert _render(components["timers"], report_timers("hall", [timer, timer])) == "2"


def test_a_reason_is_cut_to_what_a_state_may_hold() -> None:
    rejected = report_rejected("hall", Rejected("u1", "act", "r" * 500), text="x", lang="en")
    assert _render(_device()["components"]["last_rejection"], rejected) == "r" * 255


def test_diagnostics_say_what_is_in_force_and_what_runs() -> None:
    fault = Fault(file="a.json", pointer="/x", line=3, column=5, what="is no number", remedy="mend it")
    catalog = report_catalog("hall", ["alpha", "beta"], [], [fault] * 60)
    runs = report_diagnostics("hall", model="smollm2-135m", lang="en", source="mic")
    intent = report_intent("hall", UTTERANCE, intent_of("light"), latency_ms=12.34)
    components = _device()["components"]
    shown = {
        key: _render(components[key], report)
        for key, report in (("intents", catalog), ("faults", catalog), ("latency", intent), ("model", runs))
    }
    assert shown == {"intents": "2", "faults": "60", "latency": "12.3", "model": "smollm2-135m"}
    assert _render(components["started"], runs) == json.loads(runs.payload)["time"]
    diagnostic = {key for key, entity in components.items() if entity.get("entity_category") == "diagnostic"}
    assert diagnostic == {"intents", "faults", "latency", "model", "started"}


def test_what_the_switch_and_the_button_send_is_understood_and_their_state_known() -> None:
    components = _device()["components"]
    switch, button = components["listening"], components["listen"]
    inbox = Inbox(MqttConfig(node="hall", listen_input=True), "en")
    requests: tuple[tuple[str, str, ListenMode], ...] = (
        (switch["command_topic"], switch["payload_on"], "on"),
        (switch["command_topic"], switch["payload_off"], "off"),
        (button["command_topic"], button["payload_press"], "once"),
    )
    for topic, payload, mode in requests:
        assert inbox.read(topic, payload.encode(), retained=False) == ListenRequest(mode)
    assert _render(switch, report_listening("hall", on=True)) == switch["state_on"]
    assert _render(switch, report_listening("hall", on=False)) == switch["state_off"]


def test_the_controls_of_a_daemon_that_nobody_can_switch_are_named_with_their_platforms_alone() -> None:
    components = _device(listens=False)["components"]
    assert (components["listening"], components["listen"]) == ({"platform": "switch"}, {"platform": "button"})


def test_an_intent_that_is_gone_is_named_with_its_platform_alone() -> None:
    components = _device("light", gone=("heating",))["components"]
    assert components["intent_heating"] == {"platform": "event"}


def test_four_hundred_intents_fit_into_a_message() -> None:
    names = [f"{number:064}" for number in range(400)]
    assert len(report_device("homeassistant", "n" * 64, names, gone=(), listens=True).payload) < 400_000


# When it is told


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def _discovery(mode: str, clock: Clock | None = None) -> Discovery:
    config = MqttConfig.model_validate({"node": "hall", "discovery": mode, "discovery_prefix": "ha"})
    return Discovery(config, listens=True, clock=clock or Clock())


def test_by_default_nothing_is_told() -> None:
    discovery = Discovery(MqttConfig(), listens=True)
    assert not discovery.announces
    assert discovery.topics == ()
    assert discovery.describe(["light"]) is None
    assert discovery.answer("homeassistant/status", b"online", retained=False) is None


def test_an_empty_retained_message_takes_the_device_back() -> None:
    discovery = _discovery("remove")
    assert discovery.describe(["light"]) == Report("ha/device/edged_hall/config", b"", retain=True)
    assert discovery.describe(["light", "heating"]) is None
    assert discovery.topics == ()


def test_a_change_of_the_intents_is_told_once() -> None:
    discovery = _discovery("on")
    first = discovery.describe(["light", "heating"])
    assert first is not None
    assert first.topic == "ha/device/edged_hall/config"
    assert discovery.describe(["heating", "light"]) is None
    second = discovery.describe(["light"])
    assert second is not None
    assert json.loads(second.payload)["components"]["intent_heating"] == {"platform": "event"}
    third = discovery.describe(["light", "heating"])
    assert third == first


def test_the_device_is_described_again_when_home_assistant_starts() -> None:
    discovery = _discovery("on")
    assert discovery.topics == ("ha/status", "ha/device/edged_hall/config")
    assert discovery.answer("ha/status", b"online", retained=False) is None
    described = discovery.describe(["light"])
    assert discovery.answer("ha/status", b"online", retained=False) == described
    for payload in (b"offline", b"", b"ONLINE", b"online" * 1000, b"\xff"):
        assert discovery.answer("ha/status", payload, retained=False) is None
    assert discovery.answer("ha/status", b"online", retained=True) is None


def test_a_home_assistant_that_starts_without_end_is_answered_seldom() -> None:
    clock = Clock()
    discovery = _discovery("on", clock)
    discovery.describe(["light"])
    assert sum(discovery.answer("ha/status", b"online", retained=False) is not None for _ in range(100)) == ANSWER_BURST
    clock.now_ns += 10_000_000_000
    assert sum(discovery.answer("ha/status", b"online", retained=False) is not None for _ in range(100)) == 1


# What a daemon said before


OWN = "ha/device/edged_hall/config"


def test_intents_that_went_while_no_daemon_ran_are_gone_for_home_assistant_too() -> None:
    before = report_device("ha", "hall", ["light", "heating"], gone=["fan"], listens=True)
    discovery = _discovery("on")
    described = discovery.describe(["light"])
    report = discovery.answer(OWN, before.payload, retained=True)
    assert report is not None
    components = json.loads(report.payload)["components"]
    assert components["intent_heating"] == {"platform": "event"}
    assert components["intent_light"]["event_types"] == ["light"]
    assert "intent_fan" not in components
    assert described is not None
    assert discovery.answer(OWN, described.payload, retained=True) is None
    assert discovery.answer(OWN, report.payload, retained=True) is None


def test_only_what_is_retained_counts_as_said_before() -> None:
    other = report_device("ha", "hall", ["heating"], gone=[], listens=True).payload
    discovery = _discovery("on")
    discovery.describe(["light"])
    assert discovery.answer(OWN, other, retained=False) is None


def test_what_was_said_before_may_come_before_the_description() -> None:
    before = report_device("ha", "hall", ["light", "heating"], gone=[], listens=True)
    discovery = _discovery("on")
    assert discovery.answer(OWN, before.payload, retained=True) is None
    described = discovery.describe(["light"])
    assert described is not None
    assert json.loads(described.payload)["components"]["intent_heating"] == {"platform": "event"}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"5",
        b'{"components": []}',
        b'{"components": {"intent_a": 5}}',
        b'{"components": {"intent_a/b": {"platform": "event", "x": 1}, "intent_": {"a": 1, "b": 2}}}',
        b'{"components": {"listen": {"platform": "button", "x": 1}}}',
        b"[" * 100_000,
        b'{"components": {"intent_a": {"a": 1, "b": 2}}}' + b" " * (1 << 20),
    ],
)
def test_what_is_no_description_names_no_intents(payload: bytes) -> None:
    assert read_intents(payload) == frozenset()


@given(
    st.binary(max_size=100)
    | st.dictionaries(st.text(max_size=9).map("intent_".__add__), st.lists(st.integers(), max_size=3), max_size=5).map(
        lambda components: json.dumps({"components": components}).encode()
    )
)
def test_no_description_brings_a_name_that_is_no_topic_level(payload: bytes) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in read_intents(payload))


def test_the_intents_of_a_description_are_bounded() -> None:
    components = {f"intent_{number}": {"platform": "event", "name": "x"} for number in range(10_000)}
    assert len(read_intents(json.dumps({"components": components}).encode())) == MAX_GONE
