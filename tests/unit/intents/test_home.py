import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edged.config import SHIPPED
from edged.errors import ConfigError
from edged.intents.home import Home, HomeError, load_home, parse_home
from edged.intents.home_tables import (
    MAX_AREAS,
    MAX_DEVICES,
    MAX_FILE_BYTES,
    MAX_LANGUAGES,
    MAX_LINE_CHARACTERS,
    MAX_MEMBERS,
    MAX_NAMES,
    MAX_SPEEDS,
    HomeFault,
)
from edged.intents.lower import LoweringError
from edged.intents.references import resolve_references

LIGHT = 'kind = "light"\ndriver = "zigbee2mqtt"\n'
DEVICE = f'[devices.lamp]\n{LIGHT}address = "lamp"\n'
GROUPS = f"""
[devices.spot]
{LIGHT}address = "spot"
[devices.blind]
kind = "cover"
driver = "zigbee2mqtt"
address = "blind"
[groups.all]
kind = "light"
members = ["spot", "lamp"]
[groups.spots]
{LIGHT}address = "spots"
"""
FLOORS = """
[areas.kitchen]
floor = "ground"
[areas.hall]
floor = "ground"
[areas.attic]
floor = "top"
[areas.garden]
[floors.ground]
names.en = ["ground floor", "downstairs"]
"""


def _home(text: str) -> Home:
    return parse_home(text, "home.toml")


def _faults(text: str) -> tuple[HomeFault, ...]:
    with pytest.raises(HomeError) as caught:
        _home(text)
    assert caught.value.where == "home.toml"
    assert all(fault.what and fault.remedy for fault in caught.value.faults)
    return caught.value.faults


def test_names_default_to_the_key() -> None:
    home = _home(f"[areas.guest_room]\n[floors.top_floor]\n{DEVICE}")
    assert home.areas["guest_room"].names == {"en": ("guest room",)}
    assert home.floors["top_floor"].names == {"en": ("top floor",)}
    assert home.devices["lamp"].names == {"en": ("lamp",)}


def test_devices_are_found_by_kind_in_the_order_of_the_file() -> None:
    second = DEVICE.replace("lamp", "other")
    third = DEVICE.replace("lamp", "heater").replace("light", "thermostat")
    home = _home(second + DEVICE + third)
    assert [device.key for device in home.devices_of("light")] == ["other", "lamp"]


def test_groups_are_devices_with_or_without_members() -> None:
    home = _home(DEVICE + GROUPS)
    assert [device.key for device in home.devices_of("light")] == ["lamp", "spot", "all", "spots"]
    assert home.devices["all"].members == ("spot", "lamp")
    assert home.devices["spots"].address == "spots"
    assert [device.key for device in home.devices.values() if device.is_group] == ["all", "spots"]


def test_a_device_may_say_how_its_driver_reaches_it() -> None:
    more = (
        'base = "z2m"\nproperties.state = "state_l1"\nspeeds = ["low", "high"]\nscene = 3\nlimits.position = [1, 99]\n'
    )
    device = _home(DEVICE + more).devices["lamp"]
    assert (device.base, device.properties, device.speeds, device.scene, device.limits) == (
        "z2m", {"state": "state_l1"}, ("low", "high"), 3, {"position": (1, 99)},
    )  # fmt: skip
    assert _home(f"{DEVICE}speeds = 100\n").devices["lamp"].speeds == 100


