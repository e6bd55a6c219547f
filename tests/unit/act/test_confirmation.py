"""Commands to simulated devices, whose answers come at once, late, wrongly or never."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from edged.act import confirmation
from edged.act.confirmation import MOVING_S, OVERTAKEN, RESTARTED, SAID_BEFORE, STOPPED, TELLS_NOTHING, Confirmations
from edged.act.drivers import DRIVERS
from edged.act.mapping import DeviceChange
from edged.act.messages import Report, ResultMessage
from edged.act.state import DeviceStates
from edged.intents.home import Device, Message
from edged.ops.metrics import Metrics
from edged.types import Command, Rejected, ResultStatus, SlotValue
from tests.unit.act.conftest import change_of, device_of
from tests.unit.act.devices import Bench, HomeAssistantPlain, Told, Zigbee2MqttDevice
from tests.unit.act.fakes import FakeClock
from tests.unit.act.test_answers import (
    ha_cover,
    ha_light,
    ha_thermostat,
    home_assistant,
    tasmota,
    tasmota_cover,
    tasmota_light,
    tasmota_thermostat,
    zigbee2mqtt,
    zigbee_cover,
    zigbee_light,
    zigbee_thermostat,
)

CONFIRM_S = 3.0


class CountingMetrics(Metrics):
    def __init__(self) -> None:
        self.results: list[str] = []

    def count_result(self, status: ResultStatus) -> None:
        self.results.append(status)


class House:
    """One simulated device and what is told of its commands."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.device: Device = bench.device
        self.states: DeviceStates = bench.states
        self.time = FakeClock()
        self.reports: list[Report] = []
        self.metrics = CountingMetrics()
        self.confirmations = Confirmations(
            self.states,
            node="hall",
            confirm_s=CONFIRM_S,
            report=self._take,
            metrics=self.metrics,
            clock=lambda: self.time.monotonic_ns,
        )
        self._utterances = 0

    def _take(self, report: Report) -> bool:
        assert report.topic == "edged/hall/result"
        assert not report.retain
        self.reports.append(report)
        return True

    def send(self, **change: SlotValue) -> list[Told]:
        """Has the broker take the commands of a change; gives what the device says to each, which is not yet told."""
        self._utterances += 1
        wanted: DeviceChange = change_of(self.device, **change)
        state, name = self.states.state_of(self.device.key), f"u{self._utterances}"
        commands = DRIVERS[self.device.driver].render(wanted, state, now_ns=0, expires_s=9, intent_id=name)
        assert not isinstance(commands, Rejected), commands.reason
        sent = [replace(command, device=self.device.key) for command in commands]
        noted = [self.confirmations.expect(wanted, command) for command in sent]
        for one in noted:
            self.states.assume(self.device.key, one.expected)
            self.confirmations.begin(one)
        return [self.bench.simulated.take(command.topic, command.payload.decode()) for command in commands]

    def tell(self, *answers: Told, retained: bool = False) -> None:
        for topic, payload in [message for answer in answers for message in answer]:
            if topic in self.states.topics:
                self.confirmations.look(self.states.update(topic, payload.encode(), retained=retained))

    def pass_s(self, seconds: float) -> None:
        self.time.pass_s(seconds)
        self.confirmations.tick()

    def results(self) -> list[tuple[str, str]]:
        messages = [ResultMessage.model_validate_json(report.payload) for report in self.reports]
        return [(message.id, message.status) for message in messages]

    def reasons(self) -> list[str]:
        return [ResultMessage.model_validate_json(report.payload).reason for report in self.reports]


class MutePlug:
    def take(self, topic: str, payload: str) -> Told:  # noqa: ARG002 -- as every device
        return []


def ha_switch() -> Bench:
    return home_assistant(
        "switch", {"home/thing/set": ("home/thing", {"ON": "ON", "OFF": "OFF"})}, ("home/thing", "OFF"),
        command_topic="~/set", state_topic="~",
    )  # fmt: skip


