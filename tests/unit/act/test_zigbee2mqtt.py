from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from edged.act.color import HUE_AND_SATURATION
from edged.act.zigbee2mqtt import CAPABILITIES_OF, Zigbee2Mqtt
from edged.errors import ConfigError
from edged.intents.capabilities import CAPABILITIES, COLORS
from edged.intents.home import Device, Message
from edged.types import Command, Rejected, SlotValue
from tests.unit.act.conftest import change_of, device_of

DRIVER = Zigbee2Mqtt()


def _render(device: Device, state: Mapping[str, object], /, **change: SlotValue) -> tuple[Command, ...] | Rejected:
    return DRIVER.render(change_of(device, **change), state, now_ns=1_000, expires_s=0.5, intent_id="u1")


def _payload(device: Device, state: Mapping[str, object] | None = None, /, **change: SlotValue) -> str:
    commands = _render(device, state or {}, **change)
    assert not isinstance(commands, Rejected), commands.reason
    (command,) = commands
    return command.payload.decode()


def _reason(device: Device, state: Mapping[str, object] | None = None, /, **change: SlotValue) -> str:
    rejected = _render(device, state or {}, **change)
    assert isinstance(rejected, Rejected), rejected
    return rejected.reason


LAMP = device_of()
RADIATOR = device_of("radiator", kind="thermostat")
BLIND = device_of("blind", kind="cover")
PLUG = device_of("plug", kind="switch")
FAN = device_of("fan", kind="fan")
TEN_SPEEDS = device_of("fan", kind="fan", speeds=(*"123456789", "max"))
NUMBERED = device_of("fan", kind="fan", speeds=100)
SCENE = device_of("movie_night", kind="scene", scene=3)
OTHER = device_of("gadget", kind="gadget")


def test_a_command_goes_to_the_devices_set_topic_and_is_never_retained() -> None:
    commands = _render(LAMP, {}, state="on")
    assert commands == (
        Command(
            topic="zigbee2mqtt/lamp_1/set",
            payload=b'{"state":"ON"}',
            qos=1,
            retain=False,
            expires_ns=500_001_000,
            intent_id="u1",
            is_repeatable=True,
        ),
    )


@pytest.mark.parametrize(
    ("device", "change", "is_repeatable"),
    [
        (LAMP, {"state": "off"}, True),
        (LAMP, {"state": "toggle"}, False),
        (LAMP, {"brightness": 30, "color": "blue"}, True),
        (LAMP, {"brightness_step": 10}, False),
        (LAMP, {"state": "on", "brightness_step": -10}, False),
        (RADIATOR, {"temperature_step": 1}, True),  # becomes a temperature
        (BLIND, {"cover": "open"}, True),
        (BLIND, {"position": 30}, True),
        (BLIND, {"cover": "stop"}, False),
        (SCENE, {"scene": "activate"}, True),
    ],
)
def test_steps_toggles_and_stops_are_not_repeatable(
    device: Device, change: dict[str, SlotValue], is_repeatable: bool
) -> None:
    commands = _render(device, {"occupied_heating_setpoint": 20}, **change)
    assert not isinstance(commands, Rejected)
    assert [command.is_repeatable for command in commands] == [is_repeatable]


