from __future__ import annotations

import pytest

from edged.act.asking import DEVICES_PER_S, SETTLE_S, Asking
from edged.act.drivers import DRIVERS, state_topics
from edged.act.messages import Report
from edged.act.state import DeviceStates
from edged.intents.home import Device
from tests.unit.act.conftest import device_of, home_of
from tests.unit.act.fakes import FakeClock


class House:
    def __init__(self, *devices: Device) -> None:
        self.home = home_of(*devices)
        self.time = FakeClock()
        self.states = DeviceStates(state_topics(self.home), clock=lambda: self.time.monotonic_ns)
        self.asked: list[tuple[str, bytes]] = []
        self.can_send = True
        self.since_ns: int | None = self.time.monotonic_ns
        self.asking = Asking(self.home, self.states, send=self._send, clock=lambda: self.time.monotonic_ns)

    def _send(self, report: Report) -> bool:
        assert not report.retain
        if self.can_send:
            self.asked.append((report.topic, report.payload))
        return self.can_send

    def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.5)):
            self.asking.tick(self.since_ns)
            self.time.pass_s(0.5)
        self.asking.tick(self.since_ns)


@pytest.mark.parametrize(
    ("device", "questions"),
    [
        (device_of(), [("zigbee2mqtt/lamp_1/get", b'{"state": ""}')]),
        (device_of(properties={"state": "state_l2"}), [("zigbee2mqtt/lamp_1/get", b'{"state_l2": ""}')]),
        (device_of(kind="cover", base="z/up"), [("z/up/lamp_1/get", b'{"state": ""}')]),
        (device_of(kind="thermostat"), [("zigbee2mqtt/lamp_1/get", b'{"occupied_heating_setpoint": ""}')]),
        (device_of(kind="scene", scene=1), []),
        (device_of(is_group=True), []),
        (device_of(driver="tasmota"), [("cmnd/lamp_1/State", b"")]),
        (device_of(driver="tasmota", kind="cover"), [("cmnd/lamp_1/ShutterPosition1", b"")]),
        (device_of(driver="tasmota", kind="fan"), [("cmnd/lamp_1/FanSpeed", b"")]),
        (
            device_of(driver="tasmota", kind="thermostat", properties={"temperature": "TempTargetSet2"}),
            [("cmnd/lamp_1/TempTargetSet2", b""), ("cmnd/lamp_1/ThermostatModeSet", b"")],
        ),
        (device_of(driver="tasmota", is_group=True), []),
        (device_of(driver="home_assistant", settings={"state_topic": "~"}), []),
        (device_of(driver="template"), []),
    ],
)
def test_a_device_is_asked_in_the_words_of_its_project(device: Device, questions: list[tuple[str, bytes]]) -> None:
    assert list(DRIVERS[device.driver].questions(device)) == questions


def test_devices_are_asked_once_after_the_connection_has_settled() -> None:
    house = House(device_of("a", address="a"), device_of("b", address="b"))
    house.pass_s(SETTLE_S - 0.5)
    assert house.asked == []
    house.pass_s(60)
    assert [topic for topic, _ in house.asked] == ["zigbee2mqtt/a/get", "zigbee2mqtt/b/get"]


def test_what_the_broker_had_kept_is_not_asked_for() -> None:
    house = House(device_of("a", address="a"), device_of("b", address="b"))
    house.states.update("zigbee2mqtt/a", b'{"state": "ON"}', retained=True)
    house.pass_s(60)
    assert [topic for topic, _ in house.asked] == ["zigbee2mqtt/b/get"]


def test_after_a_reconnect_all_are_asked_again_that_have_said_nothing_since() -> None:
    house = House(device_of("a", address="a"), device_of("b", address="b"))
    house.pass_s(10)
    house.states.update("zigbee2mqtt/a", b'{"state": "ON"}')
    house.asked.clear()
    house.since_ns = None
    house.pass_s(10)
    assert house.asked == []
    house.since_ns = house.time.monotonic_ns
    house.states.update("zigbee2mqtt/b", b'{"state": "ON"}')
    house.pass_s(10)
    assert [topic for topic, _ in house.asked] == ["zigbee2mqtt/a/get"]


def test_two_hundred_devices_are_asked_over_twenty_seconds() -> None:
    house = House(*(device_of(f"d{number}", address=f"d{number}") for number in range(200)))
    house.pass_s(SETTLE_S + 10)
    assert 8 * DEVICES_PER_S <= len(house.asked) <= 12 * DEVICES_PER_S
    house.pass_s(15)
    assert len(house.asked) == 200


def test_a_thread_that_was_held_up_does_not_ask_all_at_once() -> None:
    house = House(*(device_of(f"d{number}", address=f"d{number}") for number in range(200)))
    house.pass_s(SETTLE_S)
    house.asked.clear()
    house.time.pass_s(600)
    house.asking.tick(house.since_ns)
    assert len(house.asked) <= 2 * DEVICES_PER_S


def test_a_question_that_could_not_leave_is_asked_again() -> None:
    house = House(device_of())
    house.can_send = False
    house.pass_s(10)
    house.can_send = True
    house.pass_s(1)
    assert len(house.asked) == 1


def test_devices_of_a_changed_house_are_asked() -> None:
    house = House(device_of("a", address="a"))
    house.states.update("zigbee2mqtt/a", b'{"state": "ON"}')
    house.pass_s(10)
    changed = home_of(device_of("a", address="a"), device_of("b", address="b"))
    house.states.set_topics(state_topics(changed))
    house.asking.restart(changed)
    house.pass_s(10)
    assert [topic for topic, _ in house.asked] == ["zigbee2mqtt/b/get"]
