"""Whatever devices say, it is read within bounds, and what follows from it is a command or a reason."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from edged.act.answers import Answer, answer_question
from edged.act.drivers import DRIVERS, check_devices, state_topics
from edged.act.following import Following
from edged.act.messages import Report
from edged.act.payload import MAX_KEYS
from edged.act.state import DeviceStates
from edged.config import MqttConfig
from edged.intents.capabilities import CAPABILITIES, READINGS
from edged.intents.catalog import AnswerRule, AnswerRules
from edged.intents.home import Device, Home
from edged.types import Rejected, SlotValue
from tests.unit.act.conftest import change_of, device_of, home_of, intent_of

_TOPICS = {
    "light": ("command_topic", "state_topic"),
    "switch": ("command_topic", "state_topic"),
    "thermostat": (
        "mode_command_topic", "mode_state_topic", "temperature_command_topic", "temperature_state_topic",
        "current_temperature_topic", "action_topic",
    ),
    "cover": ("command_topic", "state_topic", "set_position_topic", "position_topic", "tilt_status_topic"),
    "fan": ("command_topic", "state_topic", "percentage_command_topic", "percentage_state_topic"),
}  # fmt: skip
_STEPS = {
    "light": ("state", "brightness_step"),
    "switch": ("state",),
    "thermostat": ("temperature_step",),
    "cover": ("position_step",),
    "fan": ("state", "speed_step"),
}
_WANTED: dict[str, tuple[dict[str, SlotValue], ...]] = {
    "light": ({"state": "on"}, {"brightness": 30, "color": "blue"}, {"color_temp": 2700}, {"brightness_step": 10}),
    "switch": ({"state": "off"}, {"state": "toggle"}),
    "thermostat": ({"temperature": 21, "mode": "off"}, {"temperature": 5}),
    "cover": ({"cover": "close"}, {"position": 30}, {"position_step": -5}, {"cover": "stop"}),
    "fan": ({"state": "on", "speed": 50}, {"speed_step": 10}),
}
_KEYS = {
    "zigbee2mqtt": (
        "state", "brightness", "color_temp", "color", "color_mode", "position", "tilt", "occupied_heating_setpoint",
        "system_mode", "local_temperature", "running_state", "fan_state", "fan_mode", "speed", "hue", "saturation",
    ),
    "tasmota": (
        "POWER", "POWER1", "Dimmer", "CT", "White", "HSBColor", "FanSpeed", "TempTargetSet", "ThermostatModeSet1",
        "Shutter1", "Position", "Direction", "Thermostat0",
    ),
    "home_assistant": ("state", "brightness", "color_temp", "color", "color_mode", "h", "s", "r", "g", "b"),
}  # fmt: skip
_WORDS = ("ON", "OFF", "OPEN", "open", "closed", "heat", "low", "high", "0,0,0", "359,100,9", "999,999,999", "None", "")


def _devices() -> list[Device]:
    devices = []
    for kind, topics in _TOPICS.items():
        for driver in ("zigbee2mqtt", "tasmota", "home_assistant"):
            settings = {key: f"~/{key}" for key in topics} if driver == "home_assistant" else {}
            name = f"{kind}_{driver}"
            devices.append(device_of(name, kind=kind, driver=driver, address=name, settings=settings))
    return devices


HOME: Home = home_of(*_devices())
TOPICS = state_topics(HOME)
_NUMBERS = st.one_of(st.integers(), st.floats(), st.integers(-3, 300), st.sampled_from([5e-324, 1e-9, -0.0, 1e15]))
_SCALARS = st.one_of(_NUMBERS, st.sampled_from(_WORDS), st.sampled_from([None, True]) | st.text(max_size=9))


def _objects(driver: str) -> st.SearchStrategy[dict[str, Any]]:
    keys = st.sampled_from(_KEYS[driver])
    inner = st.dictionaries(keys, _SCALARS | st.lists(_SCALARS, max_size=2), max_size=4)
    return st.dictionaries(keys | st.text(max_size=9), _SCALARS | inner, max_size=8)


def _payloads(driver: str) -> st.SearchStrategy[bytes]:
    return st.one_of(
        _objects(driver).map(lambda value: json.dumps(value).encode()),
        _SCALARS.map(lambda value: str(value).encode(errors="replace")),
        st.binary(max_size=300),
    )


@st.composite
def _messages(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    """What one device says."""
    device = draw(st.sampled_from(list(HOME.devices.values())))
    topics = st.sampled_from(DRIVERS[device.driver].state_topics(device))
    return draw(st.lists(st.tuples(topics, _payloads(device.driver)), min_size=1, max_size=4))


def test_the_devices_of_these_tests_can_be_used() -> None:
    check_devices(HOME)


@example([("zigbee2mqtt/light_zigbee2mqtt", b'{"color_temp": 5e-324}')])
@example([("stat/light_tasmota/RESULT", b'{"CT": 5e-324}')])
@example([("light_home_assistant/state_topic", b'{"color_temp": 5e-324}')])
@given(_messages())
def test_no_state_message_breaks_what_comes_after_it(messages: list[tuple[str, bytes]]) -> None:
    states = DeviceStates(TOPICS)
    for topic, payload in messages:
        states.update(topic, payload)
    for device in {device.key: device for topic, _ in messages for device in TOPICS[topic]}.values():
        state, driver = states.state_of(device.key), DRIVERS[device.driver]
        assert len(state) <= MAX_KEYS
        for value in driver.interpret(device, state).values():
            assert isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value))
        for capability in _STEPS[device.kind]:
            change = change_of(device, **{capability: "toggle" if capability == "state" else -10})
            commands = driver.render(change, state, now_ns=0, expires_s=1, intent_id="u1")
            assert isinstance(commands, Rejected) or all(len(command.payload) < 100 for command in commands)
            for command in () if isinstance(commands, Rejected) else commands:
                states.assume(device.key, driver.assume(device, command))


@given(_messages(), st.integers(0, 3), st.booleans())
def test_no_state_message_breaks_what_is_waited_for_or_asked(
    messages: list[tuple[str, bytes]],
    number: int,
    retained: bool,
) -> None:
    now_ns, results = [0], list[Report]()

    def take(report: Report) -> bool:
        results.append(report)
        return True

    following = Following(HOME, MqttConfig(node="hall"), report=take, clock=lambda: now_ns[0])
    device = TOPICS[messages[0][0]][0]
    change = change_of(device, **_WANTED[device.kind][number % len(_WANTED[device.kind])])
    commands = DRIVERS[device.driver].render(
        change, following.states.state_of(device.key), now_ns=0, expires_s=1, intent_id="u1"
    )
    for command in () if isinstance(commands, Rejected) else commands:
        following.confirmations.begin(following.confirmations.expect(change, command))
    for topic, payload in messages:
        for availability in following.availability.topics:
            following.take(availability, payload, retained=retained)
        following.take(topic, payload, retained=retained)
    now_ns[0] = 10**12
    following.tick(0)
    assert following.confirmations.pending == 0
    told = [json.loads(report.payload)["status"] for report in results if report.topic == "edged/hall/result"]
    assert len(told) == (0 if isinstance(commands, Rejected) else len(commands))
    rule = AnswerRule({}, device.kind, None, (*CAPABILITIES, *READINGS))
    answer = answer_question(
        intent_of("question"),
        AnswerRules(None, (rule,)),
        HOME,
        lang="de",
        default_area=None,
        told_by=following.states.told_by,
        is_offline=following.availability.is_offline,
    )
    assert isinstance(answer, Answer)
    assert len(answer.reply) < 4000
    json.dumps([one.model_dump() for one in answer.devices], allow_nan=False)
