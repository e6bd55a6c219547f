"""Which slot a number belongs to, in intents that nobody trained on."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from edged.config import load_config
from edged.intents.catalog import Catalog
from edged.intents.grounding import find_home_mentions, find_said_numbers, ground
from edged.intents.home import load_home
from edged.intents.load import read_catalog

UNSEEN = Path("tests/accuracy/unseen")


@pytest.fixture(scope="module")
def unseen() -> Catalog:
    config = load_config()
    return read_catalog(config.intents.directory, load_home(config.home.file), also=[UNSEEN])


@pytest.mark.parametrize(
    ("intent", "text", "said"),
    [
        ("beehive", "syrup seven litres hive twenty one", {"hive": (21,), "litres": (7,)}),
        ("beehive", "keep hive nineteen at thirty five degrees", {"hive": (19,), "temperature": (35,)}),
        ("car_wash", "wash the van in bay three for forty minutes", {"bay": (3,), "minutes": (40,)}),
        ("karaoke", "eighty percent echo", {"echo": (80,)}),
        ("karaoke", "set microphone two to echo fifteen", {"microphone": (2,), "echo": (15,)}),
    ],
)
def test_a_number_belongs_to_the_slot_whose_cue_is_nearest(
    unseen: Catalog, intent: str, text: str, said: dict[str, tuple[int, ...]]
) -> None:
    found = ground(unseen, text, "en")[intent]
    assert {slot: values for slot, values in found.items() if values and isinstance(values[0], int)} == said


def test_without_a_cue_a_number_may_be_any_slot_that_has_it_in_its_range(unseen: Catalog) -> None:
    found = ground(unseen, "two please", "en")["karaoke"]
    assert found["microphone"] == (2,)
    assert found["echo"] == (2,)


def test_a_number_in_the_name_of_a_value_is_none(unseen: Catalog) -> None:
    text = "two singers on a country song"
    assert all(2 not in values for values in ground(unseen, text, "en")["karaoke"].values())
    assert find_said_numbers(unseen, text, "en", find_home_mentions(unseen, text, "en")) == ()
    assert find_said_numbers(unseen, "two songs", "en", ()) == (Decimal(2),)


def test_the_shipped_intents_tell_their_numbers_apart_by_units(catalog: Catalog) -> None:
    found = ground(catalog, "set the light to 50 percent in 10 seconds", "en")["light"]
    assert (found["brightness"], found["transition"]) == ((50,), (10,))
    assert ground(catalog, "set the heating to 21 degrees", "en")["thermostat"]["temperature"] == (21,)


def test_a_house_without_devices_of_a_kind_tells_numbers_apart_too(tmp_path: Path) -> None:
    home = tmp_path / "home.toml"
    home.write_text('[areas.kitchen]\nnames.en = ["kitchen"]\n', encoding="utf-8")
    bare = read_catalog(load_config().intents.directory, load_home(home))
    assert ground(bare, "kitchen 40 percent", "en")["light"]["brightness"] == (40,)