@pytest.mark.parametrize(
    ("change", "payload"),
    [
        ({"state": "on"}, '{"state":"ON"}'),
        ({"state": "off"}, '{"state":"OFF"}'),
        ({"state": "toggle"}, '{"state":"TOGGLE"}'),
        ({"state": "off", "transition": 5}, '{"state":"OFF","transition":5}'),
        ({"state": "off", "color": "red", "brightness": 40}, '{"state":"OFF"}'),
        ({"brightness": 0}, '{"state":"OFF"}'),
        ({"state": "on", "brightness": 0, "transition": 3}, '{"state":"OFF","transition":3}'),
        ({"brightness": 0.1}, '{"brightness":1}'),
        ({"brightness": 1}, '{"brightness":3}'),
        ({"brightness": 50}, '{"brightness":127}'),
        ({"brightness": 100}, '{"brightness":254}'),
        ({"brightness_step": 20}, '{"brightness_step_onoff":51}'),
        ({"brightness_step": -20}, '{"brightness_step_onoff":-51}'),
        ({"brightness_step": 100}, '{"brightness_step_onoff":254}'),
        ({"brightness_step": -100}, '{"brightness_step_onoff":-254}'),
        ({"brightness_step": 0.1}, '{"brightness_step_onoff":1}'),
        ({"brightness_step": -0.1}, '{"brightness_step_onoff":-1}'),
        ({"brightness_step": 0}, '{"brightness_step_onoff":0}'),
        ({"state": "on", "color": "blue"}, '{"state":"ON","color":{"hue":240,"saturation":100}}'),
        ({"color": "white"}, '{"color":{"hue":0,"saturation":0}}'),
        ({"color_temp": 1000}, '{"color_temp":1000}'),
        ({"color_temp": 2700}, '{"color_temp":370}'),
        ({"color_temp": 6500}, '{"color_temp":154}'),
        ({"color_temp": 10000}, '{"color_temp":100}'),
        ({"color": "white", "color_temp": 4000}, '{"color_temp":250}'),
    ],
)
def test_golden_payload_of_a_lamp(change: Mapping[str, SlotValue], payload: str) -> None:
    assert _payload(LAMP, **change) == payload


@pytest.mark.parametrize(
    ("device", "change", "payload"),
    [
        (RADIATOR, {"temperature": 21.5}, '{"occupied_heating_setpoint":21.5}'),
        (RADIATOR, {"temperature": 20, "mode": "heat"}, '{"occupied_heating_setpoint":20,"system_mode":"heat"}'),
        (RADIATOR, {"mode": "off"}, '{"system_mode":"off"}'),
        (BLIND, {"cover": "open"}, '{"state":"OPEN"}'),
        (BLIND, {"cover": "close"}, '{"state":"CLOSE"}'),
        (BLIND, {"cover": "stop"}, '{"state":"STOP"}'),
        (BLIND, {"position": 0}, '{"position":0}'),
        (BLIND, {"position": 100}, '{"position":100}'),
        (BLIND, {"position": 33.4}, '{"position":33}'),
        (BLIND, {"cover": "open", "position": 30}, '{"position":30}'),
        (device_of(kind="gate"), {"cover": "open"}, '{"state":"OPEN"}'),
        (BLIND, {"tilt": 0}, '{"tilt":0}'),
        (BLIND, {"tilt": 100, "position": 50}, '{"position":50,"tilt":100}'),
        (PLUG, {"state": "on"}, '{"state":"ON"}'),
        (PLUG, {"state": "off"}, '{"state":"OFF"}'),
        (PLUG, {"state": "toggle"}, '{"state":"TOGGLE"}'),
        (FAN, {"state": "on"}, '{"fan_state":"ON"}'),
        (FAN, {"state": "off", "speed": 50}, '{"fan_state":"OFF"}'),
        (FAN, {"mode": "auto"}, '{"fan_mode":"auto"}'),
        (FAN, {"mode": "off"}, '{"fan_state":"OFF"}'),
        (FAN, {"speed": 0}, '{"fan_state":"OFF"}'),
        (FAN, {"speed": 1}, '{"fan_mode":"low"}'),
        (FAN, {"speed": 33}, '{"fan_mode":"low"}'),
        (FAN, {"speed": 34}, '{"fan_mode":"medium"}'),
        (FAN, {"speed": 66}, '{"fan_mode":"medium"}'),
        (FAN, {"speed": 67}, '{"fan_mode":"high"}'),
        (FAN, {"state": "on", "speed": 100}, '{"fan_state":"ON","fan_mode":"high"}'),
        (TEN_SPEEDS, {"speed": 10}, '{"fan_mode":"1"}'),
        (TEN_SPEEDS, {"speed": 11}, '{"fan_mode":"2"}'),
        (TEN_SPEEDS, {"speed": 100}, '{"fan_mode":"max"}'),
        (NUMBERED, {"speed": 0.1}, '{"speed":1}'),
        (NUMBERED, {"speed": 100}, '{"speed":100}'),
        (SCENE, {"scene": "activate"}, '{"scene_recall":3}'),
        (OTHER, {"state": "on", "position": 5, "mode": "auto"}, '{"state":"ON","system_mode":"auto","position":5}'),
    ],
)
def test_golden_payload(device: Device, change: Mapping[str, SlotValue], payload: str) -> None:
    assert _payload(device, **change) == payload


