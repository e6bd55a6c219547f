"""The node's side of a fleet: workers elsewhere understand what was said here, and nothing else.

What is done stays with the node: it takes the first valid answer to an utterance and no other, so nothing is done twice
whatever becomes of workers, brokers and copies of messages. It asks again until there is an answer, or until it gives
up and says so.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from edged.act.exchange import (
    MAX_ANSWER_BYTES,
    AskedQuestion,
    RejectedUtterance,
    UnderstoodIntent,
    UnderstoodMessage,
    describe_fault,
    make_intent,
    make_question,
    read_outcome,
    write_utterance,
)
from edged.act.messages import understood_topic, utterance_topic
from edged.act.mqtt import Exchange
from edged.config import Config
from edged.intents.accept import intent_validator
from edged.intents.catalog import Catalog
from edged.types import Intent, Rejected, Utterance

logger = logging.getLogger(__name__)

MAX_UNREAD: Final = 8
"""Answers that wait to be read; of a flood the last count, and a lost one is asked for again."""
NO_ROOM_S: Final = 0.1
"""Until the next try, where the question could not leave."""


class Post(Protocol):
    """How a question leaves: `Link.post`."""

    def __call__(self, topic: str, payload: bytes, exchange: Exchange, *, timeout_s: float = 0.0) -> bool:
        """False where it could not be sent."""


class Fleet:
    """Asks workers; `understand` and `set_catalog` belong to one thread, `take` and `stop` to any."""

    def __init__(self, config: Config, catalog: Catalog, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._config = config
        self._catalog = catalog
        self._clock = clock
        self._node = config.mqtt.node
        self._post: Post = lambda _topic, _payload, _exchange, *, timeout_s=0.0: False  # noqa: ARG005
        self._news = threading.Condition()
        """Over the three below."""
        self._asks = False
        self._unread: deque[bytes] = deque(maxlen=MAX_UNREAD)
        self._is_stopping = False
        self.topics = (understood_topic(self._node),)
        """What to subscribe to."""

    def use(self, post: Post) -> None:
        """Sends over this from now on; called once, before the first utterance."""
        self._post = post

    def set_catalog(self, catalog: Catalog) -> None:
        """Judges answers by this catalog from now on."""
        self._catalog = catalog

    def take(self, payload: bytes, *, retained: bool) -> None:
        """Keeps an answer to be read, while one is waited for; never waits."""
        with self._news:
            if self._asks and not retained and len(payload) <= MAX_ANSWER_BYTES:
                self._unread.append(payload)
                self._news.notify()

    def stop(self) -> None:
        """Asks no more; what was asked may still be answered."""
        with self._news:
            self._is_stopping = True
            self._news.notify()

    def understand(self, utterance: Utterance) -> tuple[Intent, ...] | Rejected:
        """What the first worker that answers makes of an utterance."""
        least = self._config.hear.min_confidence
        if utterance.asr_confidence < least:  # such sound is often talk, which must not leave the house
            heard = f"{utterance.asr_confidence:.2f} of {least:.2f}"
            return Rejected(utterance.id, "hear", f"heard too unclearly: {heard}")
        try:
            question = write_utterance(utterance, self._config.home.area)
        except ValueError as error:
            return Rejected(utterance.id, "understand", f"cannot be sent to the workers: {describe_fault(error)}")
        with self._news:
            self._unread.clear()
            self._asks = True
        try:
            return self._ask(utterance, question)
        finally:
            with self._news:
                self._asks = False

    def _ask(self, utterance: Utterance, question: bytes) -> tuple[Intent, ...] | Rejected:
        """Publishes the question until it is answered or given up."""
        settings = self._config.understand
        end_s = self._clock() + settings.give_up_s
        copies, fault = 0, ""
        while not self._is_stopping and (left_s := end_s - self._clock()) > 0:
            wait_s = min(settings.answer_s, left_s)
            if self._publish(utterance, question, wait_s):
                copies += 1
            else:
                wait_s = min(NO_ROOM_S, left_s)
            answer, found = self._wait(utterance, self._clock() + wait_s)
            if answer is not None:
                return answer
            fault = found or fault
            logger.debug("utterance %s: no answer to copy %d", utterance.id, copies)
        return Rejected(utterance.id, "understand", self._describe_silence(copies, fault))

    def _publish(self, utterance: Utterance, question: bytes, wait_s: float) -> bool:
        """A copy, which the broker drops when the next one is due: it must not pile up before a worker that is slow."""
        exchange = Exchange(math.ceil(wait_s), understood_topic(self._node), utterance.id.encode())
        return self._post(utterance_topic(self._node), question, exchange)

    def _wait(self, utterance: Utterance, end_s: float) -> tuple[tuple[Intent, ...] | Rejected | None, str]:
        """The first usable answer until then, or what was wrong with the last that was none."""
        fault = ""
        while True:
            with self._news:
                self._news.wait_for(lambda: self._unread, max(0.0, end_s - self._clock()))
                if not self._unread:
                    return None, fault
                payload = self._unread.popleft()
            try:
                message = read_outcome(payload)
            except ValueError as error:
                fault = describe_fault(error)
                continue
            if message.id != utterance.id:
                continue
            found = self._read(message)
            if not isinstance(found, str):
                return found, ""
            fault = found

    def _read(self, message: UnderstoodMessage) -> tuple[Intent, ...] | Rejected | str:
        """What an answer says; a text says what is wrong with it."""
        rejected = message.rejected
        for item in (*message.intents, *(rejected.meant if rejected else ())):
            fault = _find_fault(item, self._catalog)
            if fault:
                logger.warning("utterance %s: an answer of worker %s %s", message.id, message.worker, fault)
                return fault
        if rejected is not None and rejected.asks is not None:
            fault = _find_question_fault(rejected.asks, self._catalog)
            if fault:
                logger.warning("utterance %s: a question of worker %s %s", message.id, message.worker, fault)
                return fault
        if rejected is not None:
            return _make_rejected(message.id, rejected)
        intents = tuple(make_intent(message.id, item) for item in message.intents)
        least, sure = self._config.understand.min_confidence, min(intent.confidence for intent in intents)
        if sure < least:
            return Rejected(message.id, "understand", f"not sure enough: {sure:.2f} of {least:.2f}", intents)
        return intents

    def _describe_silence(self, copies: int, fault: str) -> str:
        if self._is_stopping:
            return "the daemon is shutting down"
        if fault:
            return f"no worker's answer can be used ({fault}): give the workers this node's intents and house"
        if not copies:
            return "the broker cannot be reached, and with it no worker"
        return (
            f"no worker has answered within {self._config.understand.give_up_s:g} s: start more (edged worker), "
            'or set understand.by to "self"'
        )


def _make_rejected(utterance_id: str, item: RejectedUtterance) -> Rejected:
    meant = tuple(make_intent(utterance_id, intent) for intent in item.meant)
    asks = make_question(utterance_id, item.asks) if item.asks is not None else None
    return Rejected(utterance_id, item.stage, item.reason, meant, asks)


def _find_fault(item: UnderstoodIntent, catalog: Catalog) -> str:
    """What is wrong with an intent under the node's own files; empty where nothing is."""
    if item.intent not in catalog.intents:
        return "names an intent that is not known here"
    fields = {**item.slots, "intent": item.intent}
    if "intent" in item.slots or not intent_validator(catalog, item.intent).is_valid(fields):
        return "is not valid under the intent's schema here"
    return ""


def _find_question_fault(item: AskedQuestion, catalog: Catalog) -> str:
    """The same of what is asked back; the intent that it is about need be valid only once it is answered."""
    for place, intent in enumerate(item.intents):
        fault = _find_fault(intent, catalog) if place != item.at else ""
        if fault:
            return fault
    asked = item.intents[item.at]
    file = catalog.intents.get(asked.intent)
    if file is None:
        return "names an intent that is not known here"
    if not {*asked.slots, *item.slots} <= {*file.slots} or not {*item.choices} <= {*catalog.home.devices}:
        return "names a slot or a device that is not known here"
    return ""
