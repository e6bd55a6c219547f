from __future__ import annotations

import pytest

from edged.act.mapping import DeviceChange, map_intent
from edged.intents.catalog import Catalog, Rule, SlotTerm
from edged.types import Rejected, SlotValue
from tests.unit.act.conftest import device_of, home_of, intent_file, intent_of, rules_of


def _changes(house: Catalog, name: str, area: str | None = None, /, **slots: SlotValue) -> tuple[DeviceChange, ...]:
    result = map_intent(intent_of(name, **slots), house, default_area=area)
    assert not isinstance(result, Rejected), result.reason
    return result


def _reason(house: Catalog, name: str, area: str | None = None, /, **slots: SlotValue) -> str:
    result = map_intent(intent_of(name, **slots), house, default_area=area)
    assert isinstance(result, Rejected), result
    assert result.stage == "act"
    assert result.utterance_id == "u1"
    return result.reason


def _keys(changes: tuple[DeviceChange, ...]) -> list[str]:
    return [change.device.key for change in changes]


def test_a_named_device_is_meant_alone(house: Catalog) -> None:
    assert _keys(_changes(house, "light", action="on", device="floor_lamp", area="kitchen")) == ["floor_lamp"]


def test_an_area_means_its_devices_of_the_kind(house: Catalog) -> None:
    assert _keys(_changes(house, "light", action="on", area="kitchen")) == ["lamp"]


def test_without_a_place_the_whole_house_is_meant(house: Catalog) -> None:
    assert _keys(_changes(house, "light", action="on")) == ["lamp", "floor_lamp"]


def test_without_a_place_the_default_area_is_meant(house: Catalog) -> None:
    assert _keys(_changes(house, "light", "living_room", action="on")) == ["floor_lamp"]


def test_a_default_area_without_such_a_device_means_the_whole_house(house: Catalog) -> None:
    assert _keys(_changes(house, "light", "bathroom", action="on")) == ["lamp", "floor_lamp"]


def test_a_named_area_without_such_a_device_is_rejected(house: Catalog) -> None:
    assert _reason(house, "light", "kitchen", action="on", area="bathroom") == "there is no light in the bathroom"


def test_a_floor_means_all_its_areas(house: Catalog) -> None:
    assert _keys(_changes(house, "light", action="on", area="ground")) == ["lamp", "floor_lamp"]


def test_a_floor_without_such_a_device_is_rejected_by_its_name() -> None:
    rules = rules_of(Rule({}, {"state": "on"}))
    house = Catalog({"light": intent_file("light", rules)}, home_of(device_of(area="bathroom")), ())
    assert _reason(house, "light", area="ground") == "there is no light on the ground floor"
    assert _keys(_changes(house, "light", area="first")) == ["lamp"]


@pytest.fixture
def grouped() -> Catalog:
    """Two lamps in the kitchen, a group of the two, and a group that is commanded itself."""
    home = home_of(
        device_of("lamp"),
        device_of("spot"),
        device_of("both", is_group=True, members=("spot", "lamp"), driver="", address=""),
        device_of("spots", is_group=True, address="spots"),
        device_of("dim_spot", limits={"brightness": (0, 50)}),
        device_of("dim", is_group=True, members=("lamp", "dim_spot"), driver="", address=""),
    )
    rules = rules_of(Rule({}, {"state": "on"}), Rule({"brightness": True}, {"brightness": SlotTerm("brightness")}))
    return Catalog({"light": intent_file("light", rules)}, home, ())


def test_a_named_group_means_its_members(grouped: Catalog) -> None:
    assert _keys(_changes(grouped, "light", device="both")) == ["spot", "lamp"]


def test_a_named_group_that_is_commanded_itself_means_itself(grouped: Catalog) -> None:
    assert _keys(_changes(grouped, "light", device="spots")) == ["spots"]


