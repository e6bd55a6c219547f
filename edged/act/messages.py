"""What edged says of itself over MQTT: topics of its own and the messages on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from edged import __version__
from edged.config import TopicLevel
from edged.intents.catalog import Fault
from edged.types import Command, Intent, Rejected, ResultStatus, SlotValue, Stage, Utterance

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
LISTENING: Final = b"on"
NOT_LISTENING: Final = b"off"

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
    may_wait: bool = False
    """It is worth telling once the broker is back."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """The utterance's."""
    time: str
    """When it was sent: ISO 8601, UTC, milliseconds."""
    node: str
    text: str
    lang: str


class _Head(TypedDict):
    """What all of them have."""

    id: str
    time: str
    node: str
    text: str
    lang: str


class IntentMessage(_Message):
    """edged/<node>/intent/<name>: one intent that was understood."""

    intent: str
    slots: dict[str, SlotValue]
    confidence: Annotated[float, Field(ge=0, le=1)]
    latency_ms: Annotated[float, Field(ge=0)]
    """From the end of the utterance."""


class RejectedMessage(_Message):
    """edged/<node>/rejected: why nothing was done; text and lang are empty where they could not be read."""

    stage: Stage
    reason: str


class ResultMessage(BaseModel):
    """edged/<node>/result: what became of one command at its device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """The utterance's."""
    time: str
    """When this was sent: ISO 8601, UTC, milliseconds."""
    node: str
    command: str
    """Which of the utterance's commands it is: the `id` that went out with it."""
    device: str
    """Its key in home.toml."""
    status: ResultStatus
    reason: str
    """Empty where nothing is to be said."""


class AnsweredDevice(BaseModel):
    """A device in an answer; what is asked about it stands beside, a capability or reading a key."""

    model_config = ConfigDict(frozen=True, extra="allow")

    device: str
    name: str
    area: str | None
    known: bool
    """Whether it has said what is asked."""
    offline: bool
    """It says that it cannot be reached, so that what it said before may be over."""


class AnswerMessage(_Message):
    """edged/<node>/answer: what the devices last said of what somebody asks."""

    intent: str
    devices: tuple[AnsweredDevice, ...]
    more_devices: int
    """Devices that are not listed."""
    reply: str
    """One line that can be read out."""


class TimerEntry(BaseModel):
    """One timer that runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Its own, under which it is carried out: the utterance's with a number behind it."""
    text: str
    """What was said."""
    lang: str
    intent: str
    slots: dict[str, SlotValue]
    due: str | None
    """ISO 8601, UTC; null after a reboot, as long as nobody knows what time it is."""


class TimersMessage(BaseModel):
    """edged/<node>/timers, retained: every timer that runs, the next first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: str
    """Since when: ISO 8601, UTC, milliseconds."""
    node: str
    timers: tuple[TimerEntry, ...]


class TimerAnswerMessage(_Message):
    """edged/<node>/answer, to a question about timers."""

    intent: str
    timers: tuple[TimerEntry, ...]
    """Those that were asked for, the next first."""
    reply: str
    """The same in words, to be spoken or shown."""


class AskMessage(_Message):
    """edged/<node>/ask: a question back; the id is what an answer on in/confirm names."""

    question: str
    """In the language of the utterance."""
    options: tuple[str, ...]
    """What may be said, as it is shown; empty where any number may."""
    expires_s: float
    """How long an answer counts."""


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


class OutboxMessage(BaseModel):
    """edged/<node>/outbox, retained: whether commands that wait, and timers, outlive a restart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: str
    """Since when: ISO 8601, UTC, milliseconds."""
    node: str
    durable: bool
    fault: str
    """What is wrong with the file, or was when the daemon started; empty where nothing is."""


