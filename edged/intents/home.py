"""The house: home.toml with its areas and devices, their names in each language, and how to reach them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edged.errors import ConfigError

MAX_FILE_BYTES = 1 << 20
"""A house of 2,000 devices takes about 400 kB; more is no house."""

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Names: TypeAlias = dict[str, tuple[Name, ...]]
Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Area:
    """A room or another part of the house."""

    key: str
    names: Mapping[str, tuple[str, ...]]
    """Language -> what people call it, the usual name first."""
    floor: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """An MQTT message of the `template` driver: two Jinja templates."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class Device:
    """Something that can be commanded."""

    key: str
    kind: str
    """What it is: light, thermostat, ...; intents refer to all devices of a kind."""
    area: str | None
    names: Mapping[str, tuple[str, ...]]
    driver: str
    address: str
    """How its driver reaches it: a zigbee2mqtt friendly name, a topic, ..."""
    limits: Mapping[str, Range]
    """Capability -> the least and the greatest value that it may be sent."""
    template: Mapping[str, Message]
    """Capability -> the message that changes it; for the `template` driver alone."""


@dataclass(frozen=True, slots=True)
class Home:
    """All areas and devices, by key."""

    areas: Mapping[str, Area]
    devices: Mapping[str, Device]

    def devices_of(self, kind: str) -> tuple[Device, ...]:
        """The devices of one kind, in the order of the file."""
        return tuple(device for device in self.devices.values() if device.kind == kind)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Area(_Table):
    names: Names = {}
    floor: str | None = None


class _Message(_Table):
    topic: Annotated[str, Field(min_length=1, max_length=1000)]
    payload: Annotated[str, Field(max_length=4000)]


class _Device(_Table):
    kind: Key
    area: Key | None = None
    names: Names = {}
    driver: Key
    address: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f+#]+$")]
    limits: dict[Key, Range] = {}
    template: dict[Key, _Message] = {}


class _Home(_Table):
    areas: dict[Key, _Area] = {}
    devices: dict[Key, _Device] = {}


def load_home(path: Path) -> Home:
    """Reads home.toml.

    Raises:
        ConfigError: it is missing, too large, no TOML, or a key, a name or a reference in it is wrong.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"is larger than {MAX_FILE_BYTES} bytes", where=str(path), remedy="split the house")
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        parsed = _Home.model_validate(tables)
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="give the house with --home or home.file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"is not valid TOML: {error}", where=str(path), remedy="mend the line it names") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors(include_url=False))
        raise ConfigError(faults, where=str(path), remedy="see the README's section on the house") from error
    _check_references(parsed, path)
    return _to_home(parsed)


def _check_references(parsed: _Home, path: Path) -> None:
    for key, device in parsed.devices.items():
        if device.area is not None and device.area not in parsed.areas:
            raise ConfigError(
                f'devices.{key}.area: there is no area "{device.area}"',
                where=str(path),
                remedy=f"add [areas.{device.area}] or use one of: {', '.join(parsed.areas) or 'none is defined'}",
            )


def _to_home(parsed: _Home) -> Home:
    areas = {key: Area(key, area.names or _own_name(key), area.floor) for key, area in parsed.areas.items()}
    devices = {
        key: Device(
            key=key,
            kind=device.kind,
            area=device.area,
            names=device.names or _own_name(key),
            driver=device.driver,
            address=device.address,
            limits=device.limits,
            template={name: Message(m.topic, m.payload) for name, m in device.template.items()},
        )
        for key, device in parsed.devices.items()
    }
    return Home(areas, devices)


def _own_name(key: str) -> dict[str, tuple[str, ...]]:
    return {"en": (key.replace("_", " "),)}
