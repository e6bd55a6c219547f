"""One utterance all the way: understood, mapped, rendered and published, with the time of each step."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from edged.act.drivers import DRIVERS
from edged.act.mapping import DeviceChange, map_intent
from edged.act.messages import Report, report_intent, report_rejected
from edged.act.state import DeviceStates
from edged.intents.catalog import Catalog
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.types import Command, Intent, Rejected, Utterance

logger = logging.getLogger(__name__)

Understand: TypeAlias = Callable[[Utterance], tuple[Intent, ...] | Rejected]

MAX_REPORTED_CHARACTERS = 500
"""Of an utterance's text in a message about it."""


class Sender(Protocol):
    """The way out: `link.Link`, or a test's."""

    def publish(self, command: Command) -> Rejected | None:
        """Sends a command and waits for the broker; the reason where it was not sent."""

    def report(self, report: Report) -> bool:
        """Sends a report without waiting; False where it was dropped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one utterance."""

    utterance: Utterance
    intents: tuple[Intent, ...]
    sent: tuple[Command, ...]
    """What the broker has confirmed."""
    rejected: tuple[Rejected, ...]
    understand_ms: float
    act_ms: float
    """Mapping and rendering."""
    publish_ms: float


class Pipeline:
    """Handles utterances one after the other; `handle` belongs to one thread, `refuse` to any."""

    def __init__(
        self,
        *,
        understand: Understand,
        catalog: Catalog,
        states: DeviceStates,
        sender: Sender,
        node: str,
        default_area: str | None = None,
        metrics: Metrics = UNCOUNTED,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._understand = understand
        self._catalog = catalog
        self._states = states
        self._sender = sender
        self._node = node
        self._default_area = default_area
        self._metrics = metrics
        self._clock = clock

    def set_catalog(self, catalog: Catalog) -> None:
        """Maps intents by this catalog from now on; called between two utterances, on the thread of `handle`."""
        self._catalog = catalog

    def handle(self, utterance: Utterance) -> Outcome:
        """Does what the utterance asks for and reports it; what cannot be done is reported as rejected."""
        logger.debug("utterance %s: %r", utterance.id, utterance.text)
        started_ns = self._clock()
        understood = self._understand(utterance)
        understood_ns = self._clock()
        intents = () if isinstance(understood, Rejected) else understood
        rejected = [understood] if isinstance(understood, Rejected) else []
        for intent in intents:
            latency_ms = max(0, understood_ns - utterance.end_ns) / 1e6
            self._sender.report(report_intent(self._node, utterance, intent, latency_ms=latency_ms))
        sent: list[Command] = []
        act_ns = publish_ns = 0
        for intent in intents:
            before_ns = self._clock()
            rendered = self._render(intent, utterance)
            after_ns = self._clock()
            sent_now, refused_now = self._publish(rendered)
            sent += sent_now
            rejected += refused_now
            act_ns += after_ns - before_ns
            publish_ns += self._clock() - after_ns
        outcome = Outcome(
            utterance,
            intents,
            tuple(sent),
            tuple(rejected),
            (understood_ns - started_ns) / 1e6,
            act_ns / 1e6,
            publish_ns / 1e6,
        )
        self._conclude(outcome)
        self._metrics.observe_utterance(max(0, self._clock() - utterance.end_ns) / 1e9)
        return outcome

    def refuse(self, rejected: Rejected, *, text: str = "", lang: str = "") -> None:
        """Reports what was not even begun; never waits."""
        logger.info("utterance %s: refused by %s", rejected.utterance_id, rejected.stage)
        self._report_rejected(rejected, text, lang)

    def _render(self, intent: Intent, utterance: Utterance) -> list[tuple[DeviceChange, Command] | Rejected]:
        """Each device's commands, or why there are none."""
        changes = map_intent(intent, self._catalog, default_area=self._default_area)
        if isinstance(changes, Rejected):
            return [changes]
        rendered: list[tuple[DeviceChange, Command] | Rejected] = []
        for change in changes:
            commands = DRIVERS[change.device.driver].render(
                change,
                self._states.state_of(change.device.key),
                now_ns=min(self._clock(), utterance.end_ns),
                expires_s=self._catalog.intents[intent.name].expires_s,
                intent_id=utterance.id,
            )
            if isinstance(commands, Rejected):
                rendered.append(commands)
            else:
                rendered += [(change, command) for command in commands]
        return rendered

    def _publish(self, rendered: list[tuple[DeviceChange, Command] | Rejected]) -> tuple[list[Command], list[Rejected]]:
        sent, refused = [], []
        for item in rendered:
            if isinstance(item, Rejected):
                refused.append(item)
                continue
            change, command = item
            reason = self._sender.publish(command)
            self._metrics.count_command(sent=reason is None)
            if reason is not None:
                refused.append(reason)
                continue
            logger.debug("utterance %s: %s %r", command.intent_id, command.topic, command.payload)
            self._states.assume(change.device.key, DRIVERS[change.device.driver].assume(command))
            sent.append(command)
        return sent, refused

    def _conclude(self, outcome: Outcome) -> None:
        utterance = outcome.utterance
        for rejected in outcome.rejected:
            self._report_rejected(rejected, utterance.text, utterance.lang)
        logger.info(
            "utterance %s from %s: intents [%s], %d commands sent, %d refused%s; "
            "understood in %.0f ms, mapped in %.1f, published in %.1f",
            utterance.id,
            utterance.source,
            ", ".join(intent.name for intent in outcome.intents),
            len(outcome.sent),
            len(outcome.rejected),
            "".join(f" by {rejected.stage}" for rejected in outcome.rejected[:1]),
            outcome.understand_ms,
            outcome.act_ms,
            outcome.publish_ms,
        )

    def _report_rejected(self, rejected: Rejected, text: str, lang: str) -> None:
        self._metrics.count_rejected(rejected.stage)
        logger.debug("utterance %s: %s: %r", rejected.utterance_id, rejected.stage, rejected.reason)
        self._sender.report(report_rejected(self._node, rejected, text=text[:MAX_REPORTED_CHARACTERS], lang=lang))
