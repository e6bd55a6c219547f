"""What a node and the workers say to each other: an utterance, and what it means. Neither trusts what it reads."""

from __future__ import annotations

import math
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from edged.act.messages import understood_topic, utterance_topic
from edged.config import Lang, TopicLevel
from edged.intents.accept import parse_instance
from edged.intents.compile import MAX_INTENTS
from edged.intents.spoken.delays import MAX_DELAY_S
from edged.types import Intent, Question, Rejected, Slots, SlotValue, Stage, Utterance

MAX_QUESTION_BYTES: Final = 4096
"""As much as `edged/<node>/in/text` takes."""
MAX_ANSWER_BYTES: Final = 16_384
"""Six intents of some hundred bytes, and a reason."""
MAX_TEXT_CHARACTERS: Final = 500
"""Nobody says more in one go."""
MAX_REASON_CHARACTERS: Final = 500
MAX_ASKED: Final = 64
"""Slots, and devices of one name."""


Share = Annotated[float, Field(ge=0, le=1)]
UtteranceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Line = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Reason = Annotated[str, StringConstraints(max_length=MAX_REASON_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class UtteranceMessage(_Message):
    """edged/<node>/utterance: what was said there."""

    id: UtteranceId
    text: Line
    lang: Lang
    asr_confidence: Share
    source: Annotated[str, StringConstraints(pattern=r"^[a-z_-]{1,32}(:[A-Za-z0-9_-]{1,64})?$")]
    area: TopicLevel | None = None
    """Where it was said."""


class UnderstoodIntent(_Message):
    """One intent of an answer."""

    intent: TopicLevel
    slots: Annotated[dict[str, SlotValue], Field(max_length=64)]
    confidence: Share
    margin: Annotated[float, Field(ge=0)] | None
    """None where there was no other choice."""
    delay_s: Annotated[float, Field(ge=0, le=MAX_DELAY_S)] = 0.0


class AskedQuestion(_Message):
    """What the node may ask back."""

    intents: Annotated[list[UnderstoodIntent], Field(min_length=1, max_length=MAX_INTENTS)]
    at: Annotated[int, Field(ge=0)]
    """Which of them it is about; it need not be valid yet."""
    slots: Annotated[list[str], Field(max_length=MAX_ASKED)]
    choices: Annotated[list[str], Field(max_length=MAX_ASKED)]
    text: Line

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if self.at >= len(self.intents):
            raise ValueError("there is no such intent")
        return self


class RejectedUtterance(_Message):
    """Why nothing is to be done."""

    stage: Stage
    reason: Reason
    meant: Annotated[list[UnderstoodIntent], Field(max_length=MAX_INTENTS)]
    asks: AskedQuestion | None = None


class UnderstoodMessage(_Message):
    """edged/<node>/understood: what an utterance means, or why it is rejected."""

    id: UtteranceId
    worker: TopicLevel
    """The node name of the worker that has answered."""
    intents: Annotated[list[UnderstoodIntent], Field(max_length=MAX_INTENTS)]
    rejected: RejectedUtterance | None

    @model_validator(mode="after")
    def _check_alternatives(self) -> Self:
        if bool(self.intents) == (self.rejected is not None):
            raise ValueError("there must be either intents or a rejection")
        return self


def write_utterance(utterance: Utterance, area: str | None) -> bytes:
    """The payload about an utterance, said in `area` where it does not say itself where.

    Raises:
        ValueError: something in it cannot be sent, such as control characters.
    """
    message = UtteranceMessage(
        id=utterance.id,
        text=utterance.text,
        lang=utterance.lang,
        asr_confidence=utterance.asr_confidence,
        source=utterance.source,
        area=utterance.area or area,
    )
    return message.model_dump_json().encode()


def read_utterance(topic: str, payload: bytes, response_topic: str) -> tuple[str, UtteranceMessage]:
    """The node that asks, and its utterance.

    Raises:
        ValueError: this is no question, or its answer is wanted on another topic than the node's own.
    """
    node = topic.removeprefix("edged/").removesuffix("/utterance")
    if topic != utterance_topic(node) or response_topic != understood_topic(node):
        raise ValueError("the topics are not those of one node")
    if len(payload) > MAX_QUESTION_BYTES:
        raise ValueError(f"longer than {MAX_QUESTION_BYTES} bytes")
    return node, UtteranceMessage.model_validate_json(payload)


def write_outcome(worker: str, utterance_id: str, outcome: tuple[Intent, ...] | Rejected) -> bytes:
    """The payload about what an utterance means."""
    intents: list[UnderstoodIntent] = []
    rejected: RejectedUtterance | None = None
    if isinstance(outcome, Rejected):
        meant = list(map(_write_intent, outcome.meant))
        asks = _write_question(outcome.asks) if outcome.asks is not None else None
        rejected = RejectedUtterance(stage=outcome.stage, reason=_one_line(outcome.reason), meant=meant, asks=asks)
    else:
        intents = list(map(_write_intent, outcome))
    message = UnderstoodMessage(id=utterance_id, worker=worker, intents=intents, rejected=rejected)
    return message.model_dump_json().encode()


def read_outcome(payload: bytes) -> UnderstoodMessage:
    """What a worker has answered; nothing is known yet of its intents but their form.

    Raises:
        ValueError: this is no answer.
    """
    if len(payload) > MAX_ANSWER_BYTES:
        raise ValueError(f"longer than {MAX_ANSWER_BYTES} bytes")
    parse_instance(payload.decode())  # refuses numbers that are infinite or too long, and deep nesting
    return UnderstoodMessage.model_validate_json(payload)


def make_intent(utterance_id: str, item: UnderstoodIntent) -> Intent:
    """The intent that an answer holds."""
    margin = math.inf if item.margin is None else item.margin
    slots: Slots = item.slots
    return Intent(utterance_id, item.intent, slots, item.confidence, margin, item.delay_s)


def make_question(utterance_id: str, item: AskedQuestion) -> Question:
    """The question that an answer holds."""
    intents = tuple(make_intent(utterance_id, intent) for intent in item.intents)
    return Question(intents, item.at, tuple(item.slots), tuple(item.choices), item.text)


def describe_fault(error: ValueError) -> str:
    """What is wrong with a message, without anything of what was sent."""
    if not isinstance(error, ValidationError):
        return "it is no text" if isinstance(error, UnicodeDecodeError) else "it is too long or malformed"
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(dict.fromkeys(fault["type"] for fault in faults))[:MAX_REASON_CHARACTERS]


def _write_intent(intent: Intent) -> UnderstoodIntent:
    margin = None if math.isinf(intent.margin) else intent.margin
    return UnderstoodIntent(
        intent=intent.name,
        slots=dict(intent.slots),
        confidence=intent.confidence,
        margin=margin,
        delay_s=intent.delay_s,
    )


def _write_question(question: Question) -> AskedQuestion | None:
    """None where it is about more than may be sent: then the utterance is rejected without one."""
    if len(question.slots) > MAX_ASKED or len(question.choices) > MAX_ASKED:
        return None
    return AskedQuestion(
        intents=list(map(_write_intent, question.intents)),
        at=question.at,
        slots=list(question.slots),
        choices=list(question.choices),
        text=_one_line(question.text),
    )


def _one_line(text: str) -> str:
    """A reason as it may be sent; those of the schemas name words of the house, which may be anything."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:MAX_REASON_CHARACTERS]
