"""Questions are answered from what the devices last said, without a message to any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from edged.act.driver import State
from edged.act.drivers import DRIVERS
from edged.act.mapping import find_devices, tidy_number
from edged.act.messages import AnsweredDevice
from edged.intents.capabilities import CAPABILITIES, READINGS
from edged.intents.catalog import AnswerRules, holds
from edged.intents.home import Device, Home, names_in
from edged.intents.spoken.entry import Language
from edged.intents.spoken.language import language_of
from edged.types import Intent, Rejected, SlotValue

MAX_ANSWERED: Final = 100
"""Devices in one message, which stays below 64 kB; the others are counted."""
MAX_READ_OUT: Final = 10
"""Devices in the line that can be read out: nobody listens to more."""

_SIGNS: Final = {"percent": " %", "celsius": " °C", "kelvin": " K"}
_NOTHING_MORE: Final = ("off", "close")
"""Of a device that is so, no numbers are read out: a dark lamp keeps its brightness."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of what somebody asks."""

    devices: tuple[AnsweredDevice, ...]
    more_devices: int
    reply: str
    """One line in the language of the question, as far as its entry has words."""


def answer_question(
    intent: Intent,
    rules: AnswerRules,
    home: Home,
    *,
    lang: str,
    default_area: str | None,
    told_by: Callable[[str], State],
    is_offline: Callable[[str], bool],
) -> Answer | Rejected:
    """What the devices that are meant said of what is asked; a group is answered by its members, where it has any."""
    rule = next((rule for rule in rules.rules if holds(rule.when, intent.slots)), None)
    if rule is None:
        return Rejected(intent.utterance_id, "act", "asks for nothing that a device tells")
    devices = find_devices(
        rule.kind,
        intent.slots,
        home,
        default_area,
        utterance_id=intent.utterance_id,
        area=rules.area,
        device=rule.device,
    )
    if isinstance(devices, Rejected):
        return devices
    language = language_of(lang)
    answered: list[AnsweredDevice] = []
    lines: list[str] = []
    for device in devices[:MAX_ANSWERED]:
        told = DRIVERS[device.driver].interpret(device, told_by(device.key))
        values = {name: told[name] for name in rule.tell if name in told}
        one = _describe(device, values, lang, offline=is_offline(device.key))
        answered.append(one)
        lines.append(f"{one.name}: {_read_out(one, values, language)}")
    more = len(devices) - MAX_READ_OUT
    reply = "; ".join(lines[:MAX_READ_OUT]) + (f"; +{more}" if more > 0 else "")
    return Answer(tuple(answered), len(devices) - len(answered), reply)


def _describe(device: Device, values: Mapping[str, SlotValue], lang: str, *, offline: bool) -> AnsweredDevice:
    name = next(iter(names_in(device.names, lang)), device.key)
    about = {"device": device.key, "name": name, "area": device.area, "known": bool(values), "offline": offline}
    return AnsweredDevice.model_validate(about | dict(values))


def _read_out(one: AnsweredDevice, values: Mapping[str, SlotValue], language: Language) -> str:
    if one.offline:
        return _word("offline", language)
    parts: list[str] = []
    for name, value in values.items():
        parts.append(_say(name, value, language))
        if value in _NOTHING_MORE:
            break
    return ", ".join(parts) or _word("unknown", language)


def _say(name: str, value: SlotValue, language: Language) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _word(str(value), language)
    unit = CAPABILITIES[name].unit if name in CAPABILITIES else READINGS.get(name, "")
    rounded = round(value, 1) if unit == "celsius" else round(value)
    return f"{tidy_number(rounded):g}".replace(".", language.decimal_sign) + _SIGNS.get(unit, "")


def _word(word: str, language: Language) -> str:
    return language.told.get(word, word.replace("_", " "))
