"""Every change of every capability, sent to simulated devices, ends in the state that was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from edged.act.drivers import DRIVERS
from edged.intents.capabilities import COLORS
from edged.types import Rejected, SlotValue
from tests.unit.act.conftest import change_of, device_of
from tests.unit.act.devices import (
    Bench,
    HomeAssistantLight,
    HomeAssistantPlain,
    TasmotaDevice,
    Told,
    Zigbee2MqttDevice,
    expect,
)


def zigbee2mqtt(kind: str, **state: Any) -> Bench:
    device = device_of("thing", kind=kind, address="lamp_1")
    return Bench(device, Zigbee2MqttDevice("lamp_1", **state), ("zigbee2mqtt/lamp_1", json.dumps(state)))


def tasmota(kind: str, *told: tuple[str, str], properties: Mapping[str, str] | None = None, **state: Any) -> Bench:
    device = device_of("thing", kind=kind, driver="tasmota", address="plug", properties=properties or {})
    relay = (properties or {}).get("state", "POWER")
    return Bench(device, TasmotaDevice("plug", relay, **state), *told)


def home_assistant(kind: str, answers: Mapping[str, tuple[str, Mapping[str, str]]], *told: tuple[str, str],
                   **settings: Any) -> Bench:  # fmt: skip
    device = device_of("thing", kind=kind, driver="home_assistant", address="home/thing", settings=settings)
    return Bench(device, HomeAssistantPlain(answers), *told)


def zigbee_light() -> Bench:
    return zigbee2mqtt("light", state="ON", brightness=127, color_mode="hs", color_temp=370)


def tasmota_light() -> Bench:
    state: dict[str, Any] = {"POWER": "ON", "Dimmer": 50, "HSBColor": "0,0,50", "White": 0, "CT": 300}
    return tasmota("light", ("tele/plug/STATE", json.dumps(state)), **state)


def ha_light(**settings: Any) -> Bench:
    state = {"state": "ON", "brightness": 50, "color_mode": "hs"}
    topics = {"command_topic": "~/set", "state_topic": "~"}
    device = device_of("thing", driver="home_assistant", address="home/thing", settings=topics | settings)
    scale, kelvin = settings.get("brightness_scale", 255), settings.get("color_temp_kelvin", False)
    return Bench(device, HomeAssistantLight("home/thing", scale=scale, kelvin=kelvin, **state),
                 ("home/thing", json.dumps(state)))  # fmt: skip


def zigbee_cover() -> Bench:
    return zigbee2mqtt("cover", state="OPEN", position=40, tilt=50)


def tasmota_cover(properties: Mapping[str, str] | None = None) -> Bench:
    number = (properties or {"position": "Shutter1"})["position"]
    told = json.dumps({number: {"Position": 40, "Direction": 0, "Target": 40, "Tilt": 0}})
    return tasmota("cover", ("tele/plug/SENSOR", told), properties=properties, position=40)


COVER_ANSWERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "home/thing/set": ("home/thing/state", {"OPEN": "open", "CLOSE": "closed", "STOP": ""}),
    "home/thing/set_position": ("home/thing/position", {}),
    "home/thing/tilt": ("home/thing/tilt-state", {}),
}


def ha_cover(**ends: int) -> Bench:
    """At 40 percent of the way from closed to open."""
    closed = ends.get("position_closed", 0)
    start = closed + (ends.get("position_open", 100) - closed) * 40 // 100
    return home_assistant(
        "cover", COVER_ANSWERS, ("home/thing/position", str(start)),
        command_topic="~/set", state_topic="~/state", set_position_topic="~/set_position", position_topic="~/position",
        tilt_command_topic="~/tilt", tilt_status_topic="~/tilt-state", **ends,
    )  # fmt: skip


def zigbee_thermostat() -> Bench:
    return zigbee2mqtt("thermostat", occupied_heating_setpoint=20, system_mode="off", local_temperature=19.5)


def tasmota_thermostat() -> Bench:
    told = json.dumps({"Thermostat0": {"ThermostatModeSet": 0, "TempTargetSet": 20.0}})
    return tasmota("thermostat", ("tele/plug/SENSOR", told))


def ha_thermostat(unit: str = "C", **settings: Any) -> Bench:
    words = {word: word for word in ("off", "heat", "cool", "auto")}
    answers: Mapping[str, tuple[str, Mapping[str, str]]] = {
        "home/thing/mode/set": ("home/thing/mode", words),
        "home/thing/temperature/set": ("home/thing/temperature", {}),
    }
    topics = {"mode_command_topic": "~/mode/set", "mode_state_topic": "~/mode",
              "temperature_command_topic": "~/temperature/set", "temperature_state_topic": "~/temperature",
              "temperature_unit": unit}  # fmt: skip
    start = ("home/thing/temperature", "20" if unit == "C" else "68")
    return home_assistant("thermostat", answers, start, **topics, **settings)


SWITCH_ANSWERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "home/thing/set": ("home/thing", {"ON": "ON", "OFF": "OFF"}),
    "home/thing/speed/set": ("home/thing/speed", {}),
}


def zigbee_switch() -> Bench:
    return zigbee2mqtt("switch", state="OFF")


def tasmota_switch() -> Bench:
    return tasmota("switch", ("stat/plug/POWER2", "OFF"), properties={"state": "POWER2"}, POWER2="OFF")


def ha_switch() -> Bench:
    return home_assistant("switch", SWITCH_ANSWERS, ("home/thing", "OFF"), command_topic="~/set", state_topic="~")


def zigbee_fan() -> Bench:
    return zigbee2mqtt("fan", fan_state="ON", fan_mode="low")


def tasmota_fan() -> Bench:
    return tasmota("fan", ("tele/plug/STATE", '{"FanSpeed": 1}'), FanSpeed=1)


def ha_fan() -> Bench:
    told = (("home/thing", "ON"), ("home/thing/speed", "1"))
    return home_assistant(
        "fan", SWITCH_ANSWERS, *told, command_topic="~/set", state_topic="~", percentage_command_topic="~/speed/set",
        percentage_state_topic="~/speed", speed_range_max=3,
    )  # fmt: skip


LIGHTS = (zigbee_light, tasmota_light, ha_light, lambda: ha_light(brightness_scale=100, color_temp_kelvin=True))
COVERS = (zigbee_cover, tasmota_cover, lambda: tasmota_cover({"position": "Shutter2"}), ha_cover,
          lambda: ha_cover(position_open=255), lambda: ha_cover(position_open=0, position_closed=100))  # fmt: skip
THERMOSTATS = (zigbee_thermostat, tasmota_thermostat, ha_thermostat, lambda: ha_thermostat("F"),
               lambda: ha_thermostat(temp_step=0.5))  # fmt: skip
SWITCHES = (zigbee_switch, tasmota_switch, ha_switch)
FANS = (zigbee_fan, tasmota_fan, ha_fan)


@pytest.mark.parametrize("make", LIGHTS)
@pytest.mark.parametrize(
    "change",
    [
        {"state": "on"}, {"state": "off"}, {"brightness": 1}, {"brightness": 50}, {"brightness": 100},
        {"state": "on", "brightness": 30, "transition": 0}, {"brightness": 99.6, "transition": 20},
        {"color_temp": 2000}, {"color_temp": 2700}, {"color_temp": 6500}, {"color": "blue", "brightness": 100},
        *({"state": "on", "color": color} for color in COLORS),
    ],
)  # fmt: skip
def test_a_lamp_ends_as_it_was_told(make: Callable[[], Bench], change: dict[str, SlotValue]) -> None:
    told = make().send(**change)
    wanted = {capability: value for capability, value in change.items() if capability != "transition"}
    expect(wanted, told)


@pytest.mark.parametrize("mode", ["hs", "rgb", "rgbw", "rgbww"])
@pytest.mark.parametrize("color", COLORS)
def test_a_lamp_of_home_assistant_gets_the_color_in_its_own_mode(mode: str, color: str) -> None:
    assert ha_light(supported_color_modes=(mode,)).send(color=color)["color"] == color


@pytest.mark.parametrize("make", LIGHTS)
def test_a_lamp_at_no_brightness_is_off(make: Callable[[], Bench]) -> None:
    assert make().send(brightness=0, color="red")["state"] == "off"


@pytest.mark.parametrize("make", [*LIGHTS, *SWITCHES])
def test_a_toggle_goes_both_ways(make: Callable[[], Bench]) -> None:
    bench = make()
    first, second = bench.send(state="toggle"), bench.send(state="toggle")
    assert {first["state"], second["state"]} == {"on", "off"}


@pytest.mark.parametrize("make", LIGHTS)
@pytest.mark.parametrize("step", [20, -20, 100, 1, -1])
def test_a_lamp_goes_by_the_step(make: Callable[[], Bench], step: int) -> None:
    bench = make()
    expect({"brightness": 50}, bench.send(brightness=50))
    wanted = min(100, 50 + step)
    assert abs(float(str(bench.send(brightness_step=step)["brightness"])) - wanted) <= 1


@pytest.mark.parametrize("make", LIGHTS)
def test_a_lamp_that_goes_below_its_darkest_is_off(make: Callable[[], Bench]) -> None:
    assert make().send(brightness_step=-100)["state"] == "off"


@pytest.mark.parametrize("make", LIGHTS)
def test_a_step_switches_a_dark_lamp_on(make: Callable[[], Bench]) -> None:
    bench = make()
    bench.send(state="off")
    assert bench.send(brightness_step=20)["state"] == "on"


@pytest.mark.parametrize("make", COVERS)
@pytest.mark.parametrize("change", [{"cover": "open"}, {"cover": "close"}, *({"position": n} for n in (0, 1, 50, 100))])
def test_a_cover_ends_as_it_was_told(make: Callable[[], Bench], change: dict[str, SlotValue]) -> None:
    expect(change, make().send(**change))


@pytest.mark.parametrize("make", COVERS)
@pytest.mark.parametrize(("step", "wanted"), [(20, 60), (-20, 20), (100, 100), (-100, 0)])
def test_a_cover_goes_by_the_step_as_far_as_it_can(make: Callable[[], Bench], step: int, wanted: int) -> None:
    expect({"position": wanted}, make().send(position_step=step))


@pytest.mark.parametrize("make", COVERS)
def test_a_cover_can_be_stopped(make: Callable[[], Bench]) -> None:
    bench = make()
    expect({"position": 40}, bench.send(cover="stop"))


@pytest.mark.parametrize("make", [zigbee_cover, ha_cover])
@pytest.mark.parametrize("tilt", [0, 55, 100])
def test_slats_are_turned(make: Callable[[], Bench], tilt: int) -> None:
    expect({"tilt": tilt}, make().send(tilt=tilt))


@pytest.mark.parametrize("make", THERMOSTATS)
@pytest.mark.parametrize("change", [*({"temperature": t} for t in (5, 5.5, 20.5, 21, 35)), {"mode": "off"}])
def test_a_thermostat_ends_as_it_was_told(make: Callable[[], Bench], change: dict[str, SlotValue]) -> None:
    expect(change, make().send(**change))


@pytest.mark.parametrize(("make", "modes"), [(zigbee_thermostat, ("heat", "cool", "auto")), (ha_thermostat,
                         ("heat", "cool", "auto")), (tasmota_thermostat, ("auto",))])  # fmt: skip
def test_a_thermostat_takes_its_modes(make: Callable[[], Bench], modes: tuple[str, ...]) -> None:
    for mode in modes:
        assert make().send(mode=mode)["mode"] == mode


@pytest.mark.parametrize("make", THERMOSTATS)
@pytest.mark.parametrize("step", [0.5, 1, -1, 10, -10])
def test_a_thermostat_goes_by_the_step_and_twice_counts_twice(make: Callable[[], Bench], step: float) -> None:
    bench = make()
    expect({"temperature": 20 + step}, bench.send(temperature_step=step))
    expect({"temperature": 20}, bench.send(temperature_step=-step))


def test_a_group_of_zigbee2mqtt_is_a_device_like_any_other() -> None:
    group = device_of("all", kind="light", address="living room", is_group=True)
    bench = Bench(group, Zigbee2MqttDevice("living room", state="OFF", brightness=1))
    expect({"state": "on", "brightness": 60}, bench.send(state="on", brightness=60, transition=2))


@pytest.mark.parametrize("make", SWITCHES)
@pytest.mark.parametrize("state", ["on", "off"])
def test_a_switch_ends_as_it_was_told(make: Callable[[], Bench], state: str) -> None:
    assert make().send(state=state)["state"] == state


@pytest.mark.parametrize("make", FANS)
@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"state": "off"}, {"state": "off"}), ({"speed": 0}, {"state": "off"}), ({"state": "on"}, {"state": "on"}),
        ({"speed": 1}, {"speed": 33.33}), ({"speed": 33}, {"speed": 33.33}), ({"speed": 34}, {"speed": 66.67}),
        ({"speed": 100}, {"speed": 100}), ({"state": "on", "speed": 100}, {"speed": 100}),
        ({"speed_step": 25}, {"speed": 66.67}), ({"speed_step": 100}, {"speed": 100}), ({"speed_step": -25},
        {"speed": 33.33}), ({"state": "toggle"}, {"state": "off"}),
    ],
)  # fmt: skip
def test_a_fan_ends_as_it_was_told(
    make: Callable[[], Bench], change: dict[str, SlotValue], wanted: dict[str, SlotValue]
) -> None:
    told = make().send(**change)
    assert {capability: told[capability] for capability in wanted} == wanted


def test_a_scene_of_home_assistant_is_activated() -> None:
    sent: list[str] = []

    class Scene:
        def take(self, topic: str, payload: str) -> Told:
            sent.append(f"{topic} {payload}")
            return []

    device = device_of(kind="scene", driver="home_assistant", address="home/movie", settings={"command_topic": "~/set"})
    Bench(device, Scene()).send(scene="activate")
    assert sent == ["home/movie/set ON"]


@pytest.mark.parametrize(
    ("driver", "kind", "change", "reason"),
    [
        ("home_assistant", "light", {"state": "toggle"}, "whether lamp is on is not known yet"),
        ("home_assistant", "light", {"brightness_step": 5}, "the present brightness of lamp is not known yet"),
        ("home_assistant", "switch", {"state": "toggle"}, "whether lamp is on is not known yet"),
        ("tasmota", "thermostat", {"temperature_step": 1}, "the present set temperature of lamp is not known yet"),
        ("tasmota", "fan", {"speed_step": 25}, "the present speed of lamp is not known yet"),
        ("tasmota", "fan", {"state": "toggle"}, "the present speed of lamp is not known yet"),
    ],
)  # fmt: skip
def test_a_relative_command_without_a_known_state_is_rejected(
    driver: str, kind: str, change: Mapping[str, SlotValue], reason: str
) -> None:
    settings = {"command_topic": "~/set"} if driver == "home_assistant" else {}
    device = device_of(kind=kind, driver=driver, settings=settings)
    rejected = DRIVERS[driver].render(change_of(device, **change), {}, now_ns=0, expires_s=1, intent_id="u1")
    assert isinstance(rejected, Rejected)
    assert (rejected.stage, rejected.reason) == ("act", reason)
