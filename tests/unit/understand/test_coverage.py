import math
from decimal import Decimal

import pytest

from edged.intents.catalog import Catalog
from edged.intents.grounding import find_home_mentions, find_said_numbers
from edged.types import Intent, SlotValue
from edged.understand.coverage import Unused, find_overused, find_skipped, find_unused, ways_to_use


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
