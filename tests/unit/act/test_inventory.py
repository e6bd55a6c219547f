from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.act.drivers import check_devices
from edged.act.inventory import MAX_PAYLOAD_BYTES, Inventory, read_inventory
from edged.act.proposal import Proposal, describe_entry, propose, section_of, write_entry
from edged.errors import BrokerError
from edged.intents.home import Home, parse_home
from tests.unit.act.documents import (
    CLIMATE,
    COVER,
    DEVICES,
    DEVICES_JSON,
    GROUPS_JSON,
    LIGHT,
    SPEED_FAN,
    STATE,
    choice,
    device,
    gang,
    numeric,
)

HOUSE = """
[areas.kitchen]
names.en = ["kitchen"]
names.ko = ["부엌"]
names.de = ["Küche"]
[areas.living_room]
names.en = ["living room", "lounge"]
[areas.bedroom]
[areas.bathroom]
[areas.hall]
"""


def _read(*devices: dict[str, Any], groups: list[Any] | None = None) -> Inventory:
    return read_inventory(json.dumps(devices).encode(), json.dumps(groups or []).encode())


def _propose(*devices: dict[str, Any], groups: list[Any] | None = None, house: str = HOUSE) -> Proposal:
    return propose(_read(*devices, groups=groups), parse_home(house, "home.toml"))


def _entry(*exposes: dict[str, Any], name: str = "thing", **more: Any) -> dict[str, object]:
    (new,) = _propose(device(name, "0x01", *exposes, **more)).new
    return describe_entry(new)


def test_a_network_becomes_entries() -> None:
    proposal = propose(read_inventory(DEVICES_JSON, GROUPS_JSON), parse_home(HOUSE, "home.toml"))
    text = "\n".join(write_entry(new) for new in proposal.new)
    assert tomllib.loads(text) == {
        "devices": {
            "kitchen_ceiling": _light("kitchen_ceiling", "kitchen ceiling", "kitchen"),
            "living_room_floor_lamp": _light("living room/floor lamp", "living room floor lamp", "living_room"),
            "light_0003": _light("0x90fd9ffffe000003", "light 0003", "bedroom"),
            "kuche_rollo": _light("Küche Rollo", "Küche Rollo", "kitchen") | {"kind": "cover"},
            "bathroom_trv": _light("bathroom_trv", "bathroom trv", "bathroom")
            | {
                "kind": "thermostat",
                "properties": {"temperature": "current_heating_setpoint"},
                "limits": {"temperature": [5, 30]},
            },
            "wall_switch_l1": _gang("l1"),
            "wall_switch_l2": _gang("l2"),
            "purifier": _light("purifier", "purifier")
            | {"kind": "fan", "speeds": ["low", "medium", "high"], "properties": {"state": "fan_state"}},
            "ceiling_fan": _light("ceiling fan", "ceiling fan")
            | {"kind": "fan", "speeds": 254, "properties": {"state": "state"}},
            "light": _light("부엌 조명", "부엌 조명", "kitchen"),
            "movie_night": _scene("Movie night", 3),
            "scene_4": _scene("scene 4", 4),
        },
        "groups": {"living_room_lights": _light("living_room_lights", "living room lights", "living_room")},
    }
    assert proposal.known == 0
    assert [skipped.name for skipped in proposal.skipped] == ["weather", "mystery", "bad+name", "old lamp", "mixed"]


def _light(address: str, name: str, area: str | None = None) -> dict[str, object]:
    entry: dict[str, object] = {"kind": "light", "names": {"en": [name]}, "driver": "zigbee2mqtt", "address": address}
    return entry | ({"area": area} if area else {})


def _gang(endpoint: str) -> dict[str, object]:
    properties = {"properties": {"state": f"state_{endpoint}"}}
    return _light("wall switch", f"wall switch {endpoint}") | {"kind": "switch"} | properties


def _scene(name: str, number: int) -> dict[str, object]:
    return _light("living_room_lights", name, "living_room") | {"kind": "scene", "scene": number}


