"""Small devices that take commands as their projects document them and answer with the documented state messages."""

from __future__ import annotations

import colorsys
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeAlias

from edged.act.drivers import DRIVERS
from edged.act.state import DeviceStates
from edged.intents.home import Device
from edged.types import Rejected, SlotValue
from tests.unit.act.conftest import change_of

Told: TypeAlias = list[tuple[str, str]]
"""Topics and payloads."""

TOLERANCES = {"brightness": 0.5, "position": 0.5, "tilt": 0.5, "temperature": 0.051, "speed": 34}
"""What is lost between percent and the devices' own steps; of a fan of three speeds up to a third."""


class SimulatedDevice(Protocol):
    def take(self, topic: str, payload: str) -> Told:
        """Does what a command says and tells the state; an AssertionError where no such device would take it."""


class Zigbee2MqttDevice:
    """Behind Zigbee2MQTT: a JSON object to `<name>/set`, all of the state as one on `<name>`."""

    RANGES: ClassVar[dict[str, tuple[int, int]]] = {
        "brightness": (0, 254), "color_temp": (100, 1000), "position": (0, 100), "tilt": (0, 100), "speed": (1, 254),
        "occupied_heating_setpoint": (5, 35),
    }  # fmt: skip
    WORDS: ClassVar[dict[str, tuple[str, ...]]] = {
        "system_mode": ("off", "heat", "cool", "auto"), "fan_state": ("ON", "OFF"),
        "fan_mode": ("low", "medium", "high", "auto"),
    }  # fmt: skip

    def __init__(self, name: str, **state: object) -> None:
        self.name = name
        self.state: dict[str, Any] = state

    def take(self, topic: str, payload: str) -> Told:
        assert topic == f"zigbee2mqtt/{self.name}/set"
        for key, value in json.loads(payload).items():
            self._take(key, value)
        return [(f"zigbee2mqtt/{self.name}", json.dumps(self.state))]

    def _take(self, key: str, value: Any) -> None:
        if key == "transition":
            assert 0 <= value <= 6553
        elif key == "brightness_step_onoff":
            start = self.state["brightness"] if self.state["state"] == "ON" else 0
            bright = min(254, max(0, start + value))
            self.state |= {"state": "ON", "brightness": bright} if bright else {"state": "OFF"}
        elif key == "state":
            assert value in (("OPEN", "CLOSE", "STOP") if "position" in self.state else ("ON", "OFF", "TOGGLE"))
            self._switch(value)
        elif key == "color":
            hue, saturation = value["hue"], value["saturation"]
            assert 0 <= hue <= 360
            assert 0 <= saturation <= 100
            self.state |= {"color": {"hue": hue, "saturation": saturation, "x": 0.3, "y": 0.3}, "color_mode": "hs"}
        elif key in self.WORDS:
            assert value in self.WORDS[key]
            self.state[key] = value
        else:
            least, greatest = self.RANGES[key]
            assert least <= value <= greatest
            assert key == "occupied_heating_setpoint" or isinstance(value, int)
            self.state[key] = value
            self.state |= {"color_mode": "color_temp"} if key == "color_temp" else {}
            self.state |= {"state": "ON"} if key == "brightness" else {}
            self.state |= {"state": "OPEN" if value else "CLOSE"} if key == "position" else {}

    def _switch(self, value: str) -> None:
        if value == "TOGGLE":
            value = "OFF" if self.state["state"] == "ON" else "ON"
        if value in ("OPEN", "CLOSE"):
            self.state["position"] = 100 if value == "OPEN" else 0
        if value != "STOP":
            self.state["state"] = value


