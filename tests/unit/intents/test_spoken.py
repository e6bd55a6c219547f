from decimal import Decimal
from typing import Any

import pytest

from edged.intents.catalog import Catalog
from edged.intents.lower import allows
from edged.intents.phrases import MAX_PHRASES, list_phrases, slot_forms
from edged.intents.spoken import ground, value_forms
from edged.types import SlotValue


@pytest.mark.parametrize(
    ("lang", "text", "intent", "said"),
    [
        ("en", "turn on the kitchen light", "light", {"area": ("kitchen",)}),
        ("en", "Turn on the light!", "light", {}),
        ("en", "turn off the closet light", "light", {}),
        ("en", "the bed room's lights off", "light", {"area": ("bedroom",)}),
        ("en", "dim the floor lamps to thirty percent", "light", {"device": ("floor_lamp",), "brightness": (30,), "step": (30,), "transition": (30,)}),
        ("en", "set it to 130", "light", {"transition": (130,)}),
        ("en", "half brightness", "light", {"brightness": (50,), "step": (50,)}),
        ("en", "warm white", "light", {"color": ("white",), "color_temp": (2700,)}),
        ("en", "make it warmer", "light", {}),
        ("en", "2700 kelvin", "light", {"color_temp": (2700,)}),
        ("en", "bedroom ceiling lamp", "light", {"area": ("bedroom",), "device": ("bedroom_light",)}),
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


@pytest.mark.parametrize("lang", ["en", "ko"])
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


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_phrases_hold_every_area_and_every_percent(catalog: Catalog, lang: str) -> None:
    phrases = list_phrases(catalog, lang)
    assert 500 < len(phrases) < MAX_PHRASES
    assert len(set(phrases)) == len(phrases)
    text = "\n".join(phrases)
    light = catalog.intents["light"]
    for slot in ("area", "device", "brightness"):
        for form in slot_forms(light, slot, catalog, lang):
            assert form in text
    assert "{" not in text
