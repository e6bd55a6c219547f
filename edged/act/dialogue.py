"""One question back: what is asked, for how long, and what becomes of it.

A question is about one utterance and belongs to the source of that utterance: only what is said there answers it, or a
message on in/confirm that names the utterance. What may be done after an answer stands in the question from the start;
an answer picks from it, and no answer is ever asked about again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edged.act.inbound import Reply
from edged.act.mapping import map_intent
from edged.act.replies import Reading, read_reply
from edged.intents.catalog import Catalog, holds
from edged.intents.free_text import takes_text
from edged.intents.home import names_in
from edged.intents.spoken.forms import name_forms, named_values
from edged.intents.spoken.replies import replies_of
from edged.types import Intent, Question, Rejected, Utterance

MAX_OPEN: Final = 64
"""Questions at a time, one a source: more satellites than a house has rooms."""
MAX_CHOICES: Final = 5
"""Devices that a question offers: nobody keeps more in mind, and the ordinals end there."""
MAX_OPTIONS: Final = 12
"""Values that are shown; others may be said all the same."""
MAX_SHOWN_CHARACTERS: Final = 200
"""Of what was said, inside a question."""
RECOGNIZED_S: Final = 3.0
"""After the time is over: an answer that began within it may still be spoken or recognised."""
REMEMBERED_S: Final = 10.0
"""After a question is closed, what would be an answer to it is told so, and understood as nothing else."""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that waits for its answer."""

    utterance: Utterance
    """That it is about."""
    question: Question
    text: str
    options: tuple[str, ...]
    """What may be said, as it is shown; devices in the order of the choices."""
    asked_ns: int
    deadline_ns: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A question that came to nothing."""

    rejected: Rejected
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done after something was said."""

    utterance: Utterance
    """That the intents belong to; after an answer the first one, as if it had been said now."""
    intents: tuple[Intent, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    asked: OpenQuestion | None = None
    closed: tuple[Closed, ...] = ()
    """Of other utterances."""


@dataclass(frozen=True, slots=True)
class _Past:
    """A question that is closed, and why an answer to it does nothing any more."""

    question: OpenQuestion
    reason: str
    until_ns: int


class Dialogue:
    """The open questions; belongs to the thread that understands."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        ask_s: float,
        default_area: str | None = None,
        min_asr_confidence: float = 0.0,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Asks nothing yet.

        Args:
            catalog: what can be said.
            ask_s: how long a question is open; 0 asks nothing, and what would be asked about is rejected.
            default_area: the area that is meant where no place is named.
            min_asr_confidence: an answer that was heard less clearly is none.
            clock: the time in nanoseconds.
        """
        self._catalog = catalog
        self._ask_s = ask_s
        self._default_area = default_area
        self._min_asr_confidence = min_asr_confidence
        self._clock = clock
        self._open: dict[str, OpenQuestion] = {}
        """By source."""
        self._past: dict[str, _Past] = {}
        """The last closed one of each source."""

    def set_catalog(self, catalog: Catalog) -> tuple[Closed, ...]:
        """Knows this catalog from now on; what was asked under the one before is dropped."""
        closed = self.drop("what can be said changed before the answer")
        self._past.clear()
        self._catalog = catalog
        return closed

    def drop(self, reason: str) -> tuple[Closed, ...]:
        """Closes every question."""
        return tuple(self._close(source, reason) for source in [*self._open])

    def hear(self, utterance: Utterance, understand: Callable[[Utterance], tuple[Intent, ...] | Rejected]) -> Step:
        """What an utterance leads to: it answers the question of its source, or is understood."""
        source = utterance.source
        is_late = source in self._open and self._open[source].deadline_ns < utterance.start_ns
        expired = (self._close(source, self._unanswered),) if is_late else ()
        step = self._answer(utterance) or self._refuse_late(utterance) or self._take(utterance, understand(utterance))
        return replace(step, closed=(*expired, *step.closed))

    def take_reply(self, reply: Reply) -> Step | Rejected:
        """What a reply by its question's id leads to; why it is refused."""
        found = next((one for one in self._open.values() if one.utterance.id == reply.utterance_id), None)
        if found is None or not found.asked_ns <= reply.received_ns <= found.deadline_ns:
            return Rejected(reply.utterance_id, "mqtt", "in/confirm: no question about this utterance is open")
        reading = self._read(found, reply.text, reply.lang)
        if reading is None:
            return Rejected(reply.utterance_id, "mqtt", "in/confirm: this is no answer to the question")
        return self._settle(found, reading, reply.received_ns, reply.received_ns)

    def expire(self) -> tuple[Closed, ...]:
        """The questions whose time is over; to be called now and then while nothing waits to be handled."""
        latest_ns = self._clock() - round(RECOGNIZED_S * 1e9)
        sources = [source for source, one in self._open.items() if one.deadline_ns < latest_ns]
        return tuple(self._close(source, self._unanswered) for source in sources)

    @property
    def _unanswered(self) -> str:
        return f"no answer within {self._ask_s:g} s"

    def _close(self, source: str, reason: str) -> Closed:
        one = self._open.pop(source)
        self._forget_later(one, "the question is not open any more")
        return Closed(Rejected(one.utterance.id, "understand", reason, one.question.intents), one.utterance)

    def _forget_later(self, one: OpenQuestion, reason: str) -> None:
        now_ns = self._clock()
        self._past = {source: past for source, past in self._past.items() if past.until_ns > now_ns}
        self._past[one.utterance.source] = _Past(one, reason, now_ns + round(REMEMBERED_S * 1e9))

    def _answer(self, utterance: Utterance) -> Step | None:
        """None where the utterance is no answer: said before the question, too unclearly, or something else."""
        one = self._open.get(utterance.source)
        if one is None or utterance.start_ns < one.asked_ns or not self._is_clear(utterance):
            return None
        reading = self._read(one, utterance.text, utterance.lang)
        return None if reading is None else self._settle(one, reading, utterance.start_ns, utterance.end_ns)

    def _is_clear(self, utterance: Utterance) -> bool:
        return utterance.asr_confidence >= self._min_asr_confidence

    def _read(self, one: OpenQuestion, text: str, lang: str) -> Reading:
        """In the language of the question, in which the options are shown, else in the one that was given."""
        langs = dict.fromkeys((one.utterance.lang, lang))
        readings = (read_reply(one.question, one.options, text, lang, self._catalog) for lang in langs)
        return next((reading for reading in readings if reading is not None), None)

    def _settle(self, one: OpenQuestion, reading: Reading, start_ns: int, end_ns: int) -> Step:
        del self._open[one.utterance.source]
        self._forget_later(one, "the question was answered already")
        said_now = replace(one.utterance, start_ns=start_ns, end_ns=end_ns)
        if isinstance(reading, tuple):
            return Step(said_now, reading)
        reason = "the answer was no" if reading == "declined" else "the answer leaves it unclear"
        return Step(said_now, rejected=(Rejected(one.utterance.id, "understand", reason, one.question.intents),))

    def _refuse_late(self, utterance: Utterance) -> Step | None:
        past = self._past.get(utterance.source)
        if past is None or utterance.source in self._open or not self._is_clear(utterance):
            return None
        if utterance.start_ns < past.question.asked_ns or utterance.start_ns > past.until_ns:
            return None
        if self._read(past.question, utterance.text, utterance.lang) in (None, "declined"):
            return None
        return Step(utterance, rejected=(Rejected(utterance.id, "understand", past.reason),))

    def _take(self, utterance: Utterance, understood: tuple[Intent, ...] | Rejected) -> Step:
        """What was understood is done, or asked about; either takes the place of an open question."""
        intents = () if isinstance(understood, Rejected) else understood
        if isinstance(understood, Rejected):
            due, refusal = understood.asks, understood
        else:
            due = self._due(understood, utterance)
            reason = "this is to be confirmed, and no question can be asked"
            refusal = Rejected(utterance.id, "understand", reason, understood)
        if due is None and not intents:
            return Step(utterance, rejected=(refusal,))
        closed = (self._close(utterance.source, "no answer"),) if utterance.source in self._open else ()
        asked = self._ask(due, utterance) if due is not None else None
        if asked is not None:
            return Step(utterance, asked=asked, closed=closed)
        if intents and (due is None or due.slots):  # where something is missing, the mapping says so
            return Step(utterance, intents, closed=closed)
        return Step(utterance, rejected=(refusal,), closed=closed)

    def _due(self, intents: Sequence[Intent], utterance: Utterance) -> Question | None:
        """A value that the one intent still needs, else yes or no."""
        missing = [question for at in range(len(intents)) for question in self._missing(intents, at, utterance.lang)]
        if missing:
            return missing[0] if len(missing) == 1 else None
        each = (self._is_to_confirm(intent, utterance.area) for intent in intents)
        wide = [is_wide for is_wide in each if is_wide is not None]
        return Question(tuple(intents), is_wide=all(wide)) if wide else None

    def _missing(self, intents: Sequence[Intent], at: int, lang: str) -> Iterator[Question]:
        """The first question of an intent's file that it leads to."""
        intent = intents[at]
        file = self._catalog.intents.get(intent.name)
        for entry in file.questions if file else ():
            is_given = any(intent.slots.get(slot) is not None for slot in entry.slots)
            if not is_given and holds(entry.when, intent.slots):
                texts = entry.text.get(lang) or entry.text.get(lang.split("-")[0]) or ("",)
                yield Question(tuple(intents), at, entry.slots, text=texts[0])
                return

    def _is_to_confirm(self, intent: Intent, area: str | None) -> bool | None:
        """Whether it is for the whole house that it is to be confirmed; None where it is not to be."""
        file = self._catalog.intents.get(intent.name)
        if file is None or file.confirm is None or not holds(file.confirm.when, intent.slots):
            return None
        changes = map_intent(intent, self._catalog, default_area=area or self._default_area)
        if isinstance(changes, Rejected):
            return None  # nothing comes of it
        is_wide = (
            all(intent.slots.get(slot) is None for slot in file.homes)
            and len({change.device.area for change in changes}) > 1
        )
        return is_wide if is_wide or file.confirm.scope == "always" else None

    def _ask(self, question: Question, utterance: Utterance) -> OpenQuestion | None:
        """The question, open from now on; None where it cannot be asked."""
        options = self._options(question, utterance.lang)
        if not self._ask_s or options is None or len(self._open) >= MAX_OPEN:
            return None
        now_ns = self._clock()
        text = _write(question, options, utterance)
        asked = OpenQuestion(utterance, question, text, options, now_ns, now_ns + round(self._ask_s * 1e9))
        self._open[utterance.source] = asked
        self._past.pop(utterance.source, None)
        return asked

    def _options(self, question: Question, lang: str) -> tuple[str, ...] | None:
        """What may be said, as it is shown; None where no answer could be read."""
        if not question.slots:
            replies = replies_of(lang)
            return replies.yes[0], replies.no[0]
        file = self._catalog.intents[question.intents[question.at].name]
        if question.choices:
            few = len(question.choices) <= MAX_CHOICES and len(question.slots) == 1
            return self._describe(question.choices, lang) if few else None
        slots = [slot for slot in question.slots if slot in file.slots and not takes_text(file.schema, slot)]
        if not slots:
            return None
        listed = [
            name
            for slot in slots
            if "enum" in file.schema["properties"][slot]
            for value in named_values(file, slot, lang)
            for name in name_forms(file, slot, value, self._catalog, lang)[:1]
        ]
        return tuple(dict.fromkeys(listed))[:MAX_OPTIONS]

    def _describe(self, devices: Sequence[str], lang: str) -> tuple[str, ...]:
        """Devices of one name by where they are, or by their keys where that does not tell them apart."""
        home = self._catalog.home
        areas = [home.areas.get(home.devices[key].area or "") for key in devices]
        if len({area.key for area in areas if area is not None}) < len(devices):
            return tuple(key.replace("_", " ") for key in devices)
        return tuple(next(iter(names_in(area.names, lang)), area.key) for area in areas if area is not None)


def _write(question: Question, options: Sequence[str], utterance: Utterance) -> str:
    """The question as it is asked."""
    replies = replies_of(utterance.lang)
    if question.choices:
        return replies.which.format(options=replies.joined.join(options))
    if question.slots:
        return question.text or replies.value
    said = (
        utterance.text if len(utterance.text) <= MAX_SHOWN_CHARACTERS else f"{utterance.text[:MAX_SHOWN_CHARACTERS]}…"
    )
    return (replies.confirm_house if question.is_wide else replies.confirm).format(said=said)
