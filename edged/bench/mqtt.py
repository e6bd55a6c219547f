"""What the outbox costs: the time that it adds to a command, and how it carries a house whose broker was away.

Each path publishes the same commands to the same broker. `session` hands them to the connection alone, `memory` lets
them pass an outbox that writes nothing down, `file` the one that the daemon has.
"""

from __future__ import annotations

import resource
import statistics
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, TypeAlias

from edged.act.link import Link, make_endpoint
from edged.act.mqtt import Session
from edged.act.outbox import Outbox
from edged.act.store import Store
from edged.config import Config
from edged.types import Command

PathName: TypeAlias = Literal["session", "memory", "file"]
"""How the commands go."""
PATHS: Final[tuple[PathName, ...]] = ("session", "memory", "file")
COMMANDS: Final = 500
"""Of each path, for the latency."""
WARM_UP: Final = 20
QUEUED: Final = 10_000
"""For the throughput."""
DEVICES: Final = 100
"""Topics that the queued commands are for."""
PAYLOAD: Final = b'{"state":"ON","brightness":127,"transition":2}'
VALID_S: Final = 600.0
DRAIN_LIMIT_S: Final = 300.0
"""How long the broker may take for the queued ones."""


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """From the command to the broker's confirmation."""

    path: PathName
    commands: int
    ms_median: float
    ms_p99: float
    added_ms_median: float
    """By the outbox: beyond `session`."""
    added_ms_p99: float


@dataclass(frozen=True, slots=True)
class QueueRow:
    """Commands that waited for the broker."""

    path: PathName
    commands: int
    put_per_s: float
    """Taken in one by one, without a broker."""
    sent_per_s: float
    """Confirmed after the connection."""
    bytes_each: float
    """Of Python's memory while they wait."""
    file_bytes: int
    """On the disk, log and all, while they wait."""
    peak_mib: float
    """The most that the process has had resident so far."""


def measure_mqtt(
    config: Config, *, commands: int = COMMANDS, queued: int = QUEUED
) -> tuple[list[LatencyRow], list[QueueRow]]:
    """Latencies of all paths, taken in turn, and queues of those that have an outbox.

    Raises:
        BrokerError: the broker cannot be reached, or refuses.
    """
    with TemporaryDirectory(dir=_disk(config)) as folder:
        return _measure_latency(config, Path(folder), commands), [
            _measure_queue(config, path, Path(folder), queued) for path in ("memory", "file")
        ]


def _disk(config: Config) -> Path | None:
    """The disk that the daemon would use, where that is there."""
    return config.state_directory if config.state_directory.is_dir() else None


def _measure_latency(config: Config, folder: Path, commands: int) -> list[LatencyRow]:
    taken: dict[PathName, list[float]] = {path: [] for path in PATHS}
    with (
        _linked(config, None) as memory,
        _linked(config, folder / "latency.sqlite3") as file,
        _session(config) as session,
    ):
        for number in range(commands + WARM_UP):
            command = _command(number)
            for path in PATHS:
                started_s = time.perf_counter()
                if path == "session":
                    _publish_plainly(session, command)
                else:
                    (memory if path == "memory" else file).publish(command)
                if number >= WARM_UP:
                    taken[path].append((time.perf_counter() - started_s) * 1e3)
    plain = _quantiles(taken["session"])
    rows = []
    for path in PATHS:
        median, p99 = _quantiles(taken[path])
        rows.append(LatencyRow(path, commands, median, p99, median - plain[0], p99 - plain[1]))
    return rows


def _quantiles(values: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    return statistics.median(values), statistics.quantiles(values, n=100, method="inclusive")[98]


def _measure_queue(config: Config, path: PathName, folder: Path, queued: int) -> QueueRow:
    file = folder / "queue.sqlite3" if path == "file" else None
    done = threading.Semaphore(0)
    outbox = _outbox(file, queued)
    outbox.store.open()
    link = Link(
        make_endpoint(config.mqtt, announce=False), outbox=outbox, on_settled=lambda _command, _rejected: done.release()
    )
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(queued):
        link.publish(_command(number))
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    put_s = _time_puts(folder, queued, on_disk=file is not None)
    size = sum(found.stat().st_size for found in folder.glob("queue.sqlite3*"))
    started_s = time.perf_counter()
    link.connect()
    sent = 0
    try:
        while sent < queued and done.acquire(timeout=DRAIN_LIMIT_S):
            sent += 1
        sent_s = time.perf_counter() - started_s
    finally:
        link.close()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return QueueRow(path, queued, queued / put_s, sent / sent_s, held / queued, size, peak_mib)


def _time_puts(folder: Path, queued: int, *, on_disk: bool) -> float:
    """The seconds that an outbox of its own takes for them, which nobody watches."""
    outbox = _outbox(folder / "puts.sqlite3" if on_disk else None, queued)
    outbox.store.open()
    started_s = time.perf_counter()
    for number in range(queued):
        outbox.put([_command(number)])
    taken_s = time.perf_counter() - started_s
    outbox.store.close()
    return taken_s


def _outbox(file: Path | None, queued: int) -> Outbox:
    return Outbox(Store(file), max_commands=queued)


def _command(number: int) -> Command:
    expires_ns = time.monotonic_ns() + round(VALID_S * 1e9)
    return Command(f"edged/bench/{number % DEVICES}/set", PAYLOAD, 1, False, expires_ns, f"bench-{number}", True)


@contextmanager
def _linked(config: Config, file: Path | None) -> Iterator[Link]:
    link = Link(make_endpoint(config.mqtt, announce=False), outbox=_outbox(file, QUEUED))
    link.connect()
    try:
        yield link
    finally:
        link.close()


@contextmanager
def _session(config: Config) -> Iterator[Session]:
    session = Session(make_endpoint(config.mqtt, announce=False), "3.1.1" if config.mqtt.protocol == "3.1.1" else "5")
    session.open(config.mqtt.connect_timeout_s)
    try:
        yield session
    finally:
        session.close(1.0)


def _publish_plainly(session: Session, command: Command) -> None:
    answered = threading.Event()
    session.send(command, expiry_s=60, on_answer=lambda _answer: answered.set(), timeout_s=1.0)
    answered.wait(10.0)
