import copy
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edged.config import Config
from edged.errors import ConfigError, SchemaError
from edged.intents.catalog import Catalog, Fault
from edged.intents.folder import MAX_FILES
from edged.intents.load import read_catalog, read_intent, require_intents
from edged.intents.source import MAX_FILE_BYTES

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def light(config: Config) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((config.intents.directory / "light.json").read_text(encoding="utf-8"))
    return parsed


def faults_of(path: Path, text: str, catalog: Catalog) -> list[Fault]:
    path.write_text(text, encoding="utf-8")
    intent, faults = read_intent(path, catalog.home)
    errors = [fault for fault in faults if fault.severity == "error"]
    assert (intent is None) == bool(errors)
    return errors


def test_the_shipped_files_load_without_a_fault(catalog: Catalog) -> None:
    assert [fault for fault in catalog.faults if fault.severity == "error"] == []
    assert set(catalog.intents) >= {"light", "thermostat"}
    assert catalog.intents["light"].slots[:3] == ("action", "area", "device")


def test_references_are_replaced_by_the_house(catalog: Catalog) -> None:
    properties = catalog.intents["light"].schema["properties"]
    assert properties["area"] == {"enum": [*catalog.home.areas, *catalog.home.floors]}
    assert properties["device"] == {"enum": [device.key for device in catalog.home.devices_of("light")]}


