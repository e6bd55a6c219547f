from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from edged.act.color import HUE_AND_SATURATION
from edged.act.zigbee2mqtt import Zigbee2Mqtt
from edged.errors import ConfigError
from edged.intents.capabilities import COLORS
from edged.intents.home import Message
from edged.types import Command, Rejected, SlotValue
from tests.unit.act.conftest import change_of, device_of

DRIVER = Zigbee2Mqtt()


def _render(state: Mapping[str, object] | None = None, /, **change: SlotValue) -> tuple[Command, ...] | Rejected:
    return DRIVER.render(change_of(device_of(), **change), state or {}, now_ns=1_000, expires_s=0.5, intent_id="u1")


def _payload(state: Mapping[str, object] | None = None, /, **change: SlotValue) -> str:
    commands = _render(state, **change)
    assert not isinstance(commands, Rejected), commands.reason
    (command,) = commands
    return command.payload.decode()


def _reason(state: Mapping[str, object] | None = None, /, **change: SlotValue) -> str:
    rejected = _render(state, **change)
    assert isinstance(rejected, Rejected), rejected
    return rejected.reason


def test_a_command_goes_to_the_devices_set_topic_and_is_never_retained() -> None:
    commands = _render(state="on")
    assert commands == (
        Command(
            topic="zigbee2mqtt/lamp_1/set",
            payload=b'{"state":"ON"}',
            qos=1,
            retain=False,
            expires_ns=500_001_000,
            intent_id="u1",
        ),
    )


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
        ({"temperature": 21.5}, '{"occupied_heating_setpoint":21.5}'),
        ({"temperature": 20, "mode": "heat"}, '{"occupied_heating_setpoint":20,"system_mode":"heat"}'),
        ({"mode": "off"}, '{"system_mode":"off"}'),
        ({"position": 0}, '{"position":0}'),
        ({"position": 100}, '{"position":100}'),
    ],
)
def test_golden_payload(change: Mapping[str, SlotValue], payload: str) -> None:
    assert _payload(**change) == payload


def test_everything_goes_in_one_message() -> None:
    payload = json.loads(_payload(state="on", brightness=40, color="red", transition=2))
    assert payload == {"state": "ON", "brightness": 102, "color": {"hue": 0, "saturation": 100}, "transition": 2}


def test_every_color_has_a_hue_and_a_saturation() -> None:
    assert set(HUE_AND_SATURATION) == set(COLORS)
    assert len(set(HUE_AND_SATURATION.values())) == len(COLORS)
    for hue, saturation in HUE_AND_SATURATION.values():
        assert 0 <= hue < 360
        assert 0 <= saturation <= 100


def test_a_color_and_a_color_temperature_at_once_are_rejected() -> None:
    assert _reason(color="red", color_temp=2700) == "lamp cannot be red and 2700 kelvin at once"


def test_a_transition_alone_is_rejected() -> None:
    assert _reason(transition=5) == "says how slowly lamp changes, but not to what"


@pytest.mark.parametrize(("step", "setpoint"), [(1, 21.5), (-1.5, 19), (0.56, 21.06)])
def test_a_temperature_step_starts_from_the_last_known_set_temperature(step: float, setpoint: float) -> None:
    payload = json.loads(_payload({"occupied_heating_setpoint": 20.5}, temperature_step=step))
    assert payload == {"occupied_heating_setpoint": setpoint}


def test_a_thermostat_that_speaks_of_its_current_setpoint_is_answered_likewise() -> None:
    assert _payload({"current_heating_setpoint": 18}, temperature=20) == '{"current_heating_setpoint":20}'
    assert _payload({"current_heating_setpoint": 18}, temperature_step=1) == '{"current_heating_setpoint":19}'


@pytest.mark.parametrize("state", [{}, {"occupied_heating_setpoint": "warm"}, {"occupied_heating_setpoint": True}])
def test_a_temperature_step_from_an_unknown_set_temperature_is_rejected(state: Mapping[str, object]) -> None:
    assert _reason(state, temperature_step=1) == "the present set temperature of lamp is not known yet"


@pytest.mark.parametrize(("present", "step"), [(34.5, 1), (5.5, -1), (float("inf"), 1)])
def test_a_temperature_step_beyond_the_range_is_rejected(present: float, step: float) -> None:
    assert "lamp takes a temperature of 5 to 35 celsius" in _reason(
        {"occupied_heating_setpoint": present}, temperature_step=step
    )


@pytest.mark.parametrize(("present", "step", "wanted"), [(34, 1, 35), (6, -1, 5)])
def test_a_temperature_step_may_reach_the_ends_of_the_range(present: float, step: float, wanted: float) -> None:
    payload = _payload({"occupied_heating_setpoint": present}, temperature_step=step)
    assert json.loads(payload) == {"occupied_heating_setpoint": wanted}


def test_a_sent_setpoint_is_assumed_and_nothing_else() -> None:
    commands = _render(temperature=20, mode="heat")
    assert not isinstance(commands, Rejected)
    assert DRIVER.assume(commands[0]) == {"occupied_heating_setpoint": 20}


def test_the_state_topic_is_the_devices_own() -> None:
    assert DRIVER.state_topic(device_of(address="hall/lamp")) == "zigbee2mqtt/hall/lamp"


def test_a_plain_device_passes_the_check() -> None:
    DRIVER.check(device_of())


@pytest.mark.parametrize("address", ["/lamp", "lamp/", "a//b", "lamp#", "la+mp"])
def test_an_address_that_is_no_friendly_name_is_refused(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DRIVER.check(device_of(address=address))
    assert caught.value.where == "devices.lamp.address"


def test_a_template_is_refused() -> None:
    with pytest.raises(ConfigError, match="only the driver template"):
        DRIVER.check(device_of(template={"state": Message("a", "b")}))
