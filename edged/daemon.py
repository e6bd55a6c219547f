"""Wires the stages: hear, understand and act, MQTT, the catalog's files, each on its thread, with bounded queues."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edged.act.agenda import as_at_once
from edged.act.discovery import Discovery
from edged.act.fleet import Fleet
from edged.act.following import Following
from edged.act.inbound import Inbox, ListenRequest, Reply
from edged.act.link import Link, SessionFactory, make_endpoint
from edged.act.messages import Report, report_catalog, report_diagnostics, report_listening, report_outbox
from edged.act.mqtt import Session
from edged.act.outbox import Outbox
from edged.act.pipeline import Pipeline, Understand
from edged.act.store import Store
from edged.act.timers import Timers
from edged.config import Config
from edged.errors import EdgedError
from edged.hear.hearing import Hearing, Network, Partial
from edged.hear.listening import Listening
from edged.intents.catalog import Catalog
from edged.intents.live import Snapshot, describe_state
from edged.ops.feedback import Keep
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.reload import Live, Reloader, Swap
from edged.stages import DRAIN_S, TICK_S, Stage, Stages
from edged.types import AudioChunk, Rejected, Utterance

logger = logging.getLogger(__name__)

SETTLED_S = 0.2
"""Words that stay the same for so long are answered ahead. Vosk waits longer until it takes a silence for the end."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the daemon is made of."""

    understand: Understand
    catalog: Catalog
    hearing: Hearing | None = None
    satellites: tuple[Hearing, ...] = ()
    """One for each."""
    network: Network | None = None
    """What the satellites' sound comes through."""
    live: Live | None = None
    make_session: SessionFactory = Session
    metrics: Metrics = UNCOUNTED
    keep: Keep = lambda _utterance, _intents, _rejected: None
    """Is told what became of each utterance that was handled, on the thread that understands."""
    fleet: Fleet | None = None
    """Where workers understand: what `understand` asks them through."""


