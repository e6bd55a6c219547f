"""The types that cross the boundaries between the stages.

    hear -> Utterance -> understand -> Intent -> act -> Command -> mqtt

All are frozen; any stage may return a `Rejected` in place of its result. Times are nanoseconds of
`time.monotonic_ns()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

SlotValue: TypeAlias = str | int | float | bool | list[Any] | dict[str, Any] | None
"""A JSON value; lists and objects are those of slots that have these types."""
Slots: TypeAlias = Mapping[str, SlotValue]
Stage: TypeAlias = Literal["hear", "understand", "act", "mqtt"]
AnsweredBy: TypeAlias = Literal["nobody", "example", "cache", "model"]
"""What decided what an utterance means; nobody: it was rejected before anything was asked."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of sound as it comes from a source."""

    pcm: bytes
    """Signed 16-bit little-endian samples, mono, 16 kHz."""
    start_ns: int
    """When its first sample was taken."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one person said in one go."""

    id: str
    """Unique among all utterances; it is in every log line and message about this one."""
    text: str
    lang: str
    """BCP 47 language code of the text: en, ko, pt-BR, ..."""
    asr_confidence: float
    """0..1, the mean of the recogniser's word confidences; 1 for typed text."""
    start_ns: int
    end_ns: int
    source: str
    """Where it came from: mic, stdin, wav, mqtt, cli."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing that the person wants, valid under its schema."""

    utterance_id: str
    name: str
    slots: Slots
    confidence: float
    """0..1: the least probability that the LM, free of the grammar, gave to anything written in this intent, what the
    utterance itself decided aside."""
    margin: float
    """The least gap in natural log-probability between a choice and the runner-up that the grammar also allowed;
    infinite where there was none."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why nothing is done about an utterance, or about one of its intents."""

    utterance_id: str
    stage: Stage
    reason: str
    meant: tuple[Intent, ...] = ()
    """What it would have been, had that been sure or clear enough."""


@dataclass(frozen=True, slots=True)
class Command:
    """One MQTT message to one device."""

    topic: str
    payload: bytes
    qos: Literal[0, 1, 2]
    retain: bool
    expires_ns: int
    """After this moment it must not be sent: a lamp must not switch on an hour later."""
    intent_id: str
    """The id of the utterance whose intent this carries out."""
