from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from edged.act.tasmota import CAPABILITIES_OF, Tasmota
from edged.errors import ConfigError
from edged.intents.home import Device, Message
from edged.types import Command, Rejected, SlotValue
from tests.unit.act.conftest import change_of, device_of

DRIVER = Tasmota()


def tasmota(kind: str = "light", **more: Any) -> Device:
    return device_of("porch", kind=kind, driver="tasmota", address="plug", **more)


LAMP = tasmota()
RADIATOR = tasmota("thermostat")
SHUTTER = tasmota("cover")
FAN = tasmota("fan")
FIVE_SPEEDS = tasmota("fan", speeds=5)
TUYA_FAN = tasmota("fan", properties={"state": "POWER1"})


def _render(device: Device, state: Mapping[str, object], /, **change: SlotValue) -> tuple[Command, ...] | Rejected:
    return DRIVER.render(change_of(device, **change), state, now_ns=1_000, expires_s=0.5, intent_id="u1")


def _sent(device: Device, state: Mapping[str, object] | None = None, /, **change: SlotValue) -> str:
    commands = _render(device, state or {}, **change)
    assert not isinstance(commands, Rejected), commands.reason
    (command,) = commands
    return f"{command.topic} {command.payload.decode()}".removeprefix("cmnd/plug/")


def _reason(device: Device, state: Mapping[str, object] | None = None, /, **change: SlotValue) -> str:
    rejected = _render(device, state or {}, **change)
    assert isinstance(rejected, Rejected), rejected
    return rejected.reason


def test_a_command_goes_to_its_own_topic_and_is_never_retained() -> None:
    assert _render(LAMP, {}, state="on") == (Command("cmnd/plug/POWER", b"ON", 1, False, 500_001_000, "u1", True),)


@pytest.mark.parametrize(
    ("device", "change", "sent"),
    [
        (LAMP, {"state": "toggle"}, "POWER TOGGLE"),
        (LAMP, {"brightness": 0}, "POWER OFF"),
        (LAMP, {"brightness": 0.1}, "Dimmer 1"),
        (LAMP, {"brightness": 100}, "Dimmer 100"),
        (LAMP, {"state": "on", "brightness": 40}, "Backlog Dimmer 40;POWER ON"),
        (LAMP, {"brightness_step": 20}, "Dimmer +20"),
        (LAMP, {"brightness_step": -100}, "Dimmer -100"),
        (LAMP, {"brightness_step": 0.1}, "Dimmer +1"),
        (LAMP, {"color_temp": 6535}, "CT 153"),
        (LAMP, {"color_temp": 2000}, "CT 500"),
        (LAMP, {"color": "white", "color_temp": 4000}, "CT 250"),
        (LAMP, {"color_temp": 4000, "brightness": 10}, "Backlog CT 250;Dimmer 10"),
        (LAMP, {"color": "red"}, "HSBColor 0,100,100"),
        (LAMP, {"color": "magenta", "brightness": 7}, "HSBColor 300,100,7"),
        (LAMP, {"state": "off", "color": "red", "transition": 20}, "Backlog Speed2 40;POWER OFF"),
        (LAMP, {"brightness": 5, "transition": 0}, "Backlog Speed2 0;Dimmer 5"),
        (LAMP, {"brightness": 5, "transition": 0.4}, "Backlog Speed2 1;Dimmer 5"),
        (RADIATOR, {"temperature": 5}, "TempTargetSet 5"),
        (RADIATOR, {"temperature": 21.5}, "TempTargetSet 21.5"),
        (RADIATOR, {"temperature": 21.11}, "TempTargetSet 21.1"),
        (RADIATOR, {"temperature": 35, "mode": "auto"}, "Backlog TempTargetSet 35;ThermostatModeSet 1"),
        (RADIATOR, {"mode": "off"}, "ThermostatModeSet 0"),
        (RADIATOR, {"mode": "heat"}, "ThermostatModeSet 1"),
        (SHUTTER, {"cover": "open"}, "ShutterOpen1 "),
        (SHUTTER, {"cover": "close"}, "ShutterClose1 "),
        (SHUTTER, {"cover": "stop"}, "ShutterStop1 "),
        (SHUTTER, {"position": 0}, "ShutterPosition1 0"),
        (SHUTTER, {"position": 100, "cover": "open"}, "ShutterPosition1 100"),
        (SHUTTER, {"position_step": 20}, "ShutterChange1 20"),
        (SHUTTER, {"position_step": -100}, "ShutterChange1 -100"),
        (FAN, {"state": "on"}, "FanSpeed 2"),
        (FAN, {"state": "off"}, "FanSpeed 0"),
        (FAN, {"speed": 0}, "FanSpeed 0"),
        (FAN, {"speed": 1}, "FanSpeed 1"),
        (FAN, {"speed": 100}, "FanSpeed 3"),
        (FIVE_SPEEDS, {"speed": 81}, "FanSpeed 5"),
        (TUYA_FAN, {"state": "toggle"}, "POWER1 TOGGLE"),
        (TUYA_FAN, {"speed": 0}, "POWER1 OFF"),
        (TUYA_FAN, {"state": "on", "speed": 50}, "Backlog FanSpeed 2;POWER1 ON"),
        (tasmota("switch", properties={"state": "POWER4"}), {"state": "on"}, "POWER4 ON"),
        (tasmota(properties={"brightness": "Dimmer2"}), {"brightness_step": -5}, "Dimmer2 -5"),
        (tasmota("cover", properties={"position": "Shutter2"}), {"cover": "stop"}, "ShutterStop2 "),
        (tasmota("thermostat", properties={"temperature": "TempTargetSet2"}), {"temperature": 9}, "TempTargetSet2 9"),
        (tasmota("gadget"), {"state": "on", "position": 5}, "Backlog ShutterPosition1 5;POWER ON"),
    ],
)
def test_golden_command(device: Device, change: Mapping[str, SlotValue], sent: str) -> None:
    assert _sent(device, **change) == sent


