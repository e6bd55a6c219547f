from typing import Any

import pytest

from edged.intents.references import home_source

AREAS = {"$ref": "urn:edged:home#/areas"}
LIGHTS = {"$ref": "urn:edged:home#/devices/light"}
FANS = {"$ref": "urn:edged:home#/devices/fan"}


@pytest.mark.parametrize(
    ("slot", "source"),
    [
        (AREAS, "areas"),
        ({"$ref": "urn:edged:home#/floors"}, "areas"),
        (LIGHTS, "devices"),
        ({"$ref": "#/$defs/lamp"}, "devices"),
        ({"anyOf": [LIGHTS, FANS]}, "devices"),
        ({"anyOf": [LIGHTS, AREAS]}, None),
        ({"enum": ["a"]}, None),
    ],
)
def test_what_a_slot_refers_to_is_found_through_definitions_and_alternatives(
    slot: dict[str, Any], source: str | None
) -> None:
    assert home_source(slot, {"lamp": LIGHTS}) == source


@pytest.mark.parametrize(
    "slot", [3, None, {"$ref": 3}, {"$ref": "#/$defs/none"}, {"$ref": "#/$defs/round"}, {"anyOf": 3}, {"anyOf": [3]}]
)
def test_a_damaged_slot_refers_to_nothing(slot: object) -> None:
    assert home_source(slot, {"round": {"$ref": "#/$defs/round"}}) is None
