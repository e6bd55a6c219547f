import copy
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edged.config import Config
from edged.errors import ConfigError, SchemaError
from edged.intents.catalog import Catalog, Fault
from edged.intents.load import MAX_FILES, read_catalog, read_intent, require_intents
from edged.intents.source import MAX_FILE_BYTES

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def light(config: Config) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((config.intents.directory / "light.json").read_text(encoding="utf-8"))
    return parsed


def faults_of(path: Path, text: str, catalog: Catalog) -> list[Fault]:
    path.write_text(text, encoding="utf-8")
    intent, faults = read_intent(path, catalog.home)
    assert (intent is None) == bool(faults)
    return faults


def test_the_shipped_files_load_without_a_fault(catalog: Catalog) -> None:
    assert catalog.faults == ()
    assert set(catalog.intents) >= {"light", "thermostat"}
    assert catalog.intents["light"].slots[:3] == ("action", "area", "device")


def test_references_are_replaced_by_the_house(catalog: Catalog) -> None:
    properties = catalog.intents["light"].schema["properties"]
    assert properties["area"] == {"enum": list(catalog.home.areas)}
    assert properties["device"] == {"enum": [device.key for device in catalog.home.devices_of("light")]}


@pytest.mark.parametrize(
    ("change", "pointer", "told"),
    [
        (lambda s: s["properties"]["color"].update(pattern="x"), "/properties/color/pattern", "not supported"),
        (lambda s: s["properties"]["brightness"].update(multipleof=5), "/properties/brightness/multipleof", "multipleof"),
        (lambda s: s["properties"]["brightness"].pop("maximum"), "/properties/brightness", "bounds"),
        (lambda s: s["properties"]["step"].update({"maximum": 10**9, "multipleOf": 3}), "/properties/step", "more than"),
        (lambda s: s["properties"]["area"].update({"$ref": "file:///etc/passwd"}), "/properties/area/$ref", "nowhere"),
        (lambda s: s["properties"]["area"].update({"$ref": "#/$defs/none"}), "/properties/area/$ref", "nowhere"),
        (lambda s: s.pop("additionalProperties"), "", "additionalProperties"),
        (lambda s: s.update(allOf=[]), "", "allOf"),
        (lambda s: s["required"].append("volume"), "/required", '"volume"'),
        (lambda s: s["properties"]["intent"].update(const="Not A Name"), "/properties/intent/const", "Not A Name"),
        (lambda s: s["x-edged"].update(exmaples={}), "/x-edged", "exmaples"),
        (lambda s: s["x-edged"]["said"].append("volume"), "/x-edged/said", '"volume"'),
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
        ("", "is not valid JSON", 1),
        ('{\n"a": 1,\n}', "is not valid JSON", 3),
        ('{"a": 1, "a": 2}', 'names the key "a" twice', 0),
        ('{"a": NaN}', "NaN", 0),
        ("[" * 100_000, "nested more than", 1),
        ('{"a":' * 50 + "1" + "}" * 50, "nested more than", 1),
        (" " * (MAX_FILE_BYTES + 1), "larger than", 0),
        ("[]", "is not of type 'object'", 1),
        ("1e999999", "is not of type 'object'", 1),
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
    assert (faults[0].what, faults[0].line) == ("is not UTF-8 text", 2)


def test_a_broken_file_does_not_break_the_rest(
    tmp_path: Path, light: dict[str, Any], catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "light.json").write_text(json.dumps(light), encoding="utf-8")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    (tmp_path / ".light.json.swp.json").write_text("{", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        loaded = read_catalog(tmp_path, catalog.home)
    assert list(loaded.intents) == ["light"]
    assert len(loaded.faults) == 1
    assert "broken.json" in caplog.text


def test_two_files_of_one_intent_leave_the_second_out(tmp_path: Path, light: dict[str, Any], catalog: Catalog) -> None:
    other = copy.deepcopy(light)
    other["properties"].pop("transition")
    other["x-edged"].pop("command")
    other["x-edged"]["said"].remove("transition")
    other["x-edged"]["examples"]["en"].pop()
    (tmp_path / "a.json").write_text(json.dumps(light), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(other), encoding="utf-8")
    loaded = read_catalog(tmp_path, catalog.home)
    assert "transition" in loaded.intents["light"].slots
    assert loaded.faults[0].what == '"light" is defined twice'


def test_a_folder_without_intents_says_so(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(SchemaError, match="no intent could be loaded"):
        require_intents(read_catalog(tmp_path, catalog.home))
    with pytest.raises(ConfigError, match="is no folder"):
        read_catalog(tmp_path / "none", catalog.home)


def test_more_files_than_a_house_needs_are_refused(tmp_path: Path, catalog: Catalog) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / f"{number}.json").touch()
    with pytest.raises(ConfigError, match="more than"):
        read_catalog(tmp_path, catalog.home)
