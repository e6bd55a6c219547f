"""From the units of the capabilities to those of the devices and back."""

from __future__ import annotations

import colorsys
import math
from typing import Final

from edged.act.color import HUE_AND_SATURATION
from edged.act.mapping import tidy_number

_HUE_DEGREES: Final = 8
"""How far a lamp may round a hue: some count 254 to the circle, others go by x and y; our colours are 6 apart, or more
in saturation."""
_SATURATION_PERCENT: Final = 6


def to_scale(percent: float, full: int) -> int:
    """0..100 percent as 0..full."""
    return round(percent * full / 100)


def to_step(percent: float, full: int) -> int:
    """A step of percent on the scale 0..full; never 0 for one that is not 0."""
    steps = to_scale(percent, full)
    return steps or int(math.copysign(1, percent)) if percent else 0


def to_percent(raw: float, full: float) -> int | float:
    """0..full as 0..100 percent."""
    return tidy_number(raw * 100 / full)


def to_mireds(kelvin: float) -> int:
    """Kelvin to mireds, or mireds to kelvin: each is a million by the other."""
    return round(1_000_000 / kelvin)


def to_fahrenheit(celsius: float) -> float:
    """Degrees, not differences."""
    return celsius * 9 / 5 + 32


def to_celsius(fahrenheit: float) -> int | float:
    """Degrees, not differences."""
    return tidy_number((fahrenheit - 32) * 5 / 9)


def to_multiple(value: float, step: float) -> int | float:
    """The multiple of `step` that is nearest; of two the greater."""
    return tidy_number(math.floor(value / step + 0.5 + 1e-9) * step)


def to_color(hue: float, saturation: float) -> str | None:
    """The name of a color that a lamp tells in degrees and percent; None where it has none."""
    for name, (known_hue, known_saturation) in HUE_AND_SATURATION.items():
        turn = abs(hue - known_hue) % 360
        is_near = min(turn, 360 - turn) <= _HUE_DEGREES or known_saturation == 0
        if is_near and abs(saturation - known_saturation) <= _SATURATION_PERCENT:
            return name
    return None


def to_rgb(hue: float, saturation: float) -> tuple[int, int, int]:
    """0..255 each; at its brightest."""
    red, green, blue = colorsys.hsv_to_rgb(hue / 360, saturation / 100, 1)
    return round(red * 255), round(green * 255), round(blue * 255)


def to_hue_and_saturation(red: float, green: float, blue: float) -> tuple[float, float]:
    """Degrees and percent of a color whose parts are on any one scale."""
    hue, saturation, _ = colorsys.rgb_to_hsv(red, green, blue)
    return hue * 360, saturation * 100
