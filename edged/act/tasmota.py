"""Driver of devices that run Tasmota: a command a topic, `cmnd/<topic>/<Command>`, or several in one `Backlog`.

Commands and units: https://tasmota.github.io/docs/Commands/; steps of the dimmer need Tasmota 11.1 or newer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from edged.act.color import HUE_AND_SATURATION
from edged.act.driver import (
    Change,
    Question,
    Refusal,
    State,
    check_levels,
    check_light,
    is_turned_off,
    known_number,
    make_command,
    number_of,
    place_of,
    refuse_keys,
    refuse_others,
    step_temperature,
    step_within,
)
from edged.act.mapping import DeviceChange
from edged.act.payload import AVAILABLE, is_number, read_word
from edged.act.tasmota_state import (
    PROPERTIES,
    assume_orders,
    full_speed_of,
    interpret_state,
    key_of,
    property_of,
    read_message,
)
from edged.act.units import to_mireds, to_multiple, to_step
from edged.errors import ConfigError
from edged.intents.home import Device, name_of
from edged.intents.home_tables import suggest
from edged.types import Command, Rejected, SlotValue

FULL_TOPIC: Final = "%prefix%/%topic%"
LEAST_MIREDS: Final = 153
GREATEST_MIREDS: Final = 500
"""Beyond the two Tasmota changes nothing."""
LONGEST_TRANSITION_S: Final = 20
"""Speed2 counts 40 half seconds at most."""
TARGET_STEP_CELSIUS: Final = 0.1

_LIGHT: Final = frozenset({"state", "brightness", "brightness_step", "color", "color_temp", "transition"})
_THERMOSTAT: Final = frozenset({"temperature", "temperature_step", "mode"})
_COVER: Final = frozenset({"cover", "position", "position_step"})
_FAN: Final = frozenset({"state", "speed", "speed_step"})
CAPABILITIES_OF: Final[dict[str, frozenset[str]]] = {
    "light": _LIGHT,
    "thermostat": _THERMOSTAT,
    "cover": _COVER,
    "gate": _COVER,
    "switch": frozenset({"state"}),
    "fan": _FAN,
}
_ALL: Final = _LIGHT | _THERMOSTAT | _COVER | _FAN
"""Of a kind that is not listed."""
_MODES: Final = {"off": 0, "auto": 1, "heat": 1}
"""1 regulates; 2 follows a switch and no temperature."""
_FROM_WHAT_IS: Final = re.compile(r"POWER[0-9]* TOGGLE|Dimmer[0-9]* [+-]|Shutter(Change|Stop)")
"""The beginning of orders that must not be given twice; all others say what is to be."""

_Order: TypeAlias = tuple[str, str]
"""A command and its parameter."""


class Tasmota:
    """The `tasmota` driver."""

    repeats_itself = True

    def check(self, device: Device) -> None:
        """Raises ConfigError where the address is no topic, or a key cannot be used."""
        place = place_of(device)
        check_levels(device, "address", device.address, "give the Topic that Tasmota shows for it")
        refuse_keys(device, "base", "scene", "template")
        if device.kind == "scene":
            raise ConfigError("Tasmota has no scenes", where=f"{place}.kind", remedy='set driver = "template"')
        for capability, name in device.properties.items():
            usual = PROPERTIES.get(capability)
            if usual is None:
                remedy = suggest(capability, PROPERTIES)
                what = f"{capability} has no property of its own"
                raise ConfigError(what, where=f"{place}.properties.{capability}", remedy=remedy)
            if not re.fullmatch(rf"{usual}([1-9][0-9]?)?", name):
                remedy = f"write {usual} and its number, such as {usual}2"
                raise ConfigError(f'is "{name}"', where=f"{place}.properties.{capability}", remedy=remedy)
        if isinstance(device.speeds, tuple):
            raise ConfigError("are no number", where=f"{place}.speeds", remedy="write the greatest FanSpeed")
        _check_settings(device)

    def state_topics(self, device: Device) -> tuple[str, ...]:
        """Where it answers, and where it tells all every few minutes; none for a group, whose devices answer."""
        if device.is_group:
            return ()
        topics = [_topic(device, "stat", "RESULT"), _topic(device, "tele", "STATE")]
        if device.kind in ("cover", "gate", "thermostat"):
            topics.append(_topic(device, "tele", "SENSOR"))
        else:
            power = key_of(device, "state")
            names = ("POWER", "POWER1") if power == "POWER" else (power,)
            topics += [_topic(device, "stat", name) for name in names]
        return tuple(topics)

    def read_state(self, device: Device, topic: str, payload: bytes) -> State | None:  # noqa: ARG002 -- as every driver
        """JSON, but for POWER, which is one word; the number of the first of several is left out of the keys."""
        return read_message(topic, payload)

    def interpret(self, device: Device, state: State) -> Mapping[str, SlotValue]:
        """What the keys of the device's own relay, dimmer, shutter or thermostat say."""
        return interpret_state(device, state)

    def render(
        self, change: DeviceChange, state: State, *, now_ns: int, expires_s: float, intent_id: str
    ) -> tuple[Command, ...] | Rejected:
        """One message with all that changes."""
        try:
            orders = _render_orders(change.device, change.change, state)
        except Refusal as refusal:
            return Rejected(intent_id, "act", str(refusal))
        name, payload = orders[0]
        if len(orders) > 1:
            name, payload = "Backlog", ";".join(" ".join(order) for order in orders)
        topic = _topic(change.device, "cmnd", name)
        return (
            make_command(
                topic,
                payload,
                now_ns=now_ns,
                expires_s=expires_s,
                intent_id=intent_id,
                is_repeatable=not any(_FROM_WHAT_IS.match(" ".join(order)) for order in orders),
            ),
        )

    def assume(self, device: Device, command: Command) -> State:  # noqa: ARG002 -- as every driver
        """What the orders set outright; where steps and stops end is not known."""
        return assume_orders(command)

    def tells(self, device: Device, expected: State) -> bool:  # noqa: ARG002 -- as every driver
        """All but groups do."""
        return bool(self.state_topics(device))

    def questions(self, device: Device) -> tuple[Question, ...]:
        """Commands without a parameter, which are answered as if they had one."""
        if device.is_group:
            return ()
        number = property_of(device, "position").removeprefix(PROPERTIES["position"]) or "1"
        orders = {
            "cover": (f"ShutterPosition{number}",),
            "gate": (f"ShutterPosition{number}",),
            "thermostat": (property_of(device, "temperature"), property_of(device, "mode")),
            "fan": ("FanSpeed",),
        }
        return tuple((_topic(device, "cmnd", order), b"") for order in orders.get(device.kind, ("State",)))

    def availability_topics(self, device: Device) -> tuple[str, ...]:
        """Its last will."""
        return () if device.is_group else (_topic(device, "tele", "LWT"),)

    def read_availability(self, device: Device, topic: str, payload: bytes) -> bool | None:  # noqa: ARG002
        """Online or Offline."""
        return AVAILABLE.get(read_word(payload))


