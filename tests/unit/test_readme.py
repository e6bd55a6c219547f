"""What README.md shows works as it is written there."""

import json
import re
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from edged.config import load_config
from edged.intents.catalog import Catalog
from edged.intents.home import parse_home
from edged.intents.load import load_intent
from edged.types import Utterance
from edged.understand.examples import read_examples

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def indented_blocks(start: str) -> list[str]:
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", README, re.MULTILINE)
    return [text for block in blocks if (text := textwrap.dedent(block).strip()).startswith(start)]


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("Please put oat milk on the shopping list", {"item": "oat milk"}),
        ("we need rolls from the baker", {"item": "rolls", "shop": "bakery"}),
    ],
)
def test_the_intent_of_the_readme_means_what_it_says(catalog: Catalog, text: str, slots: dict[str, str]) -> None:
    (block,) = indented_blocks("{")
    intent, faults = load_intent(json.dumps(json.loads(block)), "shopping.json", catalog.home)
    assert intent is not None
    assert not faults
    extended = replace(catalog, intents={**catalog.intents, intent.name: intent})
    outcome = read_examples(extended, Utterance("1", text, "en", 1.0, 0, 0, "cli")).outcome
    assert isinstance(outcome, tuple)
    assert [(found.name, found.slots) for found in outcome] == [("shopping", slots)]


def test_the_house_of_the_readme_can_be_read() -> None:
    (block,) = indented_blocks("[floors.upstairs]")
    home = parse_home(
        block + '\n[floors.ground]\n[devices.floor_lamp]\nkind = "light"\ndriver = "zigbee2mqtt"\naddress = "x"',
        "README",
    )
    assert home.devices["mood_lights"].members == ("ceiling_lamp", "floor_lamp")


def test_the_satellites_of_the_readme_can_be_configured(tmp_path: Path) -> None:
    (block,) = (block for block in indented_blocks("[mqtt]") if "satellites" in block)
    (tmp_path / "edged.toml").write_text(block, encoding="utf-8")
    satellites = load_config(tmp_path / "edged.toml").hear.satellites
    assert {name: (satellite.host, satellite.port, satellite.area) for name, satellite in satellites.items()} == {
        "kitchen": ("kitchen.local", 10700, "kitchen"),
        "bedroom": ("192.168.1.22", 10700, "bedroom"),
    }
