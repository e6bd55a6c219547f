"""The house: home.toml with its areas, floors, devices and groups, their names in each language, and their drivers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from edged.errors import ConfigError
from edged.intents.capabilities import CAPABILITIES
from edged.intents.files import read_regular
from edged.intents.home_tables import (
    MAX_DEVICES,
    MAX_FILE_BYTES,
    DeviceTable,
    GroupTable,
    HomeFault,
    Setting,
    Tables,
    read_tables,
    shown,
    suggest,
)

Range: TypeAlias = tuple[float, float]

_MAX_TOLD = 50
"""Faults that one error tells; the others are counted."""


@dataclass(frozen=True, slots=True)
class Area:
    """A room or another part of the house."""

    key: str
    names: Mapping[str, tuple[str, ...]]
    """Language -> what people call it, the usual name first."""
    floor: str | None


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor that people can name; its areas say that they are on it."""

    key: str
    names: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Message:
    """An MQTT message of the `template` driver: two Jinja templates."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class Device:
    """Something that can be commanded, or a group of devices."""

    key: str
    kind: str
    """What it is: light, thermostat, ...; intents refer to all devices of a kind."""
    area: str | None
    names: Mapping[str, tuple[str, ...]]
    driver: str
    """Empty for a group of `members`, which are commanded in its place."""
    address: str
    """How its driver reaches it: a zigbee2mqtt friendly name, a topic, ..."""
    limits: Mapping[str, Range]
    """Capability -> the least and the greatest value that it may be sent."""
    template: Mapping[str, Message]
    """Capability -> the message that changes it; for the `template` driver alone."""
    is_group: bool = False
    members: tuple[str, ...] = ()
    """The keys of a group's devices; empty for a device and for a group that is commanded itself."""
    base: str | None = None
    """The base topic of its Zigbee2MQTT, where that is not the usual one."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """Capability -> the key of the device's messages for it, where that is not the driver's usual one."""
    speeds: tuple[str, ...] | int | None = None
    """What its driver sends for the speeds of a fan: names, slowest first, or numbers up to this one."""
    scene: int | None = None
    """Which of the address' scenes this is."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """What its driver must know beside the address, in the words of what it speaks to."""


@dataclass(frozen=True, slots=True)
class Home:
    """All areas, floors and devices, by key; groups are among the devices."""

    areas: Mapping[str, Area]
    devices: Mapping[str, Device]
    floors: Mapping[str, Floor] = field(default_factory=dict)

    def devices_of(self, kind: str) -> tuple[Device, ...]:
        """The devices and groups of one kind, in the order of the file."""
        return tuple(device for device in self.devices.values() if device.kind == kind)

    def place(self, key: str) -> Area | Floor:
        """The area or the floor of this key."""
        return self.areas[key] if key in self.areas else self.floors[key]

    def is_in(self, device: str, places: Collection[str | None]) -> bool:
        """Whether a device is in one of these areas or on one of these floors."""
        return any(self.devices[device].area in self.areas_in(place) for place in places if place is not None)

    def areas_in(self, place: str) -> tuple[str, ...]:
        """The areas that a place means: itself, or those on the floor of this key; none where it is neither."""
        if place in self.areas:
            return (place,)
        return tuple(area.key for area in self.areas.values() if area.floor == place)


class HomeError(ConfigError):
    """home.toml cannot be used; `faults` is everything that is wrong with it."""

    def __init__(self, faults: tuple[HomeFault, ...], where: str) -> None:
        self.faults = faults
        told = [str(fault) for fault in faults[:_MAX_TOLD]]
        if len(faults) > _MAX_TOLD:
            told.append(f"and {len(faults) - _MAX_TOLD} more")
        super().__init__("\n  ".join(["cannot be used", *told]), where=where)


def name_of(thing: Device | Area | Floor) -> str:
    """What to call it in a reason: its first English name, else its first name at all, else its key."""
    for names in (thing.names.get("en", ()), *thing.names.values()):
        if names:
            return names[0]
    return thing.key


def names_in(names: Mapping[str, tuple[str, ...]], lang: str) -> tuple[str, ...]:
    """The names in `lang`, else in its primary language, else in any: a name without translation is said as it is."""
    for known in (lang, lang.split("-")[0]):
        if known in names:
            return names[known]
    return tuple(name for forms in names.values() for name in forms)


def load_home(path: Path) -> Home:
    """Reads home.toml.

    Raises:
        ConfigError: it is missing, no regular file, or too large.
        HomeError: it is no TOML, or something in it is wrong.
    """
    return parse_home(read_home(path), str(path))


def read_home(path: Path) -> str:
    """The text of home.toml.

    Raises:
        ConfigError: it is missing, no regular file, too large, or no text.
    """
    where, remedy = str(path), "give the house with --home or home.file"
    try:
        content = read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=where, remedy=remedy) from error
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"is larger than {MAX_FILE_BYTES} bytes", where=where, remedy="split the house")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not valid TOML: {error}", where=where, remedy="save it as UTF-8") from error