def _check_settings(device: Device) -> None:
    for key, value in device.settings.items():
        place = f"{place_of(device)}.settings.{key}"
        if key != "full_topic":
            raise ConfigError("is unknown to Tasmota", where=place, remedy=suggest(key, ("full_topic",)))
        if not isinstance(value, str) or not all(part in value for part in ("%prefix%", "%topic%")):
            remedy = f'write the FullTopic that Tasmota shows, such as "{FULL_TOPIC}"'
            raise ConfigError("holds no %prefix% or no %topic%", where=place, remedy=remedy)
        check_levels(device, "settings.full_topic", value.rstrip("/"), "write the FullTopic that Tasmota shows")


def _topic(device: Device, prefix: str, name: str) -> str:
    full = str(device.settings.get("full_topic", FULL_TOPIC)).rstrip("/")
    return f"{full.replace('%prefix%', prefix).replace('%topic%', device.address)}/{name}"


def _render_orders(device: Device, change: Change, state: State) -> list[_Order]:
    """Commands in their order; raises Refusal where there are none."""
    refuse_others(device, change, CAPABILITIES_OF.get(device.kind, _ALL))
    if device.kind == "fan" or not {"speed", "speed_step"}.isdisjoint(change):
        return _render_fan(device, change, state)
    orders = _render_light(device, change, state) + _render_climate(device, change, state)
    orders += _render_shutter(device, change, state)
    if "state" in change and not is_turned_off(change):
        orders.append((property_of(device, "state"), str(change["state"]).upper()))
    return orders


def _render_light(device: Device, change: Change, state: State) -> list[_Order]:
    check_light(device, change)
    orders = []
    if "transition" in change:
        orders.append(("Speed2", str(_half_seconds(device, number_of(change["transition"])))))
    if is_turned_off(change):
        return [*orders, (property_of(device, "state"), "OFF")]
    dimmer = property_of(device, "brightness")
    brightness = max(1, round(number_of(change["brightness"]))) if "brightness" in change else None
    if "color_temp" in change:
        orders.append(("CT", str(_mireds(device, number_of(change["color_temp"])))))
    elif "color" in change:
        hue, saturation = HUE_AND_SATURATION[str(change["color"])]
        present = state.get(key_of(device, "brightness"))
        known = round(present) if is_number(present) and 1 <= present <= 100 else 100
        orders.append(("HSBColor", f"{hue},{saturation},{brightness or known}"))
    if brightness is not None and ("color" not in change or "color_temp" in change):
        orders.append((dimmer, str(brightness)))
    if "brightness_step" in change:
        step = to_step(number_of(change["brightness_step"]), 100)
        if step <= 0 and "state" not in change and state.get(key_of(device, "state")) == "OFF":
            raise Refusal(f"{name_of(device)} is off")  # any level, also a lower one, would switch it on
        orders.append((dimmer, f"{step:+d}"))
    return orders