class Daemon:
    """One run from start to end."""

    def __init__(self, config: Config, parts: Parts, *, wake: Wake, notifier: Notifier) -> None:
        """Makes everything and starts nothing.

        Raises:
            ConfigError: the broker's password cannot be read.
        """
        self._wake = wake
        self._notifier = notifier
        self._hearings = (*((parts.hearing,) if parts.hearing else ()), *parts.satellites)
        self._network = parts.network
        self._config = config
        self._inbox = Inbox(config.mqtt, config.hear.lang)
        self._intents = tuple(parts.catalog.intents)
        """In force at the start."""
        self._listening = Listening(on=config.hear.listening, on_change=self._tell_listening)
        self._listens_on_request = bool(self._hearings) and config.mqtt.listen_input
        self._discovery = Discovery(config.mqtt, listens=self._listens_on_request)
        self._following = Following(
            parts.catalog.home, config.mqtt, report=lambda report: self._link.report(report), metrics=parts.metrics
        )
        self._metrics = parts.metrics
        self._keep = parts.keep
        self._fleet = parts.fleet
        self._node = config.mqtt.node
        self._most_waiting = config.mqtt.queue
        self._waiting: deque[Utterance | Reply] = deque()
        self._swap: Swap | None = None
        self._partial: Partial | None = None
        """What has been heard of an utterance that goes on and the LM has not read; the latest alone counts."""
        self._speaking: set[str] = set()
        """The names of the hearings in which an utterance goes on."""
        self._work = threading.Condition()
        """Over `_waiting`, `_swap`, `_partial` and `_speaking`."""
        names = ("understand", "satellites", "catalog", *(hearing.name for hearing in self._hearings))
        self._stages = Stages(*names, wake=wake, notifier=notifier)
        self._stopping = self._stages.stopping
        endpoint = make_endpoint(
            config.mqtt, topics=self._topics(), on_message=self._take_message, on_failure=lambda: self._stages.fail(1)
        )
        store = Store(config.commands_file, on_change=self._tell_outbox)
        timers = Timers(store)
        self._outbox = Outbox(
            store,
            max_commands=config.mqtt.outbox,
            max_bytes=config.mqtt.outbox_bytes,
        )
        self._link = Link(
            endpoint,
            outbox=self._outbox,
            on_settled=lambda command, rejected: self._pipeline.settle(command, rejected),
            make_session=parts.make_session,
            beat=self._stages["mqtt"].beat,
        )
        if self._fleet is not None:
            self._fleet.use(self._link.post)
        self._pipeline = Pipeline(
            understand=parts.understand,
            catalog=parts.catalog,
            states=self._following.states,
            confirmations=self._following.confirmations,
            is_offline=self._following.availability.is_offline,
            sender=self._link,
            node=config.mqtt.node,
            timers=timers,
            default_area=config.home.area,
            hermes_site=config.mqtt.hermes_site,
            ask_s=config.mqtt.ask_s,
            min_asr_confidence=config.hear.min_confidence,
            metrics=parts.metrics,
        )
        self._reloader: Reloader | None = None
        if parts.live is not None:
            self._reloader = Reloader(
                parts.live, hand_over=self._hand_over, tell=self._tell, stopping=self._stopping, metrics=parts.metrics
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
        self._introduce()
        self._stages.start("understand", self._understand)
        for hearing in self._hearings:
            self._stages.start(hearing.name, partial(self._hear, hearing))
        if self._network is not None:
            self._stages.start("satellites", self._run_network)
        self._notifier.ready()
        self._notifier.status("listening")
        if self._reloader is not None:
            self._reloader.begin()
            self._stages.start("catalog", self._reloader.run)
        logger.info("ready")
        self._stages.wait(TICK_S, lambda: self._following.tick(self._link.since_ns))
        self._stop()
        return self._stages.exit_code

    def offer(self, utterance: Utterance | Reply) -> bool:
        """Queues what somebody said, or refuses it where the queue is full; never waits. Whether it was taken."""
        reason = None
        with self._work:
            if self._stopping.is_set():
                reason = "the daemon is shutting down"
            elif len(self._waiting) >= self._most_waiting:
                reason = f"{self._most_waiting} utterances wait already"
            else:
                self._waiting.append(utterance)
                self._work.notify()
        if reason is not None:
            self._refuse(utterance, reason)
        return reason is None

    def _take_message(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic in self._inbox.topics:
            self._take_in(self._inbox.read(topic, payload, retained=retained))
        elif topic in self._discovery.topics:
            self._report(self._discovery.answer(topic, payload, retained=retained))
        elif self._fleet is not None and topic in self._fleet.topics:
            self._fleet.take(payload, retained=retained)
        else:
            self._following.take(topic, payload, retained=retained)

    def _take_in(self, taken: Utterance | ListenRequest | Reply | Rejected | None) -> None:
        if isinstance(taken, Utterance | Reply):
            if not self.offer(taken) and isinstance(taken, Utterance):
                self._inbox.forget(taken)
        elif isinstance(taken, ListenRequest):
            self._listening.set(taken.mode)
        elif taken is not None:
            self._pipeline.refuse(taken)

    def _understand(self, stage: Stage) -> None:
        heard: Partial | None = None
        while not (self._stopping.is_set() and not self._waiting):
            stage.beat()
            with self._work:
                limit_s = SETTLED_S if heard else TICK_S
                is_quiet = not self._work.wait_for(
                    lambda: self._waiting or self._swap is not None or self._partial, limit_s
                )
                swap, self._swap = self._swap, None
                said = self._waiting.popleft() if self._waiting else None
                so_far = None
                if swap is None and said is None:
                    so_far, self._partial = self._partial, None
            if swap is not None:
                self._put_in_force(swap)
            if said is None:
                self._pipeline.tick()
            else:
                self._handle(said)
            self._pipeline.carry_out_due()
            if so_far is not None:
                self._look_ahead(so_far.hearing.prefill, so_far.words)
            if heard is not None and is_quiet:
                self._look_ahead(heard.hearing.anticipate, heard.words)
            heard = so_far
        self._pipeline.drop_questions("the daemon is shutting down")

    def _handle(self, said: Utterance | Reply) -> None:
        if isinstance(said, Reply):
            self._pipeline.handle_reply(said)
            return
        outcome = self._pipeline.handle(said)
        if outcome.utterance.id == said.id and not outcome.asks:  # a question or an answer says nothing by itself
            self._keep(as_at_once(said, outcome.intents), outcome.intents, outcome.rejected)

    def _look_ahead(self, look: Callable[[str], None], words: str) -> None:
        """Has the LM see words so far; where that fails, it sees them when the utterance is complete."""
        try:
            look(words)
        except EdgedError as error:
            logger.warning("words that were still being spoken could not be read: %s", error)

    def _put_in_force(self, swap: Swap) -> None:
        """Everything that knows the catalog changes here, between two utterances."""
        try:
            swap.use()
        except EdgedError as error:
            swap.refusal = error
        else:
            self._pipeline.set_catalog(swap.catalog)
            self._following.set_home(swap.catalog.home)
            self._link.set_topics(self._topics())
        swap.done.set()

    def _topics(self) -> tuple[str, ...]:
        """What to subscribe to."""
        asked = self._fleet.topics if self._fleet is not None else ()
        return *self._inbox.topics, *self._discovery.topics, *asked, *self._following.topics

    def _report(self, report: Report | None) -> None:
        if report is not None:
            self._link.report(report)

    def _introduce(self) -> None:
        """Says what runs here and what can be asked of it."""
        config = self._config
        self._pipeline.tell_timers()
        if self._listens_on_request:
            self._listening.tell()
        if self._discovery.announces:
            model = Path(config.understand.model).name if self._fleet is None else "workers"
            self._report(report_diagnostics(self._node, model=model, lang=config.hear.lang, source=config.hear.source))
        self._report(self._discovery.describe(self._intents))

    def _tell_listening(self, on: bool) -> None:
        if self._network is not None:
            self._network.listen(on=on)
        self._link.report(report_listening(self._node, on=on))

    def _hand_over(self, swap: Swap) -> None:
        with self._work:
            self._swap = swap
            self._work.notify()

    def _tell(self, snapshot: Snapshot) -> None:
        """Says what is in force and what is wrong, to MQTT and to systemd."""
        intents = tuple(snapshot.catalog.intents)
        self._link.report(report_catalog(self._node, intents, snapshot.last_good, snapshot.faults))
        self._report(self._discovery.describe(intents))
        self._notifier.status(f"listening: {describe_state(snapshot)}")

    def _tell_outbox(self, is_durable: bool, fault: str) -> None:
        self._metrics.show_durable(is_durable=is_durable)
        self._link.report(report_outbox(self._node, is_durable=is_durable, fault=fault))

    def _hear(self, hearing: Hearing, stage: Stage) -> None:
        while True:
            stage.beat(waits=hearing.may_pause)
            with hearing.source as chunks:
                for part in self._listening.parts(self._watched(chunks, stage, may_pause=hearing.may_pause)):
                    self._transcribe(hearing, part)
            if self._stopping.is_set() or not hearing.comes_again:
                break
        if not self._config.mqtt.text_input and not self._stopping.is_set():
            logger.info("the source of sound has ended, and nothing else can come in")
            self._wake.request()

    def _transcribe(self, hearing: Hearing, part: Iterator[AudioChunk]) -> None:
        for utterance in hearing.transcribe(part, partial(self._keep_partial, hearing)):
            self._keep_partial(hearing, "")  # the words so far were this utterance's
            if isinstance(utterance, Rejected):
                self._pipeline.refuse(utterance)
                continue
            self._listening.end_utterance()
            self.offer(utterance)
        self._keep_partial(hearing, "")

    def _run_network(self, stage: Stage) -> None:
        if self._network is not None:
            self._network.run(stage.beat)

    def _keep_partial(self, hearing: Hearing, words: str) -> None:
        """Keeps what has been heard so far, in place of what was kept before, until the LM has nothing else to do.

        Where several people speak, nothing is kept: the LM would only begin again and again.
        """
        with self._work:
            (self._speaking.add if words else self._speaking.discard)(hearing.name)
            alone = self._speaking == {hearing.name}
            self._partial = Partial(hearing, words) if words and alone else None
            self._work.notify()

    def _watched(self, chunks: Iterator[AudioChunk], stage: Stage, *, may_pause: bool) -> Iterator[AudioChunk]:
        """The chunks, with a beat for each, until the daemon stops."""
        stage.beat(waits=may_pause)
        for chunk in chunks:
            if self._stopping.is_set():
                return
            stage.beat()
            yield chunk
            stage.beat(waits=may_pause)

    def _stop(self) -> None:
        """Ends the stages in the order of the flow, within DRAIN_S, and says offline last."""
        self._stopping.set()
        if self._fleet is not None:
            self._fleet.stop()
        if self._network is not None:
            self._network.close()
        self._stages.stop(DRAIN_S)
        while self._waiting:
            self._refuse(self._waiting.popleft(), "the daemon is shutting down")
        self._following.close()
        self._link.close()
        logger.info("stopped")

    def _refuse(self, said: Utterance | Reply, reason: str) -> None:
        if isinstance(said, Reply):
            self._pipeline.refuse(Rejected(said.utterance_id, "mqtt", f"in/confirm: {reason}"))
        else:
            self._pipeline.refuse(Rejected(said.id, "understand", reason), text=said.text, lang=said.lang)