def test_what_was_appended_is_known_the_next_time() -> None:
    inventory = read_inventory(DEVICES_JSON, GROUPS_JSON)
    first = propose(inventory, parse_home(HOUSE, "home.toml"))
    house = parse_home(HOUSE + "\n".join(write_entry(new) for new in first.new), "home.toml")
    check_devices(house)
    second = propose(inventory, house)
    assert second.new == ()
    assert second.known == len(first.new)


DRIVEN = 'driver = "zigbee2mqtt"\naddress = "thing"\n'


@pytest.mark.parametrize(
    ("house", "exposes", "kinds"),
    [
        ('[devices.a]\nkind = "light"\n' + DRIVEN, [LIGHT], []),
        ('[devices.a]\nkind = "light"\n' + DRIVEN, [{"type": "switch", "features": [STATE]}], []),
        ('[devices.a]\nkind = "thermostat"\n' + DRIVEN, [CLIMATE], []),
        ('[groups.a]\nkind = "light"\n' + DRIVEN, [LIGHT], []),
        ('[devices.a]\nkind = "switch"\n' + DRIVEN, [gang("l1"), gang("l2")], ["switch", "switch"]),
        ('[devices.a]\nkind = "switch"\nproperties.state = "state_l1"\n' + DRIVEN, [gang("l1"), gang("l2")], ["switch"]),
        ('[devices.a]\nkind = "scene"\nscene = 1\n' + DRIVEN, [LIGHT], ["light"]),
        ('[devices.a]\nkind = "light"\nbase = "other"\n' + DRIVEN, [LIGHT], ["light"]),
        ('[devices.a]\nkind = "light"\ndriver = "template"\naddress = "thing"\n', [LIGHT], ["light"]),
        ('[devices.a]\nkind = "light"\n' + DRIVEN, [LIGHT, {"type": "fan", "features": [STATE | {"property": "fan_state"}]}],
         ["fan"]),
    ],
)  # fmt: skip
def test_what_the_house_has_is_left_out(house: str, exposes: list[dict[str, Any]], kinds: list[str]) -> None:
    assert [new.kind for new in _propose(device("thing", "0x01", *exposes), house=house).new] == kinds


def test_keys_are_unique_and_new() -> None:
    names = ["Lamp", "lamp", "LAMP!", "łódź Ñ", "Φως ψηλά", "???", "--", "a" * 90]
    house = '[devices.lamp]\nkind = "light"\ndriver = "zigbee2mqtt"\naddress = "x"\n'
    keys = [new.key for new in _propose(*(device(name, "0x01", LIGHT) for name in names), house=house).new]
    assert keys == ["lamp_2", "lamp_3", "lamp_4", "lodz_n", "fos_psila", "light", "light_2", "a" * 56]


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("kitchen_lamp", "kitchen"),
        ("Kitchen.Lamp", "kitchen"),
        ("livingroom-lamp", "living_room"),
        ("lounge", "living_room"),
        ("hallway lamp", None),
        ("kitchen hall lamp", "kitchen"),
        ("rollo küche", "kitchen"),
        ("부엌조명", "kitchen"),
        ("lamp", None),
    ],
)
def test_the_area_is_the_longest_that_the_name_tells(name: str, area: str | None) -> None:
    assert _entry(LIGHT, name=name).get("area") == area


def test_a_name_is_one_that_can_be_said() -> None:
    scenes = [{"id": 1, "name": "a\x00b\x7f\ud800c\u2028d"}, {"id": 2, "name": "\n\t"}, {"id": 3, "name": "x" * 300}]
    group = {"friendly_name": "lamps", "members": [], "scenes": scenes}
    names = [new.names["en"][0] for new in _propose(groups=[group]).new]
    assert names == ["a b c d", "scene 2", "x" * 100]


