"""Wires a worker: utterances of other nodes in, what they mean out. It maps nothing and commands no device.

A broker hands each utterance to one worker of a group. One that a worker does not answer, dead or slow, its node
publishes again, with the same id; a worker that has answered it gives the same answer at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from edged.act.exchange import UtteranceMessage, describe_fault, read_utterance, write_outcome
from edged.act.inbound import TokenBucket
from edged.act.link import Link, SessionFactory, make_endpoint
from edged.act.messages import report_catalog
from edged.act.mqtt import Exchange, Request, Requests, Session
from edged.config import Config
from edged.errors import EdgedError
from edged.intents.live import Snapshot, describe_state
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.reload import Live, Reloader, Swap
from edged.stages import DRAIN_S, TICK_S, Stage, Stages
from edged.types import Intent, Rejected, Utterance

logger = logging.getLogger(__name__)

UTTERANCES_PER_S: Final = 50
UTTERANCE_BURST: Final = 100
"""Of one node, so that a broken one does not take the workers from the others: ten people who never stop talking."""
REMEMBERED_NODES: Final = 10_000
"""Whose rates are known; one takes 200 bytes."""
REMEMBERED_ANSWERS: Final = 1024
"""For copies of a question: more than come within the seconds in which a node asks again. 5 kB each at most."""
ANSWER_VALID_S: Final = 10
"""On the wire; no node waits longer."""
ANSWER_TIMEOUT_S: Final = 1.0
"""How long an answer may wait for those before it to be confirmed by the broker."""

Understand: TypeAlias = Callable[[str, Utterance], tuple[Intent, ...] | Rejected]
"""What an utterance means in the house of a node."""


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker is made of."""

    understand: Understand
    live: Live
    make_session: SessionFactory = Session
    metrics: Metrics = UNCOUNTED


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A request that is to be answered."""

    request: Request
    received_ns: int

    def is_late(self, now_ns: int) -> bool:
        """Its node has asked again, or given up."""
        expiry_s = self.request.expiry_s
        return expiry_s is not None and now_ns - self.received_ns > expiry_s * 1e9


class Worker:
    """One run from start to end."""

    def __init__(self, config: Config, parts: WorkerParts, *, wake: Wake, notifier: Notifier) -> None:
        """Makes everything and starts nothing.

        Raises:
            ConfigError: the broker's password cannot be read.
        """
        self._understand = parts.understand
        self._metrics = parts.metrics
        self._notifier = notifier
        self._node = config.mqtt.node
        self._most_waiting = config.worker.queue
        self._waiting: deque[_Waiting] = deque()
        self._swap: Swap | None = None
        self._work = threading.Condition()
        """Over `_waiting` and `_swap`."""
        self._rates: OrderedDict[str, TokenBucket] = OrderedDict()
        self._answers: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()
        self._stages = Stages("understand", "catalog", wake=wake, notifier=notifier)
        endpoint = make_endpoint(
            config.mqtt,
            topics=(f"$share/{config.worker.group}/edged/+/utterance",),
            on_failure=lambda: self._stages.fail(1),
            requests=Requests(self._take, config.worker.queue),
        )
        self._link = Link(endpoint, make_session=parts.make_session, beat=self._stages["mqtt"].beat)
        self._reloader = Reloader(
            parts.live,
            hand_over=self._hand_over,
            tell=self._tell,
            stopping=self._stages.stopping,
            metrics=parts.metrics,
        )

    @property
    def abandoned(self) -> tuple[str, ...]:
        """Threads that did not end in time: what they use must not be freed."""
        return self._stages.abandoned

    def run(self) -> int:
        """Runs until the wake-up, and ends in order: 0, or the code of what failed.

        Raises:
            BrokerError: the broker cannot be reached, or refuses, at the start.
            ConfigError: a TLS file cannot be used.
        """
        self._link.connect()
        self._stages.start("understand", self._answer_all)
        self._notifier.ready()
        self._reloader.begin()
        self._stages.start("catalog", self._reloader.run)
        logger.info("ready")
        self._stages.wait(TICK_S)
        self._link.set_topics(())  # the others take what comes from now on
        self._stages.stop(DRAIN_S)
        self._link.close()
        logger.info("stopped")
        return self._stages.exit_code

    def _take(self, request: Request) -> None:
        """On paho's thread. What is not taken is asked again, and then of another worker perhaps."""
        with self._work:
            takes = not request.retained and len(self._waiting) < self._most_waiting
            if takes:
                self._waiting.append(_Waiting(request, time.monotonic_ns()))
                self._work.notify()
        if not takes:
            request.acknowledge()

    def _answer_all(self, stage: Stage) -> None:
        while not (self._stages.stopping.is_set() and not self._waiting):
            stage.beat()
            with self._work:
                self._work.wait_for(lambda: self._waiting or self._swap is not None, TICK_S)
                swap, self._swap = self._swap, None
                waiting = self._waiting[0] if self._waiting else None
            if swap is not None:
                _put_in_force(swap)
            if waiting is not None:
                if not waiting.is_late(time.monotonic_ns()):
                    self._answer(waiting)
                with self._work:
                    self._waiting.popleft()
                waiting.request.acknowledge()

    def _answer(self, waiting: _Waiting) -> None:
        """Answers a request, as a copy of it before; one that is malformed, or one too many, not at all."""
        request = waiting.request
        key = request.topic, request.payload
        answer = self._answers.get(key)
        if answer is None:
            try:
                node, message = read_utterance(request.topic, request.payload, request.response_topic)
            except ValueError as error:
                logger.debug("a message on %r is no utterance: %s", request.topic, describe_fault(error))
                self._metrics.count_rejected("mqtt")
                return
            if not self._may_ask(node):
                self._metrics.count_rejected("mqtt")
                return
            answer = self._answers[key] = self._make_answer(node, message, waiting.received_ns)
            if len(self._answers) > REMEMBERED_ANSWERS:
                self._answers.popitem(last=False)
        exchange = Exchange(ANSWER_VALID_S, correlation=request.correlation)
        if not self._link.post(request.response_topic, answer, exchange, timeout_s=ANSWER_TIMEOUT_S):
            logger.warning("an answer could not be sent; its node will ask again")
        self._metrics.observe_utterance((time.monotonic_ns() - waiting.received_ns) / 1e9)

    def _make_answer(self, node: str, message: UtteranceMessage, received_ns: int) -> bytes:
        utterance = Utterance(
            message.id,
            message.text,
            message.lang,
            message.asr_confidence,
            received_ns,
            received_ns,
            message.source,
            message.area,
        )
        outcome = self._understand(node, utterance)
        is_rejected = isinstance(outcome, Rejected)
        logger.info(
            "utterance %s of %s: %s in %.0f ms",
            message.id,
            node,
            "rejected" if is_rejected else "understood",
            (time.monotonic_ns() - received_ns) / 1e6,
        )
        if isinstance(outcome, Rejected):
            self._metrics.count_rejected(outcome.stage)
        return write_outcome(self._node, message.id, outcome)

    def _may_ask(self, node: str) -> bool:
        bucket = self._rates.pop(node, None) or TokenBucket(UTTERANCES_PER_S, UTTERANCE_BURST, time.monotonic_ns)
        self._rates[node] = bucket
        if len(self._rates) > REMEMBERED_NODES:
            self._rates.popitem(last=False)
        return bucket.take()

    def _hand_over(self, swap: Swap) -> None:
        with self._work:
            self._swap = swap
            self._work.notify()

    def _tell(self, snapshot: Snapshot) -> None:
        report = report_catalog(self._node, snapshot.catalog.intents, snapshot.last_good, snapshot.faults)
        self._link.report(report)
        self._notifier.status(f"working: {describe_state(snapshot)}")


def _put_in_force(swap: Swap) -> None:
    try:
        swap.use()
    except EdgedError as error:
        swap.refusal = error
    swap.done.set()