class TasmotaDevice:
    """A lamp, a relay, a shutter, a thermostat or a fan, as far as its state has their keys."""

    def __init__(self, topic: str, relay: str = "POWER", **state: Any) -> None:
        self.topic, self.relay = topic, relay
        self.state: dict[str, Any] = state
        self.speed_once: int | None = None

    def take(self, topic: str, payload: str) -> Told:
        prefix, name, command = topic.split("/")
        assert (prefix, name) == ("cmnd", self.topic)
        if command != "Backlog":
            return self._take(command, payload)
        orders = [order.partition(" ") for order in payload.split(";")]
        assert 2 <= len(orders) <= 30
        return [told for order in orders for told in self._take(order[0], order[2])]

    def _take(self, command: str, parameter: str) -> Told:
        name, index = re.fullmatch(r"([A-Za-z]+?)([0-9]*)", command).groups()  # type: ignore[union-attr]
        answer: object = getattr(self, f"_{name.lower()}")(parameter, index)
        told = [(f"stat/{self.topic}/RESULT", json.dumps(answer))]
        if isinstance(answer, dict) and self.relay in answer:
            told.append((f"stat/{self.topic}/{self.relay}", answer[self.relay]))
        return told

    def _light(self) -> dict[str, Any]:
        keys = (self.relay, "Dimmer", "HSBColor", "White", "CT")
        return {key: self.state[key] for key in keys if key in self.state}

    def _power(self, parameter: str, index: str) -> object:
        assert parameter in ("ON", "OFF", "TOGGLE")
        assert f"POWER{index}" == self.relay or (index, self.relay) == ("", "POWER1")
        if parameter == "TOGGLE":
            parameter = "OFF" if self.state[self.relay] == "ON" else "ON"
        self.state[self.relay] = parameter
        return {self.relay: parameter}

    def _dimmer(self, parameter: str, index: str) -> object:  # noqa: ARG002
        signed = parameter[0] in "+-"
        level = self.state["Dimmer"] + int(parameter) if signed else int(parameter)
        assert signed or 0 <= level <= 100
        self.state["Dimmer"] = min(100, max(0, level))
        self.state[self.relay] = "ON" if self.state["Dimmer"] else "OFF"
        return self._light()

    def _ct(self, parameter: str, index: str) -> object:  # noqa: ARG002
        assert 153 <= int(parameter) <= 500
        hue, saturation, _ = self.state["HSBColor"].split(",")
        white = self.state["Dimmer"]
        self.state |= {"CT": int(parameter), "White": white, "HSBColor": f"{hue},{saturation},0", self.relay: "ON"}
        return self._light()

    def _hsbcolor(self, parameter: str, index: str) -> object:
        hue, saturation, bright = (int(part) for part in parameter.split(","))
        assert index == ""
        assert 0 <= hue <= 360
        assert 0 <= saturation <= 100
        assert 0 < bright <= 100
        self.state |= {"HSBColor": parameter, "Dimmer": bright, "White": 0, self.relay: "ON"}
        return self._light()

    def _speed(self, parameter: str, index: str) -> object:
        assert index == "2", "the lamp would keep it"
        assert 0 <= int(parameter) <= 40
        self.speed_once = int(parameter)
        return {"Speed2": self.speed_once}

    def _fanspeed(self, parameter: str, index: str) -> object:
        assert index == ""
        assert parameter in "0123"
        self.state["FanSpeed"] = int(parameter)
        return {"FanSpeed": int(parameter)}

    def _temptargetset(self, parameter: str, index: str) -> object:
        self.state["target"] = round(float(parameter) * 100) // 10 / 10
        return {f"TempTargetSet{index or 1}": self.state["target"]}

    def _thermostatmodeset(self, parameter: str, index: str) -> object:
        assert parameter in "012"
        return {f"ThermostatModeSet{index or 1}": int(parameter)}

    def _shutterposition(self, parameter: str, index: str) -> object:
        position = int(parameter)
        assert 0 <= position <= 100
        self.state["position"] = position
        return {f"Shutter{index}": {"Position": position, "Direction": 0, "Target": position, "Tilt": 0}}

    def _shutterchange(self, parameter: str, index: str) -> object:
        assert -100 <= int(parameter) <= 100
        return self._shutterposition(str(min(100, max(0, self.state["position"] + int(parameter)))), index)

    def _shutteropen(self, parameter: str, index: str) -> object:
        assert parameter == "", "a number would be the shutter's"
        return self._shutterposition("100", index)

    def _shutterclose(self, parameter: str, index: str) -> object:
        assert parameter == "", "a number would be the shutter's"
        return self._shutterposition("0", index)

    def _shutterstop(self, parameter: str, index: str) -> object:
        assert parameter == ""
        return {f"ShutterStop{index}": "Done"}


