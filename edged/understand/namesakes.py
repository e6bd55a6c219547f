"""Two devices of one name: the one nearby is meant, else a question is due."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from edged.intents.catalog import Catalog
from edged.intents.grounding import HomeMention
from edged.intents.home import Home, name_of
from edged.types import Intent, Question


def find_ambiguous(
    intents: Sequence[Intent], mentions: Sequence[HomeMention], catalog: Catalog, here: str | None
) -> Question | None:
    """The question that is due where an intent names a device by a name that several have; None where none is."""
    for at, intent in enumerate(intents):
        homes = catalog.intents[intent.name].homes
        named = {str(intent.slots[slot]) for slot, source in homes.items() if slot in intent.slots}
        places = {
            str(intent.slots[slot]) for slot, source in homes.items() if source == "areas" and slot in intent.slots
        }
        for mention in mentions:
            kinds = {catalog.home.devices[key].kind for key in mention.devices & named}
            rivals = {key for key in mention.devices if catalog.home.devices[key].kind in kinds}
            near = choose_near(rivals, places, catalog.home, here) if len(rivals) > 1 else ()
            if len(near) > 1:
                slots = tuple(slot for slot in homes if intent.slots.get(slot) in rivals)
                return Question(tuple(intents), at, slots, near)
    return None


def choose_near(devices: Collection[str], places: Collection[str], home: Home, here: str | None) -> tuple[str, ...]:
    """Those of the devices that are in a place that was said, else those where it was said, else all."""
    for wanted in (places, {here}):
        near = tuple(sorted(key for key in devices if home.is_in(key, wanted)))
        if near:
            return near
    return tuple(sorted(devices))


def which_one(devices: Collection[str], home: Home) -> str:
    """The question which of several devices is meant."""
    return f"which one is meant: {' or '.join(_described(key, home) for key in sorted(devices))}?"


def _described(key: str, home: Home) -> str:
    device = home.devices[key]
    area = home.areas.get(device.area or "")
    return f"{name_of(device)} in {name_of(area)}" if area else f"{name_of(device)} ({key})"
