"""What is an answer to a question and what it says, in six languages."""

from __future__ import annotations

import math

import pytest

from edged.act.replies import MAX_CHARACTERS, MAX_WORDS, Reading, read_reply
from edged.intents.catalog import Catalog
from edged.types import Intent, Question, SlotValue


def light(**slots: SlotValue) -> Intent:
    return Intent("u", "light", {"action": "on", **slots}, 1.0, math.inf)


CONFIRM = Question((light(),))
WHICH = Question((light(device="bedside_lamp"),), 0, ("device",), ("bedside_lamp", "desk_lamp", "floor_lamp"))
HEAT = Question((Intent("u", "thermostat", {"action": "set"}, 1.0, math.inf),), 0, ("temperature",))
SET = Question((light(action="set"),), 0, ("brightness", "color", "color_temp"))


def devices(reading: Reading) -> list[SlotValue] | str | None:
    return [intent.slots["device"] for intent in reading] if isinstance(reading, tuple) else reading


def which(catalog: Catalog, text: str, lang: str = "en") -> list[SlotValue] | str | None:
    return devices(read_reply(WHICH, ("bedroom", "office", "living room"), text, lang, catalog))


@pytest.mark.parametrize(
    ("lang", "yes", "no", "drop"),
    [
        ("en", "Yes, please!", "no thank you", "never mind"),
        ("ko", "네", "아니요", "아니야 됐어"),
        ("de", "Ja, gerne.", "nein danke", "vergiss es"),
        ("pt-BR", "Sim, por favor", "não, obrigado", "deixa pra lá"),
        ("pl", "tak, proszę", "nie, dziękuję", "nieważne"),
        ("el", "Ναι, παρακαλώ", "όχι, ευχαριστώ", "ξέχνα το"),
    ],
)
def test_yes_and_no(catalog: Catalog, lang: str, yes: str, no: str, drop: str) -> None:
    assert read_reply(CONFIRM, (), yes, lang, catalog) == CONFIRM.intents
    assert read_reply(CONFIRM, (), no, lang, catalog) == "declined"
    assert read_reply(CONFIRM, (), drop, lang, catalog) == "declined"


@pytest.mark.parametrize(
    ("lang", "text", "device"),
    [
        ("en", "the one in the office", "desk_lamp"),
        ("en", "the second one, please", "desk_lamp"),
        ("en", "number three", "floor_lamp"),
        ("en", "Living Room", "floor_lamp"),
        ("en", "the desk lamp in the office", "desk_lamp"),
        ("en", "upstairs in the office", "desk_lamp"),
        ("ko", "서재에 있는 거", "desk_lamp"),
        ("ko", "두 번째", "desk_lamp"),
        ("ko", "첫 번째 거요", "bedside_lamp"),
        ("de", "die im Büro", "desk_lamp"),
        ("de", "die zweite bitte", "desk_lamp"),
        ("pt-BR", "a do escritório", "desk_lamp"),
        ("pt-BR", "a segunda", "desk_lamp"),
        ("pl", "ta w biurze", "desk_lamp"),
        ("pl", "drugą", "desk_lamp"),
        ("el", "αυτό στο γραφείο", "desk_lamp"),
        ("el", "το δεύτερο", "desk_lamp"),
    ],
)
def test_a_device_by_its_place_or_number(catalog: Catalog, lang: str, text: str, device: str) -> None:
    assert which(catalog, text, lang) == [device]


def test_all_of_them(catalog: Catalog) -> None:
    assert which(catalog, "all of them") == ["bedside_lamp", "desk_lamp", "floor_lamp"]
    assert which(catalog, "both") is None  # of three


@pytest.mark.parametrize(
    "text",
    ["the one in the kitchen", "upstairs", "the first, the second", "no, the office"],
)
def test_what_names_none_or_several_is_unclear(catalog: Catalog, text: str) -> None:
    assert which(catalog, text) == "unclear"


@pytest.mark.parametrize(
    "text",
    ["", "please", "the one", "turn on the office light", "office light off", "yes", "the fourth one", "first thing tomorrow",
     "one two three four five six seven eight nine ten eleven twelve thirteen"],
)  # fmt: skip
def test_what_is_no_answer_to_which(catalog: Catalog, text: str) -> None:
    assert which(catalog, text) is None


@pytest.mark.parametrize(
    "text",
    ["", "okay", "please", "yes turn it off", "the first one", "yes " * (MAX_WORDS + 1), "yes " + " " * MAX_CHARACTERS,
     "is it raining", "all", "[unk]", "yes [unk]"],
)  # fmt: skip
def test_what_is_no_answer_to_yes_or_no(catalog: Catalog, text: str) -> None:
    assert read_reply(CONFIRM, (), text, "en", catalog) is None


def test_yes_and_no_at_once_is_unclear(catalog: Catalog) -> None:
    assert read_reply(CONFIRM, (), "yes no", "en", catalog) == "unclear"
    assert read_reply(CONFIRM, (), "yes never mind", "en", catalog) == "declined"


@pytest.mark.parametrize(
    ("lang", "text", "slots"),
    [
        ("en", "twenty", {"temperature": 20}),
        ("en", "to 21.5 °C please", {"temperature": 21.5, "unit": "celsius"}),
        ("en", "seventy degrees fahrenheit", {"temperature": 70, "unit": "fahrenheit"}),
        ("ko", "이십일 도로 해 줘", {"temperature": 21}),
        ("de", "auf einundzwanzig Grad", {"temperature": 21}),
        ("pt-BR", "para vinte e dois graus", {"temperature": 22}),
        ("pl", "na dwadzieścia dwa stopnie", {"temperature": 22}),
        ("el", "στους είκοσι δύο βαθμούς", {"temperature": 22}),
    ],
)
def test_a_value_with_its_unit(catalog: Catalog, lang: str, text: str, slots: dict[str, SlotValue]) -> None:
    reading = read_reply(HEAT, (), text, lang, catalog)
    assert isinstance(reading, tuple)
    assert reading[0].slots == {"action": "set", **slots}


@pytest.mark.parametrize(
    ("text", "slots"),
    [("make it red", {"color": "red"}), ("half", {"brightness": 50}), ("2700 kelvin", {"color_temp": 2700})],
)
def test_one_of_several_slots(catalog: Catalog, text: str, slots: dict[str, SlotValue]) -> None:
    reading = read_reply(SET, (), text, "en", catalog)
    assert isinstance(reading, tuple)
    assert reading[0].slots == {"action": "set", **slots}


@pytest.mark.parametrize("text", ["twenty twenty one", "no twenty"])
def test_several_values_are_unclear(catalog: Catalog, text: str) -> None:
    assert read_reply(HEAT, (), text, "en", catalog) in ("unclear", None)
    assert read_reply(SET, (), "red fifty", "en", catalog) == "unclear"


@pytest.mark.parametrize(
    "text", ["yes", "two hundred degrees", "twenty in the kitchen", "turn it up to twenty", "fahrenheit", "warm"]
)
def test_what_is_no_value_answers_nothing(catalog: Catalog, text: str) -> None:
    assert read_reply(HEAT, (), text, "en", catalog) in (None, "unclear")
    assert not isinstance(read_reply(HEAT, (), text, "en", catalog), tuple)
