from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from edged.act.home_assistant import HomeAssistant
from edged.errors import ConfigError
from edged.intents.home import Device, Message
from edged.types import Rejected, SlotValue
from tests.unit.act.conftest import change_of, device_of

DRIVER = HomeAssistant()


def of(kind: str = "light", /, **settings: Any) -> Device:
    return device_of("porch", kind=kind, driver="home_assistant", address="home/porch", settings=settings)


LAMP = of(command_topic="~/set", state_topic="~")
SWITCH = of("switch", command_topic="~/set", state_topic="~", payload_on="1", payload_off="0", state_on="1",
            state_off="0")  # fmt: skip
HEATER = of("thermostat", temperature_command_topic="~/t", temperature_state_topic="~/t/state", mode_command_topic="~/m",
            mode_state_topic="~/m/state", current_temperature_topic="~/now", action_topic="~/action",
            temperature_unit="F")  # fmt: skip
WHOLE = of("thermostat", temperature_command_topic="~/t", temp_step=1)
HALVES = of("thermostat", temperature_command_topic="~/t", temp_step=0.5)
COVER = of("cover", command_topic="~/set", set_position_topic="~/set", position_topic="~/p", tilt_command_topic="~/t")
FAN = of("fan", command_topic="~/set", percentage_command_topic="~/speed", speed_range_min=4, speed_range_max=10)


def _sent(device: Device, state: Mapping[str, object] | None = None, /, **change: SlotValue) -> str:
    commands = DRIVER.render(change_of(device, **change), state or {}, now_ns=0, expires_s=1, intent_id="u1")
    assert not isinstance(commands, Rejected), commands.reason
    assert all(command.qos == 1 and not command.retain for command in commands)
    sent = [f"{command.topic} {command.payload.decode()}" for command in commands]
    return "; ".join(text.removeprefix("home/porch/") for text in sent)


def _reason(device: Device, state: Mapping[str, object] | None = None, /, **change: SlotValue) -> str:
    rejected = DRIVER.render(change_of(device, **change), state or {}, now_ns=0, expires_s=1, intent_id="u1")
    assert isinstance(rejected, Rejected), rejected
    return rejected.reason


@pytest.mark.parametrize(
    ("device", "change", "sent"),
    [
        (LAMP, {"state": "on"}, 'set {"state":"ON"}'),
        (LAMP, {"state": "off", "brightness": 5, "transition": 2}, 'set {"state":"OFF","transition":2}'),
        (LAMP, {"brightness": 0}, 'set {"state":"OFF"}'),
        (LAMP, {"brightness": 0.1}, 'set {"state":"ON","brightness":1}'),
        (LAMP, {"brightness": 100}, 'set {"state":"ON","brightness":255}'),
        (of(command_topic="a", brightness_scale=1000), {"brightness": 100}, 'a {"state":"ON","brightness":1000}'),
        (LAMP, {"color_temp": 1000}, 'set {"state":"ON","color_temp":1000}'),
        (LAMP, {"color_temp": 10000}, 'set {"state":"ON","color_temp":100}'),
        (of(command_topic="a", color_temp_kelvin=True), {"color_temp": 10000}, 'a {"state":"ON","color_temp":10000}'),
        (LAMP, {"color": "blue"}, 'set {"state":"ON","color":{"h":240,"s":100}}'),
        (of(command_topic="a", supported_color_modes=("rgbww",)), {"color": "red"},
         'a {"state":"ON","color":{"r":255,"g":0,"b":0,"c":0,"w":0}}'),
        (SWITCH, {"state": "on"}, "set 1"),
        (HEATER, {"temperature": 5}, "t 41"),
        (HEATER, {"temperature": 21.11}, "t 70"),
        (HEATER, {"temperature": 35, "mode": "cool"}, "m cool; t 95"),
        (HALVES, {"temperature": 21.5}, "t 21.5"),
        (HALVES, {"temperature": 21.25}, "t 21.5"),
        (HALVES, {"temperature": 21.24}, "t 21"),
        (WHOLE, {"temperature": 21.5}, "t 22"),
        (COVER, {"cover": "open"}, "set OPEN"),
        (COVER, {"cover": "stop"}, "set STOP"),
        (COVER, {"position": 0}, "set 0"),
        (COVER, {"position": 100, "tilt": 0}, "set 100; t 0"),
        (FAN, {"speed": 0}, "set OFF"),
        (FAN, {"speed": 1}, "speed 4"),
        (FAN, {"speed": 100}, "speed 10"),
        (FAN, {"state": "on", "speed": 50}, "set ON; speed 7"),
        (of("fan", percentage_command_topic="~/speed"), {"speed": 0}, "speed 0"),
        (of("scene", command_topic="~/set", payload_on="go"), {"scene": "activate"}, "set go"),
    ],
)  # fmt: skip
def test_golden_message(device: Device, change: Mapping[str, SlotValue], sent: str) -> None:
    assert _sent(device, **change) == sent


