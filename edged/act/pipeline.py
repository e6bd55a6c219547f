"""One utterance all the way: understood, mapped, rendered and published, with the time of each step."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeAlias

from edged.act.agenda import Agenda
from edged.act.answers import answer_question
from edged.act.confirmation import Confirmations, Expectation
from edged.act.delivery import Fate, Waiting
from edged.act.dialogue import Closed, Dialogue, OpenQuestion, Step
from edged.act.drivers import DRIVERS
from edged.act.hermes import (
    report_hermes_intent,
    report_hermes_not_recognized,
    report_hermes_question,
    report_hermes_say,
)
from edged.act.inbound import TEXT_SOURCE, Reply
from edged.act.mapping import DeviceChange, map_intent
from edged.act.messages import Report, report_answer, report_ask, report_intent, report_rejected
from edged.act.state import DeviceStates
from edged.act.store import Store
from edged.act.timers import Timers
from edged.config import MqttConfig
from edged.intents.catalog import AnswerRules, Catalog
from edged.intents.home import name_of
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.types import Command, Intent, Rejected, Utterance

logger = logging.getLogger(__name__)

Understand: TypeAlias = Callable[[Utterance], tuple[Intent, ...] | Rejected]

MAX_REPORTED_CHARACTERS = 500
"""Of an utterance's text in a message about it."""


