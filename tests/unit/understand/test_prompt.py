"""What the LM reads of a catalog: headers, and examples of the intents that it was not trained on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from edged.intents.catalog import Catalog
from edged.understand.prompt import (
    MAX_EXAMPLES,
    MAX_PREFIX_TOKENS,
    MAX_VALUES,
    Lines,
    catalog_prefix,
    json_line,
    question_line,
    readable_part,
)
from tests.unit.understand.catalogs import AREA, LAMP, make_catalog, make_intent

HOUSE = """
[areas.hall]
names.en = ["hall"]
[devices.hall_lamp]
kind = "light"
area = "hall"
driver = "zigbee2mqtt"
address = "a"
names.en = ["hall lamp"]
"""
SIZES = {"enum": ["small", "large"]}
LEVEL = {"type": "integer", "minimum": 0, "maximum": 90}


class Words:
    """A tokenizer of words, which notes what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def tokenize(self, text: bytes) -> list[int]:
        self.texts.append(text.decode())
        return list(range(count(text.decode())))


def count(text: str) -> int:
    """Words, signs and ends of lines."""
    return len(re.findall(r"\w+|[^\w ]", text))


def headers(prefix: str) -> list[str]:
    return prefix.partition("\n\n")[0].split("\n")


def examples(prefix: str) -> list[tuple[str, str]]:
    """Questions with their answers."""
    lines = prefix.partition("\n\n")[2].split("\n")[:-1]
    return list(zip(lines[::2], lines[1::2], strict=True))


def prefix_of(folder: Path, *intents: dict[str, Any], known: tuple[str, ...] = ()) -> str:
    return catalog_prefix(make_catalog(folder, intents, HOUSE), known, count)


# ---- headers


def test_each_intent_has_a_header_and_nothing_of_the_house_is_named(catalog: Catalog) -> None:
    prefix = catalog_prefix(catalog, catalog.intents, count)
    assert [header.partition("(")[0] for header in headers(prefix)] == list(catalog.intents)
    for header, intent in zip(headers(prefix), catalog.intents.values(), strict=True):
        slots = re.findall(r"(\w+)(?:=[^,]*)?\??[,)]", header.partition("(")[2])
        assert slots == list(intent.slots)
    for key in (*catalog.home.areas, *catalog.home.devices):
        assert not re.search(rf"\b{key}\b", prefix)


def test_what_may_be_left_out_is_marked(tmp_path: Path) -> None:
    slots = {"size": SIZES, "area": AREA, "level": LEVEL}
    brew = make_intent("brew", slots, [("brew {size} in the {area} at {level}", {})], required=["level"])
    assert headers(prefix_of(tmp_path, brew)) == ["brew(size?, area?, level)"]


def test_a_slot_has_its_values_where_they_need_not_be_said(tmp_path: Path) -> None:
    slots = {"mode": {"enum": ["slow", "fast"]}, "size": SIZES, "area": AREA, "device": LAMP, "level": LEVEL}
    texts = [("hurry with a {size} one", {"mode": "fast"}), ("slowly {level} in the {area}", {"mode": "slow"})]
    brew = make_intent("brew", slots, texts, required=["mode"])
    assert headers(prefix_of(tmp_path, brew)) == ["brew(mode=slow|fast, size?, area?, device={light}?, level?)"]


def test_long_lists_of_values_are_cut(tmp_path: Path) -> None:
    values = [f"way_{letter}" for letter in "abcdefghijklmnop"]
    go = make_intent("go", {"way": {"enum": values}}, [("go now", {"way": "way_a"})])
    assert headers(prefix_of(tmp_path, go)) == [f"go(way={'|'.join(values[:MAX_VALUES])}?)"]


# ---- examples


def test_an_example_is_a_question_with_its_answer(tmp_path: Path) -> None:
    slots = {"mode": {"enum": ["slow", "fast"]}, "size": SIZES, "area": AREA, "level": LEVEL}
    texts = [
        ("Quick, a {size} one!", {"mode": "fast"}),
        ("slowly in the {area}", {"mode": "slow"}),
        ("slowly to {level} percent", {"mode": "slow"}),
    ]
    assert examples(prefix_of(tmp_path, make_intent("brew", slots, texts, required=["mode"]))) == [
        ("quick a small one; size", " brew fast size"),
        ("slowly in the {area}", " brew slow area"),
        ("slowly to 10 percent", " brew slow level"),
    ]


def test_a_number_that_has_a_name_is_said_by_it(tmp_path: Path) -> None:
    volume = {"type": "integer", "minimum": 1, "maximum": 9}
    spoken = {"volume": {"9": {"en": ["full blast"]}}}
    play = make_intent("play", {"volume": volume}, [("play at {volume}", {})], spoken=spoken)
    assert examples(prefix_of(tmp_path, play)) == [("play at full blast; volume", " play volume")]


def test_values_in_examples_change_from_one_to_the_next(tmp_path: Path) -> None:
    texts: list[tuple[str, dict[str, Any]]] = [(f"bring {words} {{size}}", {}) for words in ("me a", "us a", "one")]
    shown = examples(prefix_of(tmp_path, make_intent("brew", {"size": SIZES}, texts)))
    assert [question for question, _ in shown] == [
        "bring me a small; size",
        "bring us a large; size",
        "bring one small; size",
    ]


@pytest.mark.parametrize(("least", "most", "shown"), [(0, 90, "10"), (15, 30, "15"), (1, 5, "5")])
def test_the_number_of_an_example_is_one_that_the_slot_can_have(
    tmp_path: Path, least: int, most: int, shown: str
) -> None:
    slots = {"level": {"type": "integer", "minimum": least, "maximum": most}}
    prefix = prefix_of(tmp_path, make_intent("heat", slots, [("heat to {level} degrees", {})]))
    assert examples(prefix) == [(f"heat to {shown} degrees", " heat level")]


