"""Strange values for the fuzzing of MQTT: texts, JSON, devices, and what may be asked of them."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from hypothesis import strategies as st

from edged.act.mapping import range_of
from edged.intents.capabilities import CAPABILITIES
from edged.intents.home import Device
from edged.types import SlotValue

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "light": ("state", "brightness", "brightness_step", "color", "color_temp", "transition"),
    "switch": ("state",),
    "thermostat": ("temperature", "temperature_step", "mode"),
    "cover": ("cover", "position", "position_step", "tilt"),
    "fan": ("state", "speed", "speed_step", "mode"),
    "scene": ("scene",),
}
SETTINGS: Final[dict[str, tuple[str, ...]]] = {
    "light": ("command_topic", "state_topic"),
    "switch": ("command_topic", "state_topic"),
    "thermostat": (
        "mode_command_topic", "mode_state_topic", "temperature_command_topic", "temperature_state_topic",
        "current_temperature_topic", "action_topic",
    ),
    "cover": (
        "command_topic", "state_topic", "set_position_topic", "position_topic", "tilt_command_topic",
        "tilt_status_topic",
    ),
    "fan": ("command_topic", "state_topic", "percentage_command_topic", "percentage_state_topic"),
    "scene": ("command_topic",),
}  # fmt: skip
KEYS: Final = (
    "state", "brightness", "color_temp", "color", "color_mode", "position", "tilt", "occupied_heating_setpoint", "x",
    "current_heating_setpoint", "system_mode", "local_temperature", "running_state", "fan_state", "fan_mode", "speed",
    "hue", "saturation", "POWER", "POWER1", "Dimmer", "CT", "White", "HSBColor", "FanSpeed", "TempTargetSet",
    "ThermostatModeSet1", "Shutter1", "Position", "Direction", "Thermostat0", "h", "s", "r", "g", "b", "w", "text",
    "lang", "id", "listen", "answer", "components", "platform",
)  # fmt: skip
WORDS: Final = (
    "ON", "OFF", "OPEN", "open", "closed", "heat", "low", "high", "0,0,0", "359,100,9", "999,999,999", "None", "",
    "once", "en", "pt-BR", "color_temp", "hs", "turn on the light", "+", "#", "/", "a\nb", "\u2028", "\u0085", "\x00",
)  # fmt: skip
NUMBERS: Final = (
    "0", "-0", "1", "254", "255", "256", "-1", "1e400", "-1e400", "1e-400", "5e-324", "NaN", "Infinity", "-Infinity",
    "9" * 20, "1" + "0" * 400, "1" + "0" * 5000, "0.1", "1e15", "1.0000000000000001e15", "50", "21.5", "1E2", "01",
)  # fmt: skip

TEXTS = st.one_of(st.text(max_size=12), st.sampled_from(WORDS), st.text(st.characters(), max_size=40))


def quoted(text: str) -> str:
    """As JSON writes it; a surrogate alone is escaped, which many readers take."""
    return json.dumps(text)


@st.composite
def json_texts(draw: st.DrawFn, depth: int = 2) -> str:
    """JSON as a hand could write it: keys twice, numbers of any length, what is no JSON at all."""
    kind = draw(st.integers(0, 9 if depth else 5))
    if kind <= 1:
        return draw(st.sampled_from(NUMBERS) | st.integers(-300, 300).map(str) | st.floats().map(repr))
    if kind <= 3:
        return quoted(draw(TEXTS))
    if kind <= 5:
        return draw(st.sampled_from(["null", "true", "false", '"\\ud800"', '"\\u0000"', "nul", '"\\x"', '"a\nb"']))
    if kind == 6:
        return f"[{','.join(draw(st.lists(json_texts(depth=depth - 1), max_size=3)))}]"
    keys = st.sampled_from(KEYS) | st.sampled_from(KEYS) | TEXTS
    pairs = draw(st.lists(st.tuples(keys, json_texts(depth=depth - 1)), max_size=6))
    return "{" + ",".join(f"{quoted(key)}:{value}" for key, value in pairs) + "}"


@st.composite
def deep(draw: st.DrawFn) -> bytes:
    """Nested further than anybody should follow."""
    opening, closing = draw(st.sampled_from([("[", "]"), ('{"state":', "}"), ('{"color":[', "]}")]))
    depth = draw(st.sampled_from([10, 500, 990, 1000, 5000]))
    return (opening * depth + "1" + closing * draw(st.sampled_from([depth, 0]))).encode()


PAYLOADS: st.SearchStrategy[bytes] = st.one_of(
    json_texts().map(lambda text: text.encode("utf-8", "surrogatepass")),
    json_texts().map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([*WORDS, *NUMBERS]).map(str.encode),
    st.binary(max_size=200),
    deep(),
)


@st.composite
def names(draw: st.DrawFn) -> str:
    """What somebody might call a device."""
    texts = st.one_of(st.sampled_from(["lamp_1", "Küche/Licht", "a b", "../x", "$SYS/a", "a/b/c", "/" * 201]), TEXTS)
    return draw(texts)


def of_home(text: str) -> str:
    """What home.toml lets through of a text: TOML has no surrogates, and its tables no control characters."""
    return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "", text) or "x"


@st.composite
def devices(draw: st.DrawFn, *, strange: bool) -> Device:
    """A device that its driver takes, or one that it may refuse."""
    driver = draw(st.sampled_from(["zigbee2mqtt", "home_assistant", "tasmota"]))
    kind = draw(st.sampled_from([kind for kind in KINDS if driver != "tasmota" or kind != "scene"]))
    address = of_home(draw(names())) if strange else "lamp_1"
    settings: dict[str, Any] = {}
    if driver == "home_assistant":
        given = SETTINGS[kind] if not strange else draw(st.lists(st.sampled_from(SETTINGS[kind]), unique=True))
        settings = {
            key: of_home(draw(names())) + "~" if strange and draw(st.booleans()) else f"~/{key}" for key in given
        }
        settings |= draw(_options(kind))
    properties = {}
    if driver != "home_assistant" and draw(st.booleans()):
        usual = {"zigbee2mqtt": ("state_l1", "brightness_l1"), "tasmota": ("POWER2", "Dimmer2")}[driver]
        properties = dict(zip(("state", "brightness"), usual, strict=True))
        if strange:
            properties = {key: of_home(draw(names())) for key in properties}
    speeds = draw(st.sampled_from([None, 3, 1, 65535])) if driver != "home_assistant" else None
    scene = draw(st.integers(0, 255)) if kind == "scene" and driver == "zigbee2mqtt" else None
    limits = draw(st.sampled_from([{}, {"temperature": (5, 30)}, {"position": (10, 90)}, {"color_temp": (2000, 6500)}]))
    base = of_home(draw(names())) if strange and driver == "zigbee2mqtt" and draw(st.booleans()) else None
    return Device(
        "lamp", kind, None, {"en": ("lamp",)}, driver, address, limits, {},
        base=base, properties=properties, speeds=speeds, scene=scene, settings=settings,
    )  # fmt: skip


def _options(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    options: dict[str, st.SearchStrategy[Any]] = {
        "light": st.fixed_dictionaries(
            {},
            optional={
                "brightness_scale": st.sampled_from([1, 100, 255, 65535]),
                "color_temp_kelvin": st.booleans(),
                "supported_color_modes": st.sampled_from([("hs", "color_temp"), ("rgb",), ("rgbww", "color_temp"), ()]),
            },
        ),
        "thermostat": st.fixed_dictionaries(
            {}, optional={"temperature_unit": st.sampled_from(["C", "F"]), "temp_step": st.sampled_from([0.1, 0.5, 1])}
        ),
        "cover": st.fixed_dictionaries(
            {}, optional={"position_open": st.sampled_from([100, 255]), "position_closed": st.sampled_from([0, 10])}
        ),
        "fan": st.fixed_dictionaries({}, optional={"speed_range_max": st.sampled_from([1, 3, 255])}),
    }
    return options.get(kind, st.just({}))


@st.composite
def changes(draw: st.DrawFn, device: Device) -> dict[str, SlotValue]:
    """What the mapping may ask of a device: within its range, and of what the kind has."""
    chosen = draw(st.lists(st.sampled_from(KINDS[device.kind]), min_size=1, max_size=3, unique=True))
    return {capability: draw(_value_of(device, capability)) for capability in chosen}


def _value_of(device: Device, capability: str) -> st.SearchStrategy[Any]:
    if CAPABILITIES[capability].choices:
        return st.sampled_from(CAPABILITIES[capability].choices)
    least, greatest = range_of(device, capability)
    whole = st.integers(math.ceil(least), math.floor(greatest))
    return st.one_of(st.sampled_from([least, greatest]), whole, st.floats(least, greatest).map(lambda x: round(x, 2)))