def _half_seconds(device: Device, seconds: float) -> int:
    if seconds > LONGEST_TRANSITION_S:
        raise Refusal(f"{name_of(device)} takes {LONGEST_TRANSITION_S} seconds to change at most, not {seconds:g}")
    return math.ceil(seconds * 2)


def _mireds(device: Device, kelvin: float) -> int:
    mireds = to_mireds(kelvin)
    if not LEAST_MIREDS <= mireds <= GREATEST_MIREDS:
        least, greatest = to_mireds(GREATEST_MIREDS), to_mireds(LEAST_MIREDS)
        raise Refusal(f"{name_of(device)} takes a color temp of {least} to {greatest} kelvin, not {kelvin:g}")
    return mireds


def _render_climate(device: Device, change: Change, state: State) -> list[_Order]:
    orders = []
    wanted = number_of(change.get("temperature"))
    if "temperature_step" in change and "temperature" not in change:
        what = f"the present set temperature of {name_of(device)}"
        present = known_number(state, key_of(device, "temperature"), what)
        wanted = step_temperature(device, present, change["temperature_step"])
    if "temperature" in change or "temperature_step" in change:
        orders.append((property_of(device, "temperature"), str(to_multiple(wanted, TARGET_STEP_CELSIUS))))
    if "mode" in change:
        if change["mode"] not in _MODES:
            raise Refusal(f"{name_of(device)} takes as mode one of {', '.join(_MODES)}, not {change['mode']}")
        orders.append((property_of(device, "mode"), str(_MODES[str(change["mode"])])))
    return orders


def _render_shutter(device: Device, change: Change, state: State) -> list[_Order]:
    """Its own steps, which go from where it is bound to, but where it may not go to its ends."""
    number = property_of(device, "position").removeprefix(PROPERTIES["position"]) or "1"
    moves = {"position", "position_step"} & set(change)
    if change.get("cover") == "stop" and moves:
        raise Refusal(f"{name_of(device)} cannot stop and move at once")
    if "position" in change:
        return [(f"ShutterPosition{number}", str(round(number_of(change["position"]))))]
    if "position_step" in change and "position" in device.limits:
        key = f"{key_of(device, 'position')}.Position"
        present = known_number(state, key, f"the present position of {name_of(device)}")
        return [
            (f"ShutterPosition{number}", str(round(step_within(device, "position", present, change["position_step"]))))
        ]
    if "position_step" in change:
        return [(f"ShutterChange{number}", str(to_step(number_of(change["position_step"]), 100)))]
    return [(f"Shutter{str(change['cover']).capitalize()}{number}", "")] if "cover" in change else []


def _render_fan(device: Device, change: Change, state: State) -> list[_Order]:
    """`+` and `-` would go round from the fastest to off, so steps start from the last known speed."""
    switch, greatest = device.properties.get("state"), full_speed_of(device)
    is_off = change.get("state") == "off" or change.get("speed") == 0
    if switch is not None and (is_off or not {"speed", "speed_step"} & set(change)):
        return [(switch, "OFF" if is_off else str(change["state"]).upper())]
    if is_off:
        return [("FanSpeed", "0")]
    if "speed" in change:
        switched = [(switch, "ON")] if switch is not None and change.get("state") == "on" else []
        return [("FanSpeed", str(math.ceil(number_of(change["speed"]) * greatest / 100))), *switched]
    present = state.get("FanSpeed")
    if change.get("state") == "on" and "speed_step" not in change:
        running = round(present) if is_number(present) and 0 < present <= greatest else math.ceil(greatest / 2)
        return [("FanSpeed", str(running))]
    known = known_number(state, "FanSpeed", f"the present speed of {name_of(device)}")
    if "speed_step" not in change:
        return [("FanSpeed", "0" if known > 0 else str(math.ceil(greatest / 2)))]
    step = to_step(number_of(change["speed_step"]), greatest)
    if known == 0 and step <= 0:
        raise Refusal(f"{name_of(device)} is off")
    return [("FanSpeed", str(round(min(greatest, max(1, known + step)))))]
