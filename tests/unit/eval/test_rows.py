"""Files of rows as this house should take them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edged.errors import UsageError
from edged.eval import rows as rows_module
from edged.eval.rows import MAX_LINE_BYTES, Read, read_rows
from edged.eval.slurp import NOT_HERE
from edged.intents.catalog import Catalog
from edged.intents.load import read_catalog

KITCHEN_ON = {"intent": "light", "action": "on", "area": "kitchen"}


def read(tmp_path: Path, catalog: Catalog, *lines: dict[str, Any] | bytes) -> Read:
    path = tmp_path / "rows.jsonl"
    written = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(written) + b"\n")
    return read_rows([path], catalog, "en")


def test_a_row_says_what_is_expected_and_where_it_stands(tmp_path: Path, catalog: Catalog) -> None:
    found = read(tmp_path, catalog, b"", {"text": "x", "lang": "ko", "expect": [KITCHEN_ON], "kind": "easy", "more": 1})
    (row,) = found.rows
    assert (row.text, row.lang, row.expect, row.kind) == ("x", "ko", (KITCHEN_ON,), "easy")
    assert (row.file, row.line, row.slots_known) == (str(tmp_path / "rows.jsonl"), 2, True)


def test_rows_without_language_and_kind_get_the_usual_ones(tmp_path: Path, catalog: Catalog) -> None:
    both = [KITCHEN_ON, {"intent": "thermostat", "action": "raise"}]
    found = read(tmp_path, catalog, {"text": "x", "expect": []}, {"text": "y", "expect": both})
    assert [(row.lang, row.kind) for row in found.rows] == [("en", "no command"), ("en", "light and thermostat")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{oops", "no JSON"),
        (b"[" * 9000, "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b'{"text": "\\ud800", "expect": []}', "no JSON"),
        (b'{"text": "x", "expect": [], "n": NaN}', "NaN is no JSON"),
        (b"[]", "no sentence"),
        (b'{"text": " ", "expect": []}', "no sentence"),
        (b'{"text": 3, "expect": []}', "no sentence"),
        (b'{"text": "x"}', "nothing to compare with"),
        (b'{"text": "x", "expect": {}}', "nothing to compare with"),
        (b'{"text": "x", "expect": [{"action": "on"}]}', "nothing to compare with"),
        (b'{"text": "x", "lang": 1, "expect": []}', "nothing to compare with"),
        (b'{"text": "x", "expect": [{"intent": "light", "action": "jump"}]}', 'no intent "light"'),
        (b'{"text": "x", "expect": [{"intent": "light", "action": "on", "colour": "red"}]}', 'no intent "light"'),
        (b'{"text": "' + b"x" * MAX_LINE_BYTES + b'", "expect": []}', "longer than"),
    ],
)
def test_a_bad_line_says_where_and_why_and_costs_nothing_else(
    tmp_path: Path, catalog: Catalog, line: bytes, told: str
) -> None:
    found = read(tmp_path, catalog, {"text": "before", "expect": []}, line, {"text": "after", "expect": []})
    assert [(row.text, row.line) for row in found.rows] == [("before", 1), ("after", 3)]
    (fault,) = found.faults
    assert fault.startswith(f"{tmp_path / 'rows.jsonl'}:2: ")
    assert told in fault


@pytest.mark.parametrize(
    "lacking",
    [
        {"intent": "coffee"},
        {"intent": "light", "action": "on", "area": "ballroom"},
        {"intent": "light", "action": "on", "device": "heater"},
    ],
)
def test_what_the_house_lacks_is_to_be_refused(tmp_path: Path, catalog: Catalog, lacking: dict[str, Any]) -> None:
    (row,) = read(tmp_path, catalog, {"text": "x", "expect": [KITCHEN_ON, lacking], "kind": "easy"}).rows
    assert (row.expect, row.kind) == ((), NOT_HERE)


def test_a_kind_of_device_of_which_the_house_has_none_is_to_be_refused(
    tmp_path: Path, catalog: Catalog, config_schemas: Path
) -> None:
    bare = read_catalog(config_schemas, type(catalog.home)(catalog.home.areas, {}, catalog.home.floors))
    lamp = {"intent": "light", "action": "on", "device": "desk_lamp"}
    assert [row.kind for row in read(tmp_path, catalog, {"text": "x", "expect": [lamp]}).rows] == ["light"]
    assert [row.kind for row in read(tmp_path, bare, {"text": "x", "expect": [lamp]}).rows] == [NOT_HERE]


def test_a_file_that_is_not_there_is_told(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_rows([tmp_path / "none.jsonl"], catalog, "en")


def test_too_many_rows_are_refused(tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "MAX_ROWS", 2)
    with pytest.raises(UsageError, match="more than 2 rows"):
        read(tmp_path, catalog, *[{"text": "x", "expect": []}] * 3)


def test_rows_of_slurp_are_compared_as_far_as_they_say_what_is_meant(tmp_path: Path, catalog: Catalog) -> None:
    command = {"text": "x", "scenario": "iot", "action": "hue_lighton", "entities": []}
    found = read(tmp_path, catalog, command, {**command, "action": "coffee"})
    assert [(row.expect, row.slots_known) for row in found.rows] == [
        (({"intent": "light", "action": "on"},), False),
        ((), True),
    ]


def test_a_row_may_expect_a_delay(tmp_path: Path, catalog: Catalog) -> None:
    later = {"intent": "light", "action": "on", "delay_s": 600}
    rows = read(tmp_path, catalog, {"text": "light on in ten minutes", "expect": [later]})
    assert rows.faults == ()
    assert rows.rows[0].expect == (later,)
