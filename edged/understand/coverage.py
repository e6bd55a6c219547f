"""Whether the intents do justice to every area, device and number that was said.

A small model that skips a slot does too much: "set the kitchen to 20 degrees" without the kitchen heats the house, and
"in ten minutes" without the ten switches at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from edged.intents.catalog import Catalog
from edged.intents.grounding import HomeMention
from edged.types import Intent, SlotValue

_PRONOUN: Final = Decimal(1)
""""The one in the kitchen", "uma luz": a one that no slot takes is no number."""


@dataclass(frozen=True, slots=True)
class Unused:
    """What was said and no intent uses."""

    names: tuple[HomeMention, ...]
    numbers: tuple[Decimal, ...]

    def __bool__(self) -> bool:
        return bool(self.names or self.numbers)

    def keys(self) -> frozenset[str]:
        """The areas, devices and numbers."""
        keys = {key for mention in self.names for key in mention.areas | mention.devices}
        return frozenset(keys | {f"{number:f}" for number in self.numbers})


def find_unused(
    intents: Sequence[Intent], mentions: Sequence[HomeMention], numbers: Sequence[Decimal], catalog: Catalog
) -> Unused:
    """What no intent uses of the names and numbers that were said; nothing where there is no intent."""
    if not intents:
        return Unused((), ())
    taken = {Decimal(str(v)) for i in intents for v in i.slots.values() if isinstance(v, int | float)}
    left = tuple(number for number in numbers if number not in taken and number != _PRONOUN)
    return Unused(_unused_names(intents, mentions, catalog), left)


def _unused_names(
    intents: Sequence[Intent], mentions: Sequence[HomeMention], catalog: Catalog
) -> tuple[HomeMention, ...]:
    """One inside the name of something used is used with it, and so is where that is."""
    home = catalog.home
    named = {str(i.slots[slot]) for i in intents for slot in catalog.intents[i.name].homes if slot in i.slots}
    devices = named & set(home.devices)
    areas = (named - devices) | {home.devices[key].area for key in devices}
    areas |= {area.floor for key, area in home.areas.items() if key in areas}
    used = [mention for mention in mentions if mention.areas & areas or mention.devices & devices]
    return tuple(
        mention for mention in mentions if mention not in used and not any(mention.is_inside(other) for other in used)
    )


def find_overused(intents: Sequence[Intent], mentions: Sequence[HomeMention], catalog: Catalog) -> frozenset[str]:
    """Areas and devices that more intents use than were named: the others mean a place that this house does not have.

    "Make the attic red and the kitchen blue", in a house without an attic, must not turn the kitchen red.
    """
    used = Counter(
        (source, str(intent.slots[slot]))
        for intent in intents
        for slot, source in catalog.intents[intent.name].homes.items()
        if slot in intent.slots
    )
    named = Counter(
        (source, key)
        for mention in mentions
        for source, keys in (("areas", mention.areas), ("devices", mention.devices))
        for key in keys
    )
    return frozenset(key for (source, key), times in used.items() if times > named[source, key])


def slots_for(
    unused: Unused, intent: Intent, said: Mapping[str, Sequence[SlotValue]], catalog: Catalog
) -> frozenset[str]:
    """The slots of an intent in which these belong; a number that several slots could take belongs in none."""
    wanted = {"areas" if mention.areas else "devices" for mention in unused.names}
    slots = {slot for slot, source in catalog.intents[intent.name].homes.items() if source in wanted}
    for number in unused.numbers:
        taking = [slot for slot, values in said.items() if number in map(_number, values) and slot not in intent.slots]
        if len(taking) == 1:
            slots.add(taking[0])
    return frozenset(slots)


def _number(value: SlotValue) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | float) else None
