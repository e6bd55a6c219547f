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
ResultStatus: TypeAlias = Literal["confirmed", "unconfirmed", "sent"]
"""Of a command that the broker has: the device's state shows it, does not show it in time, or cannot show it."""
ListenMode: TypeAlias = Literal["once", "on", "off"]
"""What somebody wants of the microphone; once: until one utterance is complete."""
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
    """Where it came from: mic, stdin, wav, wyoming:<satellite>, mqtt, cli."""
    area: str | None = None
    """The area where it was said: a command that names no place means it; without it, the daemon's own."""
    instance: str = ""
    """Sets it apart from others whose sender has chosen the same id; empty where the id is edged's own."""


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
    delay_s: float = 0.0
    """How much later it is to be done: "in ten minutes"."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be asked back before anything is done: which device, which value, or yes or no."""

    intents: tuple[Intent, ...]
    """All that was understood."""
    at: int = 0
    """Which of them the question is about."""
    slots: tuple[str, ...] = ()
    """One of these is to be given; none: yes or no."""
    choices: tuple[str, ...] = ()
    """The devices that the only slot can name; none: any value that the slot can have."""
    text: str = ""
    """The question, in the language of the utterance, where the intent's file has one."""
    is_wide: bool = False
    """Yes or no to what concerns the whole house."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why nothing is done about an utterance, or about one of its intents."""

    utterance_id: str
    stage: Stage
    reason: str
    meant: tuple[Intent, ...] = ()
    """What it would have been, had that been sure or clear enough."""
    asks: Question | None = None
    """What could be asked back to make it clear."""


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
    is_repeatable: bool = False
    """Arriving twice, it changes nothing more, as on, a level or a temperature; no step and no toggle is. The driver
    says so."""
    position: int = 0
    """Which of the utterance's commands it is."""
    instance: str = ""
    """The utterance's."""
    device: str = ""
    """Its key in home.toml: commands to one device keep their order. Empty where it is not known."""

    @property
    def id(self) -> str:
        """The same for all copies of this command and for no other one; it goes out with it as a user property."""
        return f"{self.intent_id}/{self.instance and self.instance + '/'}{self.position}"
