"""Random catalogues: what a sample holds loads, its answers are legal, and what is measured with stays out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import jsonschema

from edged.intents.catalog import Catalog
from edged.intents.home import Area, Home
from edged.intents.load import read_catalog
from edged.train.catalogues import MAX_EXAMPLES, MAX_INTENTS, ROWS, CatalogueSample, make_catalogue_samples
from edged.train.domains import FOLDER, read_domains

SEED = 6
KEPT_OUT = (
    "pizza|sandwich|movie|films?\b|cinema|theater|elevator|car ?wash|telescope|greenhouse|sewing|bee ?hive|bees|fish ?tank"
    "|aquarium|karaoke|laundry service|dry clean"
)
"""Kinds of thing that unseen intents are measured with."""


@cache
def _samples() -> Sequence[CatalogueSample]:
    return tuple(make_catalogue_samples(50, SEED))


def _load(sample: CatalogueSample, folder: Path) -> Catalog:
    folder.mkdir()
    for schema in sample.schemas:
        text = json.dumps(schema)
        (folder / f"{schema['properties']['intent']['const']}.json").write_text(text, encoding="utf-8")
    areas = {key: Area(key, {"en": names}, None) for key, names in sample.home.items()}
    return read_catalog(folder, Home(areas, {}))


def test_every_schema_loads_without_a_complaint(tmp_path: Path) -> None:
    for number, sample in enumerate(_samples()):
        catalog = _load(sample, tmp_path / str(number))
        assert [str(fault) for fault in catalog.faults] == []
        assert len(catalog.intents) == len(sample.schemas)


def test_every_command_is_legal_and_in_the_order_of_its_schema(tmp_path: Path) -> None:
    for number, sample in enumerate(_samples()):
        catalog = _load(sample, tmp_path / str(number))
        for row in sample.rows:
            for fields in row.intents:
                schema = catalog.intents[str(fields["intent"])].schema
                jsonschema.validate(dict(fields), dict(schema))
                assert [slot for slot in schema["properties"] if slot in fields] == list(fields)


def test_the_value_of_a_said_slot_is_in_the_sentence(tmp_path: Path) -> None:
    for number, sample in enumerate(_samples()):
        intents = _load(sample, tmp_path / str(number)).intents
        for row in sample.rows:
            for fields in row.intents:
                intent = intents[str(fields["intent"])]
                for slot in intent.said & fields.keys():
                    value = fields[slot]
                    if not isinstance(value, str):
                        continue
                    forms = sample.home.get(value, (value.replace("_", " "),))
                    forms = intent.spoken.get(slot, {}).get(value, {"en": forms})["en"]
                    assert any(form in row.text for form in forms), (row.text, slot, value)


def test_a_sample_has_its_share_of_everything() -> None:
    for sample in _samples():
        assert 1 <= len(sample.schemas) <= MAX_INTENTS
        assert len({row.text for row in sample.rows}) == len(sample.rows) <= ROWS[1]
        for schema in sample.schemas:
            assert 2 <= len(schema["x-edged"]["examples"]["en"]) <= MAX_EXAMPLES
    rows = [row for sample in _samples() for row in sample.rows]
    assert 0.65 < sum(bool(row.intents) for row in rows) / len(rows) < 0.75
    assert any(len(row.intents) == 2 for row in rows)
    assert any(len(fields) > 5 for row in rows for fields in row.intents)
    assert any(sample.home for sample in _samples())


def test_some_samples_are_as_large_as_a_house_with_many_files_and_most_are_small() -> None:
    sizes = sorted(len(sample.schemas) for sample in _samples())
    assert sizes[-1] > 7
    assert sizes[len(sizes) // 2] <= 5


def test_some_commands_are_values_alone_and_some_put_a_number_right() -> None:
    rows = [row for sample in _samples() for row in sample.rows if row.intents]
    assert any(row.template == "values alone" for row in rows)
    assert any(re.search(r"\d (?:no|i mean|or rather|wait no)\b.* \d", row.text) for row in rows)


def test_most_commands_are_said_as_no_example_says_them() -> None:
    shown = said = 0
    for sample in _samples():
        texts = {text["text"] for schema in sample.schemas for text in schema["x-edged"]["examples"]["en"]}
        for row in sample.rows:
            said += bool(row.intents)
            shown += row.text in texts
    assert shown < said / 10


def test_the_same_seed_makes_the_same_samples() -> None:
    assert list(make_catalogue_samples(5, 1)) == list(make_catalogue_samples(5, 1))
    assert list(make_catalogue_samples(5, 1)) != list(make_catalogue_samples(5, 2))


def test_what_is_measured_with_is_in_no_domain() -> None:
    for path in FOLDER.glob("*.toml"):
        assert re.findall(rf"\b(?:{KEPT_OUT})", path.read_text(encoding="utf-8").lower()) == [], path.name


def test_no_domain_has_a_thing_that_stands_for_what_no_catalogue_has() -> None:
    domains, common = read_domains()
    things = {thing for domain in domains for thing in domain.things}
    assert things.isdisjoint(common.lists["gadgets"])
