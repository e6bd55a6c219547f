from __future__ import annotations

import json

import pytest

from edged.act.payload import MAX_KEYS, MAX_PAYLOAD_BYTES
from edged.act.state import DeviceStates
from tests.unit.act.conftest import device_of

TOPIC = "zigbee2mqtt/trv"


@pytest.fixture
def states() -> DeviceStates:
    return DeviceStates({TOPIC: (device_of("radiator"),)})


def test_nothing_is_known_at_first(states: DeviceStates) -> None:
    assert states.state_of("radiator") == {}
    assert states.topics == (TOPIC,)


def test_a_message_is_merged_into_what_is_known(states: DeviceStates) -> None:
    states.update(TOPIC, b'{"occupied_heating_setpoint": 20, "local_temperature": 19.5}')
    states.update(TOPIC, b'{"occupied_heating_setpoint": 21}')
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 21, "local_temperature": 19.5}


def test_an_assumed_value_counts_until_the_device_says_otherwise(states: DeviceStates) -> None:
    states.update(TOPIC, b'{"occupied_heating_setpoint": 20}')
    states.assume("radiator", {"occupied_heating_setpoint": 21})
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 21}
    states.update(TOPIC, b'{"occupied_heating_setpoint": 20.5}')
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 20.5}


def test_an_assumption_is_taken_back_where_it_still_stands(states: DeviceStates) -> None:
    states.update(TOPIC, b'{"a": 1, "b": 1, "c": 1}')
    states.assume("radiator", {"a": 2, "b": 2, "c": 2})
    states.assume("radiator", {"b": 3})
    states.update(TOPIC, b'{"c": 4}')
    states.retract("radiator", {"a": 2, "b": 2, "c": 2})
    assert states.state_of("radiator") == {"a": 1, "b": 3, "c": 4}
    states.retract("unknown", {"a": 2})


def test_what_is_given_out_is_a_copy(states: DeviceStates) -> None:
    states.update(TOPIC, b'{"a": 1}')
    given = states.state_of("radiator")
    states.update(TOPIC, b'{"a": 2}')
    assert given == {"a": 1}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"online",
        b"[1, 2]",
        b"3",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1',
        b"[" * 60_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
        b'{"a": "' + b"x" * MAX_PAYLOAD_BYTES + b'"}',
    ],
)
def test_a_payload_that_cannot_be_used_is_counted_and_ignored(states: DeviceStates, payload: bytes) -> None:
    states.update(TOPIC, b'{"a": 1}')
    states.update(TOPIC, payload)
    assert states.state_of("radiator") == {"a": 1}
    assert states.ignored == 1


def test_a_topic_of_no_device_is_counted_and_ignored(states: DeviceStates) -> None:
    states.update("zigbee2mqtt/other", b'{"a": 1}')
    assert states.ignored == 1


def test_numbers_that_cannot_be_reckoned_with_are_left_out(states: DeviceStates) -> None:
    states.update(TOPIC, b'{"a": 1e999, "b": ' + b"9" * 400 + b', "c": 1}')
    assert states.state_of("radiator") == {"c": 1}


def test_nested_values_are_named_after_both_keys_and_nulls_and_lists_are_left_out(states: DeviceStates) -> None:
    states.update(TOPIC, b'{"color": {"x": 1, "deep": {"y": 2}}, "update": null, "list": [1], "state": "ON"}')
    assert states.state_of("radiator") == {"color.x": 1, "state": "ON"}


def test_long_texts_are_left_out(states: DeviceStates) -> None:
    states.update(TOPIC, json.dumps({"a": "x" * 257, "b": "x" * 256, "c" * 257: 1}).encode())
    assert states.state_of("radiator") == {"b": "x" * 256}


def test_what_is_assumed_is_not_what_the_device_told(states: DeviceStates) -> None:
    states.update(TOPIC, b'{"occupied_heating_setpoint": 20}')
    states.assume("radiator", {"occupied_heating_setpoint": 21})
    assert states.told_by("radiator") == {"occupied_heating_setpoint": 20}


def test_a_device_cannot_fill_the_memory_with_keys(states: DeviceStates) -> None:
    for start in range(0, 2 * MAX_KEYS, 100):
        states.update(TOPIC, json.dumps({f"k{number}": number for number in range(start, start + 100)}).encode())
    assert len(states.state_of("radiator")) == MAX_KEYS
    states.update(TOPIC, b'{"k0": -1}')
    assert states.state_of("radiator")["k0"] == -1


def test_devices_that_share_a_topic_share_its_state() -> None:
    states = DeviceStates({TOPIC: (device_of("left"), device_of("right"))})
    states.update(TOPIC, b'{"state_left": "ON"}')
    assert states.state_of("left") == states.state_of("right") == {"state_left": "ON"}
    states.assume("left", {"state_left": "OFF"})
    assert states.state_of("right") == {"state_left": "ON"}


def test_in_another_house_only_devices_that_keep_their_topic_keep_their_state() -> None:
    states = DeviceStates({f"t/{key}": (device_of(key),) for key in "abc"})
    for device in "abc":
        states.update(f"t/{device}", b'{"state": "ON"}')
    states.set_topics({"t/a": (device_of("a"),), "t/new": (device_of("b"),), "t/c": (device_of("d"),)})
    assert states.topics == ("t/a", "t/new", "t/c")
    assert [bool(states.state_of(device)) for device in "abcd"] == [True, False, False, False]
    states.update("t/new", b'{"state": "OFF"}')
    states.update("t/b", b'{"state": "ON"}')
    assert states.state_of("b") == {"state": "OFF"}


def test_what_the_broker_had_kept_is_no_answer_of_the_device(states: DeviceStates) -> None:
    assert states.update(TOPIC, b'{"a": 1}', retained=True) == ("radiator",)
    assert states.answers_of("radiator") == 0
    states.update(TOPIC, b'{"a": 1}')
    states.update(TOPIC, b"nonsense")
    assert states.answers_of("radiator") == 1


def test_a_device_is_heard_by_whatever_comes_of_it() -> None:
    now_ns = [10]
    states = DeviceStates({TOPIC: (device_of("radiator"),)}, clock=lambda: now_ns[0])
    assert not states.is_heard_since("radiator", 0)
    states.update(TOPIC, b'{"a": 1}', retained=True)
    assert states.is_heard_since("radiator", 10)
    assert not states.is_heard_since("radiator", 11)
