"""Follows the catalog's files on a thread of its own and has what changed put in force, between two utterances."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from edged.errors import EdgedError
from edged.intents.catalog import Catalog, Fault
from edged.intents.live import LiveFiles, Snapshot, describe_changes, describe_state
from edged.ops.metrics import Metrics
from edged.stages import TICK_S, Stage

logger = logging.getLogger(__name__)


class WatcherLike(Protocol):
    """What tells that the files are to be read."""

    def wait(self, timeout_s: float) -> bool:
        """True where they are to be read now; comes back within about `timeout_s`."""


@dataclass(frozen=True, slots=True)
class Live:
    """How the catalog follows its files."""

    files: LiveFiles
    snapshot: Snapshot
    """What is in force at the start."""
    open_watcher: Callable[[], AbstractContextManager[WatcherLike]]
    prepare: Callable[[Snapshot], Callable[[], None]]
    """Does what takes time, on the thread that watches, and gives what puts the snapshot in force between two
    utterances; either raises EdgedError where it cannot be used."""


class Swap:
    """A catalog on its way from the thread that has read it to the one that understands."""

    def __init__(self, catalog: Catalog, use: Callable[[], None]) -> None:
        self.catalog = catalog
        self.use = use
        self.refusal: EdgedError | None = None
        self.done = threading.Event()


class Reloader:
    """Reads the files whenever they change, and says what is in force and what is wrong with them."""

    def __init__(
        self,
        live: Live,
        *,
        hand_over: Callable[[Swap], None],
        tell: Callable[[Snapshot], None],
        stopping: threading.Event,
        metrics: Metrics,
    ) -> None:
        """Reads nothing yet.

        Args:
            live: the files, and what is in force.
            hand_over: queues a swap for the thread that understands, and does not wait for it.
            tell: is told what is in force, at the start and after each change.
            stopping: set once it is to end.
            metrics: counts what was read.
        """
        self._live = live
        self._hand_over = hand_over
        self._report = tell
        self._stopping = stopping
        self._metrics = metrics
        self._told: frozenset[Fault] = frozenset()

    def begin(self) -> None:
        """Says what is in force at the start."""
        self._tell(self._live.snapshot)
        logger.info("in force: %s", describe_state(self._live.snapshot))

    def run(self, stage: Stage) -> None:
        """Follows the files until the end."""
        with self._live.open_watcher() as watcher:
            while not self._stopping.is_set():
                stage.beat()
                if watcher.wait(TICK_S):
                    self._reload(stage)

    def _reload(self, stage: Stage) -> None:
        """Reads the files and, where they say something else, has it put in force or stays with what is."""
        started_s = time.monotonic()
        files = self._live.files
        snapshot = files.read()
        if snapshot is None:
            return
        refusal: EdgedError | None = None
        if snapshot.added or snapshot.changed or snapshot.removed:
            refusal = self._put_in_force(snapshot, stage)
            if self._stopping.is_set():
                return
            if refusal is not None:
                snapshot = files.refuse(snapshot, refusal)
        files.accept(snapshot)
        self._metrics.count_reload(taken=refusal is None)
        self._tell(snapshot)
        logger.info(
            "the catalog was read in %.0f ms: %s", (time.monotonic() - started_s) * 1e3, describe_changes(snapshot)
        )

    def _put_in_force(self, snapshot: Snapshot, stage: Stage) -> EdgedError | None:
        """Waits until the thread that understands has taken the catalog; why not, where it could not be used."""
        stage.beat(waits=True)  # the LM reads a long catalog for a minute on the slowest Pi
        try:
            swap = Swap(snapshot.catalog, self._live.prepare(snapshot))
        except EdgedError as error:
            return error
        finally:
            stage.beat()
        self._hand_over(swap)
        while not swap.done.wait(TICK_S) and not self._stopping.is_set():
            stage.beat()
        return swap.refusal

    def _tell(self, snapshot: Snapshot) -> None:
        """Says what is in force and what is wrong: to the log, where it is news, and to whoever else is told."""
        for fault in snapshot.faults:
            if fault not in self._told or fault.file in snapshot.touched:
                logger.warning("%s: %s", fault.severity, fault)
        self._told = frozenset(snapshot.faults)
        self._report(snapshot)
