"""What a device's state has to show before a command counts as done, in the words of the capabilities.

A value is held against the state within what the device's own scale loses: lamps count brightness to 254 and color
temperatures in mireds, thermostats round to halves of a degree, shutters stop within a few percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edged.act.driver import State, is_turned_off, number_of
from edged.act.drivers import DRIVERS
from edged.act.mapping import DeviceChange
from edged.types import SlotValue

TOLERANCES: Final[dict[str, float]] = {
    "brightness": 1.0,
    "position": 3.0,
    "tilt": 3.0,
    "speed": 1.0,
    "temperature": 0.26,
}
"""How far the told number may be off: two steps of 254, what a motor overruns, half a step of a thermostat."""
MIREDS: Final = 2.0
"""The same of a color temperature, in mireds: far more kelvin where the light is cold."""
_EXACT: Final = 0.01

_STEPS: Final = {
    "brightness_step": "brightness",
    "temperature_step": "temperature",
    "position_step": "position",
    "speed_step": "speed",
}
_ENDS: Final = {"open": 100, "close": 0}
_ALL: Final = "all"
"""What a lamp that is to be dark is about: nothing else of it need come about any more."""
_ASPECTS: Final = {
    "state": "level",
    "brightness": "level",
    "speed": "level",
    "color": "color",
    "color_temp": "color",
    "cover": "position",
}
"""Capabilities that one look at the device tells together, beside those that stand alone."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What one command is to bring about; where all three are empty, any answer of the device shows it."""

    values: Mapping[str, SlotValue]
    """Capability -> the value that the state will have."""
    steps: Mapping[str, int]
    """Capability -> in which direction it moves; how far the command alone does not tell."""
    is_toggled: bool
    aspects: frozenset[str]
    """What it is about: a newer goal about one of them takes its place."""

    def replaces(self, older: Goal) -> bool:
        """Whether what the older one waits for need not come about any more."""
        return _ALL in self.aspects or not self.aspects.isdisjoint(older.aspects)


def goal_of(change: DeviceChange, expected: State) -> Goal:
    """The goal of one command of a change; `expected` is what the driver lets expect of that command."""
    wanted = change.change
    values = DRIVERS[change.device.driver].interpret(change.device, expected)
    steps = {
        _STEPS[name]: 1 if number_of(step) > 0 else -1
        for name, step in wanted.items()
        if name in _STEPS and not values and number_of(step)
    }
    is_toggled = not values and wanted.get("state") == "toggle"
    touched = values or steps or wanted
    aspects = {_ASPECTS.get(name, name) for name in touched}
    if is_turned_off(wanted):
        aspects.add(_ALL)
    return Goal(values, steps, is_toggled, frozenset(aspects))


def is_shown(goal: Goal, before: Mapping[str, SlotValue], told: Mapping[str, SlotValue]) -> bool:
    """Whether what the device tells shows the goal; `before` is what it told before the command."""
    return (
        all(_is_reached(name, goal, told) for name in goal.values)
        and all(_is_moved(name, sign, before, told) for name, sign in goal.steps.items())
        and (not goal.is_toggled or "state" not in before or told.get("state") not in (None, before["state"]))
    )


def _is_reached(name: str, goal: Goal, told: Mapping[str, SlotValue]) -> bool:
    """A shutter that is told to open or close says so as it sets out; where it tells its position, that counts too."""
    wanted, found = goal.values[name], told.get(name)
    if name == "cover" and "position" in told and "position" not in goal.values and found == wanted:
        return _is_near("position", _ENDS[str(wanted)], told["position"])
    return _is_near(name, wanted, found)


def _is_near(name: str, wanted: SlotValue, found: SlotValue) -> bool:
    if not _is_number(wanted) or not _is_number(found):
        return found is not None and found == wanted
    one, other = number_of(wanted), number_of(found)
    if name == "color_temp" and one > 0 and other > 0:
        return abs(1_000_000 / one - 1_000_000 / other) <= MIREDS
    return abs(one - other) <= TOLERANCES.get(name, _EXACT)


def _is_moved(name: str, sign: int, before: Mapping[str, SlotValue], told: Mapping[str, SlotValue]) -> bool:
    """It has moved, or is at the end of its range; where nothing was known before, any number will do."""
    if sign < 0 and told.get("state") == "off":
        return True
    found, known = told.get(name), before.get(name)
    if not _is_number(found):
        return False
    if not _is_number(known) or before.get("state") == "off" != told.get("state"):
        return True
    end = 100 if sign > 0 else 0
    return (number_of(found) - number_of(known)) * sign > 0 or _is_near(name, end, found)


def _is_number(value: SlotValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