@pytest.mark.parametrize("area", [None, "kitchen", "ground"])
def test_a_place_means_its_devices_one_by_one(grouped: Catalog, area: str | None) -> None:
    assert _keys(_changes(grouped, "light", area=area)) == ["lamp", "spot", "dim_spot"]


def test_the_limits_of_each_member_count(grouped: Catalog) -> None:
    assert "dim spot takes a brightness of 0 to 50 percent" in _reason(grouped, "light", device="dim", brightness=80)


def test_an_unknown_area_is_rejected(house: Catalog) -> None:
    assert _reason(house, "light", action="on", area="wine_cellar") == "there is no light in the wine cellar"


def test_a_house_without_such_a_device_is_rejected() -> None:
    empty = Catalog({"light": intent_file("light", rules_of(Rule({}, {"state": "on"})))}, home_of(), ())
    assert _reason(empty, "light") == "there is no light in the house"


def test_an_unknown_device_is_rejected(house: Catalog) -> None:
    assert _reason(house, "light", action="on", device="chandelier") == "there is no device chandelier"


def test_a_device_of_another_kind_is_rejected(house: Catalog) -> None:
    assert _reason(house, "light", action="on", device="radiator") == "radiator is no light"


def test_an_intent_without_rules_changes_nothing(house: Catalog) -> None:
    assert _changes(house, "note") == ()


def test_an_intent_that_only_asks_changes_nothing(house: Catalog) -> None:
    assert _changes(house, "question", action="on") == ()


def test_an_intent_that_is_no_longer_loaded_changes_nothing(house: Catalog) -> None:
    assert _changes(house, "gone") == ()


def test_rules_of_which_none_holds_are_rejected(house: Catalog) -> None:
    assert _reason(house, "light", action="blink") == "says nothing to do with the light"


def test_all_rules_that_hold_apply(house: Catalog) -> None:
    (change,) = _changes(house, "light", action="set", device="lamp", brightness=30, color="red")
    assert change.change == {"state": "on", "brightness": 30, "color": "red"}


def test_a_later_rule_wins(house: Catalog) -> None:
    (change,) = _changes(house, "light", action="dim", device="lamp", step=5)
    assert change.change == {"brightness_step": -5}


def test_a_null_slot_counts_as_not_given(house: Catalog) -> None:
    (change,) = _changes(house, "light", action="dim", device="lamp", brightness=None, step=None, area=None)
    assert change.change == {"brightness_step": -20}


def test_zero_counts_as_given(house: Catalog) -> None:
    (change,) = _changes(house, "light", action="set", device="lamp", brightness=0)
    assert change.change["brightness"] == 0


def test_true_is_not_one() -> None:
    rules = rules_of(Rule({"flag": (1,)}, {"state": "on"}))
    house = Catalog({"light": intent_file("light", rules)}, home_of(device_of()), ())
    assert _reason(house, "light", flag=True) == "says nothing to do with the light"
    assert _keys(_changes(house, "light", flag=1)) == ["lamp"]


@pytest.mark.parametrize(
    ("said", "unit", "celsius"),
    [
        (20, None, 20),
        (20.5, "celsius", 20.5),
        (41, "fahrenheit", 5),
        (86, "fahrenheit", 30),
        (72, "fahrenheit", 22.22),
        (5, "celsius", 5),
        (30, "celsius", 30),
    ],
)
def test_a_temperature_is_converted_to_celsius(house: Catalog, said: float, unit: str | None, celsius: float) -> None:
    (change,) = _changes(house, "thermostat", temperature=said, unit=unit)
    assert change.change == {"temperature": celsius}


@pytest.mark.parametrize(("said", "kelvin"), [(9, 5), (18, 10), (1, 0.56)])
def test_a_difference_in_fahrenheit_is_no_temperature(house: Catalog, said: float, kelvin: float) -> None:
    (change,) = _changes(house, "thermostat", step=said, unit="fahrenheit")
    assert change.change == {"temperature_step": kelvin}


