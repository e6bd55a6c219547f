import copy
import json
import random
from typing import Any

import jsonschema
import pytest

from edged.config import SHIPPED, Config
from edged.intents.catalog import Finding
from edged.intents.lint.form import Check, compile_form
from tests.fuzz.test_damaged_files import delete, move, put_wrong_value, rename


@pytest.fixture(scope="module")
def meta() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((SHIPPED / "schemas" / "meta" / "intent.json").read_text(encoding="utf-8"))
    return parsed


@pytest.fixture(scope="module")
def check(meta: dict[str, Any]) -> Check:
    return compile_form(meta)


def findings(check: Check, value: object) -> list[Finding]:
    found: list[Finding] = []
    check(value, (), found)
    return found


def test_it_agrees_with_jsonschema_on_damaged_files(meta: dict[str, Any], check: Check, config: Config) -> None:
    validator = jsonschema.Draft202012Validator(meta)
    texts = [path.read_text(encoding="utf-8") for path in sorted(config.intents.directory.glob("*.json"))]
    refused = 0
    for seed in range(600):
        rng = random.Random(seed)
        parsed = json.loads(rng.choice(texts))
        rng.choice((put_wrong_value, delete, rename, move))(rng, parsed)
        valid = validator.is_valid(parsed)
        refused += not valid
        assert valid == (not findings(check, parsed)), f"seed {seed}: {findings(check, parsed)}"
    assert 100 < refused < 500


def test_a_keyword_that_the_checker_lacks_cannot_enter_the_meta_schema(meta: dict[str, Any]) -> None:
    grown = copy.deepcopy(meta)
    grown["properties"]["title"]["format"] = "date"
    with pytest.raises(KeyError):
        compile_form(grown)


def test_a_misspelt_key_is_told_once_and_with_the_right_one(check: Check) -> None:
    (finding,) = [one for one in findings(check, {"propertys": {}}) if one.pointer]
    assert finding.pointer == ("propertys",)
    assert 'did you mean "properties"?' in finding.remedy
    assert not any('"properties" is missing' in one.what for one in findings(check, {"propertys": {}}))
