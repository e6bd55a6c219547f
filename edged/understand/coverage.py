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
from typing import Final, TypeAlias

from edged.intents.catalog import Catalog
from edged.intents.grounding import HomeMention, Mention, NumberSpan, find_mentions
from edged.intents.spoken.text import normalize_text
from edged.types import Intent, SlotValue
from edged.understand.corrections import NOTHING_WITHDRAWN, Withdrawn, find_forgiven, is_same_sort

_Key: TypeAlias = tuple[str, str]
""""areas" or "devices", and which one."""

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
    intents: Sequence[Intent],
    mentions: Sequence[HomeMention],
    numbers: Sequence[NumberSpan],
    catalog: Catalog,
    withdrawn: Withdrawn = NOTHING_WITHDRAWN,
) -> Unused:
    """What no intent uses of the names and numbers that were said; nothing where there is no intent.

    What was taken back need not be used, if what was said in its place is.
    """
    if not intents:
        return Unused((), ())
    taken = _numbers_of(intents)
    used = [span for span in numbers if span[2] in taken]
    done = {*used, *find_forgiven(withdrawn.numbers, used)}
    left = tuple(span[2] for span in numbers if span not in done and span[2] != _PRONOUN)
    return Unused(_unused_names(intents, mentions, catalog, withdrawn), left)


def _unused_names(
    intents: Sequence[Intent], mentions: Sequence[HomeMention], catalog: Catalog, withdrawn: Withdrawn
) -> tuple[HomeMention, ...]:
    """One inside the name of something used is used with it, and so is where that is."""
    places = _places_of(intents, catalog)
    used = [mention for mention in mentions if places & _keys(mention)]
    of_one_sort = [(one, other) for one, other in withdrawn.places if is_same_sort(one, other)]
    done = {*used, *find_forgiven(of_one_sort, used)}
    return tuple(
        mention for mention in mentions if mention not in done and not any(mention.is_inside(other) for other in done)
    )


def find_kept(
    intents: Sequence[Intent],
    mentions: Sequence[HomeMention],
    numbers: Sequence[NumberSpan],
    catalog: Catalog,
    withdrawn: Withdrawn,
) -> frozenset[str]:
    """The areas, devices and numbers that an intent uses although they were taken back, and not said again.

    An area and a device may be used together: in "the desk lamp, sorry, in the office" nothing is taken back.
    """
    back = {one for one, _ in withdrawn.places}
    standing = {key for mention in mentions if mention not in back for key in _keys(mention)}
    kept: set[str] = set()
    for intent, (one, other) in product(intents, withdrawn.places):
        if is_same_sort(one, other) or not _places_of([intent], catalog) & _keys(other):
            kept.update(key for _, key in _named_in(intent, catalog) & _keys(one) - standing)
    spans = {one for one, _ in withdrawn.numbers}
    taken = _numbers_of(intents) - {span[2] for span in numbers if span not in spans}
    return frozenset(kept | {f"{span[2]:f}" for span in spans if span[2] in taken})


def _numbers_of(intents: Sequence[Intent]) -> frozenset[Decimal]:
    values = (_number(value) for intent in intents for value in intent.slots.values())
    return frozenset(value for value in values if value is not None)


def _named_in(intent: Intent, catalog: Catalog) -> frozenset[_Key]:
    """The areas and devices in its slots."""
    homes = catalog.intents[intent.name].homes
    keys = (str(intent.slots[slot]) for slot in homes if slot in intent.slots)
    return frozenset(("devices" if key in catalog.home.devices else "areas", key) for key in keys)


def _places_of(intents: Sequence[Intent], catalog: Catalog) -> frozenset[_Key]:
    """The areas and devices in their slots, where those devices are, and the floors of all these areas."""
    home = catalog.home
    named = {key for intent in intents for key in _named_in(intent, catalog)}
    areas = {key for source, key in named if source == "areas"}
    areas |= {home.devices[key].area or "" for source, key in named if source == "devices"}
    areas |= {area.floor or "" for key, area in home.areas.items() if key in areas}
    return frozenset({*named, *(("areas", key) for key in areas if key)})


def _keys(mention: HomeMention) -> frozenset[_Key]:
    return frozenset({*(("areas", key) for key in mention.areas), *(("devices", key) for key in mention.devices)})


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
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