class Sender(Protocol):
    """The way out: `link.Link`, or a test's."""

    def publish_all(
        self, commands: Sequence[Command], *, instead_of: Callable[[], None] | None = None
    ) -> tuple[Fate, ...]:
        """Sends commands and waits for the broker where there is one; what has become of each.

        `instead_of` is called in the transaction that writes them down.
        """

    def report(self, report: Report) -> bool:
        """Sends a report without waiting; False where it was dropped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one utterance."""

    utterance: Utterance
    intents: tuple[Intent, ...]
    sent: tuple[Command, ...]
    """What the broker has confirmed."""
    waiting: tuple[Command, ...]
    """What is in the outbox; `settle` is told what becomes of it."""
    rejected: tuple[Rejected, ...]
    understand_ms: float
    act_ms: float
    """Mapping and rendering."""
    publish_ms: float
    asks: bool = False
    """A question was asked back: nothing has been done yet."""


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
        timers: Timers | None = None,
        default_area: str | None = None,
        hermes_site: str | None = None,
        confirmations: Confirmations | None = None,
        is_offline: Callable[[str], bool] = lambda _device: False,
        ask_s: float = 0.0,
        min_asr_confidence: float = 0.0,
        metrics: Metrics = UNCOUNTED,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._understand = understand
        self._catalog = catalog
        self._states = states
        self._sender = sender
        self._agenda = Agenda(timers or Timers(Store()), node=node, report=sender.report)
        self._node = node
        self._default_area = default_area
        self._hermes_site = hermes_site
        self._confirmations = confirmations or Confirmations(
            states, node=node, confirm_s=MqttConfig().confirm_s, report=sender.report, metrics=metrics, clock=clock
        )
        self._is_offline = is_offline
        """Whether the device of this key says that it cannot be reached."""
        self._metrics = metrics
        self._clock = clock
        self._dialogue = Dialogue(
            catalog, ask_s=ask_s, default_area=default_area, min_asr_confidence=min_asr_confidence, clock=clock
        )
        self._expected: dict[Command, Expectation] = {}
        """What commands on their way are to bring about."""

    def set_catalog(self, catalog: Catalog) -> None:
        """Maps intents by this catalog from now on; called between two utterances, on the thread of `handle`."""
        self._catalog = catalog
        self._report_closed(self._dialogue.set_catalog(catalog))

    def handle(self, utterance: Utterance) -> Outcome:
        """Does what the utterance asks for, or what it answers to a question, and reports it; or asks back.

        What cannot be done is reported as rejected.
        """
        logger.debug("utterance %s: %r", utterance.id, utterance.text)
        started_ns = self._clock()
        return self._follow(self._dialogue.hear(utterance, self._understand_there), started_ns)

    def handle_reply(self, reply: Reply) -> None:
        """Does what a question was about, where a reply by its id says so; on the thread of `handle`."""
        started_ns = self._clock()
        step = self._dialogue.take_reply(reply)
        if isinstance(step, Rejected):
            self.refuse(step)
        else:
            self._follow(step, started_ns)

    def tick(self) -> None:
        """Gives up the questions whose time is over; on the thread of `handle`, while nothing waits for it."""
        self._report_closed(self._dialogue.expire())

    def drop_questions(self, reason: str) -> None:
        """Gives up every question; on the thread of `handle`."""
        self._report_closed(self._dialogue.drop(reason))

    def _follow(self, step: Step, started_ns: int) -> Outcome:
        understood_ns = self._clock()
        utterance = step.utterance
        self._report_closed(step.closed)
        if step.asked is not None:
            self._report_question(step.asked)
        latency_ms = max(0, understood_ns - utterance.end_ns) / 1e6
        for intent in step.intents:
            if not intent.delay_s:
                self._report_intent(intent, utterance, latency_ms)
        done = self._carry_out(step.intents, utterance)
        outcome = replace(
            done,
            rejected=(*step.rejected, *done.rejected),
            understand_ms=(understood_ns - started_ns) / 1e6,
            asks=step.asked is not None,
        )
        self._conclude(outcome)
        self._metrics.observe_utterance(max(0, self._clock() - utterance.end_ns) / 1e9)
        return outcome

    def carry_out_due(self) -> None:
        """Does what timers are due for, and reports it; on the thread of `handle`, between two utterances."""
        for timer, refusal in self._agenda.due(self._catalog):
            now_ns = self._clock()
            utterance = Utterance(
                timer.intent.utterance_id, timer.text, timer.lang, 1.0, now_ns, now_ns, "timer", timer.area
            )
            if refusal is not None:
                done = Outcome(utterance, (), (), (), (refusal,), 0.0, 0.0, 0.0)
            else:
                done = self._carry_out([timer.intent], utterance, instead_of=partial(self._agenda.remove, timer))
            self._agenda.remove(timer)  # where there was nothing to send
            if refusal is None:
                self._report_intent(timer.intent, utterance, 0.0)
            self._conclude(done)
        self._agenda.tell()

    def tell_timers(self) -> None:
        """Reports the timers that an earlier process has left; before the thread of `handle` starts."""
        self._agenda.tell()

    def _report_closed(self, closed: Sequence[Closed]) -> None:
        for one in closed:
            logger.info("utterance %s: the question about it is closed", one.utterance.id)
            self._report_rejected(one.rejected, one.utterance.text, one.utterance.lang)

    def _report_question(self, asked: OpenQuestion) -> None:
        logger.info("utterance %s: a question is asked back", asked.utterance.id)
        expires_s = (asked.deadline_ns - asked.asked_ns) / 1e9
        self._sender.report(
            report_ask(self._node, asked.utterance, question=asked.text, options=asked.options, expires_s=expires_s)
        )
        if self._hermes_site is not None and asked.utterance.source == TEXT_SOURCE:
            self._sender.report(report_hermes_question(asked.utterance.id, asked.text))

    def refuse(self, rejected: Rejected, *, text: str = "", lang: str = "") -> None:
        """Reports what was not even begun; never waits."""
        logger.info("utterance %s: refused by %s", rejected.utterance_id, rejected.stage)
        self._report_rejected(rejected, text, lang)

    def settle(self, command: Command, rejected: Rejected | None) -> None:
        """Counts and reports what became of a command that waited; for any thread, and never waits."""
        self._end(command, rejected)
        if rejected is None:
            logger.info("utterance %s: a command that waited was sent", command.intent_id)
        else:
            logger.info("utterance %s: a command that waited was not sent: %s", command.intent_id, rejected.reason)
            self._report_rejected(rejected, "", "")

    def _report_intent(self, intent: Intent, utterance: Utterance, latency_ms: float) -> None:
        """Only when it is to be done: whoever reads it may be the one who does it."""
        self._sender.report(report_intent(self._node, utterance, intent, latency_ms=latency_ms))
        if self._hermes_site is not None:
            self._sender.report(report_hermes_intent(self._hermes_site, utterance, intent))

    def _understand_there(self, utterance: Utterance) -> tuple[Intent, ...] | Rejected:
        """What it means where it was said: what means an area that is not there would mean the whole house."""
        if utterance.area is None or utterance.area in self._catalog.home.areas:
            return self._understand(utterance)
        return Rejected(utterance.id, "act", f'it was said in "{utterance.area}", and there is no such area')

    def _carry_out(
        self, intents: Sequence[Intent], utterance: Utterance, *, instead_of: Callable[[], None] | None = None
    ) -> Outcome:
        """Has the devices do what the intents ask for, at once or when it is due.

        `instead_of` is called in the transaction that writes the commands down.
        """
        at_once, refused = self._agenda.take(intents, utterance, self._catalog)
        sent: list[Command] = []
        waiting: list[Command] = []
        rejected = list(refused)
        position = 0
        act_ns = publish_ns = 0
        for intent in at_once:
            before_ns = self._clock()
            rendered = self._render(intent, utterance)
            rejected += [item for item in rendered if isinstance(item, Rejected)]
            commands = [
                (change, _place(command, change, utterance, position + number))
                for number, (change, command) in enumerate(item for item in rendered if not isinstance(item, Rejected))
            ]
            position += len(commands)
            after_ns = self._clock()
            for command, fate in self._publish(commands, instead_of):
                if isinstance(fate, Rejected):
                    rejected.append(fate)
                else:
                    (waiting if isinstance(fate, Waiting) else sent).append(command)
            act_ns += after_ns - before_ns
            publish_ns += self._clock() - after_ns
        return Outcome(
            utterance, tuple(intents), tuple(sent), tuple(waiting), tuple(rejected), 0.0, act_ns / 1e6, publish_ns / 1e6
        )

    def _render(self, intent: Intent, utterance: Utterance) -> list[tuple[DeviceChange, Command] | Rejected]:
        """Each device's commands, or why there are none."""
        file = self._catalog.intents.get(intent.name)
        if file is not None and file.answer is not None:
            refused = self._answer(intent, file.answer, utterance)
            return [] if refused is None else [refused]
        changes = map_intent(intent, self._catalog, default_area=utterance.area or self._default_area)
        if isinstance(changes, Rejected):
            return [changes]
        rendered: list[tuple[DeviceChange, Command] | Rejected] = []
        for change in changes:
            if self._is_offline(change.device.key):
                rendered.append(Rejected(utterance.id, "act", f"{name_of(change.device)} is offline"))
                continue
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

    def _answer(self, intent: Intent, rules: AnswerRules, utterance: Utterance) -> Rejected | None:
        """Says what the devices last said of what is asked; why not, where nothing can be asked so."""
        home, area = self._catalog.home, utterance.area or self._default_area
        answer = answer_question(
            intent,
            rules,
            home,
            lang=utterance.lang,
            default_area=area,
            told_by=self._states.told_by,
            is_offline=self._is_offline,
        )
        if isinstance(answer, Rejected):
            return answer
        self._sender.report(
            report_answer(
                self._node,
                replace(utterance, text=utterance.text[:MAX_REPORTED_CHARACTERS]),
                intent,
                devices=answer.devices,
                more_devices=answer.more_devices,
                reply=answer.reply,
            )
        )
        if self._hermes_site is not None:
            self._sender.report(report_hermes_say(self._hermes_site, utterance, answer.reply))
        return None

    def _publish(
        self, commands: list[tuple[DeviceChange, Command]], instead_of: Callable[[], None] | None
    ) -> list[tuple[Command, Fate]]:
        """What became of each.

        What is sent is taken to be so at once, until the device says otherwise, which may be before the broker answers,
        or until it comes to nothing.
        """
        if not commands:
            return []
        for change, command in commands:
            expectation = self._confirmations.expect(change, command)
            self._states.assume(change.device.key, expectation.expected)
            self._expected[command] = expectation
        fates = self._sender.publish_all([command for _, command in commands], instead_of=instead_of)
        settled = [(command, fate) for (_, command), fate in zip(commands, fates, strict=True)]
        for command, fate in settled:
            logger.debug("utterance %s: %s %r: %s", command.intent_id, command.topic, command.payload, fate or "sent")
            if not isinstance(fate, Waiting):
                self._end(command, fate)
        return settled

    def _end(self, command: Command, rejected: Rejected | None) -> None:
        """Counts a command that is sent or given up; its device is waited for, or nothing is expected any more."""
        self._metrics.count_command(sent=rejected is None)
        expectation = self._expected.pop(command, None)
        if rejected is None and expectation is None:
            self._confirmations.lose(command)
        elif rejected is None and expectation is not None:
            self._confirmations.begin(expectation)
        elif expectation is not None:
            self._states.retract(expectation.device.key, expectation.expected)

    def _conclude(self, outcome: Outcome) -> None:
        utterance = outcome.utterance
        for rejected in outcome.rejected:
            self._report_rejected(rejected, utterance.text, utterance.lang)
        logger.info(
            "utterance %s from %s: intents [%s], %d commands sent, %d waiting, %d refused%s; "
            "understood in %.0f ms, mapped in %.1f, published in %.1f",
            utterance.id,
            utterance.source,
            ", ".join(intent.name for intent in outcome.intents),
            len(outcome.sent),
            len(outcome.waiting),
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
        if self._hermes_site is not None and rejected.stage == "understand":
            self._sender.report(report_hermes_not_recognized(self._hermes_site, rejected, text=text))


def _place(command: Command, change: DeviceChange, utterance: Utterance, position: int) -> Command:
    """The command as one of the utterance's."""
    return replace(command, position=position, instance=utterance.instance, device=change.device.key)