def test_a_driver_may_have_settings_of_its_own() -> None:
    more = 'settings = {command_topic = "~/set", brightness_scale = 100, optimistic = true, modes = ["hs", "rgb"]}\n'
    assert _home(DEVICE + more).devices["lamp"].settings == {
        "command_topic": "~/set", "brightness_scale": 100, "optimistic": True, "modes": ("hs", "rgb"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("place", "areas"),
    [("kitchen", ("kitchen",)), ("ground", ("kitchen", "hall")), ("top", ("attic",)), ("cellar", ()), ("garden", ("garden",))],
)  # fmt: skip
def test_a_place_is_an_area_or_the_areas_of_a_floor(place: str, areas: tuple[str, ...]) -> None:
    assert _home(FLOORS).areas_in(place) == areas


def test_a_reference_to_areas_gives_areas_and_floors_with_a_table() -> None:
    home = _home(FLOORS + DEVICE + GROUPS)
    schema = {
        "properties": {
            "place": {"$ref": "urn:edged:home#/areas"},
            "floor": {"$ref": "urn:edged:home#/floors"},
            "device": {"$ref": "urn:edged:home#/devices/light"},
            "socket": {"$ref": "urn:edged:home#/devices/socket"},
        },
        "required": [],
    }
    assert resolve_references(schema, home)["properties"] == {
        "place": {"enum": ["kitchen", "hall", "attic", "garden", "ground"]},
        "floor": {"enum": ["ground"]},
        "device": {"enum": ["lamp", "spot", "all", "spots"]},
    }


def test_a_reference_to_anything_else_of_the_house_is_refused() -> None:
    schema = {"properties": {"place": {"$ref": "urn:edged:home#/rooms"}}, "required": []}
    with pytest.raises(LoweringError, match="leads nowhere") as caught:
        resolve_references(schema, _home(FLOORS))
    assert "urn:edged:home#/floors" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("[areas", "", "is not valid TOML"),
        ("a = " + "[" * 5000, "", "is not valid TOML"),
        ("a = " + "9" * 5000, "", "is not valid TOML"),
        ("#" * (MAX_FILE_BYTES + 1), "", "is larger than"),
        ("[device.x]\n", "device", 'no section "device"'),
        ("devices = 3\n", "devices", "is no table"),
        ('[devices]\nlamp = "x"\n', "devices.lamp", "is no table"),
        ('[areas.kitchen]\ncolour = "red"\n', "areas.kitchen.colour", 'no key "colour"'),
        ('[areas."Living Room"]\n', "areas.Living Room", "is no key"),
        ('[areas."a\\nb"]\n', "areas.a?b", "is no key"),
        ('[areas.a]\nfloor = "Ground"\n', "areas.a.floor", "holds letters or signs that it may not"),
        ('[areas.a]\nfloor = "b"\n[areas.b]\n', "areas.a.floor", '"b" is an area'),
        ("[areas.a]\n[floors.a]\n", "floors.a", "areas.a has the same key"),
        (f"{DEVICE}[groups.lamp]\n{LIGHT}address = 'x'\n", "groups.lamp", "devices.lamp has the same key"),
        (DEVICE + 'area = "attic"\n', "devices.lamp.area", 'there is no area "attic"'),
        (DEVICE.replace('"lamp"', '"a/#"'), "devices.lamp.address", "holds letters or signs"),
        (DEVICE.replace('"lamp"', '""'), "devices.lamp.address", "is empty"),
        (DEVICE.replace('driver = "zigbee2mqtt"', ""), "devices.lamp.driver", "is missing"),
        (DEVICE.replace('"light"', "3"), "devices.lamp.kind", "is no text"),
        (DEVICE + 'names.en = [""]\n', "devices.lamp.names.en.0", "is empty"),
        (DEVICE + 'names.en = "lamp"\n', "devices.lamp.names.en", "is no list"),
        (DEVICE + "names.en = []\n", "devices.lamp.names.en", "has too few entries"),
        (DEVICE + 'names.english = ["lamp"]\n', "devices.lamp.names.english", "holds letters or signs"),
        (DEVICE + 'names.en = ["a\\u0000b"]\n', "devices.lamp.names.en.0", "holds letters or signs"),
        (DEVICE + f"names.en = {['x'] * (MAX_NAMES + 1)}\n", "devices.lamp.names.en", "has too many entries"),
        (DEVICE + "limits.temperature = [5]\n", "devices.lamp.limits.temperature.1", "is missing"),
        (DEVICE + "limits.temperature = [5, nan]\n", "devices.lamp.limits.temperature.1", "is no number"),
        (DEVICE + 'limits.temperature = ["5", 6]\n', "devices.lamp.limits.temperature.0", "is no number"),
        (DEVICE + "limits.temperature = [30, 5]\n", "devices.lamp.limits.temperature", "above the greatest"),
        (DEVICE + "limits.warmth = [5, 30]\n", "devices.lamp.limits.warmth", "there is no capability warmth"),
        (DEVICE + "limits.state = [5, 30]\n", "devices.lamp.limits.state", "state is no number"),
        (DEVICE + 'properties.stat = "x"\n', "devices.lamp.properties.stat", "there is no capability stat"),
        (DEVICE + 'template.smell = {topic = "a", payload = ""}\n', "devices.lamp.template.smell", "no capability smell"),
        (DEVICE + 'template.state = {topic = "a"}\n', "devices.lamp.template.state.payload", "is missing"),
        (DEVICE + 'template.state = {topc = "a", topic = "a", payload = ""}\n', "devices.lamp.template.state.topc",
         'no key "topc"'),
        (DEVICE + "speeds = true\n", "devices.lamp.speeds", "is no list"),
        (DEVICE + 'speeds = ["low", ""]\n', "devices.lamp.speeds.1", "is empty"),
        (DEVICE + f"speeds = {['x'] * (MAX_SPEEDS + 1)}\n", "devices.lamp.speeds", "has too many entries"),
        (DEVICE + "scene = 256\n", "devices.lamp.scene", "less than or equal to 255"),
        (DEVICE + "scene = true\n", "devices.lamp.scene", "is no whole number"),
        (DEVICE + "settings.mode_command_topic = {a = 1}\n", "devices.lamp.settings.mode_command_topic", "is no text"),
        (DEVICE + 'settings.interval = ""\n', "devices.lamp.settings.interval", "is empty"),
        (DEVICE + "settings.scale = inf\n", "devices.lamp.settings.scale", ""),
        (DEVICE + "settings = 3\n", "devices.lamp.settings", "is no table"),
        (DEVICE + 'settings.modes = ["a", 3]\n', "devices.lamp.settings.modes.1", "is no text"),
        (DEVICE + f"settings = {{ {', '.join(f'k{n} = 1' for n in range(51))} }}\n", "devices.lamp.settings",
         "has too many entries"),
        (DEVICE + '[groups.g]\nkind = "light"\n', "groups.g", "has no members and no driver with an address"),
        (DEVICE + '[groups.g]\nkind = "light"\ndriver = "x"\n', "groups.g", "has no members and no driver"),
        (DEVICE + '[groups.g]\nkind = "light"\nmembers = []\n', "groups.g.members", "has too few entries"),
        (DEVICE + '[groups.g]\nkind = "light"\nmembers = ["lamb"]\n', "groups.g.members.0", 'there is no device "lamb"'),
        (DEVICE + '[groups.g]\nkind = "light"\nmembers = ["lamp", "lamp"]\n', "groups.g.members.1", "is there twice"),
        (DEVICE + '[groups.g]\nkind = "cover"\nmembers = ["lamp"]\n', "groups.g.members.0", "is a light"),
        (DEVICE + f'[groups.g]\nmembers = ["lamp"]\n{LIGHT}', "groups.g.driver", "has none of its own"),
        (DEVICE + GROUPS + '[groups.g]\nkind = "light"\nmembers = ["all"]\n', "groups.g.members.0", 'no device "all"'),
        (DEVICE + f'[groups.g]\nkind = "light"\nmembers = {["lamp"] * (MAX_MEMBERS + 1)}\n', "groups.g.members",
         "has too many entries"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(text: str, path: str, what: str) -> None:
    (fault,) = _faults(text)
    assert fault.path == path
    assert what in fault.what


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("[device.x]\n", "devices"),
        ("[areas.kitchen]\nname = 3\n", "names"),
        (DEVICE.replace("address", "addresz"), "address"),
        ("[areas.kitchen]\n" + DEVICE + 'area = "kichen"\n', "kitchen"),
        (DEVICE + "limits.temperatur_ = [1, 2]\n", "temperature"),
        (DEVICE + '[groups.g]\nkind = "light"\nmembers = ["lamb"]\n', "lamp"),
    ],
)
def test_the_nearest_right_word_is_told(text: str, nearest: str) -> None:
    assert any(f'did you mean "{nearest}"?' in fault.remedy for fault in _faults(text))


