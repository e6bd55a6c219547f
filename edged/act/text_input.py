"""Text that comes in over MQTT: checked, limited in size and rate, and made into utterances."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from edged.config import Lang
from edged.types import Rejected, Utterance

MAX_PAYLOAD_BYTES = 4096
MAX_TEXT_CHARACTERS = 500
"""Nobody says more in one go, and the LM's context holds some thousand tokens."""
TEXTS_PER_S = 10
TEXT_BURST = 20
REFUSALS_PER_S = 1
REFUSAL_BURST = 10
"""Refusals are published too, but a flood must not be answered with a flood."""


class TextMessage(BaseModel):
    """The payload on edged/<node>/in/text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    text: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True,
            min_length=1,
            max_length=MAX_TEXT_CHARACTERS,
            pattern=r"^[^\x00-\x1f\x7f-\x9f]+$",
        ),
    ]
    lang: Lang | None = None


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


class TextInput:
    """Reads the messages of one topic; belongs to the thread that receives them."""

    def __init__(self, default_lang: str, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._default_lang = default_lang
        self._clock = clock
        self._texts = TokenBucket(TEXTS_PER_S, TEXT_BURST, clock)
        self._refusals = TokenBucket(REFUSALS_PER_S, REFUSAL_BURST, clock)

    def read(self, payload: bytes, *, retained: bool) -> Utterance | Rejected | None:
        """The utterance, or why it is refused; None for what is ignored in silence.

        Ignored are retained messages, which would act again at every restart, and refusals beyond their own rate.
        """
        if retained:
            return None
        if not self._texts.take():
            return self._refuse(f"more than {TEXTS_PER_S} texts in a second")
        if len(payload) > MAX_PAYLOAD_BYTES:
            return self._refuse(f"the message is longer than {MAX_PAYLOAD_BYTES} bytes")
        try:
            message = TextMessage.model_validate_json(payload)
        except ValidationError as error:
            return self._refuse(_describe_faults(error))
        now_ns = self._clock()
        return Utterance(
            id=uuid.uuid4().hex,
            text=message.text,
            lang=message.lang or self._default_lang,
            asr_confidence=1.0,
            start_ns=now_ns,
            end_ns=now_ns,
            source="mqtt",
        )

    def _refuse(self, reason: str) -> Rejected | None:
        return Rejected(uuid.uuid4().hex, "mqtt", reason) if self._refusals.take() else None


def _describe_faults(error: ValidationError) -> str:
    """What is wrong, without what was sent."""
    faults = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(map(str, fault["loc"]))
        if fault["type"] == "string_pattern_mismatch" and place == "text":
            faults.append("text: holds control characters")
        else:
            faults.append(f"{place}: {fault['msg']}" if place else fault["msg"])
    return "; ".join(faults)[:500]
