"""SLURP's rows as expectations of a house."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edged.eval.slurp import ELSEWHERE, NOT_HERE, Expected, Slurp
from edged.intents.catalog import Catalog
from edged.intents.load import read_catalog


def expected(catalog: Catalog, action: str, *entities: tuple[str, str], scenario: str = "iot") -> Expected:
    said = [{"type": entity_type, "value": value} for entity_type, value in entities]
    return Slurp(catalog).read({"text": "x", "scenario": scenario, "action": action, "entities": said})


def test_a_command_gets_the_slots_that_the_house_and_the_file_have_words_for(catalog: Catalog) -> None:
    got = expected(catalog, "hue_lightchange", ("house_place", "corridor"), ("color_type", "violet"))
    assert got == (({"intent": "light", "action": "set", "area": "hall", "color": "purple"},), "hue_lightchange")


def test_an_entity_without_a_slot_here_is_passed_over(catalog: Catalog) -> None:
    got = expected(catalog, "hue_lightdim", ("change_amount", "a lot"), ("color_type", "colour of money"))
    assert got == (({"intent": "light", "action": "dim"},), "hue_lightdim")


def test_general_words_name_no_place_or_device(catalog: Catalog) -> None:
    got = expected(catalog, "hue_lightoff", ("house_place", "house"), ("device_type", "lights"))
    assert got == (({"intent": "light", "action": "off"},), "hue_lightoff")


def test_a_place_that_the_house_lacks_is_to_be_refused(catalog: Catalog) -> None:
    assert expected(catalog, "hue_lightoff", ("house_place", "ballroom")) == ((), NOT_HERE)


def test_a_name_among_other_words_leaves_the_slot_open(catalog: Catalog) -> None:
    got = expected(catalog, "hue_lightoff", ("house_place", "kitchen corner"))
    assert got == (({"intent": "light", "action": "off"},), "hue_lightoff")


@pytest.mark.parametrize(
    ("scenario", "action", "kind"),
    [
        ("iot", "wemo_on", "wemo_on"),
        ("iot", "coffee", "coffee"),
        ("iot", "unheard_of", "unheard_of"),
        ("play", "hue_lighton", ELSEWHERE),
    ],
)
def test_everything_else_is_no_command(catalog: Catalog, scenario: str, action: str, kind: str) -> None:
    assert expected(catalog, action, scenario=scenario) == ((), kind)


def test_an_intent_that_is_added_makes_its_actions_commands(
    tmp_path: Path, catalog: Catalog, config_schemas: Path
) -> None:
    for name, actions in (("coffee", ["make", "stop"]), ("plug", ["on", "off"])):
        (tmp_path / f"{name}.json").write_text(json.dumps(an_intent(name, actions)))
    added = read_catalog(config_schemas, catalog.home, [tmp_path / "coffee.json", tmp_path / "plug.json"])
    assert not [fault for fault in added.faults if fault.severity == "error"]
    assert expected(added, "wemo_off") == (({"intent": "plug", "action": "off"},), "wemo_off")
    assert expected(added, "coffee") == (({"intent": "coffee"},), "coffee")


@pytest.mark.parametrize("entities", [None, "x", [3], [{"type": 1}]])
def test_entities_in_another_form_are_passed_over(catalog: Catalog, entities: object) -> None:
    intents, _ = Slurp(catalog).read({"scenario": "iot", "action": "hue_lighton", "entities": entities})
    assert intents == ({"intent": "light", "action": "on"},)


def an_intent(name: str, actions: list[str]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "description": f"Works the {name}.",
        "type": "object",
        "properties": {"intent": {"const": name}, "action": {"enum": actions}},
        "required": ["intent", "action"],
        "additionalProperties": False,
        "x-edged": {
            "examples": {"en": [{"text": f"{action} the {name}", "slots": {"action": action}} for action in actions]},
            "refused": {"en": [f"where is the {name}"]},
        },
    }
