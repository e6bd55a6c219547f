from pathlib import Path

import pytest

from edged.errors import ConfigError
from edged.intents.home import MAX_FILE_BYTES, load_home


def write(folder: Path, text: str) -> Path:
    path = folder / "home.toml"
    path.write_text(text, encoding="utf-8")
    return path


DEVICE = '[devices.lamp]\nkind = "light"\ndriver = "zigbee2mqtt"\naddress = "lamp"\n'


def test_names_default_to_the_key(tmp_path: Path) -> None:
    home = load_home(write(tmp_path, f"[areas.guest_room]\n{DEVICE}"))
    assert home.areas["guest_room"].names == {"en": ("guest room",)}
    assert home.devices["lamp"].names == {"en": ("lamp",)}


def test_devices_are_found_by_kind_in_the_order_of_the_file(tmp_path: Path) -> None:
    second = DEVICE.replace("lamp", "other")
    third = DEVICE.replace("lamp", "heater").replace("light", "thermostat")
    home = load_home(write(tmp_path, second + DEVICE + third))
    assert [device.key for device in home.devices_of("light")] == ["other", "lamp"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[areas", "is not valid TOML"),
        ("\xff", "is not valid TOML"),
        ('[areas.kitchen]\ncolour = "red"\n', "areas.kitchen.colour"),
        ('[areas."Living Room"]\n', "areas.Living Room"),
        (DEVICE + 'area = "attic"\n', 'there is no area "attic"'),
        (DEVICE.replace('"lamp"', '"a/#"'), "devices.lamp.address"),
        (DEVICE + 'names.en = [""]\n', "devices.lamp.names.en"),
        (DEVICE + 'names.en = ["a\\u0000b"]\n', "devices.lamp.names.en"),
        (DEVICE + "limits.temperature = [5]\n", "devices.lamp.limits.temperature"),
        ("#" * (MAX_FILE_BYTES + 1), "is larger than"),
    ],
)
def test_a_wrong_house_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "home.toml"
    path.write_text(text, encoding="latin-1" if text == "\xff" else "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_home(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_house_says_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--home"):
        load_home(tmp_path / "none.toml")
