from __future__ import annotations

import pytest

from edged.act.color import HUE_AND_SATURATION
from edged.act.units import (
    to_celsius,
    to_color,
    to_fahrenheit,
    to_hue_and_saturation,
    to_mireds,
    to_multiple,
    to_percent,
    to_rgb,
    to_scale,
    to_step,
)


@pytest.mark.parametrize("full", [100, 254, 255, 1000])
def test_percent_and_scale_meet_at_both_ends_and_come_back(full: int) -> None:
    assert [to_scale(percent, full) for percent in (0, 100)] == [0, full]
    for percent in range(101):
        assert abs(to_percent(to_scale(percent, full), full) - percent) <= 50 / full + 0.005


@pytest.mark.parametrize(("percent", "step"), [(0, 0), (0.1, 1), (-0.1, -1), (100, 254), (-100, -254)])
def test_a_step_is_never_lost(percent: float, step: int) -> None:
    assert to_step(percent, 254) == step


@pytest.mark.parametrize(("kelvin", "mireds"), [(1000, 1000), (2000, 500), (2700, 370), (6535, 153), (10000, 100)])
def test_kelvin_are_mireds(kelvin: int, mireds: int) -> None:
    assert to_mireds(kelvin) == mireds
    assert abs(to_mireds(mireds) - kelvin) <= kelvin * 0.005


@pytest.mark.parametrize(("celsius", "fahrenheit"), [(-40, -40), (0, 32), (5, 41), (21.5, 70.7), (35, 95)])
def test_celsius_are_fahrenheit(celsius: float, fahrenheit: float) -> None:
    assert to_fahrenheit(celsius) == pytest.approx(fahrenheit)
    assert to_celsius(fahrenheit) == celsius


@pytest.mark.parametrize("whole", range(41, 96))
def test_whole_fahrenheit_survive_the_way_through_hundredths_of_celsius(whole: int) -> None:
    assert to_multiple(to_fahrenheit(to_celsius(whole)), 0.1) == whole


@pytest.mark.parametrize(
    ("value", "step", "nearest"),
    [(5, 0.5, 5), (5.5, 0.5, 5.5), (21.25, 0.5, 21.5), (21.24, 0.5, 21), (34.9, 0.5, 35), (20.5, 1, 21), (0.1, 0.1, 0.1),
     (-0.5, 1, 0), (20.3, 0.1, 20.3)],
)  # fmt: skip
def test_the_nearest_step_is_taken_and_the_greater_of_two(value: float, step: float, nearest: float) -> None:
    assert to_multiple(value, step) == nearest


@pytest.mark.parametrize("name", HUE_AND_SATURATION)
def test_every_color_is_known_again(name: str) -> None:
    hue, saturation = HUE_AND_SATURATION[name]
    assert to_color(hue, saturation) == name
    assert to_color(*to_hue_and_saturation(*to_rgb(hue, saturation))) == name


@pytest.mark.parametrize(("hue", "saturation", "name"), [(359, 99, "red"), (200, 3, "white"), (90, 50, None)])
def test_a_color_that_a_lamp_rounds_is_known_again_and_others_are_not(
    hue: float, saturation: float, name: str | None
) -> None:
    assert to_color(hue, saturation) == name