def tasmota_fan() -> Bench:
    return tasmota("fan", ("stat/plug/RESULT", '{"FanSpeed": 1}'), FanSpeed=1)


def zigbee_fan() -> Bench:
    return zigbee2mqtt("fan", fan_state="ON", fan_mode="low")


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (zigbee_light, {"state": "off"}),
        (zigbee_light, {"brightness": 30, "color": "blue"}),
        (zigbee_light, {"color_temp": 2700}),
        (zigbee_light, {"brightness_step": 20}),
        (zigbee_light, {"brightness_step": -100}),
        (zigbee_light, {"state": "toggle"}),
        (zigbee_cover, {"cover": "close"}),
        (zigbee_cover, {"position": 70, "tilt": 10}),
        (zigbee_cover, {"cover": "stop"}),
        (zigbee_thermostat, {"temperature": 21.5, "mode": "heat"}),
        (zigbee_thermostat, {"temperature_step": 1}),
        (zigbee_fan, {"speed": 100}),
        (zigbee_fan, {"speed_step": 40}),
        (tasmota_light, {"state": "on", "brightness": 30, "color": "blue"}),
        (tasmota_light, {"brightness_step": -20}),
        (tasmota_light, {"color_temp": 4000}),
        (tasmota_light, {"state": "toggle"}),
        (tasmota_cover, {"cover": "close"}),
        (tasmota_cover, {"cover": "open"}),
        (tasmota_cover, {"position": 70}),
        (tasmota_cover, {"position_step": -10}),
        (tasmota_thermostat, {"temperature": 18.5}),
        (tasmota_fan, {"speed": 100}),
        (ha_light, {"brightness": 30, "color": "green"}),
        (ha_light, {"color_temp": 2700}),
        (ha_cover, {"position": 80}),
        (ha_thermostat, {"mode": "heat", "temperature": 21.5}),
        (ha_switch, {"state": "on"}),
    ],
)
def test_a_command_is_confirmed_by_the_devices_own_state_and_not_before(
    make: Callable[[], Bench], change: dict[str, SlotValue]
) -> None:
    house = House(make())
    answers = house.send(**change)
    assert house.results() == []
    house.tell(*answers)
    assert house.results() == [("u1", "confirmed")] * len(answers)
    assert house.confirmations.pending == 0
    house.pass_s(1000)
    assert len(house.reports) == len(answers)


def test_a_result_names_the_command_the_device_and_the_node() -> None:
    house = House(zigbee_light())
    house.tell(*house.send(state="off"))
    message = json.loads(house.reports[0].payload)
    assert message.pop("time").endswith("Z")
    assert message == {
        "id": "u1", "node": "hall", "command": "u1/0", "device": "thing", "status": "confirmed", "reason": "",
    }  # fmt: skip


def test_a_device_that_never_answers_is_unconfirmed_and_nothing_is_assumed_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House(zigbee_thermostat())
    house.send(temperature=25)
    assert house.states.state_of("thing")["occupied_heating_setpoint"] == 25
    house.pass_s(CONFIRM_S - 0.1)
    assert house.results() == []
    with caplog.at_level(logging.WARNING):
        house.pass_s(0.2)
    assert house.results() == [("u1", "unconfirmed")]
    assert house.reasons() == ["thing has said nothing within 3 s"]
    assert house.metrics.results == ["unconfirmed"]
    assert "u1: thing has said nothing" in caplog.text
    assert house.states.state_of("thing")["occupied_heating_setpoint"] == 20
    ((_, payload),) = house.send(temperature_step=1)[0]
    assert json.loads(payload)["occupied_heating_setpoint"] == 21


