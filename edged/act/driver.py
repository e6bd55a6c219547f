"""What a driver is: it turns changes of capabilities into messages and never learns of intents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Protocol, TypeAlias

from edged.act.mapping import DeviceChange, describe_outside, range_of, tidy_number
from edged.act.payload import is_number
from edged.act.topic import describe_bad_topic
from edged.errors import ConfigError
from edged.intents.home import Device, name_of
from edged.types import Command, Rejected, SlotValue

State: TypeAlias = Mapping[str, object]
"""What a device last said of itself, in its own words."""
Change: TypeAlias = Mapping[str, SlotValue]
"""Capability -> its new value."""

COMMAND_QOS: Final = 1
Question: TypeAlias = tuple[str, bytes]
"""The topic and the payload of a message that changes nothing and has the device tell its state."""


class Driver(Protocol):
    """One way to speak to devices; it keeps no state."""

    @property
    def repeats_itself(self) -> bool:
        """Whether its devices answer a command with their state also where nothing has changed."""

    def check(self, device: Device) -> None:
        """Makes sure at start that every change of the device can be rendered.

        Raises:
            ConfigError: its address, its templates or another key cannot be used.
        """

    def state_topics(self, device: Device) -> tuple[str, ...]:
        """The topics on which the device says its state."""

    def read_state(self, device: Device, topic: str, payload: bytes) -> State | None:
        """What a message on one of them says, whatever it holds; None where it cannot be used."""

    def interpret(self, device: Device, state: State) -> Mapping[str, SlotValue]:
        """What the state says, as capabilities in their units, and READINGS; what is not known or clear is left out."""

    def render(
        self, change: DeviceChange, state: State, *, now_ns: int, expires_s: float, intent_id: str
    ) -> tuple[Command, ...] | Rejected:
        """The messages that make the change; none is ever retained."""

    def assume(self, device: Device, command: Command) -> State:
        """What the device will say once it has done this, as far as the command alone tells."""

    def tells(self, device: Device, expected: State) -> bool:
        """Whether the device has a topic on which it would say any of this; `expected` is what `assume` gave."""

    def questions(self, device: Device) -> tuple[Question, ...]:
        """What has the device tell its state, where the broker does not keep it."""

    def availability_topics(self, device: Device) -> tuple[str, ...]:
        """The topics on which it is said whether the device can be reached."""

    def read_availability(self, device: Device, topic: str, payload: bytes) -> bool | None:
        """Whether a message on one of them says that it can; None where it says neither."""


class Refusal(Exception):  # noqa: N818 -- no error: it becomes a Rejected at the door
    """Why there is no message."""


def place_of(device: Device) -> str:
    """Where home.toml describes it, as errors name it."""
    return f"{'groups' if device.is_group else 'devices'}.{device.key}"


def check_levels(device: Device, key: str, levels: str, remedy: str) -> None:
    """Raises ConfigError where what home.toml gives as `key` cannot be the middle of a topic."""
    fault = describe_bad_topic(levels)
    if levels.startswith("/") or levels.endswith("/") or "//" in levels:
        fault = f"the {key} begins or ends with a slash or holds an empty level"
    if fault:
        raise ConfigError(fault, where=f"{place_of(device)}.{key}", remedy=remedy)


def refuse_keys(device: Device, *keys: str) -> None:
    """Raises ConfigError where home.toml gives the device one of the keys, which mean nothing to its driver."""
    for key in keys:
        if getattr(device, key) not in (None, {}):
            what = f"is not for the driver {device.driver}"
            raise ConfigError(what, where=f"{place_of(device)}.{key}", remedy="remove it")


def make_command(
    topic: str, payload: str, *, now_ns: int, expires_s: float, intent_id: str, is_repeatable: bool = False
) -> Command:
    """A command of QoS 1, not retained, that expires `expires_s` from now.

    `is_repeatable` is for what changes nothing more where it arrives twice: it is sent again after a lost connection.
    """
    return Command(
        topic=topic,
        payload=payload.encode(),
        qos=COMMAND_QOS,
        retain=False,
        expires_ns=now_ns + round(expires_s * 1e9),
        intent_id=intent_id,
        is_repeatable=is_repeatable,
    )


def refuse_others(device: Device, change: Change, taken: Collection[str]) -> None:
    """Raises Refusal where the device does not take all that is to change."""
    others = [capability for capability in change if capability not in taken]
    if others:
        words = ", ".join(capability.replace("_", " ") for capability in others)
        raise Refusal(f"{name_of(device)} is a {device.kind} and takes no {words}")


def check_light(device: Device, change: Change) -> None:
    """Raises Refusal where what is to change about a lamp contradicts itself or is nothing."""
    if set(change) == {"transition"}:
        raise Refusal(f"says how slowly {name_of(device)} changes, but not to what")
    color = change.get("color")
    if "color_temp" in change and color not in (None, "white") and not is_turned_off(change):
        raise Refusal(f"{name_of(device)} cannot be {color} and {number_of(change['color_temp']):g} kelvin at once")


def is_turned_off(change: Change) -> bool:
    """Whether a lamp is to be dark, whatever else is asked of it."""
    return change.get("state") == "off" or change.get("brightness") == 0


def known_number(state: State, key: str, what: str) -> float:
    """Raises Refusal where the state has none."""
    present = state.get(key)
    if not is_number(present):
        raise Refusal(f"{what} is not known yet")
    return present


def step_temperature(device: Device, present: float, step: SlotValue) -> int | float:
    """The new set temperature in degrees Celsius; raises Refusal where the device does not take it."""
    wanted = tidy_number(present + number_of(step))
    outside = describe_outside(device, "temperature", wanted)
    if outside:
        raise Refusal(outside)
    return wanted


def step_within(device: Device, capability: str, present: float, step: SlotValue) -> float:
    """The new value, which ends at the device's limits."""
    least, greatest = range_of(device, capability)
    return min(greatest, max(least, present + number_of(step)))


def number_of(value: SlotValue) -> float:
    """The mapping lets only numbers through to capabilities that are numbers."""
    return float(value) if isinstance(value, int | float) else 0.0