@pytest.mark.parametrize(
    ("device", "change", "is_repeatable"),
    [
        (LAMP, {"state": "off"}, True),
        (LAMP, {"state": "toggle"}, False),
        (LAMP, {"state": "on", "brightness": 40, "color": "blue", "transition": 2}, True),
        (LAMP, {"color_temp": 4000}, True),
        (LAMP, {"state": "toggle", "transition": 2}, False),
        (LAMP, {"brightness_step": 20}, False),
        (LAMP, {"brightness_step": -20, "transition": 2}, False),
        (tasmota(properties={"brightness": "Dimmer2"}), {"brightness_step": 5}, False),
        (TUYA_FAN, {"state": "toggle"}, False),
        (FAN, {"speed_step": 30}, True),  # becomes a speed
        (RADIATOR, {"temperature": 21.5, "mode": "auto"}, True),
        (RADIATOR, {"temperature": -5}, True),
        (RADIATOR, {"temperature_step": 1}, True),  # becomes a temperature
        (SHUTTER, {"cover": "open"}, True),
        (SHUTTER, {"position": 30}, True),
        (SHUTTER, {"position_step": 20}, False),
        (SHUTTER, {"cover": "stop"}, False),
        (tasmota("cover", limits={"position": (10, 90)}), {"position_step": 20}, True),  # becomes a position
    ],
)
def test_steps_toggles_and_stops_are_not_repeatable(
    device: Device, change: Mapping[str, SlotValue], is_repeatable: bool
) -> None:
    state = {"FanSpeed": 1, "TempTargetSet": 20, "Shutter.Position": 50}
    commands = _render(device, state, **change)
    assert not isinstance(commands, Rejected), commands.reason
    assert [command.is_repeatable for command in commands] == [is_repeatable]


@pytest.mark.parametrize(("dimmer", "bright"), [(1, 1), (40, 40), (100, 100), (0, 100), (250, 100), ("x", 100)])
def test_a_color_keeps_the_brightness_that_is_known(dimmer: object, bright: int) -> None:
    assert _sent(LAMP, {"Dimmer": dimmer}, color="blue") == f"HSBColor 240,100,{bright}"


def test_a_step_up_switches_a_dark_lamp_on() -> None:
    assert _sent(LAMP, {"POWER": "OFF", "Dimmer": 60}, brightness_step=20) == "Dimmer +20"
    assert _sent(LAMP, {"POWER": "ON", "Dimmer": 60}, brightness_step=-20) == "Dimmer -20"


@pytest.mark.parametrize(("present", "step", "wanted"), [(1, 25, 2), (3, 25, 3), (1, -25, 1), (0, 25, 1), (0, 100, 3)])
def test_a_fan_never_goes_round_from_the_fastest_to_off(present: int, step: int, wanted: int) -> None:
    assert _sent(FAN, {"FanSpeed": present}, speed_step=step) == f"FanSpeed {wanted}"


