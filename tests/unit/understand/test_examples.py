from dataclasses import replace

import pytest

from edged.intents.catalog import Catalog, Example
from edged.types import Intent, Rejected, Utterance
from edged.understand.examples import Reading, read_examples


def read(catalog: Catalog, text: str, here: str | None = None) -> Reading:
    return read_examples(catalog, Utterance("u1", text, "en", 1.0, 0, 0, "cli"), here)


def meant(reading: Reading) -> list[tuple[str, dict[str, object]]]:
    assert isinstance(reading.outcome, tuple), reading
    return [(intent.name, dict(intent.slots)) for intent in reading.outcome]


@pytest.fixture
def twins(catalog: Catalog) -> Catalog:
    devices = dict(catalog.home.devices)
    devices["bedside_lamp"] = replace(devices["bedside_lamp"], names=devices["desk_lamp"].names)
    return replace(catalog, home=replace(catalog.home, devices=devices))


def test_an_example_is_certain(catalog: Catalog) -> None:
    reading = read(catalog, "turn on the kitchen light")
    assert reading.outcome == (Intent("u1", "light", {"action": "on", "area": "kitchen"}, 1.0, float("inf")),)


def test_two_examples_in_one_sentence_are_two_intents(catalog: Catalog) -> None:
    assert meant(read(catalog, "switch off the desk lamp and set the bedroom to 19.5 degrees")) == [
        ("light", {"action": "off", "device": "desk_lamp"}),
        ("thermostat", {"action": "set", "area": "bedroom", "temperature": 19.5}),
    ]


def test_what_no_example_says_is_left_to_the_model(catalog: Catalog) -> None:
    assert read(catalog, "would you be so kind as to give me some light") == Reading(None, frozenset())


def test_a_refused_sentence_names_the_intent_that_refuses_it(catalog: Catalog) -> None:
    reading = read(catalog, "do not turn on the light")
    assert reading.outcome is None
    assert reading.refused == {"light"}


def test_the_most_specific_reading_wins(catalog: Catalog) -> None:
    light = catalog.intents["light"]
    both = replace(
        light,
        examples={"en": (Example("{area} light off", {"action": "off"}), Example("{device} off", {"action": "off"}))},
    )
    house = replace(catalog, intents={"light": both})
    assert meant(read(house, "garden light off")) == [("light", {"action": "off", "device": "porch_light"})]
    assert meant(read(house, "kitchen light off")) == [("light", {"action": "off", "area": "kitchen"})]


def test_a_shared_name_is_asked_about(twins: Catalog) -> None:
    outcome = read(twins, "switch off the desk lamp").outcome
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "which one is meant: desk lamp in bedroom or desk lamp in office?"
    assert outcome.asks is not None
    assert (outcome.asks.at, outcome.asks.slots, outcome.asks.choices) == (
        0,
        ("device",),
        ("bedside_lamp", "desk_lamp"),
    )
    assert [intent.name for intent in outcome.asks.intents] == ["light"]


def test_a_shared_name_means_the_device_where_it_was_said(twins: Catalog) -> None:
    assert meant(read(twins, "switch off the desk lamp", here="bedroom")) == [
        ("light", {"action": "off", "device": "bedside_lamp"})
    ]


def test_a_value_that_the_schema_forbids_is_no_reading(catalog: Catalog) -> None:
    light = catalog.intents["light"]
    schema = {**light.schema, "required": ["intent", "action", "color"]}
    strict = replace(catalog, intents={"light": replace(light, schema=schema)})
    assert read(strict, "turn on the kitchen light").outcome is None