def test_all_faults_are_told_at_once() -> None:
    text = f"""
[areas.kitchen]
nmes.en = ["kitchen"]
[devices.lamp]
{LIGHT}addresz = "lamp"
area = "kichen"
limits.brightnes = [0, 1]
[groups.g]
kind = "light"
members = ["lamb"]
area = 3
[floors.kitchen]
"""
    faults = _faults(text)
    assert {fault.path for fault in faults} == {
        "areas.kitchen.nmes", "devices.lamp.addresz", "devices.lamp.address", "devices.lamp.area",
        "devices.lamp.limits.brightnes", "groups.g.members.0", "groups.g.area", "floors.kitchen",
    }  # fmt: skip
    with pytest.raises(HomeError) as caught:
        _home(text)
    for fault in faults:
        assert fault.path in str(caught.value)
        assert fault.what in str(caught.value)
        assert fault.remedy in str(caught.value)


def test_an_error_does_not_grow_without_end() -> None:
    text = "".join(f"[areas.a{number}]\nx = 1\n" for number in range(150))
    with pytest.raises(HomeError, match="and 100 more") as caught:
        _home(text)
    assert len(caught.value.faults) == 150


def _areas(count: int) -> str:
    return "".join(f"[areas.a{number}]\n" for number in range(count))


