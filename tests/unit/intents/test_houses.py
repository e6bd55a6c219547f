"""Houses that are read when they are needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edged.errors import ConfigError
from edged.intents.catalog import Catalog
from edged.intents.houses import Houses

SWITCH = (Path(__file__).resolve().parents[3] / "schemas" / "switch.json").read_text(encoding="utf-8")


class Prepared:
    """What was prepared and put in force, by the house's one area."""

    def __init__(self) -> None:
        self.prepared: list[str] = []
        self.used: list[str] = []
        self.catalogs: list[Catalog] = []

    def __call__(self, catalog: Catalog) -> Callable[[], None]:
        (area,) = catalog.home.areas
        self.prepared.append(area)
        self.catalogs.append(catalog)
        return lambda: self.used.append(area)


def _write(folder: Path, node: str, area: str) -> None:
    (folder / node).mkdir(exist_ok=True)
    text = f'[areas.{area}]\nnames.en = ["{area}"]\n[devices.plug]\nkind = "switch"\narea = "{area}"\n'
    (folder / node / "home.toml").write_text(text + 'names.en = ["plug"]\ndriver = "zigbee2mqtt"\naddress = "p"\n')


def _houses(folder: Path, prepared: Prepared, most: int = 2) -> Houses:
    return Houses(folder, most=most, texts={"switch.json": SWITCH}, prepare=prepared)


def test_a_house_is_read_once_and_entered_as_often_as_somebody_speaks_there(tmp_path: Path) -> None:
    prepared = Prepared()
    houses = _houses(tmp_path, prepared)
    _write(tmp_path, "hall", "cellar")
    _write(tmp_path, "attic", "loft")
    for node in ("hall", "attic", "hall", "attic"):
        houses.enter(node)
    assert prepared.prepared == ["cellar", "loft"]
    assert prepared.used == ["cellar", "loft", "cellar", "loft"]
    assert list(prepared.catalogs[0].intents) == ["switch"]


def test_the_house_that_was_used_longest_ago_gives_way(tmp_path: Path) -> None:
    prepared = Prepared()
    houses = _houses(tmp_path, prepared, most=2)
    for node in ("a", "b", "c"):
        _write(tmp_path, node, node)
    for node in ("a", "b", "a", "c", "a", "b"):
        houses.enter(node)
    assert prepared.prepared == ["a", "b", "c", "b"]


def test_a_changed_house_is_read_again_and_a_broken_one_stays_as_it_was(tmp_path: Path) -> None:
    prepared = Prepared()
    houses = _houses(tmp_path, prepared)
    _write(tmp_path, "hall", "cellar")
    houses.enter("hall")
    _write(tmp_path, "hall", "workshop")
    houses.enter("hall")
    (tmp_path / "hall" / "home.toml").write_text("[areas")
    houses.enter("hall")
    assert prepared.used == ["cellar", "workshop", "workshop"]


def test_a_house_that_is_not_there_or_never_was_good_is_an_error_with_its_place(tmp_path: Path) -> None:
    houses = _houses(tmp_path, Prepared())
    with pytest.raises(ConfigError, match=r"hall/home\.toml"):
        houses.enter("hall")
    (tmp_path / "hall").mkdir()
    (tmp_path / "hall" / "home.toml").write_text("[areas")
    with pytest.raises(ConfigError, match=r"hall/home\.toml"):
        houses.enter("hall")


def test_changed_intents_are_those_of_all_houses(tmp_path: Path) -> None:
    prepared = Prepared()
    houses = _houses(tmp_path, prepared)
    _write(tmp_path, "hall", "cellar")
    houses.enter("hall")
    renamed = SWITCH.replace('"const": "switch"', '"const": "plugs"')
    houses.set_texts({"plugs.json": renamed})
    houses.enter("hall")
    assert [list(catalog.intents) for catalog in prepared.catalogs] == [["switch"], ["plugs"]]
