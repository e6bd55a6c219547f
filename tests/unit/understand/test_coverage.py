import math
from decimal import Decimal

import pytest

from edged.intents.catalog import Catalog
from edged.intents.grounding import find_home_mentions, find_said_numbers
from edged.types import Intent, SlotValue
from edged.understand.corrections import find_withdrawn
from edged.understand.coverage import Unused, find_kept, find_overused, find_skipped, find_unused, ways_to_use


def light(**slots: SlotValue) -> Intent:
    return Intent("u", "light", {"action": "on", **slots}, 1.0, math.inf)


@pytest.mark.parametrize(
    ("text", "intents", "unused"),
    [
        ("turn on the light", [light()], set()),
        ("turn on the kitchen light", [light(area="kitchen")], set()),
        ("turn on the kitchen light", [light()], {"kitchen"}),
        ("turn on the kitchen light", [light(area="bedroom")], {"kitchen"}),
        ("turn on the desk lamp in the office", [light(device="desk_lamp", area="office")], set()),
        ("turn on the desk lamp in the office", [light(device="desk_lamp")], set()),
        ("turn on the desk lamp in the office", [light(area="office")], {"desk_lamp"}),
        ("turn on the bedroom ceiling lamp", [light(device="bedroom_light")], set()),
        ("turn on the bedroom ceiling lamp", [light(area="bedroom")], {"bedroom_light"}),
        ("kitchen and hall lights on", [light(area="kitchen"), light(area="hall")], set()),
        ("kitchen and hall lights on", [light(area="kitchen")], {"hall"}),
    ],
)
def test_what_was_named_has_to_be_used(catalog: Catalog, text: str, intents: list[Intent], unused: set[str]) -> None:
    found = find_unused(intents, find_home_mentions(catalog, text, "en"), (), catalog)
    assert found.keys() == unused


def test_a_mention_belongs_in_the_slot_of_its_kind(catalog: Catalog) -> None:
    (area,) = find_home_mentions(catalog, "the kitchen", "en")
    (device,) = find_home_mentions(catalog, "the desk lamp", "en")
    assert ways_to_use(Unused((area,), ()), light(), {}, catalog) == (frozenset({"area"}),)
    assert ways_to_use(Unused((device,), ()), light(), {}, catalog) == (frozenset({"device"}),)
    assert ways_to_use(Unused((area, device), ()), light(), {}, catalog) == (frozenset({"area", "device"}),)


def test_a_particle_does_not_hide_a_name(catalog: Catalog) -> None:
    (mention,) = find_home_mentions(catalog, "부엌의 온도를 이십이 도로 해 줘", "ko")
    assert mention.areas == {"kitchen"}


@pytest.mark.parametrize(
    ("text", "intents", "overused"),
    [
        ("make the attic red and the kitchen blue", [light(area="kitchen"), light(area="kitchen")], {"kitchen"}),
        ("kitchen on and hall off", [light(area="kitchen"), light(area="hall")], set()),
        ("kitchen on and then kitchen off", [light(area="kitchen"), light(area="kitchen")], set()),
        ("all on and all off", [light(), light()], set()),
    ],
)
def test_what_was_named_once_is_used_once(
    catalog: Catalog, text: str, intents: list[Intent], overused: set[str]
) -> None:
    assert find_overused(intents, find_home_mentions(catalog, text, "en"), catalog) == overused


@pytest.mark.parametrize(
    ("text", "intent", "unused"),
    [
        ("dim the light by 20 percent", light(step=20), set()),
        ("dim the light by 20 percent", light(), {"20"}),
        ("turn on the light in ten minutes", light(), {"10"}),
        ("turn on the one in the kitchen", light(area="kitchen"), set()),
        ("make it nineteen and a half degrees", light(temperature=19.5), set()),
    ],
)
def test_a_number_that_was_said_has_to_be_used(catalog: Catalog, text: str, intent: Intent, unused: set[str]) -> None:
    mentions = find_home_mentions(catalog, text, "en")
    numbers = find_said_numbers(catalog, text, "en", mentions)
    assert find_unused([intent], mentions, numbers, catalog).keys() == unused


def test_a_number_belongs_in_the_one_slot_that_can_take_it(catalog: Catalog) -> None:
    twenty = Unused((), (Decimal(20),))
    assert ways_to_use(twenty, light(), {"step": (20,), "area": ()}, catalog) == (frozenset({"step"}),)
    assert ways_to_use(twenty, light(), {"step": (20,), "brightness": (20,)}, catalog) == (
        frozenset({"step"}),
        frozenset({"brightness"}),
    )
    assert ways_to_use(twenty, light(), {"step": (10,)}, catalog) == (frozenset(),)