@pytest.mark.parametrize(("percent", "number"), [(0.1, 1), (50, 127), (100, 254)])
def test_a_fan_that_tells_a_number_gets_numbers(percent: float, number: int) -> None:
    assert _payload(FAN, {"state": "ON", "speed": 9}, speed=percent) == f'{{"speed":{number}}}'


def test_a_fan_is_switched_by_the_key_that_it_tells() -> None:
    assert _payload(FAN, {"state": "ON"}, state="off") == '{"state":"OFF"}'
    assert _payload(FAN, {"state": "ON", "fan_state": "ON"}, state="off") == '{"fan_state":"OFF"}'


@pytest.mark.parametrize(("present", "wanted"), [("ON", "OFF"), ("OFF", "ON")])
def test_a_fan_is_toggled_from_its_last_known_state(present: str, wanted: str) -> None:
    assert _payload(FAN, {"fan_state": present}, state="toggle") == f'{{"fan_state":"{wanted}"}}'
    assert _reason(FAN, state="toggle") == "whether fan runs is not known yet"


@pytest.mark.parametrize(
    ("present", "step", "wanted"),
    [("low", 1, "medium"), ("medium", 20, "high"), ("medium", -20, "low"), ("low", 100, "high"), ("high", 20, "high"),
     ("low", -20, "low"), ("off", 20, "low"), ("off", 100, "high")],
)  # fmt: skip
def test_a_fan_with_named_speeds_goes_one_at_least(present: str, step: int, wanted: str) -> None:
    assert _payload(FAN, {"fan_mode": present}, speed_step=step) == f'{{"fan_mode":"{wanted}"}}'


@pytest.mark.parametrize(("present", "step", "wanted"), [(50, 20, 70), (95, 20, 100), (5, -20, 1), (50, 0.1, 51)])
def test_a_fan_with_numbered_speeds_stays_in_its_range(present: int, step: float, wanted: int) -> None:
    assert _payload(NUMBERED, {"speed": present}, speed_step=step) == f'{{"speed":{wanted}}}'


def test_a_fan_that_is_off_goes_no_slower() -> None:
    assert _reason(FAN, {"fan_mode": "off"}, speed_step=-20) == "fan is off"
    assert _reason(NUMBERED, {"fan_state": "OFF", "speed": 80}, speed_step=-20) == "fan is off"
    assert _payload(NUMBERED, {"fan_state": "OFF", "speed": 80}, speed_step=20) == '{"speed":20}'


@pytest.mark.parametrize(("device", "state"), [(FAN, {}), (FAN, {"fan_mode": "smart"}), (NUMBERED, {"speed": "fast"})])
def test_a_speed_step_from_an_unknown_speed_is_rejected(device: Device, state: Mapping[str, object]) -> None:
    assert _reason(device, state, speed_step=20) == "the present speed of fan is not known yet"


def test_a_fan_has_no_mode_of_a_thermostat() -> None:
    assert _reason(FAN, mode="heat") == "fan is a fan and has no mode heat"


@pytest.mark.parametrize(
    ("present", "step", "wanted"), [(40, 20, 60), (90, 20, 100), (10, -20, 0), (100, 1, 100), (99.6, 0.3, 100)]
)
def test_a_position_step_starts_from_the_last_known_position(present: float, step: float, wanted: int) -> None:
    assert _payload(BLIND, {"position": present}, position_step=step) == f'{{"position":{wanted}}}'


