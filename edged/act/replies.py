"""What is said in answer to a question, read with the words of the language, the house and the open slot alone.

A reply consists of nothing else than such words: whatever has another word in it is no reply, and so a command is never
taken for one. It can name one of the choices, or a value of the slot that was asked for, and can add nothing to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from edged.intents.accept import exact_validator
from edged.intents.catalog import Catalog, IntentFile, SlotTerm
from edged.intents.grounding import Mention, find_home_mentions, find_mentions
from edged.intents.spoken.corrections import phrase_units
from edged.intents.spoken.entry import Unit
from edged.intents.spoken.language import language_of
from edged.intents.spoken.replies import replies_of
from edged.intents.spoken.text import normalize_text
from edged.types import Intent, Question, SlotValue

MAX_WORDS: Final = 12
MAX_CHARACTERS: Final = 120
"""Nobody answers at greater length; what is longer is no reply."""
MAX_READINGS: Final = 8
"""Ways to read one reply that are told apart: two are one too many."""
_PAIR: Final = 2
"""So many are "both"."""
_PLAIN_UNITS: Final[tuple[Unit, ...]] = ("percent", "degrees", "kelvin", "seconds", "minutes")
"""They may stand behind a number; the scales of temperature only where a slot takes them."""

Reading: TypeAlias = tuple[Intent, ...] | Literal["declined", "unclear"] | None
"""What the reply makes of the intents: all that is to be done, nothing, or nobody knows what; None: it is no reply."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a stretch of a reply says."""

    kind: Literal["yes", "no", "drop", "devices", "all", "value"]
    slot: str = ""
    value: SlotValue = None
    devices: frozenset[str] = frozenset()


_Part: TypeAlias = tuple[int, int, _Meaning | None]
"""Start, end and meaning; None for a filler."""
_YES: Final = _Meaning("yes")
_NO: Final = _Meaning("no")
_DROP: Final = _Meaning("drop")


def read_reply(question: Question, options: Sequence[str], text: str, lang: str, catalog: Catalog) -> Reading:
    """What `text` answers to a question of which `options` were shown, in the order of its choices."""
    if len(text) > MAX_CHARACTERS:
        return None
    words = normalize_text(text, lang).split()
    if not words or len(words) > MAX_WORDS:
        return None
    units = phrase_units(" ".join(words), lang)
    parts = [*_spoken_parts(units, lang, bool(question.slots)), *_open_parts(question, options, words, lang, catalog)]
    readings = _cover(len(units), parts)
    if not readings or readings == {frozenset()}:  # a word that is in no answer, or no word that says anything
        return None
    settled = [_settle(question, reading, catalog) for reading in readings]
    return settled[0] if all(one == settled[0] for one in settled) else "unclear"


def _spoken_parts(units: Sequence[str], lang: str, is_open: bool) -> Iterator[_Part]:
    for phrase, meaning in _lexicon(lang, is_open):
        yield from ((start, end, meaning) for start, end in _find(phrase, units))


@lru_cache(maxsize=32)
def _lexicon(lang: str, is_open: bool) -> tuple[tuple[Sequence[str], _Meaning | None], ...]:
    """What means the same in every reply; where a slot is open, a yes says nothing."""
    replies, language = replies_of(lang), language_of(lang)
    fillers = [*map(" ".join, language.skippable), *language.asides, *replies.fillers]
    if is_open:
        fillers += [*replies.before_value, *(word for unit in _PLAIN_UNITS for word in language.units.get(unit, ()))]
    if language.is_glued:
        fillers += language.particles
    entries: list[tuple[str, _Meaning | None]] = [(phrase, None) for phrase in fillers]
    entries += ((phrase, None if is_open else _YES) for phrase in replies.yes)
    entries += ((phrase, _NO) for phrase in replies.no)
    entries += ((phrase, _DROP) for phrase in replies.dropping())
    return tuple((phrase_units(phrase, lang), meaning) for phrase, meaning in entries)


def _find(phrase: Sequence[str], units: Sequence[str]) -> Iterator[tuple[int, int]]:
    size = len(phrase)
    return ((at, at + size) for at in range(len(units) - size + 1 if size else 0) if units[at : at + size] == phrase)


def _open_parts(
    question: Question, options: Sequence[str], words: Sequence[str], lang: str, catalog: Catalog
) -> Iterator[_Part]:
    if question.choices:
        yield from _device_parts(question.choices, options, words, lang, catalog)
    elif question.slots:
        yield from _value_parts(question, words, lang, catalog)


