"""Wires the stages: hear, understand and act, MQTT, the catalog's files, each on its thread, with bounded queues.

The main thread waits for a signal and feeds systemd's watchdog as long as every stage's heartbeat is fresh. A stage
that raises stops the daemon with a non-zero status; systemd restarts it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from edged.act.drivers import state_topics
from edged.act.link import Link, SessionFactory, make_endpoint
from edged.act.messages import report_catalog, text_topic
from edged.act.mqtt import Session
from edged.act.pipeline import Pipeline, Understand
from edged.act.state import DeviceStates
from edged.act.text_input import TextInput
from edged.config import Config
from edged.errors import EdgedError
from edged.intents.catalog import Catalog, Fault
from edged.intents.live import LiveFiles, Snapshot, describe_changes, describe_state
from edged.ops.feedback import Keep
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.types import AudioChunk, Rejected, Utterance

logger = logging.getLogger(__name__)

TICK_S = 0.5
"""How often an idle stage beats and the main thread looks at the heartbeats."""
STALE_S = 60.0
"""A heartbeat older than this is a stage that hangs: the longest utterance takes some 10 s on the slowest Pi."""
SETTLED_S = 0.2
"""Words that stay the same for so long are answered ahead. Vosk waits longer until it takes a silence for the end."""
DRAIN_S = 10.0
"""How long the end waits for what is under way; with the broker's 5 s it stays within the unit's TimeoutStopSec."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Where speech comes from and who makes words of it."""

    source: AbstractContextManager[Iterator[AudioChunk]]
    transcribe: Callable[[Iterable[AudioChunk], Callable[[str], None]], Iterator[Utterance]]
    """What else it is given is told what has been heard of an utterance so far."""
    may_pause: bool
    """The source may be silent for any time, as stdin may; a microphone may not."""
    prefill: Callable[[str], None] = lambda _words: None
    """Has the LM read what has been heard so far, on the thread that understands, and changes no outcome; raises
    EdgedError where it fails."""
    anticipate: Callable[[str], None] = lambda _words: None
    """The same, for words behind which a pause is: has them understood, in case they are all."""


@dataclass(frozen=True, slots=True)
class Live:
    """How the catalog follows its files."""

    files: LiveFiles
    snapshot: Snapshot
    """What is in force at the start."""
    open_watcher: Callable[[], AbstractContextManager[WatcherLike]]
    prepare: Callable[[Catalog], Callable[[], None]]
    """Does what takes time, on the thread that watches, and gives what puts the catalog in force between two
    utterances; either raises EdgedError where the catalog cannot be used."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the daemon is made of."""

    understand: Understand
    catalog: Catalog
    hearing: Hearing | None = None
    live: Live | None = None
    make_session: SessionFactory = Session
    metrics: Metrics = UNCOUNTED
    keep: Keep = lambda _utterance, _intents, _rejected: None
    """Is told what became of each utterance that was handled, on the thread that understands."""


class WatcherLike(Protocol):
    """What tells that the files are to be read."""

    def wait(self, timeout_s: float) -> bool:
        """True where they are to be read now; comes back within about `timeout_s`."""


class Swap:
    """A catalog on its way from the thread that has read it to the one that understands."""

    def __init__(self, catalog: Catalog, use: Callable[[], None]) -> None:
        self.catalog = catalog
        self.use = use
        self.refusal: EdgedError | None = None
        self.done = threading.Event()


