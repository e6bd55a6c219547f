"""Which slot a number belongs to, in intents that nobody trained on."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from edged.config import load_config
from edged.intents.catalog import Catalog
from edged.intents.grounding import find_home_mentions, find_said_numbers, ground
from edged.intents.home import load_home
from edged.intents.load import read_catalog
from edged.types import SlotValue

UNSEEN = Path("tests/accuracy/unseen")


@pytest.fixture(scope="module")
def unseen() -> Catalog:
    config = load_config()
    return read_catalog(config.intents.directory, load_home(config.home.file), also=[UNSEEN])


@pytest.mark.parametrize(
    ("intent", "text", "said"),
    [
        ("beehive", "syrup seven litres hive twenty one", {"hive": (21,), "litres": (7,)}),
        ("beehive", "keep hive nineteen at thirty five degrees", {"hive": (19,), "temperature": (35,)}),
        ("car_wash", "wash the van in bay three for forty minutes", {"bay": (3,), "minutes": (40,)}),
        ("karaoke", "eighty percent echo", {"echo": (80,)}),
        ("karaoke", "set microphone two to echo fifteen", {"microphone": (2,), "echo": (15,)}),
    ],
)
def test_a_number_belongs_to_the_slot_whose_cue_is_nearest(
    unseen: Catalog, intent: str, text: str, said: dict[str, tuple[int, ...]]
) -> None:
    found = ground(unseen, text, "en")[intent]
    assert {slot: values for slot, values in found.items() if values and isinstance(values[0], int)} == said


def test_without_a_cue_a_number_may_be_any_slot_that_has_it_in_its_range(unseen: Catalog) -> None:
    found = ground(unseen, "two please", "en")["karaoke"]
    assert found["microphone"] == (2,)
    assert found["echo"] == (2,)


def test_a_number_in_the_name_of_a_value_is_none(unseen: Catalog) -> None:
    text = "two singers on a country song"
    assert all(2 not in values for values in ground(unseen, text, "en")["karaoke"].values())
    assert find_said_numbers(unseen, text, "en", find_home_mentions(unseen, text, "en")) == ()
    assert find_said_numbers(unseen, "two songs", "en", ()) == ((0, 1, Decimal(2)),)


def test_the_shipped_intents_tell_their_numbers_apart_by_units(catalog: Catalog) -> None:
    found = ground(catalog, "set the light to 50 percent in 10 seconds", "en")["light"]
    assert (found["brightness"], found["transition"]) == ((50,), (10,))
    assert ground(catalog, "set the heating to 21 degrees", "en")["thermostat"]["temperature"] == (21,)


def test_a_house_without_devices_of_a_kind_tells_numbers_apart_too(tmp_path: Path) -> None:
    home = tmp_path / "home.toml"
    home.write_text('[areas.kitchen]\nnames.en = ["kitchen"]\n', encoding="utf-8")
    bare = read_catalog(load_config().intents.directory, load_home(home))
    assert ground(bare, "kitchen 40 percent", "en")["light"]["brightness"] == (40,)


def numbers_of(catalog: Catalog, intent: str, text: str, lang: str) -> dict[str, tuple[SlotValue, ...]]:
    return {
        slot: values
        for slot, values in ground(catalog, text, lang)[intent].items()
        if values and isinstance(values[0], int | float)
    }


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "dim the light to 20 percent over 5 seconds"),
        ("de", "dimm das Licht auf 20 Prozent in 5 Sekunden"),
        ("pt-BR", "diminui a luz para 20 por cento em 5 segundos"),
        ("pl", "przyciemnij światło do 20 procent w ciągu 5 sekund"),
        ("el", "χαμήλωσε το φως στο 20 τοις εκατό σε 5 δευτερόλεπτα"),
        ("ko", "불을 5초 동안 20퍼센트로 줄여 줘"),
        ("ko", "불을 오 초 동안 이십 퍼센트로 줄여 줘"),
    ],
)
def test_percent_and_seconds_are_told_apart(catalog: Catalog, lang: str, text: str) -> None:
    assert numbers_of(catalog, "light", text, lang) == {"brightness": (20,), "step": (20,), "transition": (5,)}


def test_a_unit_that_no_slot_has_tells_nothing_where_words_are_glued(catalog: Catalog) -> None:
    expected = {"brightness": (20,), "step": (20,), "transition": (20,)}
    assert numbers_of(catalog, "light", "불을 20으로", "ko") == expected
    assert numbers_of(catalog, "light", "불을 20도로", "ko") == expected


@pytest.mark.parametrize(
    ("lang", "text", "kelvin"),
    [
        ("en", "2800 kelvin", 2800),
        ("en", "2800K", 2800),
        ("en", "three and a half thousand kelvin", 3500),
        ("de", "dreieinhalbtausend Kelvin", 3500),
        ("pt-BR", "três mil e quinhentos kelvin", 3500),
        ("pl", "cztery i pół tysiąca kelwinów", 4500),
        ("el", "τρεις χιλιάδες πεντακόσια κέλβιν", 3500),
        ("ko", "삼천오백 켈빈", 3500),
    ],
)
def test_kelvin_is_the_colour_temperature_alone(catalog: Catalog, lang: str, text: str, kelvin: int) -> None:
    assert numbers_of(catalog, "light", text, lang) == {"color_temp": (kelvin,)}


@pytest.mark.parametrize(
    ("lang", "text", "step"),
    [
        ("en", "half a degree warmer", 0.5),
        ("en", "a degree and a half warmer", 1.5),
        ("de", "um ein halbes Grad wärmer", 0.5),
        ("pt-BR", "meio grau a mais", 0.5),
        ("pl", "o pół stopnia cieplej", 0.5),
        ("el", "μισό βαθμό πιο ζεστά", 0.5),
        ("ko", "온도를 반 도 올려 줘", 0.5),
        ("ko", "온도를 일 도 반 올려 줘", 1.5),
    ],
)
def test_a_half_degree_is_a_step_of_the_thermostat(catalog: Catalog, lang: str, text: str, step: float) -> None:
    assert numbers_of(catalog, "thermostat", text, lang) == {"step": (step,)}


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "twenty and a half degrees"),
        ("en", "half a degree"),
        ("de", "zwanzig Grad und ein halbes"),
        ("el", "είκοσι και μισό"),
        ("ko", "이십 도 반"),
    ],
)
def test_a_half_in_a_number_is_no_level(catalog: Catalog, lang: str, text: str) -> None:
    assert 50 not in numbers_of(catalog, "light", text, lang).get("brightness", ())


def test_a_half_alone_is_a_level(catalog: Catalog) -> None:
    assert numbers_of(catalog, "light", "dim to half", "en")["brightness"] == (50,)
    assert numbers_of(catalog, "light", "불을 반으로 줄여 줘", "ko")["brightness"] == (50,)


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "turn it on at eleven o'clock"),
        ("en", "turn it on at eleven at night"),
        ("en", "turn it on at 11 p.m."),
        ("de", "mach es um elf Uhr an"),
        ("pt-BR", "liga às onze"),
        ("pt-BR", "liga as onze da noite"),
        ("pl", "włącz o 11 wieczorem"),
        ("pl", "włącz o godzinie 11"),
        ("el", "άναψέ το στις έντεκα το βράδυ"),
        ("ko", "십일 시에 켜 줘"),
    ],
)
def test_an_hour_is_no_measure(catalog: Catalog, lang: str, text: str) -> None:
    for intent in catalog.intents:
        assert numbers_of(catalog, intent, text, lang) == {}
    numbers = find_said_numbers(catalog, text, lang, ())
    assert [value for _, _, value in numbers] == [Decimal(11)]


def test_an_hour_may_be_a_number_without_unit(unseen: Catalog) -> None:
    assert numbers_of(unseen, "karaoke", "microphone two o'clock", "en") == {"microphone": (2,)}


def test_a_measure_beside_an_hour_is_found(catalog: Catalog) -> None:
    found = numbers_of(catalog, "thermostat", "set it to 20 degrees at eleven o'clock", "en")
    assert found["temperature"] == (20,)
