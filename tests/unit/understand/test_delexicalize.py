"""Names of the house and numbers get one form; all other words stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.intents.catalog import Catalog
from edged.intents.spoken.text import normalize_text
from edged.understand.delexicalize import MAX_HINTS, delexicalize, hint, tag_of
from tests.unit.understand.catalogs import AREA, LAMP, make_catalog, make_intent

HOUSE = """
[areas.hall]
names.en = ["hall"]
names.ko = ["복도"]
[areas.dining_hall]
names.en = ["dining hall"]
names.ko = ["식당"]
[areas.room_two]
names.en = ["room two"]
names.ko = ["둘째 방"]
[devices.hall_lamp]
kind = "light"
area = "hall"
driver = "zigbee2mqtt"
address = "a"
names.en = ["hall lamp"]
names.ko = ["복도등"]
[devices.lamp_shade]
kind = "light"
area = "room_two"
driver = "zigbee2mqtt"
address = "b"
names.en = ["lamp shade"]
names.ko = ["갓등"]
[devices.tap]
kind = "valve"
driver = "zigbee2mqtt"
address = "c"
names.en = ["tap"]
names.ko = ["수도"]
"""
COLORS = {"enum": ["red", "deep_blue"]}
INTENTS = [
    make_intent(
        "shine",
        {"area": AREA, "device": LAMP, "color": COLORS, "level": {"type": "integer", "minimum": 0, "maximum": 100}},
        [("paint the {area} {color}", {}), ("paint the {device} {color}", {}), ("shine at {level}", {})],
    ),
    make_intent("pour", {"device": {"$ref": "urn:edged:home#/devices/valve"}}, [("pour from the {device}", {})]),
]
PLAIN = ("turn", "the", "please", "and", "would", "brighter", "not", "blinds", "again", "ähm", "x")
NAMES = {"hall": "{area}", "dining hall": "{area}", "tap": "{valve}", "lamp shade": "{light}", "twenty five": "25"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("house"), INTENTS, HOUSE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Turn ON the light!", "turn on the light"),
        ("paint the hall red", "paint the {area} red"),
        ("paint the dining hall", "paint the {area}"),
        ("paint the hall lamp", "paint the {light}"),
        ("hall and dining hall", "{area} and {area}"),
        ("the tap by the hall lamp in the hall", "the {valve} by the {light} in the {area}"),
        ("tapping the halls", "tapping the {area}"),
        ("to twenty five", "to 25"),
        ("nineteen and a half degrees", "19.5 degrees"),
        ("30% in the hall", "30 percent in the {area}"),
        ("", ""),
    ],
)
def test_words_of_a_spaced_language(small: Catalog, text: str, expected: str) -> None:
    assert delexicalize(small, text, "en") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("복도 불 켜 줘", "{area} 불 켜 줘"),
        ("복도의 불을 켜", "{area}의 불을 켜"),
        ("복도등을 켜 줘", "{light}을 켜 줘"),
        ("둘째방 불", "{area} 불"),
        ("둘째 방에서", "{area}에서"),
        ("이십오 퍼센트로", "25 퍼센트로"),
        ("이십오퍼센트로 해", "25퍼센트로 해"),
        ("불 켜", "불 켜"),
    ],
)
def test_letters_of_a_language_that_glues_words(small: Catalog, text: str, expected: str) -> None:
    assert delexicalize(small, text, "ko") == expected


def test_of_names_that_overlap_the_longest_stands_and_of_equal_ones_the_first(small: Catalog) -> None:
    assert delexicalize(small, "the dining hall lamp", "en") == "the {area} lamp"
    assert delexicalize(small, "the hall lamp shade", "en") == "the {light} shade"


def test_a_number_in_a_name_is_part_of_the_name(small: Catalog) -> None:
    assert delexicalize(small, "room two to two", "en") == "{area} to 2"


def test_only_what_an_intent_has_a_slot_for_is_a_name(tmp_path: Path, small: Catalog) -> None:
    lamps = make_catalog(tmp_path / "lamps", [make_intent("glow", {"device": LAMP}, [("glow {device}", {})])], HOUSE)
    assert delexicalize(lamps, "the tap by the lamp shade in the hall", "en") == "the tap by the {light} in the hall"
    assert "tap" not in delexicalize(small, "the tap by the lamp shade in the hall", "en")


def test_hints_are_the_slots_of_named_values_and_none_of_the_house(small: Catalog) -> None:
    assert hint(small, "paint the hall deep blue", "en") == "; color"
    assert hint(small, "paint the hall lamp", "en") == ""
    assert hint(small, "shine at 30", "en") == ""
    assert hint(small, "", "en") == ""


def test_hints_are_in_order_and_no_more_than_a_sentence_fills(tmp_path: Path) -> None:
    slots = {f"slot_{letter}": {"enum": [f"word{letter}", f"other{letter}"]} for letter in "hgfedcba"}
    texts: list[tuple[str, dict[str, Any]]] = [(f"take {{{slot}}} {number}", {}) for number, slot in enumerate(slots)]
    many = make_catalog(tmp_path / "many", [make_intent("take", slots, texts)])
    said = hint(many, " ".join(f"word{letter}" for letter in "abcdefgh"), "en")
    assert said == "; " + " ".join(f"slot_{letter}" for letter in "abcdefgh"[:MAX_HINTS])


def test_a_slot_stands_for_its_kind(small: Catalog) -> None:
    assert tag_of(small.intents["shine"], "area", small) == "{area}"
    assert tag_of(small.intents["shine"], "device", small) == "{light}"
    assert tag_of(small.intents["pour"], "device", small) == "{valve}"


PART = st.sampled_from([*PLAIN, *NAMES])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PLAIN)))
def test_plain_words_stay_as_they_are(small: Catalog, words: list[str]) -> None:
    once = delexicalize(small, " ".join(words), "en")
    assert once == " ".join(words)
    assert delexicalize(small, once, "en") == once


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PART, max_size=12))
def test_words_outside_of_names_and_numbers_are_neither_lost_nor_reordered(small: Catalog, parts: list[str]) -> None:
    told = delexicalize(small, " , ".join(parts), "en").split()
    kept = [part for part in parts if part in PLAIN]
    # "hall" and "dining hall" side by side, "twenty five twenty five": what joins up is still no plain word
    assert [word for word in told if word in PLAIN] == kept
    assert {word for word in told if word not in PLAIN} <= {*NAMES.values(), "lamp", "shade", "dining", "hall"} | {
        word for word in told if word.isdigit()
    }


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.sampled_from(["en", "ko", "de", "el"]))
def test_without_names_and_numbers_it_is_the_normalised_text(small: Catalog, text: str, lang: str) -> None:
    plain = normalize_text("".join(letter for letter in text if not letter.isnumeric()), lang)
    told = delexicalize(small, plain, lang)
    if not any(sign.isdigit() or sign == "{" for sign in told):
        assert told == plain


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "would you paint the dining hall and the hall lamp red at twenty five please"),
        ("ko", "지금 복도의 불을 이십오 퍼센트로 켜 줘"),
    ],
)
def test_what_was_said_so_far_is_the_beginning_of_the_whole(small: Catalog, lang: str, text: str) -> None:
    """But where the last word begins a longer name or number: then it is read again."""
    words, whole = text.split(), delexicalize(small, text, lang)
    said = [delexicalize(small, " ".join(words[:count]), lang) for count in range(1, len(words) + 1)]
    changed = {words[count] for count, part in enumerate(said) if not whole.startswith(part)}
    assert changed == ({"dining", "hall", "twenty"} if lang == "en" else set())
    assert said[-1] == whole
