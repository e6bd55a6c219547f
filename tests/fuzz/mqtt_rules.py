"""What must hold of whatever is sent, reported or logged."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from edged.act.messages import (
    Report,
)
from edged.act.topic import MAX_TOPIC_BYTES, describe_bad_topic
from edged.intents.home import Device
from edged.types import Command

NODE: Final = "hall"
LEVEL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What must be in no line of the log and in no topic."""


class NoJsonError(ValueError):
    """It is no JSON."""


def strict_json(payload: bytes) -> Any:
    """What the payload says, as the strictest reader takes it."""

    def refuse(name: str) -> NoReturn:
        raise NoJsonError(name)

    return json.loads(payload.decode(), parse_constant=refuse)


def check_topic(topic: str) -> None:
    assert topic, "an empty topic"
    assert not UNSAFE.search(topic), topic
    assert not set("+#") & set(topic), topic
    assert not any(ord(letter) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(letter) <= 0xFDEF for letter in topic), topic
    assert topic.count("/") <= 200, "Mosquitto breaks the connection off"
    assert len(topic.encode()) <= MAX_TOPIC_BYTES


def check_report(report: Report, *prefixes: str) -> Any:
    """What a report says, which must be JSON on one of the house's own topics."""
    check_topic(report.topic)
    assert report.topic.startswith(prefixes), report.topic
    said = strict_json(report.payload)
    assert b"\n" not in report.payload
    return said


RANGES: Final[dict[str, tuple[float, float]]] = {
    "brightness": (0, 254), "brightness_l1": (0, 254), "color_temp": (100, 1000), "position": (0, 100),
    "tilt": (0, 100), "occupied_heating_setpoint": (5, 35), "current_heating_setpoint": (5, 35), "hue": (0, 360),
    "saturation": (0, 100), "transition": (0, 3600), "brightness_step_onoff": (-254, 254),
    "brightness_step_onoff_l1": (-254, 254), "scene_recall": (0, 255), "speed": (1, 65535),
}  # fmt: skip
STATES: Final = ("ON", "OFF", "TOGGLE", "OPEN", "CLOSE", "STOP")
TASMOTA: Final = {
    "POWER": r"ON|OFF|TOGGLE", "Dimmer": r"(\d|[1-9]\d|100)|[+-]\d{1,3}", "CT": r"1[5-9]\d|[234]\d\d|500",
    "HSBColor": r"\d{1,3},\d{1,3},(\d{1,2}|100)", "Speed": r"\d|[123]\d|40", "Fade": "[01]", "FanSpeed": r"\d{1,5}",
    "TempTargetSet": r"\d{1,2}(\.\d{1,2})?", "ThermostatModeSet": "[012]", "ShutterPosition": r"\d|[1-9]\d|100",
    "ShutterChange": r"-?(\d|[1-9]\d|100)", "ShutterOpen": "", "ShutterClose": "", "ShutterStop": "",
}  # fmt: skip


def check_command(device: Device, command: Command) -> None:
    check_topic(command.topic)
    assert describe_bad_topic(command.topic) is None
    assert (command.qos, command.retain) == (1, False)
    assert len(command.payload) < 300
    assert not UNSAFE.search(command.payload.decode())
    _CHECKS[device.driver](device, command)


def _check_zigbee2mqtt(device: Device, command: Command) -> None:
    assert command.topic == f"{device.base or 'zigbee2mqtt'}/{device.address}/set"
    told = strict_json(command.payload)
    inner = {name: value for key in told for name, value in (told[key] if isinstance(told[key], dict) else {}).items()}
    for key, value in (told | inner).items():
        if isinstance(value, str):
            assert key in device.properties.values() or key in (
                "state",
                "system_mode",
                "fan_mode",
                "fan_state",
                "speed",
            )
        elif not isinstance(value, dict):
            least, greatest = RANGES.get(key, (-(2**16), 2**16))
            assert least <= value <= greatest, (key, value)


def _check_tasmota(_device: Device, command: Command) -> None:
    name, payload = command.topic.rsplit("/", 1)[-1], command.payload.decode()
    assert command.topic.startswith("cmnd/")
    orders = [order.partition(" ")[::2] for order in payload.split(";")] if name == "Backlog" else [(name, payload)]
    for order, parameter in orders:
        kind = order.rstrip("0123456789")
        assert kind in TASMOTA, order
        assert re.fullmatch(TASMOTA[kind], parameter), (order, parameter)
        if kind == "HSBColor":
            hue, saturation, bright = map(int, parameter.split(","))
            assert hue <= 360
            assert saturation <= 100
            assert bright <= 100


def _check_home_assistant(device: Device, command: Command) -> None:
    if device.kind == "light":
        told = strict_json(command.payload)
        scale = device.settings.get("brightness_scale", 255)
        assert isinstance(scale, int)
        assert told["state"] in ("ON", "OFF")
        assert 1 <= told.get("brightness", 1) <= scale
        assert 100 <= told.get("color_temp", 100) <= 10_000
        assert all(0 <= part <= 360 for part in told.get("color", {}).values())
        return
    text = command.payload.decode()
    number = re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert number or re.fullmatch(r"[A-Za-z_]+", text), text
    if number:
        assert 0 <= float(text) <= 255, text


_CHECKS: Final = {
    "zigbee2mqtt": _check_zigbee2mqtt,
    "tasmota": _check_tasmota,
    "home_assistant": _check_home_assistant,
}


class _Lines(logging.Handler):
    """Fails where a line of the log would be two, or more than a line."""

    def emit(self, record: logging.LogRecord) -> None:
        assert not UNSAFE.search(record.getMessage()), record.getMessage()


@contextlib.contextmanager
def checked_log() -> Iterator[None]:
    """Everything that is logged in the block has to stay on its line."""
    root, handler = logging.getLogger("edged"), _Lines(logging.DEBUG)
    level, propagate = root.level, root.propagate
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    root.propagate = False
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        root.propagate = propagate