def test_a_fan_that_runs_keeps_its_speed_when_it_is_switched_on() -> None:
    assert _sent(FAN, {"FanSpeed": 3}, state="on") == "FanSpeed 3"
    assert _sent(FAN, {"FanSpeed": 3}, state="toggle") == "FanSpeed 0"
    assert _sent(FAN, {"FanSpeed": 0}, state="toggle") == "FanSpeed 2"


def test_a_shutter_with_limits_goes_as_far_as_they_let_it() -> None:
    shutter = tasmota("cover", limits={"position": (10, 80)})
    assert _sent(shutter, {"Shutter.Position": 75}, position_step=20) == "ShutterPosition1 80"
    assert _reason(shutter, position_step=20) == "the present position of porch is not known yet"


@pytest.mark.parametrize(
    ("device", "state", "change", "reason"),
    [
        (LAMP, {}, {"color_temp": 1990}, "porch takes a color temp of 2000 to 6536 kelvin, not 1990"),
        (LAMP, {}, {"color_temp": 6600}, "porch takes a color temp of 2000 to 6536 kelvin, not 6600"),
        (LAMP, {}, {"color": "red", "color_temp": 4000}, "porch cannot be red and 4000 kelvin at once"),
        (LAMP, {}, {"transition": 5}, "says how slowly porch changes, but not to what"),
        (LAMP, {}, {"state": "off", "transition": 21}, "porch takes 20 seconds to change at most, not 21"),
        (LAMP, {"POWER": "OFF", "Dimmer": 60}, {"brightness_step": -20}, "porch is off"),
        (LAMP, {}, {"temperature": 20}, "porch is a light and takes no temperature"),
        (RADIATOR, {}, {"mode": "cool"}, "porch takes as mode one of off, auto, heat, not cool"),
        (RADIATOR, {"TempTargetSet": 34.5}, {"temperature_step": 1},
         "porch takes a temperature of 5 to 35 celsius, not 35.5"),
        (SHUTTER, {}, {"tilt": 5}, "porch is a cover and takes no tilt"),
        (SHUTTER, {}, {"cover": "stop", "position": 5}, "porch cannot stop and move at once"),
        (FAN, {"FanSpeed": 0}, {"speed_step": -25}, "porch is off"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_rejected_with_the_reason(
    device: Device, state: Mapping[str, object], change: Mapping[str, SlotValue], reason: str
) -> None:
    assert _reason(device, state, **change) == reason


@pytest.mark.parametrize(
    ("topic", "payload", "told"),
    [
        ("stat/plug/RESULT", b'{"POWER1":"ON","Dimmer1":7}', {"POWER": "ON", "Dimmer": 7}),
        ("stat/plug/RESULT", b'{"POWER11":"ON"}', {"POWER11": "ON"}),
        ("stat/plug/RESULT", b'{"TempTargetSet1":21.5}', {"TempTargetSet": 21.5}),
        ("stat/plug/RESULT", b'{"Shutter1":{"Position":9},"Shutter2":{"Position":8}}',
         {"Shutter.Position": 9, "Shutter2.Position": 8}),
        ("tele/plug/SENSOR", b'{"Thermostat1":{"ThermostatModeSet":1}}', {"ThermostatModeSet2": 1}),
        ("stat/plug/RESULT", b'{"Command":"Unknown"}', {"Command": "Unknown"}),
        ("stat/plug/POWER", b"ON", {"POWER": "ON"}),
        ("stat/plug/POWER1", b"OFF", {"POWER": "OFF"}),
        ("stat/plug/POWER2", b"OFF", {"POWER2": "OFF"}),
        ("stat/plug/POWER", b"", None),
        ("stat/plug/POWER", b"12", None),
        ("stat/plug/RESULT", b"ON", None),
    ],
)  # fmt: skip
def test_what_a_message_says(topic: str, payload: bytes, told: Mapping[str, object] | None) -> None:
    assert DRIVER.read_state(LAMP, topic, payload) == told


@pytest.mark.parametrize(
    ("device", "state", "values"),
    [
        (LAMP, {"HSBColor": "240,100,0", "CT": 250, "Dimmer": 9}, {"color_temp": 4000, "brightness": 9}),
        (LAMP, {"HSBColor": "240,100,9", "White": 30, "CT": 250}, {"color_temp": 4000}),
        (LAMP, {"HSBColor": "240,100,9", "White": 0, "CT": 250}, {"color": "blue"}),
        (LAMP, {"HSBColor": "1,2", "CT": 0, "POWER": "BLINK", "Dimmer": True}, {}),
        (SHUTTER, {"Shutter.Position": 30, "Shutter.Direction": 1}, {"position": 30}),
        (SHUTTER, {"Shutter.Position": 0, "Shutter.Direction": 0}, {"position": 0, "cover": "close"}),
        (RADIATOR, {"ThermostatModeSet": 2, "TempTargetSet": 20}, {"temperature": 20}),
        (FAN, {"POWER": "ON", "FanSpeed": 0}, {"state": "off", "speed": 0}),
        (TUYA_FAN, {"POWER": "OFF", "FanSpeed": 3}, {"state": "off", "speed": 100}),
    ],
)
def test_what_a_state_means(device: Device, state: Mapping[str, object], values: Mapping[str, SlotValue]) -> None:
    assert DRIVER.interpret(device, state) == values


def test_the_state_is_told_where_tasmota_tells_it() -> None:
    assert DRIVER.state_topics(LAMP) == ("stat/plug/RESULT", "tele/plug/STATE", "stat/plug/POWER", "stat/plug/POWER1")
    assert DRIVER.state_topics(SHUTTER) == ("stat/plug/RESULT", "tele/plug/STATE", "tele/plug/SENSOR")
    assert DRIVER.state_topics(tasmota(is_group=True)) == ()


def test_a_full_topic_of_its_own_is_used() -> None:
    lamp = tasmota(settings={"full_topic": "home/%topic%/%prefix%/"})
    DRIVER.check(lamp)
    assert _sent(lamp, state="on") == "home/plug/cmnd/POWER ON"
    assert DRIVER.state_topics(lamp)[0] == "home/plug/stat/RESULT"
    commands = _render(lamp, {}, state="on")
    assert not isinstance(commands, Rejected)
    assert DRIVER.assume(lamp, commands[0]) == {"POWER": "ON"}


@pytest.mark.parametrize(
    ("change", "assumed"),
    [
        ({"state": "toggle"}, {}),
        ({"brightness_step": 5}, {}),
        ({"brightness": 5, "transition": 2}, {"Dimmer": 5}),
        ({"color": "red", "brightness": 5}, {"HSBColor": "0,100,5", "Dimmer": 5}),
        ({"color_temp": 4000, "state": "on"}, {"CT": 250, "POWER": "ON"}),
    ],
)
def test_what_the_command_alone_tells_is_assumed(
    change: Mapping[str, SlotValue], assumed: Mapping[str, object]
) -> None:
    commands = _render(LAMP, {}, **change)
    assert not isinstance(commands, Rejected)
    assert DRIVER.assume(LAMP, commands[0]) == assumed


def test_shutters_are_assumed_to_go_where_they_are_sent() -> None:
    for change, assumed in (({"cover": "open"}, 100), ({"cover": "close"}, 0), ({"position": 7}, 7)):
        commands = _render(SHUTTER, {}, **change)
        assert not isinstance(commands, Rejected)
        assert DRIVER.assume(SHUTTER, commands[0]) == {"Shutter.Position": assumed}


def test_plain_devices_pass_the_check() -> None:
    for kind in (*CAPABILITIES_OF, "gadget"):
        DRIVER.check(tasmota(kind))
    DRIVER.check(tasmota("fan", speeds=5, properties={"state": "POWER12"}))


@pytest.mark.parametrize(
    ("device", "where"),
    [
        (tasmota("scene"), "devices.porch.kind"),
        (tasmota(scene=3), "devices.porch.scene"),
        (tasmota(base="x"), "devices.porch.base"),
        (tasmota(template={"state": Message("a", "b")}), "devices.porch.template"),
        (tasmota("fan", speeds=("low",)), "devices.porch.speeds"),
        (tasmota(properties={"state": "state_l1"}), "devices.porch.properties.state"),
        (tasmota(properties={"state": "POWER0"}), "devices.porch.properties.state"),
        (tasmota(properties={"color": "HSBColor2"}), "devices.porch.properties.color"),
        (tasmota(settings={"topic": "x"}), "devices.porch.settings.topic"),
        (tasmota(settings={"full_topic": "home/%topic%"}), "devices.porch.settings.full_topic"),
        (tasmota(settings={"full_topic": "%prefix%//%topic%"}), "devices.porch.settings.full_topic"),
        (tasmota(settings={"full_topic": 3}), "devices.porch.settings.full_topic"),
        (device_of("porch", driver="tasmota", address="a/#"), "devices.porch.address"),
        (device_of("porch", driver="tasmota", address="/a"), "devices.porch.address"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_with_its_place(device: Device, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DRIVER.check(device)
    assert caught.value.where == where
    assert caught.value.remedy