@pytest.mark.parametrize(
    ("make", "change", "wrong"),
    [
        (zigbee_light, {"state": "off"}, ("zigbee2mqtt/lamp_1", '{"state": "ON"}')),
        (zigbee_light, {"brightness": 30}, ("zigbee2mqtt/lamp_1", '{"brightness": 200}')),
        (zigbee_light, {"brightness": 30}, ("zigbee2mqtt/lamp_1", '{"brightness": 79}')),
        (zigbee_light, {"color_temp": 2700}, ("zigbee2mqtt/lamp_1", '{"color_temp": 366, "color_mode": "color_temp"}')),
        (zigbee_light, {"color": "blue"}, ("zigbee2mqtt/lamp_1", '{"color": {"hue": 0, "saturation": 100}}')),
        (zigbee_light, {"brightness_step": 20}, ("zigbee2mqtt/lamp_1", '{"brightness": 100}')),
        (zigbee_light, {"state": "toggle"}, ("zigbee2mqtt/lamp_1", '{"state": "ON"}')),
        (zigbee_thermostat, {"temperature": 22}, ("zigbee2mqtt/lamp_1", '{"occupied_heating_setpoint": 22.5}')),
        (tasmota_light, {"state": "off"}, ("stat/plug/POWER", "ON")),
        (ha_switch, {"state": "on"}, ("home/thing", "OFF")),
        (ha_switch, {"state": "on"}, ("home/thing", "nonsense")),
    ],
)  # fmt: skip
def test_a_device_that_says_something_else_is_unconfirmed(
    make: Callable[[], Bench], change: dict[str, SlotValue], wrong: tuple[str, str]
) -> None:
    house = House(make())
    house.send(**change)
    house.tell([wrong])
    assert house.results() == []
    house.pass_s(CONFIRM_S)
    assert house.results() == [("u1", "unconfirmed")]
    assert house.reasons() == ["thing says something else within 3 s"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"brightness": 30}, {"brightness": 78}),
        ({"color_temp": 2700}, {"color_temp": 368, "color_mode": "color_temp"}),
        ({"color_temp": 6500}, {"color_temp": 152, "color_mode": "color_temp"}),
    ],
)
def test_what_the_devices_own_scale_loses_is_no_difference(
    change: dict[str, SlotValue], told: dict[str, object]
) -> None:
    house = House(zigbee_light())
    house.send(**change)
    house.tell([("zigbee2mqtt/lamp_1", json.dumps(told))])
    assert house.results() == [("u1", "confirmed")]


def test_an_answer_that_comes_late_changes_nothing_that_was_told() -> None:
    house = House(zigbee_light())
    late = house.send(state="off")
    house.pass_s(CONFIRM_S)
    house.tell(*late)
    assert house.results() == [("u1", "unconfirmed")]
    assert house.states.state_of("thing")["state"] == "OFF"


def test_an_answer_that_comes_before_the_brokers_counts() -> None:
    house = House(zigbee_light())
    change = change_of(house.device, state="off")
    commands = DRIVERS["zigbee2mqtt"].render(change, {}, now_ns=0, expires_s=9, intent_id="u1")
    assert not isinstance(commands, Rejected)
    noted = house.confirmations.expect(change, commands[0])
    house.tell([("zigbee2mqtt/lamp_1", '{"state": "OFF"}')])
    house.confirmations.begin(noted)
    assert house.results() == [("u1", "confirmed")]


def test_what_a_dead_device_had_said_before_confirms_nothing() -> None:
    house = House(zigbee_light())
    house.send(state="on")
    assert house.results() == []
    house.tell([("zigbee2mqtt/lamp_1", '{"state": "ON"}')], retained=True)
    assert house.results() == []
    house.pass_s(CONFIRM_S)
    assert house.results() == [("u1", "unconfirmed")]


def test_a_kept_state_counts_where_it_has_become_what_was_asked_for() -> None:
    house = House(zigbee_light())
    house.tell(*house.send(state="off"), retained=True)
    assert house.results() == [("u1", "confirmed")]


def test_a_device_that_is_silent_where_nothing_changes_is_confirmed_by_what_it_had_said_but_at_the_end() -> None:
    house = House(ha_switch())
    house.send(state="off")
    assert house.results() == []
    house.pass_s(CONFIRM_S)
    assert house.results() == [("u1", "confirmed")]
    assert house.reasons() == [SAID_BEFORE]


