import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from edged.intents.catalog import Catalog, IntentFile
from edged.intents.grounding import ground
from edged.intents.load import load_intent
from edged.intents.lower import allows
from edged.intents.spoken.forms import named_values, value_forms
from edged.intents.spoken.language import LANGUAGES
from edged.types import SlotValue


@pytest.mark.parametrize(
    ("lang", "text", "intent", "said"),
    [
        ("en", "turn on the kitchen light", "light", {"area": ("kitchen",)}),
        ("en", "Turn on the light!", "light", {}),
        ("en", "turn off the closet light", "light", {}),
        ("en", "the bed room's lights off", "light", {"area": ("bedroom",)}),
        ("en", "dim the floor lamps to thirty percent", "light", {"device": ("floor_lamp",), "brightness": (30,), "step": (30,)}),
        ("en", "set it to 130", "light", {"transition": (130,)}),
        ("en", "half brightness", "light", {"brightness": (50,), "step": (50,)}),
        ("en", "warm white", "light", {"color": ("white",), "color_temp": (2700,)}),
        ("en", "make it warmer", "light", {}),
        ("en", "2700 kelvin", "light", {"color_temp": (2700,)}),
        ("en", "bedroom ceiling lamp", "light", {"device": ("bedroom_light",)}),
        ("en", "bedroom ceiling lamp in the bedroom", "light", {"area": ("bedroom",), "device": ("bedroom_light",)}),
        ("en", "kitchen and bathroom", "light", {"area": ("kitchen", "bathroom")}),
        ("en", "set the bedroom to nineteen and a half degrees", "thermostat", {"area": ("bedroom",), "temperature": (19.5,), "step": (19.5,)}),
        ("en", "twenty point three degrees", "thermostat", {}),
        ("en", "nine hundred degrees", "thermostat", {}),
        ("en", "minus five degrees", "thermostat", {}),
        ("en", "70 degrees fahrenheit", "thermostat", {"temperature": (70,), "unit": ("fahrenheit",)}),
        ("ko", "거실 불을 켜 줘", "light", {"area": ("living_room",)}),
        ("ko", "거실불을 파란색으로 바꿔줘", "light", {"area": ("living_room",), "color": ("blue",)}),
        ("ko", "모든 불 을 파란 색으로 바꿔 줘", "light", {"color": ("blue",)}),
        ("ko", "반려견이 흰수염고래를 봤어", "light", {}),
        ("ko", "침실 온도를 이십이 도로 맞춰 줘", "thermostat", {"area": ("bedroom",), "temperature": (22,)}),
    ],
)  # fmt: skip
def test_only_what_was_said_can_be_meant(
    catalog: Catalog, lang: str, text: str, intent: str, said: dict[str, Any]
) -> None:
    found = ground(catalog, text, lang)[intent]
    assert {slot: values for slot, values in found.items() if values} == said
    assert set(found) == catalog.intents[intent].said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_spoken_form_is_understood_as_its_value(catalog: Catalog, lang: str) -> None:
    for intent in catalog.intents.values():
        for slot in intent.said & set(intent.slots):
            schema = intent.schema["properties"][slot]
            values: list[SlotValue] = schema.get(
                "enum", [n for n in (1, 5, 20, 50, 2700) if allows(schema, Decimal(n))]
            )
            for value in values:
                for form in value_forms(intent, slot, value, catalog, lang):
                    assert value in ground(catalog, form, lang)[intent.name][slot], (slot, form)


FAN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "intent": {"const": "fan"},
        "action": {"enum": ["on", "off"]},
        "speed": {"type": "integer", "minimum": 0, "maximum": 100, "multipleOf": 10},
        "swing": {"enum": ["low", "full"]},
        "hours": {"type": "integer", "minimum": 0, "maximum": 24},
    },
    "required": ["intent", "action"],
    "additionalProperties": False,
    "x-edged": {
        "spoken": {
            "speed": {"20": {"en": ["minimum"]}, "100": {"en": ["turbo"]}},
            "swing": {"low": {"de": ["halb"]}},
        },
        "examples": {"en": [{"text": "fan at {speed}", "slots": {"action": "on"}}]},
    },
}


