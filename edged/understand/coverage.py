"""Whether the intents do justice to every area, device and number that was said.

A small model that skips a slot does too much: "set the kitchen to 20 degrees" without the kitchen heats the house, and
"in ten minutes" without the ten switches at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, product
from typing import Final

from edged.intents.catalog import Catalog
from edged.intents.grounding import HomeMention, Mention, find_mentions
from edged.intents.spoken.text import normalize_text
from edged.types import Intent, SlotValue

MAX_WAYS: Final = 6
"""Each is an answer of the LM: two numbers that three and two slots could take."""
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


def find_skipped(intent: Intent, catalog: Catalog, text: str, lang: str) -> frozenset[str]:
    """The slots that an intent leaves out although the text names a value of them, with words that nothing else uses.

    A model skips such slots of intents that it was not trained on.
    """
    file, words = catalog.intents[intent.name], normalize_text(text, lang).split()
    mentions = {slot: find_mentions(catalog, file, slot, words, lang) for slot in file.slots if slot in file.said}
    used = [
        mention
        for slot, found in mentions.items()
        for mention in found
        if slot in file.homes or mention.value == intent.slots.get(slot)
    ]
    return frozenset(
        slot
        for slot, found in mentions.items()
        if slot not in intent.slots and slot not in file.homes
        for mention in found
        if isinstance(mention.value, str) and not any(_overlap(mention, other) for other in used)
    )


def _overlap(one: Mention, other: Mention) -> bool:
    return one.start < other.end and other.start < one.end


def ways_to_use(
    unused: Unused, intent: Intent, said: Mapping[str, Sequence[SlotValue]], catalog: Catalog
) -> tuple[frozenset[str], ...]:
    """The slots of an intent in which these belong: of a number that several slots could take, one way for each."""
    wanted = {"areas" if mention.areas else "devices" for mention in unused.names}
    places = frozenset(slot for slot, source in catalog.intents[intent.name].homes.items() if source in wanted)
    taking = [
        [slot for slot, values in said.items() if number in map(_number, values) and slot not in intent.slots]
        for number in unused.numbers
    ]
    ways = islice(product(*filter(None, taking)), MAX_WAYS)
    return tuple(dict.fromkeys(places.union(way) for way in ways))


def _number(value: SlotValue) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | float) else None