def test_a_position_step_ends_at_the_devices_limits() -> None:
    blind = device_of("blind", kind="cover", limits={"position": (10, 80)})
    assert _payload(blind, {"position": 75}, position_step=20) == '{"position":80}'
    assert _payload(blind, {"position": 20}, position_step=-20) == '{"position":10}'


def test_a_position_step_from_an_unknown_position_is_rejected() -> None:
    assert _reason(BLIND, position_step=20) == "the present position of blind is not known yet"


def test_a_cover_cannot_stop_and_move() -> None:
    assert _reason(BLIND, cover="stop", position=20) == "blind cannot stop and move at once"


@pytest.mark.parametrize(
    ("device", "change", "reason"),
    [
        (LAMP, {"position": 5}, "lamp is a light and takes no position"),
        (PLUG, {"state": "on", "brightness": 5, "color": "red"}, "plug is a switch and takes no brightness, color"),
        (BLIND, {"state": "on"}, "blind is a cover and takes no state"),
        (FAN, {"temperature": 20}, "fan is a fan and takes no temperature"),
        (SCENE, {"state": "on"}, "movie night is a scene and takes no state"),
        (device_of(kind="gate"), {"tilt": 5}, "lamp is a gate and takes no tilt"),
        (RADIATOR, {"cover": "open"}, "radiator is a thermostat and takes no cover"),
    ],
)
def test_what_a_kind_cannot_do_is_rejected(device: Device, change: Mapping[str, SlotValue], reason: str) -> None:
    assert _reason(device, **change) == reason


def test_every_capability_is_taken_by_some_kind() -> None:
    assert set().union(*CAPABILITIES_OF.values()) == set(CAPABILITIES)


@pytest.mark.parametrize(
    ("device", "state", "change", "payload"),
    [
        (device_of(properties={"state": "state_l1"}), {}, {"state": "on"}, '{"state_l1":"ON"}'),
        (device_of(properties={"brightness": "brightness_l1"}), {}, {"brightness_step": -100},
         '{"brightness_step_onoff_l1":-254}'),
        (device_of(properties={"color": "color_l1"}), {}, {"color": "red"}, '{"color_l1":{"hue":0,"saturation":100}}'),
        (device_of(properties={"color_temp": "color_temp_l1"}), {}, {"color_temp": 4000}, '{"color_temp_l1":250}'),
        (device_of(kind="cover", properties={"cover": "state_left"}), {}, {"cover": "stop"}, '{"state_left":"STOP"}'),
        (device_of(kind="cover", properties={"position": "position_left"}), {"position_left": 40, "position": 1},
         {"position_step": 10}, '{"position_left":50}'),
        (device_of(kind="cover", properties={"tilt": "tilt_left"}), {}, {"tilt": 1}, '{"tilt_left":1}'),
        (device_of(kind="thermostat", properties={"temperature": "current_heating_setpoint"}),
         {"occupied_heating_setpoint": 5}, {"temperature": 20}, '{"current_heating_setpoint":20}'),
        (device_of(kind="fan", properties={"state": "state"}), {"fan_state": "ON"}, {"state": "off"}, '{"state":"OFF"}'),
        (device_of(kind="fan", properties={"speed": "fan_mode_2"}, speeds=("a", "b")), {}, {"speed": 50},
         '{"fan_mode_2":"a"}'),
        (device_of(kind="fan", properties={"mode": "fan_mode_2"}), {}, {"mode": "auto"}, '{"fan_mode_2":"auto"}'),
    ],
)  # fmt: skip
def test_a_device_may_have_properties_of_its_own(
    device: Device, state: Mapping[str, object], change: Mapping[str, SlotValue], payload: str
) -> None:
    assert _payload(device, state, **change) == payload


def test_a_base_topic_of_its_own_is_used() -> None:
    device = device_of(base="z2m/attic")
    commands = _render(device, {}, state="on")
    assert not isinstance(commands, Rejected)
    assert commands[0].topic == "z2m/attic/lamp_1/set"
    assert DRIVER.state_topics(device) == ("z2m/attic/lamp_1",)