def test_two_areas_of_one_name_are_not_guessed() -> None:
    house = '[areas.a]\nnames.en = ["room"]\n[areas.b]\nnames.en = ["room"]\n'
    assert _propose(device("room lamp", "0x01", LIGHT), house=house).new[0].area is None


def test_the_area_may_be_told_by_the_description() -> None:
    assert _entry(LIGHT, description="in the bedroom, left")["area"] == "bedroom"


@pytest.mark.parametrize(
    ("least", "greatest", "told"),
    [(5, 30, [5, 30]), (7.5, 28.5, [7.5, 28.5]), (30, 5, None), (5, 1e300, None), ("5", 30, None), (True, 30, None)],
)
def test_the_limits_of_a_thermostat_are_its_setpoints(least: Any, greatest: Any, told: list[float] | None) -> None:
    climate = {"type": "climate", "features": [numeric("occupied_heating_setpoint", least, greatest)]}
    assert _entry(climate).get("limits.temperature") == told


@pytest.mark.parametrize(
    ("feature", "speeds"),
    [
        (choice("mode", "off", "auto", "1", "2", "3", property="fan_mode"), ["1", "2", "3"]),
        (choice("mode", "off", "on", property="fan_mode"), None),
        (choice("mode", "a b", "c\x00", "d", "", "x" * 65, property="fan_mode"), ["d"]),
        (numeric("speed", 1, 100), 100),
        (numeric("speed", 1, "many"), 254),  # type: ignore[arg-type]
        (numeric("speed", 0, 0.5), 254),
    ],
)
def test_the_speeds_of_a_fan_are_told(feature: dict[str, Any], speeds: object) -> None:
    assert _entry({"type": "fan", "features": [STATE, feature]}).get("speeds") == speeds


def test_endpoints_of_any_kind_keep_their_properties() -> None:
    left = {"endpoint": "left", "type": "cover"} | {
        "features": [choice("state", "OPEN", "CLOSE", "STOP", property="state_left"),
                     numeric("position", 0, 100, property="position_left")]
    }  # fmt: skip
    entry = _entry(left)
    assert entry["properties.cover"] == "state_left"
    assert entry["properties.position"] == "position_left"
    assert entry["names.en"] == ["thing"]


@pytest.mark.parametrize(
    "expose",
    [
        {"type": "lock", "features": [STATE]},
        {"type": "light", "features": [STATE | {"access": 5}]},
        {"type": "switch", "features": [STATE | {"property": "child_lock"}]},
        {"type": "light", "features": "many"},
        {"type": "light"},
        {"type": ["light"], "features": [STATE]},
        {"type": "light", "features": [STATE | {"property": "bad property"}]},
        {"type": "climate", "features": [numeric("local_temperature", 0, 40)]},
    ],
)
def test_what_cannot_be_commanded_is_skipped(expose: dict[str, Any]) -> None:
    inventory = _read(device("thing", "0x01", expose))
    assert inventory.found == ()
    assert [skipped.reason for skipped in inventory.skipped] == ["exposes nothing that can be commanded"]


@pytest.mark.parametrize("name", ["a#", "/a", "a//b", "a\nb", "\ud800", "", "x" * 201, None, 3])
def test_what_cannot_be_addressed_is_skipped(name: Any) -> None:
    inventory = _read(device(name, "0x01", LIGHT))
    assert inventory.found == ()
    assert len(inventory.skipped) == 1


@pytest.mark.parametrize(
    "payload",
    [b"", b"online", b"{}", b"3", b"\xff\xfe", b"[NaN]", b"[1", b"[" * 100_000, b"[" + b"9" * 10_000 + b"]"],
)
def test_a_document_that_is_no_list_is_refused(payload: bytes) -> None:
    with pytest.raises(BrokerError, match="zigbee2mqtt/bridge/devices is no JSON"):
        read_inventory(payload, b"[]")
    with pytest.raises(BrokerError, match="zigbee2mqtt/bridge/groups is no JSON"):
        read_inventory(b"[]", payload)