@pytest.mark.parametrize(
    ("text", "slots", "skipped"),
    [
        ("turn the lamp blue", {}, {"color"}),
        ("turn the lamp blue", {"color": "blue"}, set()),
        ("turn the lamp on", {}, set()),
        ("dim to half", {}, set()),
    ],
)
def test_a_named_value_that_no_slot_takes_was_skipped(
    catalog: Catalog, text: str, slots: dict[str, SlotValue], skipped: set[str]
) -> None:
    assert find_skipped(light(**slots), catalog, text, "en") == skipped


CORRECTED = {
    "en": "turn on the kitchen, no, the hall light",
    "de": "mach in der Küche, nein, im Flur das Licht an",
    "pt-BR": "liga a luz da cozinha, não, do corredor",
    "pl": "włącz światło w kuchni, nie, w korytarzu",
    "el": "άναψε το φως στην κουζίνα, όχι, στον διάδρομο",
    "ko": "부엌 아니 현관 불 켜 줘",
}


def judge(catalog: Catalog, text: str, intents: list[Intent], lang: str = "en") -> tuple[set[str], set[str]]:
    """What is unused, and what was kept although it was taken back."""
    mentions = find_home_mentions(catalog, text, lang)
    numbers = find_said_numbers(catalog, text, lang, mentions)
    withdrawn = find_withdrawn(text, lang, mentions, numbers)
    unused = find_unused(intents, mentions, numbers, catalog, withdrawn)
    return set(unused.keys()), set(find_kept(intents, mentions, numbers, catalog, withdrawn))


@pytest.mark.parametrize("lang", CORRECTED)
def test_what_was_taken_back_need_not_be_used_and_must_not(catalog: Catalog, lang: str) -> None:
    text = CORRECTED[lang]
    assert judge(catalog, text, [light(area="hall")], lang) == (set(), set())
    assert judge(catalog, text, [light(area="kitchen")], lang) == ({"hall"}, {"kitchen"})
    assert judge(catalog, text, [light(area="kitchen"), light(area="hall")], lang) == (set(), {"kitchen"})
    assert judge(catalog, text, [light()], lang) == ({"kitchen", "hall"}, set())
    assert judge(catalog, text, [light(area="office")], lang) == ({"kitchen", "hall"}, set())


@pytest.mark.parametrize(
    ("text", "intents", "unused", "kept"),
    [
        ("dim by twenty, sorry, thirty percent", [light(step=30)], set(), set()),
        ("dim by twenty, sorry, thirty percent", [light(step=20)], {"30"}, {"20"}),
        ("dim by twenty, sorry, thirty percent", [light(step=20, brightness=30)], set(), {"20"}),
        ("dim by twenty, sorry, thirty percent", [light()], {"20", "30"}, set()),
        ("dim by ten, no, twenty, no, thirty percent", [light(step=30)], set(), set()),
        ("dim by ten, no, twenty, no, thirty percent", [light(step=10)], {"20", "30"}, {"10"}),
        ("kitchen by twenty, no, thirty, and hall by twenty", [light(step=30), light(step=20)], {"kitchen", "hall"}, set()),
        ("kitchen, no, hall on and kitchen off", [light(area="hall"), light(area="kitchen")], set(), set()),
        ("kitchen, no, hall, no, bedroom on", [light(area="bedroom")], set(), set()),
        ("kitchen and hall, no, bedroom on", [light(area="bedroom")], {"kitchen"}, set()),
        ("kitchen and hall, no, bedroom on", [light(area="kitchen"), light(area="bedroom")], set(), set()),
        ("desk lamp, no, floor lamp on", [light(device="floor_lamp")], set(), set()),
        ("desk lamp, no, floor lamp on", [light(device="desk_lamp"), light(device="floor_lamp")], set(), {"desk_lamp"}),
        ("bedroom ceiling lamp, no, desk lamp on", [light(device="desk_lamp")], set(), set()),
        ("kitchen, no, bedroom ceiling lamp on", [light(device="bedroom_light")], set(), set()),
        ("desk lamp on, no, the hall", [light(area="hall")], {"desk_lamp"}, set()),
        ("desk lamp on, no, the hall", [light(device="desk_lamp"), light(area="hall")], set(), {"desk_lamp"}),
        ("desk lamp, sorry, in the office", [light(device="desk_lamp", area="office")], set(), set()),
        ("desk lamp, sorry, in the office", [light(device="desk_lamp")], set(), set()),
    ],
)  # fmt: skip
def test_a_correction_holds_for_numbers_and_names_of_one_sort(
    catalog: Catalog, text: str, intents: list[Intent], unused: set[str], kept: set[str]
) -> None:
    assert judge(catalog, text, intents) == (unused, kept)


def test_without_a_correction_everything_has_to_be_used(catalog: Catalog) -> None:
    assert judge(catalog, "kitchen and hall on", [light(area="hall")]) == ({"kitchen"}, set())
    assert judge(catalog, "no lights in the kitchen and hall", [light(area="hall")]) == ({"kitchen"}, set())


def test_true_and_false_are_no_numbers(catalog: Catalog) -> None:
    assert judge(catalog, "dim by twenty", [light(step=20, fast=True)]) == (set(), set())