def test_everything_goes_in_one_message() -> None:
    payload = json.loads(_payload(LAMP, state="on", brightness=40, color="red", transition=2))
    assert payload == {"state": "ON", "brightness": 102, "color": {"hue": 0, "saturation": 100}, "transition": 2}


def test_every_color_has_a_hue_and_a_saturation() -> None:
    assert set(HUE_AND_SATURATION) == set(COLORS)
    assert len(set(HUE_AND_SATURATION.values())) == len(COLORS)
    for hue, saturation in HUE_AND_SATURATION.values():
        assert 0 <= hue < 360
        assert 0 <= saturation <= 100


def test_a_color_and_a_color_temperature_at_once_are_rejected() -> None:
    assert _reason(LAMP, color="red", color_temp=2700) == "lamp cannot be red and 2700 kelvin at once"


def test_a_transition_alone_is_rejected() -> None:
    assert _reason(LAMP, transition=5) == "says how slowly lamp changes, but not to what"


@pytest.mark.parametrize(("step", "setpoint"), [(1, 21.5), (-1.5, 19), (0.56, 21.06)])
def test_a_temperature_step_starts_from_the_last_known_set_temperature(step: float, setpoint: float) -> None:
    payload = json.loads(_payload(RADIATOR, {"occupied_heating_setpoint": 20.5}, temperature_step=step))
    assert payload == {"occupied_heating_setpoint": setpoint}


def test_a_thermostat_that_speaks_of_its_current_setpoint_is_answered_likewise() -> None:
    assert _payload(RADIATOR, {"current_heating_setpoint": 18}, temperature=20) == '{"current_heating_setpoint":20}'
    assert _payload(RADIATOR, {"current_heating_setpoint": 18}, temperature_step=1) == '{"current_heating_setpoint":19}'


@pytest.mark.parametrize(
    "state", [{}, *({"occupied_heating_setpoint": value} for value in ("warm", True, float("inf")))]
)
def test_a_temperature_step_from_an_unknown_set_temperature_is_rejected(state: Mapping[str, object]) -> None:
    assert _reason(RADIATOR, state, temperature_step=1) == "the present set temperature of radiator is not known yet"


@pytest.mark.parametrize(("present", "step"), [(34.5, 1), (5.5, -1)])
def test_a_temperature_step_beyond_the_range_is_rejected(present: float, step: float) -> None:
    assert "radiator takes a temperature of 5 to 35 celsius" in _reason(
        RADIATOR, {"occupied_heating_setpoint": present}, temperature_step=step
    )


@pytest.mark.parametrize(("present", "step", "wanted"), [(34, 1, 35), (6, -1, 5)])
def test_a_temperature_step_may_reach_the_ends_of_the_range(present: float, step: float, wanted: float) -> None:
    payload = _payload(RADIATOR, {"occupied_heating_setpoint": present}, temperature_step=step)
    assert json.loads(payload) == {"occupied_heating_setpoint": wanted}


@pytest.mark.parametrize(
    ("device", "state", "change", "assumed"),
    [
        (RADIATOR, {}, {"temperature": 20, "mode": "heat"}, {"occupied_heating_setpoint": 20, "system_mode": "heat"}),
        (BLIND, {}, {"position": 20, "tilt": 3}, {"position": 20, "tilt": 3}),
        (BLIND, {}, {"cover": "open"}, {"state": "OPEN"}),
        (BLIND, {}, {"cover": "stop"}, {}),
        (FAN, {}, {"state": "on", "speed": 100}, {"fan_state": "ON", "fan_mode": "high"}),
        (NUMBERED, {"speed": 3}, {"speed_step": 20}, {"speed": 23}),
        (device_of(kind="cover", properties={"position": "position_left"}), {}, {"position": 9}, {"position_left": 9}),
        (LAMP, {}, {"state": "on", "brightness": 5, "transition": 2}, {"state": "ON", "brightness": 13}),
        (LAMP, {}, {"color": "red"}, {"color.hue": 0, "color.saturation": 100}),
        (LAMP, {}, {"state": "toggle"}, {}),
        (LAMP, {}, {"brightness_step": 20}, {}),
        (SCENE, {}, {"scene": "activate"}, {}),
    ],
)
def test_what_the_command_alone_tells_of_the_state_is_assumed(
    device: Device, state: Mapping[str, object], change: Mapping[str, SlotValue], assumed: Mapping[str, object]
) -> None:
    commands = _render(device, state, **change)
    assert not isinstance(commands, Rejected)
    assert DRIVER.assume(device, commands[0]) == assumed


