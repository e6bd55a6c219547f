"""What edged says of itself over MQTT: topics of its own and the messages on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from edged.config import TopicLevel
from edged.types import Intent, Rejected, SlotValue, Stage, Utterance

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"

_LEVEL: TypeAdapter[str] = TypeAdapter(TopicLevel)


@dataclass(frozen=True, slots=True)
class Report:
    """One message about what was understood or refused; never retained."""

    topic: str
    payload: bytes


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """The utterance's."""
    time: str
    """When it was sent: ISO 8601, UTC, milliseconds."""
    node: str
    text: str
    lang: str


class IntentMessage(_Message):
    """edged/<node>/intent/<name>: one intent that was understood."""

    slots: dict[str, SlotValue]
    confidence: Annotated[float, Field(ge=0, le=1)]
    latency_ms: Annotated[float, Field(ge=0)]
    """From the end of the utterance."""


class RejectedMessage(_Message):
    """edged/<node>/rejected: why nothing was done; text and lang are empty where they could not be read."""

    stage: Stage
    reason: str


def availability_topic(node: str) -> str:
    """Where `online` or `offline` is retained."""
    return f"edged/{_check_level(node)}/availability"


def text_topic(node: str) -> str:
    """Where text comes in."""
    return f"edged/{_check_level(node)}/in/text"


def report_intent(node: str, utterance: Utterance, intent: Intent, *, latency_ms: float) -> Report:
    """The message about one intent, with the slots that were given.

    Raises:
        ValueError: the node's or the intent's name is no topic level.
    """
    message = IntentMessage(
        id=utterance.id,
        time=_now(),
        node=node,
        text=utterance.text,
        lang=utterance.lang,
        slots={slot: value for slot, value in intent.slots.items() if value is not None},
        confidence=intent.confidence,
        latency_ms=round(latency_ms, 1),
    )
    return Report(f"edged/{_check_level(node)}/intent/{_check_level(intent.name)}", message.model_dump_json().encode())


def report_rejected(node: str, rejected: Rejected, *, text: str, lang: str) -> Report:
    """The message about something that was not done."""
    message = RejectedMessage(
        id=rejected.utterance_id,
        time=_now(),
        node=node,
        text=text,
        lang=lang,
        stage=rejected.stage,
        reason=rejected.reason,
    )
    return Report(f"edged/{_check_level(node)}/rejected", message.model_dump_json().encode())


def _check_level(name: str) -> str:
    return _LEVEL.validate_python(name)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
