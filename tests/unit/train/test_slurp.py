"""Rows of other people's data as expectations of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edged.intents.catalog import Catalog
from edged.train.score import Result, tally
from edged.train.sentences import read_schemas
from edged.train.slurp import Expected, read_expected, read_slurp


def expected(tmp_path: Path, catalog: Catalog, schemas: Path, row: dict[str, Any]) -> Expected:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    (only,) = read_slurp([path], catalog.home, read_schemas(schemas))
    return only


def test_a_light_command_gets_the_slots_that_the_house_knows(
    tmp_path: Path, catalog: Catalog, config_schemas: Path
) -> None:
    entities = [{"type": "house_place", "value": "corridor"}, {"type": "color_type", "value": "violet"}]
    row = {"text": "x", "scenario": "iot", "action": "hue_lightchange", "entities": entities}
    got = expected(tmp_path, catalog, config_schemas, row)
    assert got.intents == ({"intent": "light", "action": "set", "area": "hall", "color": "purple"},)
    assert got.slots_known


def test_slots_are_unknown_where_an_entity_has_no_value_here(
    tmp_path: Path, catalog: Catalog, config_schemas: Path
) -> None:
    entities = [{"type": "change_amount", "value": "a lot"}]
    row = {"text": "x", "scenario": "iot", "action": "hue_lightdim", "entities": entities}
    assert not expected(tmp_path, catalog, config_schemas, row).slots_known


@pytest.mark.parametrize(
    ("scenario", "action"), [("iot", "wemo_on"), ("iot", "coffee"), ("iot", "cleaning"), ("play", "hue_lighton")]
)
def test_everything_else_is_no_command(
    tmp_path: Path, catalog: Catalog, config_schemas: Path, scenario: str, action: str
) -> None:
    row = {"text": "x", "scenario": scenario, "action": action, "entities": []}
    assert expected(tmp_path, catalog, config_schemas, row).intents == ()


def test_a_tally_counts_actions_slots_and_what_is_not_json(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    intent = {"intent": "light", "action": "on", "area": "kitchen"}
    path.write_text(json.dumps({"text": "x", "lang": "en", "expect": [intent]}) + "\n", encoding="utf-8")
    (row,) = read_expected(path)
    results = [Result(row, ([intent], 0.9)), Result(row, ([{**intent, "area": "hall"}], 0.9)), Result(row, (None, 0.9))]
    (entry,) = tally(results).values()
    assert (entry.rows, entry.actions, entry.slot_rows, entry.exact) == (3, 2, 3, 1)


def test_an_answer_below_the_threshold_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": "x", "lang": "en", "expect": []}) + "\n", encoding="utf-8")
    (row,) = read_expected(path)
    results = [Result(row, ([{"intent": "light", "action": "on"}], 0.05))]
    assert tally(results)["en no command"].actions == 0
    assert tally(results, min_confidence=0.1)["en no command"].actions == 1