def parse_home(text: str, where: str) -> Home:
    """The house that a text describes; `where` is the place that an error names.

    Raises:
        HomeError: it is no TOML, or something in it is wrong.
    """
    tables, faults = read_tables(text)
    faults += _check(tables)
    if faults:
        raise HomeError(tuple(faults), where)
    return _to_home(tables)


def _check(tables: Tables) -> Iterator[HomeFault]:
    """What is wrong between tables that are each well written."""
    yield from _check_keys(tables)
    for key, area in tables.areas.items():
        if area.floor is not None and area.floor in tables.written["areas"]:
            yield HomeFault(f"areas.{key}.floor", f'"{area.floor}" is an area', "name a floor, such as ground")
    for section, things in (("devices", tables.devices), ("groups", tables.groups)):
        for key, thing in things.items():
            yield from _check_thing(thing, f"{section}.{key}", tables)
    for key, group in tables.groups.items():
        yield from _check_reach(tables.written["groups"][key], f"groups.{key}")
        yield from _check_group(group, f"groups.{key}", tables)


def _check_keys(tables: Tables) -> Iterator[HomeFault]:
    for first, second in (("areas", "floors"), ("devices", "groups")):
        for key in tables.written.get(second, {}):
            if key in tables.written.get(first, {}):
                yield HomeFault(
                    f"{second}.{shown(key)}", f"{first}.{shown(key)} has the same key", "rename one of them"
                )
    if len(tables.devices) + len(tables.groups) > MAX_DEVICES:
        yield HomeFault("groups", f"there are more than {MAX_DEVICES} devices and groups", "remove some")


def _check_thing(thing: DeviceTable | GroupTable, place: str, tables: Tables) -> Iterator[HomeFault]:
    areas = tables.written.get("areas", {})
    if thing.area is not None and thing.area not in areas:
        yield HomeFault(f"{place}.area", f'there is no area "{thing.area}"', suggest(thing.area, areas))
    for name, keys in (("limits", thing.limits), ("template", thing.template), ("properties", thing.properties)):
        for key in keys:
            if key not in CAPABILITIES:
                what = f"there is no capability {key}"
                yield HomeFault(f"{place}.{name}.{key}", what, suggest(key, CAPABILITIES))
    for key, (least, greatest) in thing.limits.items():
        if key in CAPABILITIES and CAPABILITIES[key].choices:
            yield HomeFault(f"{place}.limits.{key}", f"{key} is no number", "remove it")
        elif least > greatest:
            yield HomeFault(f"{place}.limits.{key}", "the least value is above the greatest", "swap them")


def _check_group(group: GroupTable, place: str, tables: Tables) -> Iterator[HomeFault]:
    devices = tables.written.get("devices", {})
    for index, member in enumerate(group.members):
        here = f"{place}.members.{index}"
        if member not in devices:
            yield HomeFault(here, f'there is no device "{member}"', suggest(member, devices))
        elif member in group.members[:index]:
            yield HomeFault(here, f'"{member}" is there twice', "remove one")
        elif member in tables.devices and group.kind and tables.devices[member].kind not in ("", group.kind):
            what = f'"{member}" is a {tables.devices[member].kind}, the group is a {group.kind}'
            yield HomeFault(here, what, "group devices of one kind")


def _check_reach(written: object, place: str) -> Iterator[HomeFault]:
    """A group has either members, or a way of its own to be commanded."""
    keys = written if isinstance(written, Mapping) else {}
    own = [key for key in keys if key in GroupTable.model_fields and key not in _COMMON]
    if "members" in keys and own:
        yield HomeFault(f"{place}.{own[0]}", "a group of members has none of its own", f"remove it, or {place}.members")
    elif "members" not in keys and not {"driver", "address"} <= set(keys):
        remedy = 'write members = ["KEY", ...], or driver and address where the group is commanded itself'
        yield HomeFault(place, "has no members and no driver with an address", remedy)


_COMMON = ("kind", "area", "names", "members")
"""The keys of a group whose members are commanded in its place."""


def _to_home(tables: Tables) -> Home:
    return Home(
        areas={key: Area(key, area.names or _own_name(key), area.floor) for key, area in tables.areas.items()},
        devices={key: _to_device(key, table) for key, table in (tables.devices | tables.groups).items()},
        floors={key: Floor(key, floor.names or _own_name(key)) for key, floor in tables.floors.items()},
    )


def _to_device(key: str, table: DeviceTable | GroupTable) -> Device:
    return Device(
        key=key,
        kind=table.kind,
        area=table.area,
        names=table.names or _own_name(key),
        driver=table.driver or "",
        address=table.address or "",
        limits=table.limits,
        template={name: Message(m.topic, m.payload) for name, m in table.template.items()},
        is_group=isinstance(table, GroupTable),
        members=table.members if isinstance(table, GroupTable) else (),
        base=table.base,
        properties=table.properties,
        speeds=table.speeds,
        scene=table.scene,
        settings=table.settings,
    )


def _own_name(key: str) -> dict[str, tuple[str, ...]]:
    return {"en": (key.replace("_", " "),)}
