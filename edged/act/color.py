"""What the colour names mean: hue in degrees and saturation in percent, for drivers that know no names."""

from __future__ import annotations

from typing import Final

HUE_AND_SATURATION: Final[dict[str, tuple[int, int]]] = {
    "white": (0, 0),
    "red": (0, 100),
    "orange": (30, 100),
    "yellow": (60, 100),
    "green": (120, 100),
    "turquoise": (174, 71),
    "cyan": (180, 100),
    "blue": (240, 100),
    "purple": (275, 87),
    "magenta": (300, 100),
    "pink": (330, 59),
}
"""The corners of the RGB cube and the middles of its edges; turquoise and pink are turquoise and hotpink of CSS Color
Module Level 4 (section 6.1), and purple stands half way from blue to magenta, where a lamp looks like neither."""
