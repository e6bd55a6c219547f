"""What comes in over MQTT: texts, requests to listen and replies, each checked, limited in size and rate.

Nothing of a payload is repeated in a refusal, and ids are plain words: what goes on from here is safe in a log line and
in a topic, but for the text itself, which only the intents' grammar reads.
"""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from edged.act.messages import confirm_topic, listen_topic, text_topic
from edged.config import Lang, MqttConfig, TopicLevel
from edged.types import ListenMode, Rejected, Utterance

MAX_PAYLOAD_BYTES: Final = 4096
MAX_TEXT_CHARACTERS: Final = 500
"""Nobody says more in one go, and the LM's context holds some thousand tokens."""
MAX_REASON_CHARACTERS: Final = 500
TEXTS_PER_S: Final = 10
TEXT_BURST: Final = 20
REQUESTS_PER_S: Final = 2
REQUEST_BURST: Final = 10
"""Of requests to listen, and as many of replies: a person presses no faster."""
REFUSALS_PER_S: Final = 1
REFUSAL_BURST: Final = 10
"""Refusals are published too, but a flood must not be answered with a flood."""
TEXT_SOURCE: Final = "mqtt"
"""Of utterances that come in as text: their ids are those of whoever sent them."""
REMEMBERED_IDS: Final = 1024
"""Of texts, so that one that the broker delivers again is taken once: minutes at the highest rate."""

Line: TypeAlias = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$"
    ),
]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TextMessage(_Message):
    """The payload on edged/<node>/in/text."""

    text: Line
    lang: Lang | None = None
    id: TopicLevel | None = None
    """The sender's; it becomes the utterance's, and a second text of one id is ignored, as long as it is remembered."""
    area: TopicLevel | None = None
    """The area where it was said, by its key; whether the house has it is looked at when it is handled."""


class ListenMessage(_Message):
    """The payload on edged/<node>/in/listen."""

    listen: ListenMode


class ConfirmMessage(_Message):
    """The payload on edged/<node>/in/confirm."""

    id: TopicLevel
    """Of the utterance that the question is about."""
    answer: Line
    lang: Lang | None = None


@dataclass(frozen=True, slots=True)
class ListenRequest:
    """Somebody wants to be listened to, or not."""

    mode: ListenMode


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a question that was asked back."""

    utterance_id: str
    """The utterance that the question is about; nobody has checked whether there is one."""
    text: str
    lang: str
    received_ns: int


Taken: TypeAlias = Utterance | ListenRequest | Reply


class TokenBucket:
    """Lets `burst` through at once and `rate_per_s` in the long run; belongs to one thread."""

    def __init__(self, rate_per_s: float, burst: int, clock: Callable[[], int]) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._last_ns = clock()

    def take(self) -> bool:
        """True where one more may pass now."""
        now_ns = self._clock()
        self._tokens = min(self._burst, self._tokens + (now_ns - self._last_ns) * 1e-9 * self._rate_per_s)
        self._last_ns = now_ns
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(frozen=True, slots=True)
class _Input:
    """One topic that is read."""

    name: str
    bucket: TokenBucket
    rate_per_s: int
    read: Callable[[bytes], Taken | None]
    """Raises ValidationError."""


class Inbox:
    """Reads the topics that the configuration turns on; belongs to the thread that receives them."""

    def __init__(self, config: MqttConfig, default_lang: str, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._default_lang = default_lang
        self._clock = clock
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._refusals = TokenBucket(REFUSALS_PER_S, REFUSAL_BURST, clock)
        self._inputs: dict[str, _Input] = {}
        if config.text_input:
            self._add(text_topic(config.node), TEXTS_PER_S, TEXT_BURST, self._read_text)
        if config.listen_input:
            self._add(listen_topic(config.node), REQUESTS_PER_S, REQUEST_BURST, _read_listen)
        if config.confirm_input:
            self._add(confirm_topic(config.node), REQUESTS_PER_S, REQUEST_BURST, self._read_confirm)
        self.topics = tuple(self._inputs)
        """What to subscribe to."""

    def read(self, topic: str, payload: bytes, *, retained: bool) -> Taken | Rejected | None:
        """What a message on one of `topics` asks for, or why it is refused; None for what is ignored in silence.

        Ignored are retained messages, which would act again at every restart, texts that were taken before, and
        refusals beyond their own rate.
        """
        if retained:
            return None
        into = self._inputs[topic]
        if not into.bucket.take():
            return self._refuse(into, f"more than {into.rate_per_s} messages in a second")
        if len(payload) > MAX_PAYLOAD_BYTES:
            return self._refuse(into, f"the message is longer than {MAX_PAYLOAD_BYTES} bytes")
        try:
            return into.read(payload)
        except ValidationError as error:
            return self._refuse(into, _describe_faults(error))

    def forget(self, utterance: Utterance) -> None:
        """It was refused: its sender may say it again under the same id."""
        self._seen.pop(utterance.id, None)

    def _add(self, topic: str, rate_per_s: int, burst: int, read: Callable[[bytes], Taken | None]) -> None:
        bucket = TokenBucket(rate_per_s, burst, self._clock)
        self._inputs[topic] = _Input(topic.rpartition("/in/")[2], bucket, rate_per_s, read)

    def _read_text(self, payload: bytes) -> Utterance | None:
        message = TextMessage.model_validate_json(payload)
        if message.id is not None and not self._is_new(message.id):
            return None
        now_ns = self._clock()
        return Utterance(
            id=message.id or uuid.uuid4().hex,
            text=message.text,
            lang=message.lang or self._default_lang,
            asr_confidence=1.0,
            start_ns=now_ns,
            end_ns=now_ns,
            source=TEXT_SOURCE,
            area=message.area,
            instance="" if message.id is None else uuid.uuid4().hex,
        )

    def _read_confirm(self, payload: bytes) -> Reply:
        message = ConfirmMessage.model_validate_json(payload)
        return Reply(message.id, message.answer, message.lang or self._default_lang, self._clock())

    def _is_new(self, message_id: str) -> bool:
        if message_id in self._seen:
            return False
        self._seen[message_id] = None
        if len(self._seen) > REMEMBERED_IDS:
            self._seen.popitem(last=False)
        return True

    def _refuse(self, into: _Input, reason: str) -> Rejected | None:
        return Rejected(uuid.uuid4().hex, "mqtt", f"in/{into.name}: {reason}") if self._refusals.take() else None


def _read_listen(payload: bytes) -> ListenRequest:
    return ListenRequest(ListenMessage.model_validate_json(payload).listen)


def _describe_faults(error: ValidationError) -> str:
    """What is wrong with a message, without what was sent."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(dict.fromkeys(_describe_fault(fault) for fault in faults))[:MAX_REASON_CHARACTERS]


def _describe_fault(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return "holds an unknown key"  # its name is the sender's
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] == "string_pattern_mismatch" and place in ("text", "answer"):
        return f"{place}: holds control characters"
    return f"{place}: {fault['msg']}" if place else fault["msg"]
