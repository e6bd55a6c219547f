"""What edged says of itself over MQTT: topics of its own and the messages on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from edged.config import TopicLevel
from edged.intents.catalog import Fault
from edged.types import Intent, Rejected, SlotValue, Stage, Utterance

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"

MAX_REPORTED_FAULTS: Final = 50
"""In one message; with MAX_FAULT_CHARACTERS it stays below 64 kB in most scripts."""
MAX_FAULT_CHARACTERS: Final = 300
"""Of each text of a fault."""

_LEVEL: TypeAdapter[str] = TypeAdapter(TopicLevel)


@dataclass(frozen=True, slots=True)
class Report:
    """One message that edged says of itself, never a command."""

    topic: str
    payload: bytes
    retain: bool = False
    """It says how things are until the next one does: who comes later gets it too."""


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


class FaultMessage(BaseModel):
    """One fault in the catalog message; long texts are cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    pointer: str
    line: int
    """1-based; 0 where it is not known."""
    column: int
    what: str
    remedy: str
    severity: Literal["error", "warning"]


class CatalogMessage(BaseModel):
    """edged/<node>/catalog, retained: what can be said, and what is wrong with the files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: str
    """Since when: ISO 8601, UTC, milliseconds."""
    node: str
    intents: tuple[str, ...]
    """In force."""
    last_good: tuple[str, ...]
    """Files that are served from their last good version, since they cannot be used as they are."""
    faults: tuple[FaultMessage, ...]
    more_faults: int
    """Faults that are not listed."""


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


def report_catalog(node: str, intents: Iterable[str], last_good: Iterable[str], faults: Sequence[Fault]) -> Report:
    """The message about the catalog that is in force."""
    listed = sorted(faults, key=lambda fault: fault.severity)[:MAX_REPORTED_FAULTS]
    message = CatalogMessage(
        time=_now(),
        node=node,
        intents=tuple(intents),
        last_good=tuple(_cut(file) for file in last_good),
        faults=tuple(
            FaultMessage(
                file=_cut(fault.file),
                pointer=_cut(fault.pointer),
                line=fault.line,
                column=fault.column,
                what=_cut(fault.what),
                remedy=_cut(fault.remedy),
                severity=fault.severity,
            )
            for fault in listed
        ),
        more_faults=len(faults) - len(listed),
    )
    return Report(f"edged/{_check_level(node)}/catalog", message.model_dump_json().encode(), retain=True)


def _cut(text: str) -> str:
    """A text of bounded length that any JSON can hold."""
    cut = text if len(text) <= MAX_FAULT_CHARACTERS else f"{text[: MAX_FAULT_CHARACTERS - 3]}..."
    return cut.encode("utf-8", "backslashreplace").decode()


def _check_level(name: str) -> str:
    return _LEVEL.validate_python(name)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
