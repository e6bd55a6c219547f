"""What a sentence says and takes back: "turn on the kitchen, no, the hall light"."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from edged.intents.catalog import Catalog
from edged.intents.grounding import HomeMention, NumberSpan, find_home_mentions
from edged.intents.spoken.corrections import find_corrections, find_withdrawal
from edged.intents.spoken.text import normalize_text

Said = TypeVar("Said", HomeMention, NumberSpan)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was taken back, each with what was said in its place, in the order of speech."""

    places: tuple[tuple[HomeMention, HomeMention], ...] = ()
    """Areas and devices; the two may be of different sorts."""
    numbers: tuple[tuple[NumberSpan, NumberSpan], ...] = ()


NOTHING_WITHDRAWN: Final = Withdrawn()


def find_withdrawn(text: str, lang: str, mentions: Sequence[HomeMention], numbers: Sequence[NumberSpan]) -> Withdrawn:
    """What `text` takes back: what stands last before a correcting word, if the like of it stands behind.

    Args:
        text: what was said.
        lang: its language.
        mentions: the areas and devices in it.
        numbers: the numbers in it that are no part of a name.
    """
    words = normalize_text(text, lang).split()
    outside = [
        (start, end)
        for start, end in find_corrections(words, lang)
        if not any(mention.start < end and start < mention.end for mention in mentions)
    ]
    if not outside:
        return NOTHING_WITHDRAWN
    spans = [(mention.start, mention.end) for mention in mentions]
    areas = [index for index, mention in enumerate(mentions) if mention.areas]
    devices = [index for index, mention in enumerate(mentions) if mention.devices]
    pairs = {pair for some in (areas, devices, range(len(mentions))) for pair in _pairs(spans, some, outside)}
    amounts = set(_pairs([(start, end) for start, end, _ in numbers], range(len(numbers)), outside))
    return Withdrawn(
        tuple((mentions[one], mentions[other]) for one, other in sorted(pairs)),
        tuple((numbers[one], numbers[other]) for one, other in sorted(amounts)),
    )


def is_taken_back(text: str, lang: str, catalog: Catalog) -> bool:
    """Whether `text` takes back all that it says before, with words that are no name: "the light on, never mind"."""
    start = find_withdrawal(normalize_text(text, lang).split(), lang)
    return start > 0 and all(mention.end <= start for mention in find_home_mentions(catalog, text, lang))


def _pairs(
    spans: Sequence[tuple[int, int]], some: Sequence[int], corrections: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Of some spans, the last before and the first behind each correction; of those in one place the longest."""
    for begin, end in corrections:
        before = [index for index in some if spans[index][1] <= begin]
        behind = [index for index in some if spans[index][0] >= end]
        if before and behind:
            yield (
                max(before, key=lambda index: (spans[index][1], -spans[index][0])),
                min(behind, key=lambda index: (spans[index][0], -spans[index][1])),
            )


def is_same_sort(one: HomeMention, other: HomeMention) -> bool:
    """Whether both can be areas, or both devices."""
    return bool((one.areas and other.areas) or (one.devices and other.devices))


def find_forgiven(pairs: Sequence[tuple[Said, Said]], used: Collection[Said]) -> frozenset[Said]:
    """What was taken back for something that is used, or that is itself taken back for such a thing."""
    forgiven: set[Said] = set()
    for one, other in reversed(pairs):
        if other in used or other in forgiven:
            forgiven.add(one)
    return frozenset(forgiven)
