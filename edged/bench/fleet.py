"""What asking a worker costs beside its understanding: questions and answers through the broker, both ends in here."""

from __future__ import annotations

import statistics
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from edged.act.exchange import read_utterance, write_outcome
from edged.act.fleet import Fleet
from edged.act.link import make_endpoint, require_version_5
from edged.act.messages import utterance_topic
from edged.act.mqtt import Exchange, Request, Requests, Session
from edged.config import Config
from edged.intents.catalog import Catalog
from edged.intents.load import load_catalog
from edged.types import Rejected, Utterance

NODES: Final = (1, 8)
"""That ask at the same time, each one utterance after the other."""
UTTERANCES: Final = 400
"""In each row."""
WARM_UP: Final = 10
MOST: Final = 16
"""Questions that may be unacknowledged."""


@dataclass(frozen=True, slots=True)
class FleetRow:
    """From the question to the answer, which the worker gives without a thought."""

    nodes: int
    utterances: int
    answered: int
    per_s: float
    """Of all nodes together."""
    ms_median: float
    ms_p99: float


def measure_fleet(config: Config, *, utterances: int = UTTERANCES, nodes: Sequence[int] = NODES) -> list[FleetRow]:
    """A row for each number of nodes.

    Raises:
        BrokerError: the broker cannot be reached, refuses, or speaks no MQTT 5.
    """
    config = config.model_copy(update={"mqtt": require_version_5(config.mqtt)})
    catalog = load_catalog(config)
    return [_measure(config, catalog, count, utterances // count) for count in nodes]


def _measure(config: Config, catalog: Catalog, count: int, each: int) -> FleetRow:
    names = [f"bench-{uuid.uuid4().hex}" for _ in range(count)]
    with ExitStack() as stack:
        stack.enter_context(_answering(config, names))
        fleets = [stack.enter_context(_asking(config, catalog, name)) for name in names]
        for fleet in fleets:
            _ask(fleet, WARM_UP)
        taken: list[float | None] = []
        threads = [threading.Thread(target=lambda fleet=fleet: taken.extend(_ask(fleet, each))) for fleet in fleets]
        started_s = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        all_s = time.perf_counter() - started_s
    times = [one for one in taken if one is not None]
    p99 = statistics.quantiles(times, n=100, method="inclusive")[98]
    return FleetRow(count, len(taken), len(times), len(times) / all_s, statistics.median(times), p99)


def _ask(fleet: Fleet, count: int) -> list[float | None]:
    """Milliseconds of each; None where no answer came."""
    taken: list[float | None] = []
    for _ in range(count):
        utterance_id = uuid.uuid4().hex
        started_s = time.perf_counter()
        outcome = fleet.understand(Utterance(utterance_id, "turn on the light", "en", 1.0, 0, 0, "cli"))
        ms = (time.perf_counter() - started_s) * 1e3
        taken.append(ms if isinstance(outcome, Rejected) and outcome.reason == "bench" else None)
    return taken


@contextmanager
def _asking(config: Config, catalog: Catalog, name: str) -> Iterator[Fleet]:
    """A node that nobody else learns of."""
    config = config.model_copy(update={"mqtt": config.mqtt.model_copy(update={"node": name})})
    fleet = Fleet(config, catalog)
    endpoint = make_endpoint(
        config.mqtt,
        topics=fleet.topics,
        on_message=lambda _topic, payload, retained: fleet.take(payload, retained=retained),
        announce=False,
    )
    session = Session(endpoint, "5")
    session.open(config.mqtt.connect_timeout_s)

    def post(topic: str, payload: bytes, exchange: Exchange, *, timeout_s: float = 0.0) -> bool:
        return session.post(topic, payload, exchange=exchange, timeout_s=timeout_s)

    fleet.use(post)
    try:
        yield fleet
    finally:
        session.close(1.0)


@contextmanager
def _answering(config: Config, nodes: Sequence[str]) -> Iterator[None]:
    """A worker for these nodes and no others: real ones may use the same broker."""

    def answer(request: Request) -> None:
        _, message = read_utterance(request.topic, request.payload, request.response_topic)
        outcome = write_outcome("bench", message.id, Rejected(message.id, "understand", "bench"))
        session.post(request.response_topic, outcome, exchange=Exchange(10, correlation=request.correlation))
        request.acknowledge()

    topics = tuple(f"$share/bench/{utterance_topic(node)}" for node in nodes)
    endpoint = make_endpoint(config.mqtt, topics=topics, announce=False, requests=Requests(answer, MOST))
    session = Session(endpoint, "5")
    session.open(config.mqtt.connect_timeout_s)
    try:
        yield
    finally:
        session.close(1.0)