class DiagnosticsMessage(BaseModel):
    """edged/<node>/diagnostics, retained: what runs here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: str
    """Of the start: ISO 8601, UTC, milliseconds."""
    node: str
    version: str
    model: str
    """The language model: its name in the catalogue of models, or that of its file."""
    lang: str
    source: str
    """Where sound comes from."""


def availability_topic(node: str) -> str:
    """Where `online` or `offline` is retained."""
    return f"edged/{check_level(node)}/availability"


def text_topic(node: str) -> str:
    """Where text comes in."""
    return f"edged/{check_level(node)}/in/text"


def listen_topic(node: str) -> str:
    """Where requests to listen come in."""
    return f"edged/{check_level(node)}/in/listen"


def confirm_topic(node: str) -> str:
    """Where answers to questions come in."""
    return f"edged/{check_level(node)}/in/confirm"


def listening_topic(node: str) -> str:
    """Where `on` or `off` is retained."""
    return f"edged/{check_level(node)}/listening"


def intent_topic(node: str, intent: str) -> str:
    """Where an intent is told of."""
    return f"edged/{check_level(node)}/intent/{check_level(intent)}"


def every_intent_topic(node: str) -> str:
    """The filter that all of them match."""
    return f"edged/{check_level(node)}/intent/+"


def utterance_topic(node: str) -> str:
    """Where a node asks the workers what an utterance means."""
    return f"edged/{check_level(node)}/utterance"


def understood_topic(node: str) -> str:
    """Where they answer."""
    return f"edged/{check_level(node)}/understood"


def rejected_topic(node: str) -> str:
    """Where it is told why nothing was done."""
    return f"edged/{check_level(node)}/rejected"


def result_topic(node: str) -> str:
    """Where it is told what became of commands at their devices."""
    return f"edged/{check_level(node)}/result"


def answer_topic(node: str) -> str:
    """Where questions are answered."""
    return f"edged/{check_level(node)}/answer"


def ask_topic(node: str) -> str:
    """Where questions are asked back."""
    return f"edged/{check_level(node)}/ask"


def timers_topic(node: str) -> str:
    """Where the timers that run are retained."""
    return f"edged/{check_level(node)}/timers"


def catalog_topic(node: str) -> str:
    """Where the catalog is retained."""
    return f"edged/{check_level(node)}/catalog"


def diagnostics_topic(node: str) -> str:
    """Where it is retained what runs here."""
    return f"edged/{check_level(node)}/diagnostics"


def report_intent(node: str, utterance: Utterance, intent: Intent, *, latency_ms: float) -> Report:
    """The message about one intent, with the slots that were given.

    Raises:
        ValueError: the node's or the intent's name is no topic level.
    """
    message = IntentMessage(
        **_head(node, utterance),
        intent=intent.name,
        slots={slot: value for slot, value in intent.slots.items() if value is not None},
        confidence=intent.confidence,
        latency_ms=round(latency_ms, 1),
    )
    return Report(intent_topic(node, intent.name), message.model_dump_json().encode())


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
    may_wait = rejected.stage == "mqtt"
    return Report(rejected_topic(node), message.model_dump_json().encode(), may_wait=may_wait)


def report_result(node: str, command: Command, status: ResultStatus, reason: str) -> Report:
    """The message about what became of a command at its device."""
    message = ResultMessage(
        id=command.intent_id,
        time=_now(),
        node=node,
        command=command.id,
        device=command.device,
        status=status,
        reason=reason,
    )
    return Report(result_topic(node), message.model_dump_json().encode(), may_wait=True)


def report_answer(
    node: str,
    utterance: Utterance,
    intent: Intent,
    *,
    devices: Sequence[AnsweredDevice],
    more_devices: int,
    reply: str,
) -> Report:
    """The message that answers a question."""
    message = AnswerMessage(
        **_head(node, utterance),
        intent=intent.name,
        devices=tuple(devices),
        more_devices=more_devices,
        reply=reply,
    )
    return Report(answer_topic(node), message.model_dump_json().encode())


def report_timers(node: str, timers: Iterable[TimerEntry]) -> Report:
    """The message about the timers that run."""
    message = TimersMessage(time=_now(), node=node, timers=tuple(timers))
    return Report(timers_topic(node), message.model_dump_json().encode(), retain=True)


def report_timer_answer(
    node: str, utterance: Utterance, intent: Intent, timers: Iterable[TimerEntry], reply: str
) -> Report:
    """The answer to an utterance that asks which timers run."""
    message = TimerAnswerMessage(
        **_head(node, utterance),
        intent=intent.name,
        timers=tuple(timers),
        reply=reply,
    )
    return Report(answer_topic(node), message.model_dump_json().encode())


def report_ask(node: str, utterance: Utterance, *, question: str, options: Sequence[str], expires_s: float) -> Report:
    """The message about a question back."""
    message = AskMessage(
        **_head(node, utterance),
        question=question,
        options=tuple(options),
        expires_s=expires_s,
    )
    return Report(ask_topic(node), message.model_dump_json().encode())


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
    return Report(catalog_topic(node), message.model_dump_json().encode(), retain=True)


def report_listening(node: str, *, on: bool) -> Report:
    """The message about whether sound is listened to."""
    return Report(listening_topic(node), LISTENING if on else NOT_LISTENING, retain=True)


def report_diagnostics(node: str, *, model: str, lang: str, source: str) -> Report:
    """The message about what runs here."""
    message = DiagnosticsMessage(
        time=_now(), node=node, version=__version__, model=_cut(model), lang=lang, source=source
    )
    return Report(diagnostics_topic(node), message.model_dump_json().encode(), retain=True)


def report_outbox(node: str, *, is_durable: bool, fault: str) -> Report:
    """The message about the file of the outbox."""
    message = OutboxMessage(time=_now(), node=node, durable=is_durable, fault=_cut(fault))
    return Report(f"edged/{check_level(node)}/outbox", message.model_dump_json().encode(), retain=True)


def _head(node: str, utterance: Utterance) -> _Head:
    return {"id": utterance.id, "time": _now(), "node": node, "text": utterance.text, "lang": utterance.lang}


def _cut(text: str) -> str:
    """A text of bounded length that any JSON can hold."""
    cut = text if len(text) <= MAX_FAULT_CHARACTERS else f"{text[: MAX_FAULT_CHARACTERS - 3]}..."
    return cut.encode("utf-8", "backslashreplace").decode()


def is_level(name: str) -> bool:
    """Whether the name is safe as a level of a topic."""
    try:
        check_level(name)
    except ValueError:
        return False
    return True


def check_level(name: str) -> str:
    """The name, which is safe as a level of a topic; raises ValueError where it is not."""
    return _LEVEL.validate_python(name)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