def _device_parts(
    choices: Sequence[str], options: Sequence[str], words: Sequence[str], lang: str, catalog: Catalog
) -> Iterator[_Part]:
    """Names of areas and devices, each the choices that it fits, also none; and how many of the choices are meant."""
    units, replies = phrase_units(" ".join(words), lang), replies_of(lang)
    for mention in find_home_mentions(catalog, " ".join(words), lang):
        near = {key for key in choices if catalog.home.is_in(key, mention.areas)}
        fitting = frozenset({*near, *(mention.devices & {*choices})})
        yield mention.start, mention.end, _Meaning("devices", devices=fitting)
    forms = [(option, key) for option, key in zip(options, choices, strict=False)]
    forms += ((form, key) for ways, key in zip(replies.ordinals, choices, strict=False) for form in ways)
    named = [(form, _Meaning("devices", devices=frozenset({key}))) for form, key in forms]
    everything = (*replies.all, *replies.both) if len(choices) == _PAIR else replies.all
    named += ((form, _Meaning("all", devices=frozenset(choices))) for form in everything)
    for form, meaning in named:
        for start, end in _find(phrase_units(form, lang), units):
            yield start, end, meaning


def _value_parts(question: Question, words: Sequence[str], lang: str, catalog: Catalog) -> Iterator[_Part]:
    """Values of the open slots, and of those that say the unit of one."""
    intent = question.intents[question.at]
    file = catalog.intents[intent.name]
    slots = [slot for slot in (*question.slots, *_unit_slots(file, question.slots)) if slot in file.slots]
    for slot in dict.fromkeys(slots):
        found = find_mentions(catalog, file, slot, words, lang)
        for mention in found:
            if not any(_is_inside(mention, other) for other in found):
                yield mention.start, mention.end, _Meaning("value", slot, mention.value)


def _is_inside(one: Mention, other: Mention) -> bool:
    return other.start <= one.start and one.end <= other.end and (one.start, one.end) != (other.start, other.end)


def _unit_slots(file: IntentFile, slots: Sequence[str]) -> list[str]:
    """The slots that say in which unit the value of one of these is."""
    rules = file.command.rules if file.command else ()
    terms = [value for rule in rules for value in rule.change.values() if isinstance(value, SlotTerm)]
    return [term.unit for term in terms if term.slot in slots and term.unit is not None]


def _cover(length: int, parts: Iterable[_Part]) -> set[frozenset[_Meaning]]:
    """What a reply can mean when all of it is parts: the readings in which the least is fillers; none where it is not.

    Goes from the end to the front, with the best readings of what follows at each place.
    """
    starting: dict[int, list[tuple[int, _Meaning | None]]] = {}
    for start, end, meaning in parts:
        starting.setdefault(start, []).append((end, meaning))
    best: list[tuple[int, set[frozenset[_Meaning]]] | None] = [None] * length + [(0, {frozenset()})]
    for start in reversed(range(length)):
        for end, meaning in starting.get(start, ()):
            rest = best[end]
            if rest is None:
                continue
            score = rest[0] + (end - start if meaning is not None else 0)
            meanings = {one if meaning is None else one | {meaning} for one in rest[1]}
            known = best[start]
            if known is None or score > known[0]:
                best[start] = (score, meanings)
            elif score == known[0]:
                best[start] = (score, {*sorted(known[1] | meanings, key=repr)[:MAX_READINGS]})
    return best[0][1] if best[0] is not None else set()


def _settle(question: Question, meanings: frozenset[_Meaning], catalog: Catalog) -> Reading:
    if _DROP in meanings or meanings == {_NO}:
        return "declined"
    if _NO in meanings:
        return "unclear"
    if not question.slots:
        return question.intents
    if question.choices:
        keys = frozenset(question.choices).intersection(*(meaning.devices for meaning in meanings))
        if not keys or (len(keys) > 1 and all(meaning.kind != "all" for meaning in meanings)):
            return "unclear"
        return _with_all(question, [{question.slots[0]: key} for key in question.choices if key in keys], catalog)
    values = {meaning.slot: meaning.value for meaning in meanings}
    given = [slot for slot in question.slots if slot in values]
    if len(given) != 1 or len(values) != len(meanings):
        return "unclear"
    return _with_all(question, [values], catalog)


def _with_all(question: Question, answers: Sequence[Mapping[str, SlotValue]], catalog: Catalog) -> Reading:
    """The intents with the open one once for each answer, if the schema allows it."""
    intent = question.intents[question.at]
    file = catalog.intents[intent.name]
    given = [{**intent.slots, **answer} for answer in answers]
    filled = [{slot: slots[slot] for slot in file.slots if slot in slots} for slots in given]
    validator = exact_validator(file.schema, is_linear=True)
    if not all(validator.is_valid({"intent": intent.name, **slots}) for slots in filled):
        return "unclear"
    asked = (replace(intent, slots=slots) for slots in filled)
    return (*question.intents[: question.at], *asked, *question.intents[question.at + 1 :])
