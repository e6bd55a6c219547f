"""An utterance that equals examples of the intent files means what the files say; the LM is not asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from edged.intents.accept import intent_validator
from edged.intents.catalog import Catalog
from edged.intents.templates import Match, match_examples
from edged.types import Intent, Question, Rejected, Utterance
from edged.understand.namesakes import choose_near, which_one

Way: TypeAlias = tuple[Match, ...]
"""One way to read an utterance."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the examples make of an utterance."""

    outcome: tuple[Intent, ...] | Rejected | None
    """None: no example says it, or several that disagree do."""
    refused: frozenset[str]
    """The intents whose files list the sentence as one that must not be obeyed."""


def read_examples(catalog: Catalog, utterance: Utterance, here: str | None = None) -> Reading:
    """The intents of an utterance that equals one to three examples; a question where a name in it is not clear.

    Args:
        catalog: what can be said.
        utterance: what was said.
        here: the area where it was said.
    """
    ways = match_examples(catalog, utterance.text, utterance.lang)
    refused = frozenset(match.intent for way in ways for match in way if match.refused)
    best = _most_specific([way for way in ways if _is_obeyed(way, refused, catalog)])
    if not best or any(_frame(way, catalog) != _frame(best[0], catalog) for way in best):
        return Reading(None, refused)
    near = _nearest(best, catalog, here)
    if len(near) > 1:
        devices = {key for way in near for key in _home_keys(way, catalog, "devices")}
        reason, asks = which_one(devices, catalog.home), _question(near, utterance.id)
        return Reading(Rejected(utterance.id, "understand", reason, asks=asks), refused)
    return Reading(_intents(near[0], utterance.id), refused)


def _intents(way: Way, utterance_id: str) -> tuple[Intent, ...]:
    return tuple(Intent(utterance_id, match.intent, dict(match.slots), 1.0, math.inf) for match in way)


def _question(ways: Sequence[Way], utterance_id: str) -> Question | None:
    """Which device is meant, where the ways differ in one of them alone."""
    named = [{(at, slot): value for at, match in enumerate(way) for slot, value in match.slots} for way in ways]
    open_places = [place for place in named[0] if len({slots.get(place) for slots in named}) > 1]
    if len(open_places) != 1 or any(slots.keys() != named[0].keys() for slots in named):
        return None
    at, slot = open_places[0]
    choices = sorted({str(slots[at, slot]) for slots in named})
    return Question(_intents(ways[0], utterance_id), at, (slot,), tuple(choices))


def _is_obeyed(way: Way, refused: frozenset[str], catalog: Catalog) -> bool:
    return all(
        match.intent not in refused
        and intent_validator(catalog, match.intent).is_valid({"intent": match.intent, **dict(match.slots)})
        for match in way
    )


def _most_specific(ways: Sequence[Way]) -> list[Way]:
    """Those in which the most is names and numbers: "garden light" is the lamp of that name first."""
    most = max((_covered(way) for way in ways), default=0)
    return [way for way in ways if _covered(way) == most]


def _covered(way: Way) -> int:
    return sum(match.covered for match in way)


def _frame(way: Way, catalog: Catalog) -> tuple[object, ...]:
    """What stays of a reading when the devices are left open."""
    homes = {match.intent: catalog.intents[match.intent].homes for match in way}
    return tuple(
        (match.intent, tuple(item for item in match.slots if homes[match.intent].get(item[0]) != "devices"))
        for match in way
    )


def _home_keys(way: Way, catalog: Catalog, source: str) -> tuple[str, ...]:
    return tuple(
        str(value)
        for match in way
        for slot, value in match.slots
        if catalog.intents[match.intent].homes.get(slot) == source
    )


def _nearest(ways: Sequence[Way], catalog: Catalog, here: str | None) -> list[Way]:
    """The ways whose devices are where they were said to be, or else where it was said."""
    if len(ways) == 1:
        return list(ways)
    named = [set(_home_keys(way, catalog, "devices")) for way in ways]
    rivals = named[0].union(*named) - named[0].intersection(*named)
    near = choose_near(rivals, _home_keys(ways[0], catalog, "areas"), catalog.home, here)
    return [way for way, devices in zip(ways, named, strict=True) if devices & rivals <= {*near}]