@pytest.mark.parametrize(
    ("device", "state", "change", "repeatable"),
    [
        (LAMP, {}, {"state": "off"}, [True]),
        (LAMP, {}, {"brightness": 40, "color": "blue"}, [True]),
        (LAMP, {"state": "ON"}, {"state": "toggle"}, [True]),  # becomes off
        (LAMP, {"state": "ON", "brightness": 20}, {"brightness_step": 20}, [True]),  # becomes a brightness
        (SWITCH, {}, {"state": "on"}, [True]),
        (HEATER, {}, {"temperature": 20, "mode": "heat"}, [True, True]),
        (FAN, {}, {"state": "on", "speed": 50}, [True, True]),
        (COVER, {}, {"cover": "close"}, [True]),
        (COVER, {}, {"position": 30, "tilt": 10}, [True, True]),
        (COVER, {}, {"cover": "stop"}, [False]),
        (of("scene", command_topic="~/set"), {}, {"scene": "activate"}, [False]),
    ],
)
def test_stops_and_scenes_are_not_repeatable(
    device: Device, state: Mapping[str, object], change: Mapping[str, SlotValue], repeatable: list[bool]
) -> None:
    commands = DRIVER.render(change_of(device, **change), state, now_ns=0, expires_s=1, intent_id="u1")
    assert not isinstance(commands, Rejected), commands.reason
    assert [command.is_repeatable for command in commands] == repeatable


def test_a_step_starts_from_what_the_device_tells_in_its_own_unit() -> None:
    assert _sent(HEATER, {"temperature_state_topic": 70.0}, temperature_step=1.11) == "t 72"
    assert _sent(LAMP, {"state": "OFF", "brightness": 200}, brightness_step=20) == 'set {"state":"ON","brightness":51}'
    assert _sent(LAMP, {"state": "ON", "brightness": 20}, brightness_step=-20) == 'set {"state":"OFF"}'
    assert _sent(SWITCH, {"state_topic": 1.0}, state="toggle") == "set 0"