def _devices(count: int) -> str:
    return "".join(f'[devices.d{number}]\n{LIGHT}address = "x"\n' for number in range(count))


def _languages(count: int) -> str:
    return "[areas.a]\n" + "".join(f"names.a{chr(97 + n // 26)}{chr(97 + n % 26)} = ['x']\n" for n in range(count))


@pytest.mark.parametrize(("make", "most"), [(_areas, MAX_AREAS), (_devices, MAX_DEVICES), (_languages, MAX_LANGUAGES)])
def test_every_number_has_a_bound(make: Callable[[int], str], most: int) -> None:
    _home(make(most))
    _faults(make(most + 1))


def test_devices_and_groups_have_a_bound_together() -> None:
    text = _devices(MAX_DEVICES) + '[groups.g]\nkind = "light"\nmembers = ["d1"]\n'
    assert [fault.path for fault in _faults(text)] == ["groups"]


def test_the_file_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    path.write_text("[areas", encoding="utf-8")
    with pytest.raises(HomeError) as caught:
        load_home(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("content", [b"\xff", b"#" * (MAX_FILE_BYTES + 1)])
def test_a_file_that_cannot_be_read_as_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "home.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_home(path)
    assert caught.value.where == str(path)
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["none.toml", "."])
def test_a_missing_house_says_how_to_give_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--home"):
        load_home(tmp_path / name)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_regular_file_is_refused_and_never_waited_for(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "home.toml")
    with pytest.raises(ConfigError, match="no regular file"):
        load_home(tmp_path / "home.toml")


@pytest.mark.parametrize("text", ["x = " + "[" * 15_000, "areas." + "a." * 7_000 + "a = 1", "a" * 20_000])
def test_a_house_of_endless_nesting_is_refused(text: str) -> None:
    assert _faults(text)


def test_a_line_that_is_too_long_is_named() -> None:
    (fault,) = _faults("\n" + "a." * MAX_LINE_CHARACTERS + "a = 1")
    assert fault.what == f"line 2 has more than {MAX_LINE_CHARACTERS} characters"


SHIPPED_HOME = (SHIPPED / "home.toml").read_text(encoding="utf-8")
WORDS = [
    *"[]{}=.\"',#\n",
    "areas",
    "devices",
    "groups",
    "members",
    "names.en",
    "kind",
    "limits",
    "kitchen",
    "1e999",
    "-",
    "nan",
]


@settings(deadline=None, max_examples=200)
@given(
    start=st.integers(0, len(SHIPPED_HOME)),
    removed=st.integers(0, 200),
    put=st.lists(st.sampled_from(WORDS), max_size=4),
)
@example(start=0, removed=0, put=[])
def test_a_damaged_house_is_read_or_refused(start: int, removed: int, put: list[str]) -> None:
    text = SHIPPED_HOME[:start] + " ".join(put) + SHIPPED_HOME[start + removed :]
    faults: tuple[HomeFault, ...] | None = None
    try:
        _home(text)
    except HomeError as error:
        faults = error.faults
    assert faults is None or all(fault.what and fault.remedy for fault in faults)