class HomeAssistantLight:
    """Takes the messages that Home Assistant sends a light of the JSON schema."""

    def __init__(self, topic: str, *, scale: int = 255, kelvin: bool = False, **state: Any) -> None:
        self.topic, self.scale, self.kelvin = topic, scale, kelvin
        self.state: dict[str, Any] = state

    def take(self, topic: str, payload: str) -> Told:
        assert topic == f"{self.topic}/set"
        message = json.loads(payload)
        assert set(message) <= {"state", "brightness", "color", "color_temp", "transition"}
        assert message["state"] in ("ON", "OFF")
        if "brightness" in message:
            assert 1 <= message["brightness"] <= self.scale
            assert isinstance(message["brightness"], int)
        if "color_temp" in message:
            least, greatest = (1000, 10000) if self.kelvin else (100, 1000)
            assert least <= message["color_temp"] <= greatest
            self.state["color_mode"] = "color_temp"
        if "color" in message:
            assert "color_temp" not in message
            self.state["color_mode"] = _mode_of(message["color"])
        message.pop("transition", None)
        self.state |= message
        return [(self.topic, json.dumps(self.state))]


def _mode_of(color: Mapping[str, float]) -> str:
    if set(color) == {"h", "s"}:
        assert 0 <= color["h"] <= 360
        assert 0 <= color["s"] <= 100
        return "hs"
    assert all(0 <= part <= 255 and isinstance(part, int) for part in color.values())
    assert colorsys.rgb_to_hsv(color["r"], color["g"], color["b"])[2] == 255
    return {3: "rgb", 4: "rgbw", 5: "rgbww"}[len(color)]


class HomeAssistantPlain:
    """A topic of its own for each command; `answers` is command topic -> state topic and the words that change."""

    def __init__(self, answers: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
        self.answers = answers

    def take(self, topic: str, payload: str) -> Told:
        state_topic, words = self.answers[topic]
        assert not words or payload in words
        word = words.get(payload, payload)
        return [(state_topic, word)] if word else []


class Bench:
    """A device, its simulated other half, and what edged knows of it."""

    def __init__(self, device: Device, simulated: SimulatedDevice, *told: tuple[str, str]) -> None:
        self.device, self.simulated = device, simulated
        self.driver = DRIVERS[device.driver]
        self.driver.check(device)
        topics: dict[str, tuple[Device, ...]] = {topic: (device,) for topic in self.driver.state_topics(device)}
        self.states = DeviceStates(topics)
        for topic, payload in told:
            self.states.update(topic, payload.encode())
        assert self.states.ignored == 0

    def send(self, **change: SlotValue) -> Mapping[str, SlotValue]:
        """Makes a change and returns what the device tells after it; what was assumed must have come true."""
        state = self.states.state_of(self.device.key)
        commands = self.driver.render(change_of(self.device, **change), state, now_ns=0, expires_s=1, intent_id="u1")
        assert not isinstance(commands, Rejected), commands.reason
        assumed: dict[str, object] = {}
        for command in commands:
            assert not command.retain
            assumed |= self.driver.assume(self.device, command)
            for topic, payload in self.simulated.take(command.topic, command.payload.decode()):
                if topic in self.states.topics:
                    self.states.update(topic, payload.encode())
        told = self.driver.interpret(self.device, self.states.told_by(self.device.key))
        expect(self.driver.interpret(self.device, assumed), told)
        return told


def expect(wanted: Mapping[str, SlotValue], told: Mapping[str, SlotValue]) -> None:
    """Fails where the device does not tell what is wanted, but for what its steps lose."""
    for capability, value in wanted.items():
        found = told.get(capability)
        if isinstance(value, int | float) and isinstance(found, int | float):
            tolerance = value * 0.006 if capability == "color_temp" else TOLERANCES[capability]
            assert abs(found - value) <= tolerance, (capability, value, found)
        else:
            assert found == value, (capability, value, told)
