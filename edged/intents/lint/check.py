"""What a schema cannot say about an intent file: whether its parts fit each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from edged.intents.catalog import PLACEHOLDER, Finding, Json, Pointer
from edged.intents.free_text import takes_text
from edged.intents.lint.check_command import check_asks, check_command, check_dialogue
from edged.intents.lint.check_spoken import check_spoken
from edged.intents.lint.check_timers import check_timers
from edged.intents.lint.draft import Draft, check_slot, check_value
from edged.intents.lint.sentences import Placeholders, SentenceKey
from edged.intents.lower import takes_numbers
from edged.intents.references import home_source
from edged.intents.suggest import list_words, quote


def check_intent(draft: Draft) -> Iterator[Finding]:
    """Everything in one file that does not fit, and what in it does nothing."""
    yield from _check_order(draft)
    yield from _check_plain(draft)
    yield from _check_said(draft)
    yield from check_spoken(draft)
    for lang, index, text, slots in draft.examples():
        yield from _check_example(draft, text, slots, ("x-edged", "examples", lang, index))
    yield from _check_sentences(draft)
    yield from _check_coverage(draft)
    yield from check_command(draft)
    yield from check_asks(draft)
    yield from check_timers(draft)
    yield from check_dialogue(draft)


def _check_order(draft: Draft) -> Iterator[Finding]:
    properties = draft.parsed["properties"]
    if "intent" in properties and next(iter(properties)) != "intent":
        yield Finding(("properties", "intent"), '"intent" is not the first property', 'put "intent" first', at_key=True)
    left_out = [slot for slot in properties if slot not in draft.values.slots and slot not in draft.refused]
    if left_out:
        what = f"the house has nothing for {list_words(left_out)}: left out, with the sentences that need it"
        yield Finding(("properties", left_out[0]), what, "add such a device to home.toml", "warning", at_key=True)


def _check_plain(draft: Draft) -> Iterator[Finding]:
    """What can be said is a text, a number or a truth value; lists are made of these by "type": "array"."""
    for slot, schema in draft.schema["properties"].items():
        for index, value in enumerate(schema.get("enum", ())):
            if isinstance(value, list | dict):
                pointer = ("properties", slot, "enum", index)
                yield Finding(pointer, f"{quote(value)} is no plain value", "list texts, numbers, true, false or null")


def _check_said(draft: Draft) -> Iterator[Finding]:
    said, implied = draft.extension.get("said", []), draft.extension.get("implied", [])
    for key, slots in (("said", said), ("implied", implied)):
        for index, slot in enumerate(slots):
            if slot is not None:
                yield from check_slot(slot, draft, ("x-edged", key, index))
    for index, slot in enumerate(implied):
        pointer = ("x-edged", "implied", index)
        if slot in said:
            yield Finding(pointer, f"{quote(slot)} is both said and implied", "name it in one of the two lists")
        elif slot in draft.values.slots and not _is_measured(draft, slot):
            what = f"{quote(slot)} is implied already: only places, devices and numbers must be said of themselves"
            yield Finding(pointer, what, "leave it out", "warning")


def _is_measured(draft: Draft, slot: str) -> bool:
    source = home_source(draft.parsed["properties"][slot], draft.parsed.get("$defs", {}))
    return source is not None or takes_numbers(draft.schema["properties"][slot])


def _is_free(draft: Draft, slot: str) -> bool:
    return slot not in draft.refused and takes_text(draft.schema, slot)


def _check_example(draft: Draft, text: str, slots: Mapping[str, Json], place: Pointer) -> Iterator[Finding]:
    placed = PLACEHOLDER.findall(text)
    before = 0
    for slot in placed:
        for finding in check_slot(slot, draft, (*place, "text")):
            before += 1
            yield finding
        if slot in slots:
            what = f"{{{slot}}} stands in the sentence and in its slots"
            yield Finding((*place, "slots", slot), what, "keep one of the two", at_key=True)
    if placed and not re.search(r"\w", PLACEHOLDER.sub("", text)) and any(_is_free(draft, slot) for slot in placed):
        yield Finding((*place, "text"), "every sentence equals this one", "put words around the placeholder")
    if PLACEHOLDER.sub("", text).strip("{}") != PLACEHOLDER.sub("", text):
        yield Finding(
            (*place, "text"), "a brace that belongs to no placeholder", "write {slot}, the slot in small letters"
        )
    for slot, value in slots.items():
        before += slot not in draft.declared or not draft.takes(slot, value)
        yield from check_value(draft, slot, value, (*place, "slots", slot))
    if not before and draft.is_whole and not any(draft.is_open(slot) for slot in (*placed, *slots)):
        yield from _check_whole(draft, placed, slots, place)


def _check_whole(draft: Draft, placed: list[str], slots: Mapping[str, Json], place: Pointer) -> Iterator[Finding]:
    if draft.values.can_hold(slots, placed):
        return
    missing = [
        key for key in draft.schema["required"] if key != "intent" and key not in placed and slots.get(key) is None
    ]
    if missing:
        what = f"the sentence does not say {list_words(missing)}, which every such intent has"
        yield Finding(place, what, f'add to "slots" {{{quote(missing[0])}: ...}}, or {{{missing[0]}}} to the text')
    else:
        what = "no value of its placeholders makes this a valid intent: a condition of the schema is not met"
        yield Finding(place, what, "give the slots that belong to these, or change the condition")


def _check_sentences(draft: Draft) -> Iterator[Finding]:
    """One sentence twice, or as an example and as what is refused."""
    places = Placeholders(draft.schema, draft.extension.get("spoken", {}))
    seen: dict[object, list[tuple[SentenceKey, Pointer, object]]] = {}
    for lang, index, text, slots in draft.examples():
        key = places.key_of(text, lang)
        pointer: Pointer = ("x-edged", "examples", lang, index, "text")
        meaning = (sorted(PLACEHOLDER.findall(text)), dict(slots))
        others = seen.setdefault(key.words, [])
        for other, where, meant in others:
            if key.meets(other):
                yield _same_sentence(pointer, where, is_same=meant == meaning)
                break
        others.append((key, pointer, meaning))
    for lang, texts in draft.extension.get("refused", {}).items():
        for index, text in enumerate(texts):
            same = seen.get(places.key_of(text, lang).words) if text is not None else None
            if same:
                what = f"this sentence is refused and an example ({_show(same[0][1])})"
                yield Finding(("x-edged", "refused", lang, index), what, "remove one of the two")


def _same_sentence(pointer: Pointer, where: Pointer, *, is_same: bool) -> Finding:
    if is_same:
        return Finding(pointer, f"this sentence stands twice (also at {_show(where)})", "remove one", "warning")
    return Finding(pointer, f"this sentence has two meanings (the other at {_show(where)})", "remove or reword one")


def _show(pointer: Pointer) -> str:
    return "/" + "/".join(map(str, pointer))


def _check_coverage(draft: Draft) -> Iterator[Finding]:
    """Slots and values that no sentence ever gives: nothing teaches that they can be said."""
    filled: dict[str, set[str]] = {}
    values: dict[tuple[str, str], set[object]] = {}
    for lang, _, text, slots in draft.examples():
        filled.setdefault(lang, set()).update(PLACEHOLDER.findall(text), slots)
        for slot, value in slots.items():
            values.setdefault((lang, slot), set()).add(value)
        for slot in PLACEHOLDER.findall(text):
            values.setdefault((lang, slot), set()).update(_listed(draft, slot))
    if filled:
        yield from _unfilled_slots(draft, filled)
    for lang in filled:
        yield from _unsaid_values(draft, lang, values)


def _unfilled_slots(draft: Draft, filled: Mapping[str, set[str]]) -> Iterator[Finding]:
    for slot in draft.declared:
        if slot not in draft.refused and not any(slot in slots for slots in filled.values()):
            remedy = f"add a sentence with {{{slot}}}, or remove the slot"
            yield Finding(("properties", slot), f"no example ever fills {quote(slot)}", remedy, "warning", at_key=True)


def _unsaid_values(draft: Draft, lang: str, said: Mapping[tuple[str, str], set[object]]) -> Iterator[Finding]:
    for slot in draft.schema["required"]:
        missing = [value for value in _listed(draft, slot) if value not in said.get((lang, slot), ())]
        if missing and not draft.reference(slot):
            what = f"no example in {lang} means {quote(slot)}: {list_words(map(str, missing))}"
            yield Finding(("x-edged", "examples", lang), what, "add a sentence for each", "warning", at_key=True)


def _listed(draft: Draft, slot: str) -> list[Json]:
    schema = draft.schema["properties"].get(slot, {})
    listed = [] if slot == "intent" or slot in draft.refused else schema.get("enum", ())
    return [value for value in listed if isinstance(value, str | int | float)]