def test_a_cover_that_echoes_its_goal_has_to_arrive_where_it_tells_its_position() -> None:
    house = House(zigbee_cover())
    house.send(cover="close")
    for position in (40, 30, 10):
        house.tell([("zigbee2mqtt/lamp_1", json.dumps({"state": "CLOSE", "position": position}))])
        house.pass_s(20)
    assert house.results() == []
    house.tell([("zigbee2mqtt/lamp_1", '{"state": "CLOSE", "position": 2}')])
    assert house.results() == [("u1", "confirmed")]


def test_a_cover_that_tells_no_position_is_taken_at_its_word() -> None:
    house = House(Bench(device_of("thing", kind="cover", address="lamp_1"), MutePlug()))
    house.send(cover="close")
    house.tell([("zigbee2mqtt/lamp_1", '{"state": "CLOSE"}')])
    assert house.results() == [("u1", "confirmed")]


def test_a_cover_that_stops_on_the_way_is_unconfirmed_after_its_longer_time() -> None:
    house = House(tasmota_cover())
    house.send(position=90)
    moving = {"Shutter1": {"Position": 60, "Direction": 1, "Target": 90}}
    house.tell([("stat/plug/RESULT", json.dumps(moving))])
    house.pass_s(CONFIRM_S + MOVING_S - 0.1)
    assert house.results() == []
    house.pass_s(0.2)
    assert house.results() == [("u1", "unconfirmed")]


def test_a_slow_change_has_its_transition_on_top() -> None:
    house = House(zigbee_light())
    house.send(brightness=30, transition=60)
    house.pass_s(62)
    assert house.results() == []
    house.pass_s(1.1)
    assert house.results() == [("u1", "unconfirmed")]


def test_a_newer_command_about_the_same_ends_the_waiting_of_the_older() -> None:
    house = House(zigbee_light())
    house.send(brightness=30)
    newer = house.send(brightness=80)
    assert house.results() == [("u1", "sent")]
    assert house.reasons() == [OVERTAKEN]
    house.tell(*newer)
    house.pass_s(1000)
    assert house.results() == [("u1", "sent"), ("u2", "confirmed")]


@pytest.mark.parametrize(
    ("first", "second", "is_ended"),
    [
        ({"color": "blue"}, {"state": "off"}, True),
        ({"state": "off"}, {"state": "on"}, True),
        ({"brightness_step": 10}, {"brightness": 50}, True),
        ({"color": "blue"}, {"color_temp": 2700}, True),
        ({"color": "blue"}, {"brightness": 50}, False),
    ],
)
def test_a_newer_command_about_something_else_leaves_the_older_waiting(
    first: dict[str, SlotValue], second: dict[str, SlotValue], *, is_ended: bool
) -> None:
    house = House(zigbee_light())
    house.send(**first)
    house.send(**second)
    assert house.results() == ([("u1", "sent")] if is_ended else [])


def test_messages_of_one_change_do_not_overtake_each_other() -> None:
    topics = {"command_topic": "~/set", "state_topic": "~", "percentage_command_topic": "~/speed/set",
              "percentage_state_topic": "~/speed"}  # fmt: skip
    device = device_of("thing", kind="fan", driver="home_assistant", address="home/fan", settings=topics)
    answers: Mapping[str, tuple[str, Mapping[str, str]]] = {
        "home/fan/set": ("home/fan", {}), "home/fan/speed/set": ("home/fan/speed", {}),
    }  # fmt: skip
    house = House(Bench(device, HomeAssistantPlain(answers)))
    told = house.send(state="on", speed=50)
    assert house.confirmations.pending == 2
    house.tell(*told)
    assert house.results() == [("u1", "confirmed"), ("u1", "confirmed")]