class Stage:
    """A thread and its heartbeat."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._beat_s = time.monotonic()
        self._waits = False

    def beat(self, *, waits: bool = False) -> None:
        """The stage lives; with `waits`, it now waits for something that may take any time."""
        self._beat_s = time.monotonic()
        self._waits = waits

    def is_fresh(self) -> bool:
        """Whether the last beat is recent enough."""
        return self._waits or time.monotonic() - self._beat_s < STALE_S


class Daemon:
    """One run from start to end."""

    def __init__(self, config: Config, parts: Parts, *, wake: Wake, notifier: Notifier) -> None:
        """Makes everything and starts nothing.

        Raises:
            ConfigError: the broker's password cannot be read.
        """
        self._wake = wake
        self._notifier = notifier
        self._hearing = parts.hearing
        self._takes_text = config.mqtt.text_input
        self._text_topic = text_topic(config.mqtt.node)
        self._text_input = TextInput(config.hear.lang)
        self._states = DeviceStates(state_topics(parts.catalog.home))
        self._live = parts.live
        self._metrics = parts.metrics
        self._keep = parts.keep
        self._told: frozenset[Fault] = frozenset()
        self._node = config.mqtt.node
        self._most_waiting = config.mqtt.queue
        self._waiting: deque[Utterance] = deque()
        self._swap: Swap | None = None
        self._partial = ""
        """What has been heard of an utterance that goes on and the LM has not read; the latest alone counts."""
        self._work = threading.Condition()
        """Over `_waiting`, `_swap` and `_partial`."""
        self._stages = {name: Stage(name) for name in ("mqtt", "understand", "hear", "catalog")}
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._exit_code = 0
        endpoint = make_endpoint(
            config.mqtt, topics=self._topics(), on_message=self._take_message, on_failure=lambda: self._fail(1)
        )
        self._link = Link(endpoint, make_session=parts.make_session, beat=self._stages["mqtt"].beat)
        self._pipeline = Pipeline(
            understand=parts.understand,
            catalog=parts.catalog,
            states=self._states,
            sender=self._link,
            node=config.mqtt.node,
            default_area=config.home.area,
            metrics=parts.metrics,
        )

    @property
    def abandoned(self) -> tuple[str, ...]:
        """Threads that did not end in time: what they use must not be freed."""
        return tuple(thread.name for thread in self._threads if thread.is_alive())

    def run(self) -> int:
        """Runs until the wake-up, and ends in order: 0, or the code of what failed.

        Raises:
            BrokerError: the broker cannot be reached, or refuses, at the start.
            ConfigError: a TLS file cannot be used.
        """
        self._link.connect()
        self._start("understand", self._understand)
        if self._hearing is not None:
            self._start("hear", self._hear)
        self._notifier.ready()
        self._notifier.status("listening")
        if self._live is not None:
            self._tell(self._live.snapshot)
            self._start("catalog", self._follow_files)
            logger.info("in force: %s", describe_state(self._live.snapshot))
        logger.info("ready")
        while not self._wake.wait(TICK_S):
            self._feed_watchdog()
        self._stop()
        return self._exit_code

    def offer(self, utterance: Utterance) -> None:
        """Queues an utterance, or refuses it where the queue is full; never waits."""
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

    def _take_message(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic != self._text_topic:
            self._states.update(topic, payload)
            return
        taken = self._text_input.read(payload, retained=retained)
        if isinstance(taken, Utterance):
            self.offer(taken)
        elif taken is not None:
            self._pipeline.refuse(taken)

    def _start(self, name: str, work: Callable[[Stage], None]) -> None:
        thread = threading.Thread(target=self._guard, args=(self._stages[name], work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guard(self, stage: Stage, work: Callable[[Stage], None]) -> None:
        """The outermost loop of a stage's thread."""
        stage.beat()
        try:
            work(stage)
        except EdgedError as error:
            logger.error("stage %s: %s", stage.name, error)  # noqa: TRY400 -- it says all that a person needs
            self._fail(error.exit_code)
        except Exception:
            logger.exception("stage %s failed", stage.name)
            self._fail(1)
        stage.beat(waits=True)

    def _fail(self, exit_code: int) -> None:
        self._exit_code = self._exit_code or exit_code
        self._wake.request()

    def _understand(self, stage: Stage) -> None:
        heard = ""
        while not (self._stopping.is_set() and not self._waiting):
            stage.beat()
            with self._work:
                limit_s = SETTLED_S if heard else TICK_S
                is_quiet = not self._work.wait_for(
                    lambda: self._waiting or self._swap is not None or self._partial, limit_s
                )
                swap, self._swap = self._swap, None
                utterance = self._waiting.popleft() if self._waiting else None
                partial = ""
                if swap is None and utterance is None:
                    partial, self._partial = self._partial, ""
            if swap is not None:
                self._put_in_force(swap)
            if utterance is not None:
                outcome = self._pipeline.handle(utterance)
                self._keep(utterance, outcome.intents, outcome.rejected)
            if self._hearing is not None and partial:
                self._look_ahead(self._hearing.prefill, partial)
            if self._hearing is not None and heard and is_quiet:
                self._look_ahead(self._hearing.anticipate, heard)
            heard = partial

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
            self._states.set_topics(state_topics(swap.catalog.home))
            self._link.set_topics(self._topics())
        swap.done.set()

    def _topics(self) -> tuple[str, ...]:
        """What to subscribe to."""
        return *((self._text_topic,) if self._takes_text else ()), *self._states.topics

    def _follow_files(self, stage: Stage) -> None:
        live = self._live
        if live is None:
            return
        with live.open_watcher() as watcher:
            while not self._stopping.is_set():
                stage.beat()
                if watcher.wait(TICK_S):
                    self._reload(live, stage)

    def _reload(self, live: Live, stage: Stage) -> None:
        """Reads the files and, where they say something else, has it put in force or stays with what is."""
        started_s = time.monotonic()
        snapshot = live.files.read()
        if snapshot is None:
            return
        refusal: EdgedError | None = None
        if snapshot.added or snapshot.changed or snapshot.removed:
            refusal = self._hand_over(live, snapshot.catalog, stage)
            if self._stopping.is_set():
                return
            if refusal is not None:
                snapshot = live.files.refuse(snapshot, refusal)
        live.files.accept(snapshot)
        self._metrics.count_reload(taken=refusal is None)
        self._tell(snapshot)
        logger.info(
            "the catalog was read in %.0f ms: %s", (time.monotonic() - started_s) * 1e3, describe_changes(snapshot)
        )

    def _hand_over(self, live: Live, catalog: Catalog, stage: Stage) -> EdgedError | None:
        """Waits until the thread that understands has taken the catalog; why not, where it could not be used."""
        stage.beat(waits=True)  # the LM reads a long catalog for a minute on the slowest Pi
        try:
            swap = Swap(catalog, live.prepare(catalog))
        except EdgedError as error:
            return error
        finally:
            stage.beat()
        with self._work:
            self._swap = swap
            self._work.notify()
        while not swap.done.wait(TICK_S) and not self._stopping.is_set():
            stage.beat()
        return swap.refusal

    def _tell(self, snapshot: Snapshot) -> None:
        """Says what is in force and what is wrong: to the log, where it is news, to MQTT and to systemd."""
        for fault in snapshot.faults:
            if fault not in self._told or fault.file in snapshot.touched:
                logger.warning("%s: %s", fault.severity, fault)
        self._told = frozenset(snapshot.faults)
        intents = tuple(snapshot.catalog.intents)
        self._link.report(report_catalog(self._node, intents, snapshot.last_good, snapshot.faults))
        self._notifier.status(f"listening: {describe_state(snapshot)}")

    def _hear(self, stage: Stage) -> None:
        hearing = self._hearing
        if hearing is None:
            return
        with hearing.source as chunks:
            watched = self._watched(chunks, stage, may_pause=hearing.may_pause)
            for utterance in hearing.transcribe(watched, self._keep_partial):
                self._keep_partial("")  # the words so far were this utterance's
                self.offer(utterance)
        if not self._takes_text and not self._stopping.is_set():
            logger.info("the source of sound has ended, and nothing else can come in")
            self._wake.request()

    def _keep_partial(self, words: str) -> None:
        """Keeps what has been heard so far, in place of what was kept before, until the LM has nothing else to do."""
        with self._work:
            self._partial = words
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

    def _feed_watchdog(self) -> None:
        running = ["mqtt", *(thread.name for thread in self._threads)]
        stale = [name for name in running if not self._stages[name].is_fresh()]
        if stale:
            logger.error("no heartbeat from %s", ", ".join(stale))
        else:
            self._notifier.watchdog()

    def _stop(self) -> None:
        """Ends the stages in the order of the flow, within DRAIN_S, and says offline last."""
        self._notifier.stopping()
        self._stopping.set()
        deadline = time.monotonic() + DRAIN_S
        for thread in reversed(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()) if thread.name == "understand" else 2 * TICK_S)
        if "understand" in self.abandoned:
            logger.error("the utterance under way did not end within %g s", DRAIN_S)
            self._exit_code = self._exit_code or 1
        while self._waiting:
            self._refuse(self._waiting.popleft(), "the daemon is shutting down")
        self._link.close()
        logger.info("stopped")

    def _refuse(self, utterance: Utterance, reason: str) -> None:
        self._pipeline.refuse(Rejected(utterance.id, "understand", reason), text=utterance.text, lang=utterance.lang)