@pytest.mark.parametrize(
    ("change", "pointer", "told"),
    [
        (lambda s: s["properties"]["color"].update(pattern="x"), "/properties/color", "no value"),
        (lambda s: s["properties"]["brightness"].update(multipleof=5), "/properties/brightness/multipleof", "multipleof"),
        (lambda s: s["properties"]["brightness"].update(maximum="100"), "/properties/brightness", "no number"),
        (lambda s: s["properties"]["step"].update({"maximum": 10**9, "multipleOf": 0.12345}), "/properties/step", "too fine"),
        (lambda s: s["properties"]["area"].update({"$ref": "file:///etc/passwd"}), "/properties/area/$ref", "nowhere"),
        (lambda s: s["properties"]["area"].update({"$ref": "#/$defs/none"}), "/properties/area/$ref", "nowhere"),
        (lambda s: s.pop("additionalProperties"), "", '"additionalProperties" is missing'),
        (lambda s: s.update(allOff=[]), "/allOff", "allOff"),
        (lambda s: s["required"].append("volume"), "/required", '"volume"'),
        (lambda s: s["properties"]["intent"].update(const="Not A Name"), "/properties/intent/const", "Not A Name"),
        (lambda s: s["x-edged"].update(exmaples={}), "/x-edged/exmaples", "exmaples"),
        (lambda s: s["x-edged"]["said"].append("volume"), "/x-edged/said/1", '"volume"'),
        (lambda s: s["x-edged"]["spoken"]["color"].update(mauve={"en": ["mauve"]}), "/x-edged/spoken/color/mauve", "mauve"),
        (lambda s: s["x-edged"]["examples"]["en"][0].update(text="{volume}"), "/x-edged/examples/en/0/text", "volume"),
        (lambda s: s["x-edged"]["examples"]["en"][0]["slots"].update(action="explode"), "/x-edged/examples/en/0/slots/action", "explode"),
        (lambda s: s["x-edged"]["command"]["rules"][0]["change"].update(volume=1), "/x-edged/command/rules/0/change/volume", "volume"),
        (lambda s: s["x-edged"]["command"]["rules"][0]["change"].update(state="up"), "/x-edged/command/rules/0/change/state", "up"),
        (lambda s: s["x-edged"]["command"]["rules"][0]["when"].update(volume=1), "/x-edged/command/rules/0/when/volume", "volume"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_pointer_and_line(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog, change: Change, pointer: str, told: str
) -> None:
    change(light)
    text = json.dumps(light, indent=1)
    faults = faults_of(tmp_path / "light.json", text, catalog)
    assert [fault.pointer for fault in faults] == [pointer]
    assert told in faults[0].what
    assert faults[0].line == 1 if not pointer else 1 < faults[0].line <= text.count("\n") + 1


def test_a_reference_in_a_circle_is_refused(tmp_path: Path, light: dict[str, Any], catalog: Catalog) -> None:
    light["$defs"] = {"a": {"$ref": "#/$defs/a"}}
    light["properties"]["color"] = {"$ref": "#/$defs/a"}
    assert "circle" in faults_of(tmp_path / "light.json", json.dumps(light), catalog)[0].what


@pytest.mark.parametrize(
    ("text", "told", "line"),
    [
        ("", "the file is empty", 1),
        ('{\n"a": 1,\n}', "a comma after the last entry", 2),
        ("[" * 100_000, "nested more than", 1),
        (" " * (MAX_FILE_BYTES + 1), "larger than", 0),
        ("[]", "a list where an object", 1),
        ("1e999999", "larger than any number", 1),
    ],
)
def test_what_is_no_intent_file_is_refused(tmp_path: Path, catalog: Catalog, text: str, told: str, line: int) -> None:
    faults = faults_of(tmp_path / "bad.json", text, catalog)
    assert told in faults[0].what
    assert faults[0].line == line


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(b'{\n"a": "\xff"}')
    _, faults = read_intent(path, catalog.home)
    assert (faults[0].what, faults[0].line, faults[0].column) == ("is not UTF-8 text", 2, 7)


def test_a_broken_file_does_not_break_the_rest(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "light.json").write_text(json.dumps(light), encoding="utf-8")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    (tmp_path / ".light.json.swp.json").write_text("{", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        loaded = read_catalog(tmp_path, catalog.home)
    assert list(loaded.intents) == ["light"]
    assert [fault.file for fault in loaded.faults if fault.severity == "error"] == [str(tmp_path / "broken.json")]
    assert "broken.json" in caplog.text


def test_two_files_of_one_intent_leave_the_second_out(tmp_path: Path, light: dict[str, Any], catalog: Catalog) -> None:
    other = copy.deepcopy(light)
    other["x-edged"]["expires_s"] = light["x-edged"]["expires_s"] + 1
    (tmp_path / "a.json").write_text(json.dumps(light), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(other), encoding="utf-8")
    loaded = read_catalog(tmp_path, catalog.home)
    assert loaded.intents["light"].expires_s == light["x-edged"]["expires_s"]
    (fault,) = [fault for fault in loaded.faults if fault.severity == "error"]
    assert 'there is an intent "light" already' in fault.what
    assert (fault.file, fault.line) == (str(tmp_path / "b.json"), 1)


def test_a_folder_without_intents_says_so(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(SchemaError, match="no intent could be loaded"):
        require_intents(read_catalog(tmp_path, catalog.home))
    with pytest.raises(ConfigError, match="is no folder"):
        read_catalog(tmp_path / "none", catalog.home)


def test_files_beyond_the_limit_are_left_out_and_the_others_stay(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog
) -> None:
    (tmp_path / "0.json").write_text(json.dumps(light), encoding="utf-8")
    for number in range(1, MAX_FILES + 1):
        (tmp_path / f"z{number:04}.json").touch()
    loaded = read_catalog(tmp_path, catalog.home)
    assert list(loaded.intents) == ["light"]
    assert [fault.what for fault in loaded.faults if fault.file == str(tmp_path)] == [
        f"holds {MAX_FILES + 1} intent files: those after z{MAX_FILES - 1:04}.json are left out"
    ]


def test_every_fault_of_a_file_is_told_at_once_errors_first_and_in_order(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog
) -> None:
    light["x-edged"]["exampels"] = light["x-edged"].pop("spoken")
    light["properties"]["color"]["patern"] = "x"
    light["properties"]["area"]["$ref"] = "urn:edged:home#/aera"
    light["x-edged"]["examples"]["en"][2]["slots"]["action"] = "explode"
    light["x-edged"]["examples"]["en"][3]["txet"] = light["x-edged"]["examples"]["en"][3].pop("text")
    light["x-edged"]["command"]["rules"][0]["when"] = {"action": "explode"}
    light["properties"]["unused"] = {"type": "boolean"}
    path = tmp_path / "light.json"
    path.write_text(json.dumps(light, indent=1), encoding="utf-8")
    intent, faults = read_intent(path, catalog.home)
    assert intent is None
    errors = [fault.pointer for fault in faults if fault.severity == "error"]
    assert set(errors) == {
        "/x-edged/exampels",
        "/properties/color/patern",
        "/properties/area/$ref",
        "/x-edged/examples/en/2/slots/action",
        "/x-edged/examples/en/3/txet",
        "/x-edged/command/rules/0/when/action",
    }
    assert [fault.line for fault in faults[: len(errors)]] == sorted(fault.line for fault in faults[: len(errors)])
    assert "/properties/unused" in [fault.pointer for fault in faults[len(errors) :]]


def test_a_fault_behind_a_reference_is_told_where_it_stands(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog
) -> None:
    light["$defs"] = {"hue": {"enum": ["red"], "patern": "x"}}
    light["properties"]["color"] = {"$ref": "#/$defs/hue"}
    light["x-edged"]["spoken"].pop("color")
    faults = faults_of(tmp_path / "light.json", json.dumps(light, indent=1), catalog)
    assert [fault.pointer for fault in faults] == ["/$defs/hue/patern"]
    assert 'did you mean "pattern"?' in faults[0].remedy


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path.parent / "nothing")])
def test_what_is_no_file_is_told_and_never_waited_for(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog, make: Callable[[Path], object]
) -> None:
    (tmp_path / "light.json").write_text(json.dumps(light), encoding="utf-8")
    make(tmp_path / "odd.json")
    loaded = read_catalog(tmp_path, catalog.home)
    assert list(loaded.intents) == ["light"]
    assert [fault.file for fault in loaded.faults if fault.severity == "error"] == [str(tmp_path / "odd.json")]


def test_a_name_that_is_no_text_can_be_told(tmp_path: Path, catalog: Catalog) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n.json")).touch()
    (fault,) = read_catalog(tmp_path, catalog.home).faults
    assert fault.file.isprintable()
    assert fault.file.encode("utf-8").endswith(b"\\n.json")


def test_definitions_that_grow_beyond_all_bounds_are_refused(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog
) -> None:
    light["$defs"] = {f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 10} for level in range(8)}
    light["$defs"]["d8"] = {"type": "boolean"}
    light["properties"]["laugh"] = {"$ref": "#/$defs/d0"}
    faults = faults_of(tmp_path / "light.json", json.dumps(light), catalog)
    assert [fault.pointer for fault in faults] == ["/$defs"]


def test_one_sentence_of_two_files_leaves_the_later_one_out(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog
) -> None:
    other = copy.deepcopy(light)
    other["properties"]["intent"]["const"] = "lamp"
    sentences = {"en": [{"text": "Switch ON the {device}!", "slots": {"action": "on"}}]}
    other["x-edged"] = {"examples": sentences, "expires_s": 5}
    (tmp_path / "a.json").write_text(json.dumps(light), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(other), encoding="utf-8")
    loaded = read_catalog(tmp_path, catalog.home)
    (fault,) = [fault for fault in loaded.faults if fault.severity == "error"]
    assert list(loaded.intents) == ["light"]
    assert fault.what == f'this sentence means "light" already, in {tmp_path / "a.json"}'
    other["properties"]["device"]["$ref"] = "urn:edged:home#/devices/thermostat"
    (tmp_path / "b.json").write_text(json.dumps(other), encoding="utf-8")
    assert list(read_catalog(tmp_path, catalog.home).intents) == ["light", "lamp"]


def test_further_files_and_folders_are_read_with_the_folder(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog
) -> None:
    (tmp_path / "more").mkdir()
    for name in ("lamp.json", "more/torch.json"):
        renamed = {**light, "properties": {**light["properties"], "intent": {"const": Path(name).stem}}}
        renamed["x-edged"] = {
            **light["x-edged"],
            "examples": {"en": [{"text": f"light the {Path(name).stem}", "slots": {"action": "on"}}]},
        }
        (tmp_path / name).write_text(json.dumps(renamed))
    (tmp_path / "bad.json").write_text("{")
    folder = tmp_path / "empty"
    folder.mkdir()
    loaded = read_catalog(folder, catalog.home, [tmp_path / "lamp.json", tmp_path / "more", tmp_path / "bad.json"])
    assert list(loaded.intents) == ["lamp", "torch"]
    assert [Path(fault.file).name for fault in loaded.faults if fault.severity == "error"] == ["bad.json"]


def said_with(light: dict[str, Any], tmp_path: Path, catalog: Catalog, extension: dict[str, Any]) -> frozenset[str]:
    """The slots that must be said of an intent with an action and two lists, with this `x-edged`."""
    light["properties"] = {
        "intent": {"const": "brew"},
        "action": {"enum": ["start", "stop"]},
        "size": {"enum": ["small", "large"]},
        "milk": {"enum": ["oat", "soy"]},
        "cups": {"type": "integer", "minimum": 1, "maximum": 9},
    }
    light["required"] = ["intent", "action"]
    light["x-edged"] = extension
    path = tmp_path / "brew.json"
    path.write_text(json.dumps(light), encoding="utf-8")
    intent, faults = read_intent(path, catalog.home)
    assert intent is not None, faults
    return intent.said


def test_a_slot_with_listed_values_that_no_example_implies_must_be_said(
    light: dict[str, Any], tmp_path: Path, catalog: Catalog
) -> None:
    examples = [
        {"text": "brew a {size} one with {milk} milk", "slots": {"action": "start"}},
        {"text": "brew an espresso with {milk} milk", "slots": {"action": "start", "size": "small"}},
        {"text": "no more of {cups}", "slots": {"action": "stop"}},
    ]
    extension: dict[str, Any] = {"examples": {"en": examples}}
    assert said_with(light, tmp_path, catalog, extension) == {"milk", "cups"}
    assert said_with(light, tmp_path, catalog, {**extension, "implied": ["milk"]}) == {"cups"}
    assert said_with(light, tmp_path, catalog, {**extension, "said": ["size"]}) == {"milk", "size", "cups"}


def test_an_example_in_any_language_can_imply_a_value(light: dict[str, Any], tmp_path: Path, catalog: Catalog) -> None:
    said = [{"text": "brew a {size} one", "slots": {"action": "start"}}]
    implied = [{"text": "에스프레소 내려 줘", "slots": {"action": "start", "size": "small"}}]
    assert said_with(light, tmp_path, catalog, {"examples": {"en": said}}) == {"size", "cups"}
    assert said_with(light, tmp_path, catalog, {"examples": {"en": said, "ko": implied}}) == {"cups"}