@pytest.mark.parametrize(("said", "unit"), [(30.5, "celsius"), (4.5, None), (87, "fahrenheit"), (900, "celsius")])
def test_a_value_outside_of_the_devices_limits_is_rejected(house: Catalog, said: float, unit: str | None) -> None:
    reason = _reason(house, "thermostat", temperature=said, unit=unit)
    assert reason.startswith("radiator takes a temperature of 5 to 30 celsius, not ")


@pytest.mark.parametrize("limits", [(0.0, 40.0), (10.0, 20.0)])
def test_a_devices_limits_widen_or_narrow_the_range(limits: tuple[float, float]) -> None:
    device = device_of("radiator", kind="thermostat", limits={"temperature": limits})
    rules = rules_of(Rule({}, {"temperature": SlotTerm("temperature")}), kind="thermostat")
    house = Catalog({"heat": intent_file("heat", rules)}, home_of(device), ())
    for inside in limits:
        assert _changes(house, "heat", temperature=inside)[0].change == {"temperature": inside}
    for outside in (limits[0] - 0.5, limits[1] + 0.5):
        assert "not" in _reason(house, "heat", temperature=outside)


@pytest.mark.parametrize("percent", [0, 100])
def test_both_ends_of_a_range_are_inside(house: Catalog, percent: int) -> None:
    assert _changes(house, "light", brightness=percent, device="lamp")[0].change == {"brightness": percent}


@pytest.mark.parametrize("percent", [-1, 101, 1e300])
def test_beyond_the_ends_of_a_range_nothing_is_sent(house: Catalog, percent: float) -> None:
    assert "lamp takes a brightness of 0 to 100 percent" in _reason(house, "light", brightness=percent)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_rejected(house: Catalog, number: float) -> None:
    assert "is no number" in _reason(house, "light", brightness=number)


def test_one_device_that_cannot_rejects_the_whole_intent() -> None:
    home = home_of(device_of("lamp"), device_of("dim_lamp", limits={"brightness": (0, 50)}))
    rules = rules_of(Rule({}, {"brightness": SlotTerm("brightness")}))
    house = Catalog({"light": intent_file("light", rules)}, home, ())
    assert "dim lamp takes a brightness of 0 to 50 percent, not 80" in _reason(house, "light", brightness=80)


def test_an_unknown_choice_is_rejected(house: Catalog) -> None:
    assert "takes as color one of white" in _reason(house, "light", color="plaid")


def test_a_number_in_place_of_a_choice_is_rejected(house: Catalog) -> None:
    assert "takes as color one of" in _reason(house, "light", color=3)


@pytest.mark.parametrize("value", ["bright", True])
def test_a_text_or_a_truth_value_in_place_of_a_number_is_rejected(house: Catalog, value: SlotValue) -> None:
    assert "is no number for the brightness" in _reason(house, "light", brightness=value)


def test_a_term_over_a_slot_that_was_not_given_is_rejected() -> None:
    rules = rules_of(Rule({}, {"brightness": SlotTerm("brightness")}))
    house = Catalog({"light": intent_file("light", rules)}, home_of(device_of()), ())
    assert _reason(house, "light") == "does not say the brightness"


def test_an_unknown_capability_is_rejected() -> None:
    rules = rules_of(Rule({}, {"smell": "roses"}))
    house = Catalog({"light": intent_file("light", rules)}, home_of(device_of()), ())
    assert _reason(house, "light") == "smell is nothing that a device can do"


def test_a_devices_name_in_a_reason_falls_back_to_its_key() -> None:
    rules = rules_of(Rule({}, {"brightness": 101}))
    nameless = device_of("x1")
    object.__setattr__(nameless, "names", {"en": (), "ko": ()})
    house = Catalog({"light": intent_file("light", rules)}, home_of(nameless), ())
    assert _reason(house, "light").startswith("x1 takes")