def test_known_intents_show_no_examples(tmp_path: Path) -> None:
    intents = [
        make_intent(name, {}, [(f"{name} it", {})], refused={"en": [f"do not {name}"]}) for name in ("boil", "fry")
    ]
    prefix = prefix_of(tmp_path, *intents, known=("boil",))
    assert headers(prefix) == ["boil()", "fry()"]
    assert examples(prefix) == [("fry it", " fry"), ("do not fry", " none")]


def test_new_meanings_come_first_then_others_then_what_is_refused(tmp_path: Path) -> None:
    mode = {"enum": ["slow", "fast"]}
    texts = [("now", {"mode": "fast"}), ("at once", {"mode": "fast"}), ("later", {"mode": "slow"})]
    go = make_intent("go", {"mode": mode}, texts, refused={"en": ["do not go", "never go"]})
    shown = [question for question, _ in examples(prefix_of(tmp_path, go))]
    assert shown == ["now", "later", "at once", "do not go"]


def test_no_intent_shows_more_than_its_share(tmp_path: Path) -> None:
    texts: list[tuple[str, dict[str, Any]]] = [(f"go {letter}", {}) for letter in "bcdefghijklmnopqrst"]
    go = make_intent("go", {}, texts, refused={"en": ["do not go"]})
    assert len(examples(prefix_of(tmp_path, go))) == MAX_EXAMPLES + 1


def test_an_example_that_the_house_has_nothing_for_is_not_shown(tmp_path: Path) -> None:
    mow = make_intent(
        "mow", {"device": {"$ref": "urn:edged:home#/devices/mower"}}, [("mow", {}), ("start the {device}", {})]
    )
    assert [question for question, _ in examples(prefix_of(tmp_path, mow))] == ["mow"]


def test_without_english_another_language_is_shown(tmp_path: Path) -> None:
    boil = make_intent("boil", {}, [("koche wasser", {})], lang="de")
    assert examples(prefix_of(tmp_path, boil)) == [("koche wasser", " boil")]


# ---- the budget


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """So many intents that nothing could read them all."""
    names = [f"{one}_{other}" for one in _LETTERS for other in _LETTERS]
    intents = [
        make_intent(name, {"size": SIZES}, [(f"bring {name} {{size}}", {}), (f"{name} now", {})]) for name in names
    ]
    return make_catalog(tmp_path_factory.mktemp("crowd"), intents)


_LETTERS = [letter * 3 for letter in "abcdefghijklmnopqrst"]


def test_of_four_hundred_intents_those_that_fit_are_read_the_known_ones_first(crowd: Catalog) -> None:
    assert len(crowd.intents) == 400
    known = list(crowd.intents)[-3:]
    part = readable_part(crowd, known, count)
    assert set(known) < part.intents.keys() < crowd.intents.keys()
    prefix = catalog_prefix(part, known, count)
    assert len(headers(prefix)) == len(part.intents)
    assert MAX_PREFIX_TOKENS - 20 <= count(prefix) <= MAX_PREFIX_TOKENS + len("\n")


def test_few_intents_are_all_readable(catalog: Catalog) -> None:
    asked = {name: intent for name, intent in catalog.intents.items() if not intent.examples_only}
    assert readable_part(catalog, catalog.intents, count).intents == asked


def test_where_there_is_no_room_for_all_examples_each_intent_has_as_many(
    crowd: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = readable_part(crowd, (), lambda text: 2 * count(text))
    room = count(catalog_prefix(part, part.intents, count))
    one_each = sum(count(f"bring {name.replace('_', ' ')} small; size\n {name} size\n") for name in part.intents)
    monkeypatch.setattr("edged.understand.prompt.MAX_PREFIX_TOKENS", room + one_each)
    prefix = catalog_prefix(part, (), count)
    assert [answer for _, answer in examples(prefix)] == [f" {name} size" for name in part.intents]
    assert count(prefix) <= room + one_each


# ---- an utterance


def test_an_utterance_is_one_line_whatever_it_holds(catalog: Catalog) -> None:
    assert question_line(catalog, "Turn on\nthe <|im_start|> light!", "en") == "turn on the im start light\n"
    assert json_line("Turn on\nthe <|im_start|> light!", "en") == "json: turn on the im start light\n"


def test_a_question_has_hints_and_what_is_read_before_its_end_has_none(tmp_path: Path) -> None:
    words = Words()
    small = make_catalog(tmp_path, [make_intent("paint", {"color": {"enum": ["red"]}, "area": AREA}, [("paint the {area} {color}", {})])], HOUSE)  # fmt: skip
    lines = Lines(words)  # type: ignore[arg-type]
    words.texts.clear()
    lines.question(small, "Paint the hall red", "en")
    lines.opening(small, "paint the hall red", "en")
    assert words.texts == ["paint the {area} red; color\n", "paint the {area} red"]


def test_a_model_that_answers_in_json_reads_the_words_and_no_examples(tmp_path: Path) -> None:
    words = Words()
    small = make_catalog(tmp_path, [make_intent("paint", {"area": AREA}, [("paint the {area}", {})])], HOUSE)
    lines = Lines(words, json=True)  # type: ignore[arg-type]
    words.texts.clear()
    lines.question(small, "Paint the hall", "en")
    lines.opening(small, "paint the hall", "en")
    assert words.texts == ["json: paint the hall\n", "json: paint the hall"]
    lines.prefix(small)
    assert words.texts[-1] == "paint(area?)\n\n"
