"""Documents as Zigbee2MQTT retains them: of a small network, after the structure that its documentation gives."""

from __future__ import annotations

import json
from typing import Any

STATE = {"type": "binary", "name": "state", "label": "State", "property": "state", "access": 7,
         "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE"}  # fmt: skip
LINK_QUALITY = {"type": "numeric", "name": "linkquality", "property": "linkquality", "access": 1, "unit": "lqi"}


def numeric(name: str, least: float, greatest: float, *, access: int = 7, **more: Any) -> dict[str, Any]:
    feature = {"type": "numeric", "name": name, "property": name, "access": access}
    return feature | {"value_min": least, "value_max": greatest} | more


def choice(name: str, *values: str, access: int = 7, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "property": name, "access": access, "values": list(values)} | more


def device(name: str, ieee: str, *exposes: dict[str, Any], **more: Any) -> dict[str, Any]:
    definition = {"model": "X1", "vendor": "Example", "description": "an example", "options": []}
    entry: dict[str, Any] = {
        "ieee_address": ieee,
        "type": "Router",
        "network_address": 29159,
        "supported": True,
        "friendly_name": name,
        "disabled": False,
        "endpoints": {"1": {"bindings": [], "configured_reportings": [], "clusters": {"input": [], "output": []}}},
        "definition": definition | {"exposes": [*exposes, LINK_QUALITY]},
        "power_source": "Mains (single phase)",
        "interview_completed": True,
    }
    return entry | more


LIGHT = {
    "type": "light",
    "features": [
        STATE,
        numeric("brightness", 0, 254),
        numeric("color_temp", 150, 500, unit="mired"),
        {
            "type": "composite",
            "name": "color_xy",
            "property": "color",
            "features": [numeric("x", 0, 1), numeric("y", 0, 1)],
        },
    ],
}
COVER = {
    "type": "cover",
    "features": [choice("state", "OPEN", "CLOSE", "STOP", access=3), numeric("position", 0, 100, unit="%")],
}
CLIMATE = {
    "type": "climate",
    "features": [
        numeric("current_heating_setpoint", 5, 30, value_step=0.5, unit="°C"),
        {"type": "numeric", "name": "local_temperature", "property": "local_temperature", "access": 5, "unit": "°C"},
        choice("system_mode", "off", "heat", "auto"),
    ],
}
CHILD_LOCK_SWITCH = {"type": "switch", "features": [STATE | {"property": "window_detection"}]}
MODE_FAN = {
    "type": "fan",
    "features": [
        STATE | {"property": "fan_state"},
        choice("mode", "off", "low", "medium", "high", "on", "auto", property="fan_mode"),
    ],
}
SPEED_FAN = {"type": "fan", "features": [STATE, numeric("speed", 1, 254)]}
SENSOR = {"type": "numeric", "name": "temperature", "property": "temperature", "access": 1, "unit": "°C"}


def gang(endpoint: str) -> dict[str, Any]:
    return {
        "type": "switch",
        "endpoint": endpoint,
        "features": [STATE | {"property": f"state_{endpoint}", "endpoint": endpoint}],
    }


DEVICES = [
    device("Coordinator", "0x00124b0012000001", type="Coordinator", definition=None),
    device("kitchen_ceiling", "0x90fd9ffffe000001", LIGHT),
    device("living room/floor lamp", "0x90fd9ffffe000002", LIGHT),
    device("0x90fd9ffffe000003", "0x90fd9ffffe000003", LIGHT, description="above the bed in the bedroom"),
    device("Küche Rollo", "0x90fd9ffffe000004", COVER),
    device("bathroom_trv", "0x90fd9ffffe000005", CLIMATE, CHILD_LOCK_SWITCH),
    device("wall switch", "0x90fd9ffffe000006", gang("l1"), gang("l2")),
    device("purifier", "0x90fd9ffffe000007", MODE_FAN),
    device("ceiling fan", "0x90fd9ffffe000008", SPEED_FAN),
    device("부엌 조명", "0x90fd9ffffe000009", LIGHT),
    device("weather", "0x90fd9ffffe00000a", SENSOR),
    device("mystery", "0x90fd9ffffe00000b", definition=None, supported=False),
    device("bad+name", "0x90fd9ffffe00000c", LIGHT),
    device("old lamp", "0x90fd9ffffe00000d", LIGHT, disabled=True),
]
GROUPS = [
    {
        "id": 1,
        "friendly_name": "living_room_lights",
        "description": None,
        "scenes": [{"id": 3, "name": "Movie night"}, {"id": 4, "name": ""}],
        "members": [
            {"ieee_address": "0x90fd9ffffe000002", "endpoint": 1},
            {"ieee_address": "0x90fd9ffffe000001", "endpoint": 11},
        ],
    },
    {
        "id": 2,
        "friendly_name": "mixed",
        "scenes": [],
        "members": [
            {"ieee_address": "0x90fd9ffffe000001", "endpoint": 1},
            {"ieee_address": "0x90fd9ffffe000004", "endpoint": 1},
        ],
    },
]

DEVICES_JSON = json.dumps(DEVICES, ensure_ascii=False).encode()
GROUPS_JSON = json.dumps(GROUPS).encode()
