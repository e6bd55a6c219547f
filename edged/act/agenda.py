"""What becomes of timers: set by an intent with a delay, listed, cancelled, carried out when due, and told of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

from edged.act.messages import Report, TimerEntry, report_timer_answer, report_timers
from edged.act.timers import Timer, Timers
from edged.intents.accept import exact_validator
from edged.intents.catalog import Catalog, TimerAct, TimerRules, holds
from edged.intents.home import Home
from edged.intents.spoken.delays import find_delay, say_delay
from edged.intents.spoken.language import language_of
from edged.ops.clock import SYSTEM_CLOCK, Clock
from edged.types import Intent, Rejected, Utterance

TOLD_AGAIN_NS: Final = 5 * 10**9
"""A wall clock that was set by more than this makes the times that were told wrong."""

_Running: TypeAlias = tuple[tuple[Timer, float | None], ...]


class Agenda:
    """The timers of one node; belongs to the thread that handles utterances."""

    def __init__(
        self, timers: Timers, *, node: str, report: Callable[[Report], object], clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Tells nothing before `tell`."""
        self._timers = timers
        self._node = node
        self._report = report
        self._clock = clock
        self._told: dict[int, int | None] | None = None
        """Number -> when it is due by the wall clock, as it was last told."""

    def take(
        self, intents: Sequence[Intent], utterance: Utterance, catalog: Catalog
    ) -> tuple[tuple[Intent, ...], tuple[Rejected, ...]]:
        """Puts off what has a delay and does what is about timers.

        Returns:
            What is left to be done at once, and why something of the others is not done.
        """
        at_once: list[Intent] = []
        refused: list[Rejected | None] = []
        for place, intent in enumerate(intents, 1):
            file = catalog.intents.get(intent.name)
            if intent.delay_s:
                refused.append(self._put_off(intent, utterance, place))
            elif file is not None and file.timers is not None:
                refused.append(self._manage(intent, file.timers, utterance, catalog.home))
            else:
                at_once.append(intent)
        if len(at_once) < len(intents):
            self.tell()
        return tuple(at_once), tuple(filter(None, refused))

    def due(self, catalog: Catalog) -> tuple[tuple[Timer, Rejected | None], ...]:
        """The timers that are due, each until it is removed, and why one is not carried out any more."""
        return tuple((timer, late or _why_gone(timer, catalog)) for timer, late in self._timers.due())

    def remove(self, timer: Timer) -> None:
        """It is carried out or given up; harmless twice."""
        self._timers.remove(timer)

    def tell(self) -> None:
        """Reports the list where something about it has changed, and at first."""
        running = self._timers.list()
        due = {timer.number: self._due_ns(left_s) for timer, left_s in running}
        told = self._told
        if told is None or due.keys() != told.keys() or any(_has_moved(due[key], told[key]) for key in due):
            self._told = due
            self._report(report_timers(self._node, self._entries(running)))

    def _put_off(self, intent: Intent, utterance: Utterance, place: int) -> Rejected | None:
        """Under an id of its own: what the same utterance commands at once has the utterance's."""
        own_id = "+".join(filter(None, (utterance.id, utterance.instance, str(place))))
        later = replace(intent, utterance_id=own_id, delay_s=0.0)
        taken = self._timers.add(
            later, text=utterance.text, lang=utterance.lang, delay_s=intent.delay_s, area=utterance.area
        )
        return replace(taken, utterance_id=utterance.id) if isinstance(taken, Rejected) else None

    def _manage(self, intent: Intent, rules: TimerRules, utterance: Utterance, home: Home) -> Rejected | None:
        act = _find_act(intent, rules)
        if act is None:
            return Rejected(intent.utterance_id, "act", "says nothing to do with the timers")
        named = {str(intent.slots[slot]) for slot in (rules.area, rules.device) if slot and intent.slots.get(slot)}
        running = self._timers.list()
        meant = tuple(item for item in running if named <= _places_of(item[0].intent, home))
        if act == "list":
            reply = _describe(meant, utterance.lang)
            self._report(report_timer_answer(self._node, utterance, intent, self._entries(meant), reply))
        elif not meant:
            return Rejected(intent.utterance_id, "act", "no timer is about this" if running else "no timer is set")
        else:
            last = max((timer for timer, _ in meant), key=lambda timer: timer.number)
            for timer in [last] if act == "cancel" else [timer for timer, _ in meant]:
                self._timers.remove(timer)
        return None

    def _entries(self, running: _Running) -> tuple[TimerEntry, ...]:
        return tuple(
            TimerEntry(
                id=timer.intent.utterance_id,
                text=timer.text,
                lang=timer.lang,
                intent=timer.intent.name,
                slots={slot: value for slot, value in timer.intent.slots.items() if value is not None},
                due=_iso(self._due_ns(left_s)),
            )
            for timer, left_s in running
        )

    def _due_ns(self, left_s: float | None) -> int | None:
        return None if left_s is None else self._clock.wall_ns() + round(left_s * 1e9)


def as_at_once(utterance: Utterance, intents: Sequence[Intent]) -> Utterance:
    """The utterance without the delay that its intents have: what the LM was asked, and may learn from."""
    delayed = find_delay(utterance.text, utterance.lang) if any(intent.delay_s for intent in intents) else None
    return utterance if delayed is None else replace(utterance, text=delayed.rest)


def _has_moved(due_ns: int | None, told_ns: int | None) -> bool:
    if due_ns is None or told_ns is None:
        return due_ns is not told_ns
    return abs(due_ns - told_ns) > TOLD_AGAIN_NS


def _iso(wall_ns: int | None) -> str | None:
    if wall_ns is None:
        return None
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _find_act(intent: Intent, rules: TimerRules) -> TimerAct | None:
    acts = [rule.act for rule in rules.rules if holds(rule.when, intent.slots)]
    return acts[-1] if acts else None


def _places_of(intent: Intent, home: Home) -> frozenset[str]:
    """The areas and devices that an intent names, where these devices are, and the floors of all these areas."""
    named = {value for value in intent.slots.values() if isinstance(value, str)}
    devices = {value for value in named if value in home.devices}
    areas = {home.devices[key].area or "" for key in devices} | (named & home.areas.keys())
    floors = {home.areas[area].floor for area in areas if area} | (named & home.floors.keys())
    return frozenset(key for key in (*devices, *areas, *floors) if key)


def _why_gone(timer: Timer, catalog: Catalog) -> Rejected | None:
    """Why nothing can be made of an intent that was understood under an earlier catalog."""
    intent = timer.intent
    file = catalog.intents.get(intent.name)
    reason = None
    if file is None:
        reason = f"there is no intent {intent.name} any more"
    elif not exact_validator(file.schema, is_linear=True).is_valid({"intent": intent.name, **intent.slots}):
        reason = f"the intent {intent.name} or the house has changed since the timer was set"
    elif timer.area is not None and timer.area not in catalog.home.areas:
        reason = "the area where the timer was set is not there any more"
    return None if reason is None else Rejected(intent.utterance_id, "act", reason)


def _describe(running: _Running, lang: str) -> str:
    """One short text for a person: how long until what."""
    told = []
    for timer, left_s in running:
        delayed = find_delay(timer.text, timer.lang)
        what = delayed.rest if delayed else timer.text
        told.append(f"{say_delay(left_s, lang)}: {what}" if left_s is not None else what)
    return "; ".join(told) or language_of(lang).delays.none
