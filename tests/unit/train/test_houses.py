"""Houses to train with: each can be loaded, and each is another."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from edged.intents.catalog import Catalog
from edged.intents.home import Home
from edged.train.dataset import load_files
from edged.train.houses import house_file

COUNT = 12


@pytest.fixture(scope="module")
def houses(catalog: Catalog) -> Sequence[Home]:
    return [load_files([], house_file(catalog.home, random.Random(seed))).home for seed in range(COUNT)]


def test_each_house_has_something_less_and_something_more(catalog: Catalog, houses: Sequence[Home]) -> None:
    own = catalog.home
    for house in houses:
        assert (own.areas.keys() | own.devices.keys()) - (house.areas.keys() | house.devices.keys())
        assert house.areas.keys() - own.areas.keys()
        assert house.devices.keys() - own.devices.keys()
    assert len({(*house.areas, *house.devices) for house in houses}) == COUNT


def test_what_is_kept_has_its_names_and_place(catalog: Catalog, houses: Sequence[Home]) -> None:
    for house in houses:
        assert house.floors == catalog.home.floors
        for key in house.areas.keys() & catalog.home.areas.keys():
            assert house.areas[key] == catalog.home.areas[key]
        for key in house.devices.keys() & catalog.home.devices.keys():
            kept, own = house.devices[key], catalog.home.devices[key]
            assert (kept.kind, kept.area, kept.names) == (own.kind, own.area, own.names)


def test_no_device_stands_in_a_room_that_is_gone(houses: Sequence[Home]) -> None:
    for house in houses:
        assert {device.area for device in house.devices.values()} <= {None, *house.areas, *house.floors}


def test_a_house_without_any_room_can_be_had() -> None:
    empty = Home({}, {})
    house = load_files([], house_file(empty, random.Random(1))).home
    assert house.areas
    assert {device.area for device in house.devices.values()} == {None}


def test_the_same_seed_gives_the_same_house(catalog: Catalog) -> None:
    one, same, other = (house_file(catalog.home, random.Random(seed)) for seed in (1, 1, 2))
    assert one == same != other