@pytest.mark.parametrize(
    ("device", "state", "values"),
    [
        (LAMP, {"state": "ON", "brightness": 254}, {"state": "on", "brightness": 100}),
        (LAMP, {"brightness": 127, "state_l1": "ON", "state": None}, {"brightness": 50}),
        (device_of(properties={"state": "state_l1"}), {"state_l1": "OFF", "state": "ON"}, {"state": "off"}),
        (LAMP, {"color_mode": "xy", "color_temp": 370, "color.hue": 238, "color.saturation": 98}, {"color": "blue"}),
        (LAMP, {"color_mode": "color_temp", "color_temp": 370, "color.hue": 30, "color.saturation": 99},
         {"color_temp": 2703}),
        (LAMP, {"color_mode": "xy", "color.hue": 95, "color.saturation": 50}, {}),
        (LAMP, {"state": True, "brightness": "full", "color_temp": 0}, {}),
        (BLIND, {"state": "CLOSE", "position": 0, "tilt": 100}, {"cover": "close", "position": 0, "tilt": 100}),
        (RADIATOR, {"occupied_heating_setpoint": 21.5, "system_mode": "auto", "local_temperature": 19,
                    "running_state": "heat"},
         {"temperature": 21.5, "mode": "auto", "local_temperature": 19, "action": "heat"}),
        (RADIATOR, {"current_heating_setpoint": 5, "system_mode": "dry", "running_state": "fan_only"},
         {"temperature": 5}),
        (FAN, {"fan_state": "ON", "fan_mode": "medium"}, {"state": "on", "speed": 66.67}),
        (FAN, {"fan_mode": "auto"}, {"mode": "auto"}),
        (NUMBERED, {"state": "OFF", "speed": 25}, {"state": "off", "speed": 25}),
    ],
)  # fmt: skip
def test_what_a_state_means(device: Device, state: Mapping[str, object], values: Mapping[str, SlotValue]) -> None:
    assert DRIVER.interpret(device, state) == values


def test_the_state_topic_is_the_devices_own() -> None:
    assert DRIVER.state_topics(device_of(address="hall/lamp")) == ("zigbee2mqtt/hall/lamp",)


def test_a_scene_says_no_state() -> None:
    assert DRIVER.state_topics(SCENE) == ()


def test_plain_devices_pass_the_check() -> None:
    for device in (LAMP, RADIATOR, BLIND, PLUG, FAN, TEN_SPEEDS, NUMBERED, SCENE, OTHER, device_of(base="a/b")):
        DRIVER.check(device)


@pytest.mark.parametrize(
    ("device", "where"),
    [
        (device_of(kind="scene"), "devices.lamp.scene"),
        (device_of(scene=3), "devices.lamp.scene"),
        (device_of(base="/x"), "devices.lamp.base"),
        (device_of(base="x\x85"), "devices.lamp.base"),
        (device_of(settings={"command_topic": "x"}), "devices.lamp.settings"),
        (device_of(properties={"transition": "t"}), "devices.lamp.properties.transition"),
        (device_of(address="a//b", is_group=True), "groups.lamp.address"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_with_its_place(device: Device, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DRIVER.check(device)
    assert caught.value.where == where
    assert caught.value.remedy


@pytest.mark.parametrize("address", ["/lamp", "lamp/", "a//b", "lamp#", "la+mp"])
def test_an_address_that_is_no_friendly_name_is_refused(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DRIVER.check(device_of(address=address))
    assert caught.value.where == "devices.lamp.address"


def test_a_template_is_refused() -> None:
    with pytest.raises(ConfigError, match="only the driver template"):
        DRIVER.check(device_of(template={"state": Message("a", "b")}))
