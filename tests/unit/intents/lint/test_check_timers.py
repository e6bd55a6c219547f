import json
from typing import Any

import pytest

from edged.intents.catalog import Catalog, Fault, TimerRule
from edged.intents.load import load_intent


@pytest.fixture
def agenda() -> dict[str, Any]:
    """A small intent about timers without a fault."""
    return {
        "type": "object",
        "properties": {
            "intent": {"const": "agenda"},
            "action": {"enum": ["list", "clear"]},
            "area": {"$ref": "urn:edged:home#/areas"},
            "lamp": {"$ref": "urn:edged:home#/devices/light"},
        },
        "required": ["intent", "action"],
        "additionalProperties": False,
        "x-edged": {
            "examples_only": True,
            "examples": {
                "en": [
                    {"text": "what is on the agenda", "slots": {"action": "list"}},
                    {"text": "clear the agenda of {area}", "slots": {"action": "clear"}},
                    {"text": "clear the agenda of {lamp}", "slots": {"action": "clear"}},
                ]
            },
            "timers": {
                "area": "area",
                "device": "lamp",
                "rules": [
                    {"when": {"action": "list"}, "do": "list"},
                    {"when": {"action": "clear"}, "do": "cancel_all"},
                ],
            },
        },
    }


def check(parsed: dict[str, Any], catalog: Catalog) -> list[Fault]:
    return load_intent(json.dumps(parsed, indent=1), "agenda.json", catalog.home)[1]


def test_rules_about_timers_are_in_force(agenda: dict[str, Any], catalog: Catalog) -> None:
    intent, faults = load_intent(json.dumps(agenda), "agenda.json", catalog.home)
    assert faults == []
    assert intent is not None
    assert intent.examples_only
    assert intent.timers is not None
    assert (intent.timers.area, intent.timers.device) == ("area", "lamp")
    assert intent.timers.rules[1] == TimerRule({"action": ("clear",)}, "cancel_all")


@pytest.mark.parametrize(
    ("change", "pointer", "what"),
    [
        ({"area": "lamp"}, "/x-edged/timers/area", '"lamp" names no area of the house'),
        ({"device": "area"}, "/x-edged/timers/device", '"area" names no device of the house'),
        ({"device": "lmp"}, "/x-edged/timers/device", "lmp"),
        ({"rules": [{"do": "wind"}]}, "/x-edged/timers/rules/0/do", "wind"),
        ({"rules": [{"when": {"action": "wind"}, "do": "list"}]}, "/x-edged/timers/rules/0/when/action", "wind"),
        ({"rules": [{"when": {"colour": "red"}, "do": "list"}]}, "/x-edged/timers/rules/0/when/colour", "colour"),
    ],
)
def test_a_rule_that_fits_nothing_is_an_error(
    agenda: dict[str, Any], catalog: Catalog, change: dict[str, Any], pointer: str, what: str
) -> None:
    agenda["x-edged"]["timers"] |= change
    faults = [fault for fault in check(agenda, catalog) if fault.severity == "error"]
    assert [fault.pointer for fault in faults] == [pointer]
    assert what in faults[0].what


def test_no_intent_commands_devices_and_does_something_with_timers(agenda: dict[str, Any], catalog: Catalog) -> None:
    agenda["x-edged"]["command"] = {"kind": "light", "rules": [{"change": {"state": "on"}}]}
    assert [fault.pointer for fault in check(agenda, catalog)] == ["/x-edged/timers"]
