import json
from collections.abc import Callable
from typing import Any

import pytest

from edged.intents.catalog import Catalog, Fault
from edged.intents.load import load_intent

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def lamp() -> dict[str, Any]:
    """A small intent without a fault."""
    return {
        "type": "object",
        "properties": {
            "intent": {"const": "lamp"},
            "action": {"enum": ["on", "off"]},
            "area": {"$ref": "urn:edged:home#/areas"},
            "device": {"$ref": "urn:edged:home#/devices/light"},
            "level": {"type": "integer", "minimum": 0, "maximum": 100},
            "color": {"enum": ["red", "blue"]},
            "degrees": {"type": "number", "minimum": 5, "maximum": 95, "multipleOf": 0.5},
            "unit": {"enum": ["celsius", "fahrenheit"]},
        },
        "required": ["intent", "action"],
        "additionalProperties": False,
        "x-edged": {
            "spoken": {"level": {"50": {"en": ["half"]}}, "color": {"red": {"en": ["red", "ruby"]}}},
            "examples": {
                "en": [
                    {"text": "lamp on in {area}", "slots": {"action": "on"}},
                    {"text": "lamp off {device}", "slots": {"action": "off"}},
                    {"text": "lamp {color} at {level}", "slots": {"action": "on"}},
                    {"text": "lamp {degrees} {unit}", "slots": {"action": "on"}},
                ]
            },
            "refused": {"en": ["is the lamp on"]},
            "command": {
                "kind": "light",
                "area": "area",
                "device": "device",
                "rules": [
                    {"when": {"action": "on"}, "change": {"state": "on"}},
                    {"when": {"level": True}, "change": {"brightness": {"slot": "level"}}},
                    {"when": {"color": True}, "change": {"color": {"slot": "color"}}},
                    {"when": {"degrees": True}, "change": {"temperature": {"slot": "degrees", "unit": "unit"}}},
                ],
            },
        },
    }


def check(parsed: dict[str, Any], catalog: Catalog) -> list[Fault]:
    return load_intent(json.dumps(parsed, indent=1), "lamp.json", catalog.home)[1]


def example(text: str, **slots: object) -> Change:
    return lambda s: s["x-edged"]["examples"]["en"].append({"text": text, "slots": slots})


def change(**changes: object) -> Change:
    return lambda s: s["x-edged"]["command"]["rules"][0].update(change=changes)


def spoken(**values: object) -> Change:
    return lambda s: s["x-edged"]["spoken"].update(values)


def test_a_file_whose_parts_fit_has_no_fault(lamp: dict[str, Any], catalog: Catalog) -> None:
    assert check(lamp, catalog) == []