@pytest.mark.parametrize(
    "settings",
    [
        {"driver": "template", "template": {"state": Message("relay/1", "{{ value }}")}},
        {"driver": "home_assistant", "settings": {"command_topic": "~/set"}},
        {"driver": "tasmota", "is_group": True},
    ],
)
def test_a_device_that_tells_no_state_is_only_sent(settings: dict[str, Any]) -> None:
    house = House(Bench(device_of("thing", kind="switch", address="relay", **settings), MutePlug()))
    house.send(state="on")
    house.pass_s(1000)
    assert house.results() == [("u1", "sent")]
    assert house.reasons() == [TELLS_NOTHING]
    assert house.metrics.results == ["sent"]


def test_what_home_assistant_has_no_topic_for_is_only_sent() -> None:
    answers: Mapping[str, tuple[str, Mapping[str, str]]] = {
        "home/thing/mode/set": ("home/thing/mode", {}), "home/thing/temperature/set": ("nowhere", {}),
    }  # fmt: skip
    bench = home_assistant(
        "thermostat", answers, mode_command_topic="~/mode/set", mode_state_topic="~/mode",
        temperature_command_topic="~/temperature/set",
    )  # fmt: skip
    house = House(bench)
    house.tell(*house.send(mode="heat", temperature=21))
    assert sorted(house.results()) == [("u1", "confirmed"), ("u1", "sent")]


def test_beyond_the_cap_commands_are_sent_and_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmation, "MAX_PENDING", 1)
    house = House(zigbee_light())
    house.send(color="blue")
    answer = house.send(brightness=50)
    assert house.results() == [("u2", "sent")]
    house.tell(*answer)
    assert house.results() == [("u2", "sent"), ("u1", "confirmed")]
    assert house.confirmations.pending == 0


def test_the_end_says_of_what_is_waited_for_that_it_was_sent() -> None:
    house = House(zigbee_light())
    house.send(state="off")
    house.confirmations.close()
    assert house.results() == [("u1", "sent")]
    assert house.reasons() == [STOPPED]


def test_a_command_from_before_a_restart_is_told_as_sent() -> None:
    house = House(zigbee_light())
    house.confirmations.lose(Command("a/set", b"x", 1, False, 0, "u0", position=2, device="thing"))
    message = ResultMessage.model_validate_json(house.reports[0].payload)
    assert (message.command, message.device, message.status, message.reason) == ("u0/2", "thing", "sent", RESTARTED)


def test_a_report_of_a_result_is_told_once_the_broker_is_back() -> None:
    house = House(zigbee_light())
    house.tell(*house.send(state="off"))
    assert house.reports[0].may_wait


def test_two_devices_are_waited_for_apart() -> None:
    left, right = device_of("left", address="l"), device_of("right", address="r")
    states = DeviceStates({"zigbee2mqtt/l": (left,), "zigbee2mqtt/r": (right,)})
    house = House(Bench(left, Zigbee2MqttDevice("l", state="ON")))
    confirmations = Confirmations(
        states, node="hall", confirm_s=3, report=house._take, clock=lambda: house.time.monotonic_ns
    )
    for device in (left, right):
        change = change_of(device, state="off")
        commands = DRIVERS["zigbee2mqtt"].render(change, {}, now_ns=0, expires_s=9, intent_id=device.key)
        assert not isinstance(commands, Rejected)
        confirmations.begin(confirmations.expect(change, commands[0]))
    confirmations.look(states.update("zigbee2mqtt/r", b'{"state": "OFF"}'))
    house.time.pass_s(3)
    confirmations.tick()
    assert house.results() == [("right", "confirmed"), ("left", "unconfirmed")]


def test_an_older_command_that_leaves_the_outbox_later_does_not_end_the_waiting_of_the_newer() -> None:
    house = House(zigbee_light())
    noted = []
    for brightness in (30, 80):
        change = change_of(house.device, brightness=brightness)
        commands = DRIVERS["zigbee2mqtt"].render(change, {}, now_ns=0, expires_s=9, intent_id=f"to-{brightness}")
        assert not isinstance(commands, Rejected)
        noted.append(house.confirmations.expect(change, commands[0]))
    house.confirmations.begin(noted[1])
    house.confirmations.begin(noted[0])
    assert house.results() == []
    assert house.confirmations.pending == 2
