"""Lights of Home Assistant's JSON schema: one message with all that changes, and the state in the same keys.

Keys: https://www.home-assistant.io/integrations/light.mqtt/#json-schema
"""

from __future__ import annotations

import json
from typing import Final

from edged.act.color import HUE_AND_SATURATION
from edged.act.driver import Change, Refusal, State, check_light, is_turned_off, known_number, number_of
from edged.act.home_assistant_state import number_option, option
from edged.act.payload import is_number
from edged.act.units import to_color, to_hue_and_saturation, to_mireds, to_percent, to_rgb, to_scale, to_step
from edged.intents.home import Device, name_of
from edged.types import SlotValue

COLOR_MODES: Final = ("hs", "rgb", "rgbw", "rgbww")
"""Those in which a color can be sent, the plainest first; xy needs what is known of the lamp's own colors."""
WHITES: Final = {"rgbw": ("w",), "rgbww": ("c", "w")}
"""The white parts of a color, which are dark while it has one."""


def render_light(device: Device, change: Change, state: State) -> str:
    """The message; raises Refusal where there is none."""
    check_light(device, change)
    payload: dict[str, object] = {"state": "OFF" if is_turned_off(change) else "ON"}
    if change.get("state") == "toggle":
        if state.get("state") not in ("ON", "OFF"):
            raise Refusal(f"whether {name_of(device)} is on is not known yet")
        payload["state"] = "OFF" if state["state"] == "ON" else "ON"
    if payload["state"] == "ON":
        payload |= _render_brightness(device, change, state) | _render_color(device, change)
    if "transition" in change:
        payload["transition"] = change["transition"]
    return json.dumps(payload, separators=(",", ":"))


def interpret_light(device: Device, state: State) -> dict[str, SlotValue]:
    """What the keys of the state message say."""
    values: dict[str, SlotValue] = {}
    switched, brightness, white, mode = (state.get(key) for key in ("state", "brightness", "color_temp", "color_mode"))
    if switched in ("ON", "OFF"):
        values["state"] = str(switched).lower()
    if is_number(brightness):
        values["brightness"] = to_percent(brightness, _scale_of(device))
    color = _read_color(state) if mode != "color_temp" else None
    if color is not None:
        values["color"] = color
    if is_number(white) and white >= 1 and mode in (None, "color_temp"):
        values["color_temp"] = white if option(device, "color_temp_kelvin") else to_mireds(white)
    return values


def assume_light(told: dict[str, object]) -> dict[str, object]:
    """What a command lets expect of the state."""
    return {key: value for key, value in told.items() if key != "transition"}


def _scale_of(device: Device) -> int:
    return round(number_option(device, "brightness_scale"))


def _render_brightness(device: Device, change: Change, state: State) -> dict[str, object]:
    scale = _scale_of(device)
    if "brightness" in change:
        return {"brightness": max(1, to_scale(number_of(change["brightness"]), scale))}
    if "brightness_step" not in change:
        return {}
    step = to_step(number_of(change["brightness_step"]), scale)
    is_off = state.get("state") == "OFF"
    if is_off and step <= 0:
        raise Refusal(f"{name_of(device)} is off")
    what = f"the present brightness of {name_of(device)}"
    wanted = round((0 if is_off else known_number(state, "brightness", what)) + step)
    return {"brightness": min(wanted, scale)} if wanted > 0 else {"state": "OFF"}


def _render_color(device: Device, change: Change) -> dict[str, object]:
    modes = option(device, "supported_color_modes")
    known = modes if isinstance(modes, tuple) else ()
    if "color_temp" in change:
        if "color_temp" not in known:
            raise Refusal(f"{name_of(device)} takes no color temp")
        kelvin = number_of(change["color_temp"])
        return {"color_temp": round(kelvin) if option(device, "color_temp_kelvin") else to_mireds(kelvin)}
    if "color" not in change:
        return {}
    mode = next((mode for mode in COLOR_MODES if mode in known), None)
    if mode is None:
        raise Refusal(f"{name_of(device)} takes no color")
    hue, saturation = HUE_AND_SATURATION[str(change["color"])]
    if mode == "hs":
        return {"color": {"h": hue, "s": saturation}}
    parts = dict(zip("rgb", to_rgb(hue, saturation), strict=True))
    return {"color": parts | dict.fromkeys(WHITES.get(mode, ()), 0)}


def _read_color(state: State) -> str | None:
    hue, saturation = state.get("color.h"), state.get("color.s")
    red, green, blue = (state.get(f"color.{part}") for part in "rgb")
    if is_number(hue) and is_number(saturation):
        return to_color(hue, saturation)
    if is_number(red) and is_number(green) and is_number(blue) and max(red, green, blue) > 0 <= min(red, green, blue):
        return to_color(*to_hue_and_saturation(red, green, blue))
    return None