@pytest.mark.parametrize(
    ("spoil", "pointer", "told"),
    [
        (example("dim the lamp"), "/x-edged/examples/en/4", "does not say action"),
        (example("lamp {level}", level=5, action="on"), "/x-edged/examples/en/4/slots/level", "in the sentence and"),
        (example("lamp {Level}", action="on"), "/x-edged/examples/en/4/text", "belongs to no placeholder"),
        (example("Lamp on, in {area}!", action="off"), "/x-edged/examples/en/4/text", "two meanings"),
        (example("is the lamp on", action="on"), "/x-edged/refused/en/0", "refused and an example"),
        (example("lamp", action="on", level=101), "/x-edged/examples/en/4/slots/level", "101 is no value"),
        (lambda s: s["x-edged"].update(said=["color"], implied=["color"]), "/x-edged/implied/0", "both said and implied"),
        (spoken(color={"red": {"en": ["ruby"]}, "blue": {"en": ["Ruby"]}}), "/x-edged/spoken/color/blue/en/0", 'both "red"'),
        (spoken(color={"red": {"en": ["blue"]}}), "/x-edged/spoken/color/red/en/0", 'both "blue" and "red"'),
        (spoken(level={"50": {"en": ["sixty"]}}), "/x-edged/spoken/level/50/en/0", "says the number 60"),
        (spoken(level={"50": {"en": ["?!"]}}), "/x-edged/spoken/level/50/en/0", "nothing that can be spoken"),
        (spoken(level={"101": {"en": ["over"]}}), "/x-edged/spoken/level/101", "no value"),
        (lambda s: s["x-edged"]["command"].update(area="color"), "/x-edged/command/area", "no areas"),
        (lambda s: s["x-edged"]["command"].update(device="area"), "/x-edged/command/device", "no devices of the kind"),
        (lambda s: s["x-edged"]["command"]["rules"][0].update(when={"action": False}), "/x-edged/command/rules/0/when/action", "never holds"),
        (lambda s: s["x-edged"]["command"]["rules"][0].update(when={"action": ["on", "up"]}), "/x-edged/command/rules/0/when/action/1", '"up"'),
        (change(brightness={"slot": "color"}), "/x-edged/command/rules/0/change/brightness/slot", "no number"),
        (change(color={"slot": "level"}), "/x-edged/command/rules/0/change/color/slot", "no list of values"),
        (change(mode={"slot": "color"}), "/x-edged/command/rules/0/change/mode/slot", "red, blue"),
        (change(color_temp={"slot": "level"}), "/x-edged/command/rules/0/change/color_temp/slot", "which no color temp takes"),
        (change(brightness={"slot": "level", "unit": "unit"}), "/x-edged/command/rules/0/change/brightness/unit", "never converted"),
        (change(temperature={"slot": "degrees", "unit": "color"}), "/x-edged/command/rules/0/change/temperature/unit", "no unit"),
        (change(brightness=500), "/x-edged/command/rules/0/change/brightness", "out of the range"),
        (lambda s: s.update(properties={**{"action": s["properties"].pop("action")}, **s["properties"]}), "/properties/intent", "first property"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_error(
    lamp: dict[str, Any], catalog: Catalog, spoil: Change, pointer: str, told: str
) -> None:
    spoil(lamp)
    errors = [fault for fault in check(lamp, catalog) if fault.severity == "error"]
    assert [fault.pointer for fault in errors] == [pointer]
    assert told in errors[0].what
    assert errors[0].remedy


@pytest.mark.parametrize(
    ("spoil", "pointer", "told"),
    [
        (lambda s: s["properties"].update(quick={"type": "boolean"}), "/properties/quick", "no example ever fills"),
        (lambda s: s["x-edged"]["examples"].update(ko=[{"text": "켜", "slots": {"action": "on"}}]), "/x-edged/examples/ko", "off"),
        (spoken(color={"red": {"en": ["kitchen"]}}), "/x-edged/spoken/color/red/en/0", 'a name of "kitchen"'),
        (lambda s: s["x-edged"].update(implied=["color"]), "/x-edged/implied/0", "implied already"),
        (example("Lamp, on in {area}", action="on"), "/x-edged/examples/en/4/text", "stands twice"),
    ],
)  # fmt: skip
def test_what_does_nothing_is_a_warning_and_the_file_is_in_force(
    lamp: dict[str, Any], catalog: Catalog, spoil: Change, pointer: str, told: str
) -> None:
    spoil(lamp)
    faults = check(lamp, catalog)
    assert [(fault.pointer, fault.severity) for fault in faults] == [(pointer, "warning")]
    assert told in faults[0].what


def asks(**changes: object) -> Change:
    """The lamp as a question; `changes` are those of its rule."""
    rule = {"when": {"action": "on"}, "kind": "light", "device": "device", "tell": ["state", "brightness"]}

    def change(parsed: dict[str, Any]) -> None:
        area = changes.pop("area", "area")
        parsed["x-edged"].pop("command")
        parsed["x-edged"]["asks"] = {"area": area, "rules": [{**rule, **changes}]}

    return change


def test_a_question_whose_parts_fit_has_no_fault(lamp: dict[str, Any], catalog: Catalog) -> None:
    asks()(lamp)
    assert check(lamp, catalog) == []


@pytest.mark.parametrize(
    ("spoil", "pointer", "told"),
    [
        (asks(area="color"), "/x-edged/asks/area", "no areas"),
        (asks(device="area"), "/x-edged/asks/rules/0/device", "no devices of the kind"),
        (asks(device="lamps"), "/x-edged/asks/rules/0/device", "lamps"),
        (asks(when={"action": "up"}), "/x-edged/asks/rules/0/when/action", '"up"'),
        (asks(tell=["state", "brightnes"]), "/x-edged/asks/rules/0/tell/1", "nothing that a device tells"),
        (asks(tell=["brightness_step"]), "/x-edged/asks/rules/0/tell/0", "nothing that a device tells"),
        (asks(tell=[]), "/x-edged/asks/rules/0/tell", ""),
        (asks(tells=["state"]), "/x-edged/asks/rules/0/tells", ""),
        (lambda s: s["x-edged"].update(asks={"rules": []}, command=None) or s["x-edged"].pop("command"), "/x-edged/asks/rules", ""),
        (lambda s: s["x-edged"].pop("command") and s["x-edged"].update(asks="yes"), "/x-edged/asks", ""),
        (lambda s: s["x-edged"].update(asks={"rules": [{"kind": "light", "tell": ["state"]}]}), "/x-edged/command", "commands nothing"),
    ],
)  # fmt: skip
def test_what_does_not_fit_in_a_question_is_one_error(
    lamp: dict[str, Any], catalog: Catalog, spoil: Change, pointer: str, told: str
) -> None:
    spoil(lamp)
    errors = [fault for fault in check(lamp, catalog) if fault.severity == "error"]
    assert [fault.pointer for fault in errors] == [pointer]
    assert told in errors[0].what


def test_readings_can_be_told(lamp: dict[str, Any], catalog: Catalog) -> None:
    asks(kind="thermostat", tell=["local_temperature", "action"], device="device")(lamp)
    lamp["properties"]["device"] = {"$ref": "urn:edged:home#/devices/thermostat"}
    assert check(lamp, catalog) == []


def test_a_kind_that_the_house_lacks_is_a_warning_with_the_nearest_one(lamp: dict[str, Any], catalog: Catalog) -> None:
    lamp["x-edged"]["command"]["kind"] = "lihgt"
    lamp["x-edged"]["command"].pop("device")
    faults = check(lamp, catalog)
    assert [fault.severity for fault in faults] == ["warning"]
    assert 'did you mean "light"?' in faults[0].remedy


def test_numbers_that_never_meet_tell_two_sentences_apart(lamp: dict[str, Any], catalog: Catalog) -> None:
    lamp["properties"]["warmth"] = {"type": "integer", "minimum": 1500, "maximum": 9000}
    example("lamp to {level}", action="on")(lamp)
    example("lamp to {warmth}", action="on")(lamp)
    assert check(lamp, catalog) == []
    lamp["properties"]["warmth"]["minimum"] = 100
    assert ["two meanings" in fault.what for fault in check(lamp, catalog)] == [True]


def test_an_example_of_free_text_alone_would_equal_every_sentence(lamp: dict[str, Any], catalog: Catalog) -> None:
    lamp["properties"]["note"] = {"type": "string", "maxLength": 40}
    lamp["x-edged"]["examples"]["en"] += [
        {"text": "{note}, {level}", "slots": {"action": "on"}},
        {"text": "lamp says {note}", "slots": {"action": "on"}},
    ]
    _, faults = load_intent(json.dumps(lamp), "lamp.json", catalog.home)
    assert [fault.pointer for fault in faults] == ["/x-edged/examples/en/4/text"]
    assert "every sentence" in faults[0].what


def test_a_slot_has_plain_values(lamp: dict[str, Any], catalog: Catalog) -> None:
    lamp["properties"]["color"]["enum"] += [["red", "blue"], {"r": 1}]
    _, faults = load_intent(json.dumps(lamp), "lamp.json", catalog.home)
    pointers = [fault.pointer for fault in faults if "plain value" in fault.what]
    assert pointers == ["/properties/color/enum/2", "/properties/color/enum/3"]
