"""The one vocabulary between intents and devices: what can be changed about a device, and in which unit.

Intent files turn slots into capabilities and drivers turn capabilities into messages; neither knows the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Capability:
    """A property of a device: either one of `choices`, or a number within `least` and `greatest`."""

    choices: tuple[str, ...] = ()
    least: float = 0
    greatest: float = 0
    unit: str = ""
    quantity: Literal["plain", "temperature", "difference"] = "plain"
    """How the value is converted where a slot names another unit of temperature."""


COLORS: Final = (
    "white", "red", "orange", "yellow", "green", "turquoise", "cyan", "blue", "purple", "magenta", "pink",
)  # fmt: skip

CAPABILITIES: Final[dict[str, Capability]] = {
    "state": Capability(choices=("on", "off", "toggle")),
    "brightness": Capability(least=0, greatest=100, unit="percent"),
    "brightness_step": Capability(least=-100, greatest=100, unit="percent"),
    "color": Capability(choices=COLORS),
    "color_temp": Capability(least=1000, greatest=10000, unit="kelvin"),
    "transition": Capability(least=0, greatest=3600, unit="seconds"),
    "temperature": Capability(least=5, greatest=35, unit="celsius", quantity="temperature"),
    "temperature_step": Capability(least=-10, greatest=10, unit="kelvin", quantity="difference"),
    "mode": Capability(choices=("off", "heat", "cool", "auto")),
    "cover": Capability(choices=("open", "close", "stop")),
    "position": Capability(least=0, greatest=100, unit="percent"),
    "position_step": Capability(least=-100, greatest=100, unit="percent"),
    "tilt": Capability(least=0, greatest=100, unit="percent"),
    "speed": Capability(least=0, greatest=100, unit="percent"),
    "speed_step": Capability(least=-100, greatest=100, unit="percent"),
    "scene": Capability(choices=("activate",)),
}
"""A device's own `limits` in home.toml narrow or widen the range of a number; a position or a tilt of 100 is open."""

READINGS: Final[dict[str, str]] = {"local_temperature": "celsius", "action": ""}
"""What devices tell beside capabilities, with its unit: how warm it is there, and whether they heat, cool or idle."""

_DONE: Final = ("brightness_step", "transition", "temperature_step", "position_step", "speed_step", "scene")
TOLD: Final = (*(name for name in CAPABILITIES if name not in _DONE), *READINGS)
"""What a device can tell of itself: how it is, and not what it is to do."""
