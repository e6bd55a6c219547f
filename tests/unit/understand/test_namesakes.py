import math
from dataclasses import replace

import pytest

from edged.intents.catalog import Catalog
from edged.intents.grounding import find_home_mentions
from edged.types import Intent, Question, SlotValue
from edged.understand.namesakes import choose_near, find_ambiguous, which_one


@pytest.fixture
def twins(catalog: Catalog) -> Catalog:
    """A house in which the lamps on the desk and beside the bed have one name."""
    devices = dict(catalog.home.devices)
    devices["bedside_lamp"] = replace(devices["bedside_lamp"], names=devices["desk_lamp"].names)
    return replace(catalog, home=replace(catalog.home, devices=devices))


def light(**slots: SlotValue) -> Intent:
    return Intent("u", "light", {"action": "on", **slots}, 1.0, math.inf)


def test_a_shared_name_leads_to_a_question_that_says_where_each_is(twins: Catalog) -> None:
    mentions = find_home_mentions(twins, "turn on the desk lamp", "en")
    intents = (light(area="garden"), light(device="desk_lamp"))
    question = find_ambiguous(intents, mentions, twins, None)
    assert question == Question(intents, 1, ("device",), ("bedside_lamp", "desk_lamp"))
    assert which_one(question.choices, twins.home) == "which one is meant: desk lamp in bedroom or desk lamp in office?"


@pytest.mark.parametrize(
    ("text", "intent", "here"),
    [
        ("turn on the desk lamp in the office", light(device="desk_lamp", area="office"), None),
        ("turn on the desk lamp", light(device="desk_lamp"), "office"),
        ("turn on the floor lamp", light(device="floor_lamp"), None),
        ("turn on the office light", light(area="office"), None),
    ],
)
def test_no_question_is_due_where_the_place_or_the_name_decides(
    twins: Catalog, text: str, intent: Intent, here: str | None
) -> None:
    assert find_ambiguous([intent], find_home_mentions(twins, text, "en"), twins, here) is None


def test_the_place_that_was_said_goes_before_where_it_was_said(twins: Catalog) -> None:
    both = ("desk_lamp", "bedside_lamp")
    assert choose_near(both, ("bedroom",), twins.home, "office") == ("bedside_lamp",)
    assert choose_near(both, (), twins.home, "office") == ("desk_lamp",)
    assert choose_near(both, (), twins.home, "kitchen") == ("bedside_lamp", "desk_lamp")
