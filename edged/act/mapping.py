"""An intent's slots become changes of devices: pure, and it asks no intent for its name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edged.intents.capabilities import CAPABILITIES, Capability
from edged.intents.catalog import Catalog, CommandRules, SlotTerm, holds
from edged.intents.home import Device, Home, Range, name_of
from edged.types import Intent, Rejected, Slots, SlotValue

DECIMALS = 2
"""A hundredth of a degree or of a percent: finer than any device, coarse enough to hide what floats leave."""


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """What is to change about one device."""

    device: Device
    change: Mapping[str, SlotValue]
    """Capability -> its new value, in the unit of the capability and within the device's range."""


class _Refusal(Exception):  # noqa: N818 -- no error: it becomes a Rejected at the door
    """Why the intent cannot be carried out."""


def map_intent(intent: Intent, catalog: Catalog, *, default_area: str | None) -> tuple[DeviceChange, ...] | Rejected:
    """The changes that an intent asks for, all or none; empty where it commands nothing.

    A named device is meant alone and a named group means its members, or itself where it has none. Else all devices of
    the kind in the named area or on the named floor are meant, else those in `default_area` where there are any, else
    those of the whole house: one by one, without the groups.
    """
    file = catalog.intents.get(intent.name)
    rules = file.command if file else None
    if rules is None or (file and file.asks):
        return ()
    try:
        change = _collect_change(rules, intent.slots)
        devices = _find_devices(rules, intent.slots, catalog.home, default_area)
        for device in devices:
            for capability, value in change.items():
                _check_value(device, capability, value)
    except _Refusal as refusal:
        return Rejected(intent.utterance_id, "act", str(refusal))
    return tuple(DeviceChange(device, change) for device in devices)


def find_devices(
    kind: str,
    slots: Slots,
    home: Home,
    default_area: str | None,
    *,
    utterance_id: str,
    area: str | None = None,
    device: str | None = None,
) -> tuple[Device, ...] | Rejected:
    """The devices of a kind that are meant, as `map_intent` finds them; `area` and `device` are slots."""
    try:
        return _find_devices(CommandRules(kind, area, device, ()), slots, home, default_area)
    except _Refusal as refusal:
        return Rejected(utterance_id, "act", str(refusal))


def range_of(device: Device, capability: str) -> Range:
    """The least and the greatest value that this device may be sent: its own limits, else the capability's."""
    known = CAPABILITIES[capability]
    return device.limits.get(capability, (known.least, known.greatest))


def describe_outside(device: Device, capability: str, value: float) -> str | None:
    """Why the value is outside of the device's range, None where it is inside."""
    least, greatest = range_of(device, capability)
    if math.isfinite(value) and least <= value <= greatest:
        return None
    unit = CAPABILITIES[capability].unit
    what = capability.replace("_", " ")
    return f"{name_of(device)} takes a {what} of {least:g} to {greatest:g} {unit}, not {value:g}"


def tidy_number(value: float) -> int | float:
    """Rounded to what a device can tell apart, whole numbers as int."""
    rounded = round(value, DECIMALS)
    return int(rounded) if float(rounded).is_integer() else rounded


def _collect_change(rules: CommandRules, slots: Slots) -> dict[str, SlotValue]:
    change: dict[str, SlotValue] = {}
    for rule in rules.rules:
        if holds(rule.when, slots):
            for capability, value in rule.change.items():
                change[capability] = _evaluate(value, capability, slots) if isinstance(value, SlotTerm) else value
    if not change:
        raise _Refusal(f"says nothing to do with the {_words(rules.kind)}")
    return change


def _evaluate(term: SlotTerm, capability: str, slots: Slots) -> SlotValue:
    value = slots.get(term.slot)
    if value is None:
        raise _Refusal(f"does not say the {_words(term.slot)}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return _convert(value * term.factor, capability, slots.get(term.unit) if term.unit else None)


def _convert(number: float, capability: str, unit: SlotValue) -> int | float:
    if not math.isfinite(number):
        raise _Refusal(f"{number} is no number")
    quantity = CAPABILITIES[capability].quantity if capability in CAPABILITIES else "plain"
    if unit == "fahrenheit" and quantity == "temperature":
        number = (number - 32) * 5 / 9
    elif unit == "fahrenheit" and quantity == "difference":
        number = number * 5 / 9
    return tidy_number(number)


def _find_devices(rules: CommandRules, slots: Slots, home: Home, default_area: str | None) -> tuple[Device, ...]:
    named = slots.get(rules.device) if rules.device else None
    if named is not None:
        device = _find_named(str(named), rules.kind, home)
        return tuple(home.devices[key] for key in device.members) or (device,)
    all_of_kind = tuple(device for device in home.devices_of(rules.kind) if not device.is_group)
    place = slots.get(rules.area) if rules.area else None
    wanted = default_area if place is None else str(place)
    areas = home.areas_in(wanted) if wanted is not None else ()
    found = tuple(device for device in all_of_kind if device.area in areas)
    if place is None:
        found = found or all_of_kind
    if not found:
        raise _Refusal(f"there is no {_words(rules.kind)} {_place_words(home, wanted)}")
    return found


def _find_named(key: str, kind: str, home: Home) -> Device:
    device = home.devices.get(key)
    if device is None:
        raise _Refusal(f"there is no device {key}")
    if device.kind != kind:
        raise _Refusal(f"{name_of(device)} is no {_words(kind)}")
    return device


def _place_words(home: Home, place: str | None) -> str:
    if place is None:
        return "in the house"
    if place in home.floors:
        return f"on the {name_of(home.floors[place])}"
    return f"in the {name_of(home.areas[place]) if place in home.areas else _words(place)}"


def _check_value(device: Device, capability: str, value: SlotValue) -> None:
    known = CAPABILITIES.get(capability)
    if known is None:
        raise _Refusal(f"{capability} is nothing that a device can do")
    reason = _describe_bad_choice(device, capability, known, value) if known.choices else None
    if not known.choices:
        if isinstance(value, bool) or not isinstance(value, int | float):
            reason = f"{value!r} is no number for the {_words(capability)} of {name_of(device)}"
        else:
            reason = describe_outside(device, capability, value)
    if reason:
        raise _Refusal(reason)


def _describe_bad_choice(device: Device, capability: str, known: Capability, value: SlotValue) -> str | None:
    if value in known.choices:
        return None
    return f"{name_of(device)} takes as {_words(capability)} one of {', '.join(known.choices)}, not {value!r}"


def _words(key: str) -> str:
    return key.replace("_", " ")