def test_a_document_that_is_too_large_is_refused() -> None:
    with pytest.raises(BrokerError, match="is larger than"):
        read_inventory(b"[" + b" " * MAX_PAYLOAD_BYTES + b"]", b"[]")


def test_deep_exposes_do_no_harm() -> None:
    nested: dict[str, Any] = {"type": "composite", "name": "state", "property": "state", "features": []}
    for _ in range(150):
        nested = nested | {"features": [nested]}
    assert _read(device("thing", "0x01", {"type": "light", "features": [nested]})).found == ()


def test_no_more_is_proposed_than_the_house_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edged.act.proposal.MAX_DEVICES", 2)
    proposal = _propose(*(device(name, "0x01", LIGHT) for name in "abc"))
    assert [new.key for new in proposal.new] == ["a", "b"]
    assert [skipped.name for skipped in proposal.skipped] == ["c"]


def test_another_base_topic_is_written() -> None:
    inventory = read_inventory(json.dumps([device("lamp", "0x01", LIGHT)]).encode(), b"[]", base="attic")
    (new,) = propose(inventory, Home({}, {})).new
    assert 'base = "attic"' in write_entry(new)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WILD = st.text(st.characters(), max_size=40)
FEATURES = st.fixed_dictionaries(
    {"type": st.sampled_from(["binary", "numeric", "enum", "composite"]) | ANYTHING},
    optional={
        "name": st.sampled_from(["state", "mode", "speed", "occupied_heating_setpoint", "position"]) | ANYTHING,
        "property": st.sampled_from(["state", "state_l1", "fan_mode"]) | WILD,
        "access": st.integers(0, 7) | ANYTHING,
        "value_min": ANYTHING,
        "value_max": ANYTHING,
        "values": st.lists(WILD | ANYTHING, max_size=5) | ANYTHING,
        "features": ANYTHING,
    },
)
EXPOSES = st.sampled_from([LIGHT, COVER, CLIMATE, SPEED_FAN, gang("l1")]) | st.fixed_dictionaries(
    {"type": st.sampled_from(["light", "fan", "climate", "switch", "cover"]) | ANYTHING},
    optional={"features": st.lists(FEATURES, max_size=4) | ANYTHING, "endpoint": WILD | ANYTHING},
)
ENTRIES = (
    st.builds(
        lambda name, exposes, description: device(name, "0x01", *exposes, description=description),
        WILD | ANYTHING,
        st.lists(EXPOSES, max_size=3),
        WILD | ANYTHING,
    )
    | st.fixed_dictionaries({"friendly_name": WILD, "definition": ANYTHING})
    | ANYTHING
)
SCENES = st.fixed_dictionaries({"id": st.integers(-1, 256) | ANYTHING, "name": WILD | ANYTHING}) | ANYTHING
GROUPS = (
    st.fixed_dictionaries(
        {
            "friendly_name": WILD | ANYTHING,
            "members": st.just([{"ieee_address": "0x01"}]) | ANYTHING,
            "scenes": st.lists(SCENES, max_size=3) | ANYTHING,
        }
    )
    | ANYTHING
)


@settings(deadline=None, max_examples=300)
@given(devices=st.lists(ENTRIES, max_size=4), groups=st.lists(GROUPS, max_size=3))
def test_whatever_the_documents_hold_the_entries_make_a_house(devices: list[Any], groups: list[Any]) -> None:
    inventory = read_inventory(json.dumps(devices).encode(), json.dumps(groups).encode())
    proposal = propose(inventory, parse_home(HOUSE, "home.toml"))
    text = "\n".join(write_entry(new) for new in proposal.new)
    house = parse_home(HOUSE + text, "home.toml")
    check_devices(house)
    assert [house.devices[new.key] for new in proposal.new] == list(proposal.new)
    assert {section_of(new) for new in proposal.new} <= set(tomllib.loads(text))


def test_the_coordinator_is_not_even_skipped() -> None:
    assert _read(DEVICES[0]) == Inventory((), ())
