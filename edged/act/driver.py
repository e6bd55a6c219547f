"""What a driver is: it turns changes of capabilities into messages and never learns of intents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, TypeAlias

from edged.act.mapping import DeviceChange
from edged.intents.home import Device
from edged.types import Command, Rejected

State: TypeAlias = Mapping[str, object]
"""What a device last said of itself, in its own words."""

COMMAND_QOS: Final = 1


class Driver(Protocol):
    """One way to speak to devices; it keeps no state."""

    def check(self, device: Device) -> None:
        """Makes sure at start that every change of the device can be rendered.

        Raises:
            ConfigError: its address or its templates cannot be used.
        """

    def state_topic(self, device: Device) -> str | None:
        """The topic on which the device says its state, None where there is none."""

    def render(
        self, change: DeviceChange, state: State, *, now_ns: int, expires_s: float, intent_id: str
    ) -> tuple[Command, ...] | Rejected:
        """The messages that make the change; none is ever retained."""

    def assume(self, command: Command) -> State:
        """The part of the state that can be taken as changed once the command is with the broker."""


def place_of(device: Device) -> str:
    """Where home.toml describes it, as errors name it."""
    return f"{'groups' if device.is_group else 'devices'}.{device.key}"


def make_command(topic: str, payload: str, *, now_ns: int, expires_s: float, intent_id: str) -> Command:
    """A command of QoS 1, not retained, that expires `expires_s` from now."""
    return Command(
        topic=topic,
        payload=payload.encode(),
        qos=COMMAND_QOS,
        retain=False,
        expires_ns=now_ns + round(expires_s * 1e9),
        intent_id=intent_id,
    )