@pytest.mark.parametrize(
    ("device", "state", "change", "reason"),
    [
        (LAMP, {"state": "OFF"}, {"brightness_step": -5}, "porch is off"),
        (LAMP, {}, {"color": "red", "color_temp": 4000}, "porch cannot be red and 4000 kelvin at once"),
        (LAMP, {}, {"transition": 4}, "says how slowly porch changes, but not to what"),
        (of(command_topic="a", supported_color_modes=("brightness",)), {}, {"color": "red"}, "porch takes no color"),
        (of(command_topic="a", supported_color_modes=("hs",)), {}, {"color_temp": 4000}, "porch takes no color temp"),
        (WHOLE, {}, {"mode": "heat"}, "porch is a thermostat and takes no mode"),
        (WHOLE, {}, {"temperature_step": 1}, "the present set temperature of porch is not known yet"),
        (HEATER, {"temperature_state_topic": 95.0}, {"temperature_step": 1},
         "porch takes a temperature of 5 to 35 celsius, not 36"),
        (COVER, {}, {"position_step": 9}, "the present position of porch is not known yet"),
        (COVER, {}, {"cover": "stop", "position": 9}, "porch cannot stop and move at once"),
        (of("cover", command_topic="a"), {}, {"position": 9}, "porch is a cover and takes no position"),
        (FAN, {}, {"speed_step": 9}, "the present speed of porch is not known yet"),
        (FAN, {"state_topic": "OFF"}, {"speed_step": -9}, "porch is off"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_rejected_with_the_reason(
    device: Device, state: Mapping[str, object], change: Mapping[str, SlotValue], reason: str
) -> None:
    assert _reason(device, state, **change) == reason


@pytest.mark.parametrize(
    ("device", "topic", "payload", "told"),
    [
        (LAMP, "home/porch", b'{"state":"ON","color":{"h":3}}', {"state": "ON", "color.h": 3}),
        (LAMP, "home/porch", b"ON", None),
        (SWITCH, "home/porch", b"1", {"state_topic": 1}),
        (HEATER, "home/porch/t/state", b"70.5", {"temperature_state_topic": 70.5}),
        (HEATER, "home/porch/m/state", b"heat", {"mode_state_topic": "heat"}),
        (HEATER, "home/porch/m/state", b"", None),
        (HEATER, "home/porch/t/state", b"\xff", None),
        (HEATER, "home/porch/t/state", b"9" * 300, None),
        (HEATER, "home/porch/t/state", b"1e999", {"temperature_state_topic": "1e999"}),
        (HEATER, "home/porch/t/state", b"nan", {"temperature_state_topic": "nan"}),
    ],
)
def test_what_a_message_says(device: Device, topic: str, payload: bytes, told: Mapping[str, object] | None) -> None:
    assert DRIVER.read_state(device, topic, payload) == told


@pytest.mark.parametrize(
    ("device", "state", "values"),
    [
        (LAMP, {"state": "ON", "brightness": 255}, {"state": "on", "brightness": 100}),
        (LAMP, {"color_mode": "color_temp", "color_temp": 250, "color.h": 0, "color.s": 100}, {"color_temp": 4000}),
        (LAMP, {"color_mode": "rgb", "color_temp": 250, "color.r": 0, "color.g": 0, "color.b": 9}, {"color": "blue"}),
        (LAMP, {"state": "blinks", "color_temp": 0, "color.r": 0, "color.g": 0, "color.b": 0}, {}),
        (SWITCH, {"state_topic": 0.0}, {"state": "off"}),
        (HEATER, {"temperature_state_topic": 70, "current_temperature_topic": 32.0, "action_topic": "heating"},
         {"temperature": 21.11, "local_temperature": 0, "action": "heat"}),
        (HEATER, {"mode_state_topic": "dry", "temperature_state_topic": "None"}, {}),
        (COVER, {"state_topic": "opening", "position_topic": 30}, {"position": 30}),
        (COVER, {"state_topic": "closed"}, {"cover": "close"}),
        (FAN, {"percentage_state_topic": 10.0}, {"speed": 100}),
        (FAN, {"percentage_state_topic": 0.0}, {"speed": 0}),
    ],
)  # fmt: skip
def test_what_a_state_means(device: Device, state: Mapping[str, object], values: Mapping[str, SlotValue]) -> None:
    assert DRIVER.interpret(device, state) == values


def test_one_topic_may_take_words_and_numbers() -> None:
    commands = DRIVER.render(change_of(COVER, cover="open"), {}, now_ns=0, expires_s=1, intent_id="u1")
    assert not isinstance(commands, Rejected)
    assert DRIVER.assume(COVER, commands[0]) == {"state_topic": "open"}
    commands = DRIVER.render(change_of(COVER, position=30), {}, now_ns=0, expires_s=1, intent_id="u1")
    assert not isinstance(commands, Rejected)
    assert DRIVER.assume(COVER, commands[0]) == {"position_topic": 30}


def test_the_state_topics_are_those_that_are_named() -> None:
    assert DRIVER.state_topics(WHOLE) == ()
    assert DRIVER.state_topics(of(command_topic="~/set", state_topic="stat/~")) == ("stat/home/porch",)
    same = of("cover", command_topic="a", state_topic="~/s", position_topic="~/s")
    assert DRIVER.state_topics(same) == ("home/porch/s",)


@pytest.mark.parametrize("device", [LAMP, SWITCH, HEATER, WHOLE, HALVES, COVER, FAN, of("gate", command_topic="a")])
def test_plain_devices_pass_the_check(device: Device) -> None:
    DRIVER.check(device)


@pytest.mark.parametrize(
    ("device", "where"),
    [
        (of("kettle", command_topic="a"), "kind"),
        (of("light"), "settings"),
        (of("light", state_topic="a"), "settings"),
        (of("light", command_topic="a/#"), "settings.command_topic"),
        (of("light", command_topic=3), "settings.command_topic"),
        (of("light", command_topic="home/porch", state_topic="~"), "settings.state_topic"),
        (of("light", command_topic="a", brightness_scal=100), "settings.brightness_scal"),
        (of("light", command_topic="a", brightness_scale=0), "settings.brightness_scale"),
        (of("light", command_topic="a", brightness_scale=True), "settings.brightness_scale"),
        (of("light", command_topic="a", color_temp_kelvin="yes"), "settings.color_temp_kelvin"),
        (of("light", command_topic="a", supported_color_modes="hs"), "settings.supported_color_modes"),
        (of("thermostat", mode_command_topic="a", temperature_unit="K"), "settings.temperature_unit"),
        (of("thermostat", mode_command_topic="a", temp_step=-1), "settings.temp_step"),
        (of("cover", command_topic="a", position_open=0), "settings.position_open"),
        (of("fan", command_topic="a", speed_range_max=0), "settings.speed_range_max"),
        (device_of("porch", driver="home_assistant", base="x"), "base"),
        (device_of("porch", driver="home_assistant", template={"state": Message("a", "b")}), "template"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_with_its_place(device: Device, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DRIVER.check(device)
    assert caught.value.where == f"devices.porch.{where}"
    assert caught.value.remedy