def make_fan(catalog: Catalog, **more: object) -> IntentFile:
    parsed = {**FAN, "properties": {**FAN["properties"], **more}}
    intent, faults = load_intent(json.dumps(parsed), "fan.json", catalog.home)
    assert isinstance(intent, IntentFile), faults
    return intent


@pytest.mark.parametrize(
    ("lang", "text", "brightness"),
    [
        ("de", "Stell das Licht auf die Hälfte", (50,)),
        ("de", "licht auf maximum", (100,)),
        ("pt-BR", "luz no máximo", (100,)),
        ("pt-BR", "luz pela metade", (50,)),
        ("pl", "światło na połowę", (50,)),
        ("pl", "światło na minimum", (0,)),
        ("el", "το φως στο μεγιστο", (100,)),
        ("el", "το φως στη μέση", (50,)),
        ("de", "das licht", ()),
    ],
)
def test_a_slot_of_percents_knows_the_levels_of_every_language(
    catalog: Catalog, lang: str, text: str, brightness: tuple[int, ...]
) -> None:
    assert ground(catalog, text, lang)["light"]["brightness"] == brightness


def test_words_of_the_file_win_over_the_levels_of_the_language(catalog: Catalog) -> None:
    fan = make_fan(catalog)
    assert value_forms(fan, "speed", 20, catalog, "en") == ("minimum", "twenty")
    assert value_forms(fan, "speed", 0, catalog, "en") == ("zero",)
    assert value_forms(fan, "speed", 100, catalog, "en")[:4] == ("turbo", "maximum", "max", "fully")
    assert "halb" not in value_forms(fan, "speed", 50, catalog, "de")
    assert "hälfte" in value_forms(fan, "speed", 50, catalog, "de")
    assert named_values(fan, "speed", "en") == (20, 100, 50)
    assert named_values(fan, "speed", "de") == (20, 100, 0, 50)
    assert named_values(fan, "swing", "de") == ("low", "full")


def test_other_numbers_and_rival_percents_have_no_levels(catalog: Catalog) -> None:
    assert named_values(make_fan(catalog), "hours", "en") == ()
    rival = make_fan(catalog, tilt={"type": "integer", "minimum": 0, "maximum": 100})
    assert named_values(rival, "tilt", "en") == ()
    assert named_values(rival, "speed", "en") == (20, 100)


def test_a_level_that_is_no_value_has_no_name(catalog: Catalog) -> None:
    thirds = make_fan(catalog, speed={"type": "integer", "minimum": 0, "maximum": 100, "multipleOf": 20})
    assert 50 not in named_values(thirds, "speed", "en")


@pytest.mark.parametrize(
    ("lang", "text", "areas"),
    [
        ("el", "αναψε το φωσ στην ΚΟΥΖΙΝΑ", ("kitchen",)),
        ("de", "Licht im Wohnzimmers", ("living_room",)),
        ("de", "licht im buero", ("office",)),
        ("pt-BR", "apague a luz do escritorio", ("office",)),
        ("pl", "światło w łazience", ("bathroom",)),
        ("pl", "światło w lazience", ()),
    ],
)
def test_names_are_found_as_people_type_them(catalog: Catalog, lang: str, text: str, areas: tuple[str, ...]) -> None:
    names: dict[str, dict[str, tuple[str, ...]]] = {
        "kitchen": {"el": ("κουζίνα",)},
        "living_room": {"de": ("Wohnzimmer",)},
        "office": {"de": ("Büro",), "pt-BR": ("Escritório",)},
        "bathroom": {"pl": ("łazienka", "łazience")},
    }
    homes = {key: replace(area, names=names.get(key, {"xx": ("xx",)})) for key, area in catalog.home.areas.items()}
    house = replace(catalog, home=replace(catalog.home, areas=homes))
    assert ground(house, text, lang)["light"]["area"] == areas
