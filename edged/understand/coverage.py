"""Whether the intents do justice to every area and device that was named.

A small model that skips a slot does too much: "set the kitchen to 20 degrees" without the kitchen heats the house.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edged.intents.catalog import Catalog
from edged.intents.spoken import HomeMention
from edged.types import Intent


def find_unused(
    intents: Sequence[Intent], mentions: Sequence[HomeMention], catalog: Catalog
) -> tuple[HomeMention, ...]:
    """The mentions that no intent uses; one inside the name of something used is used with it."""
    areas: set[str | None] = set()
    devices: set[str] = set()
    for intent in intents:
        for slot, source in catalog.intents[intent.name].homes.items():
            key = str(intent.slots.get(slot))
            if source == "areas":
                areas.add(key)
            elif key in catalog.home.devices:
                devices.add(key)
                areas.add(catalog.home.devices[key].area)
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


def slots_for(mentions: Sequence[HomeMention], intent: Intent, catalog: Catalog) -> frozenset[str]:
    """The slots of an intent in which these mentions belong."""
    wanted = {"areas" if mention.areas else "devices" for mention in mentions}
    return frozenset(slot for slot, source in catalog.intents[intent.name].homes.items() if source in wanted)
