"""The counts as Prometheus reads them. Nothing else imports prometheus_client, which takes 11 MB of memory."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, get_args

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client import generate_latest as render

from edged.config import MetricsConfig
from edged.ops.metrics import Metrics
from edged.ops.page import Page, serve_page
from edged.types import AnsweredBy, ResultStatus, Stage

log = logging.getLogger(__name__)

_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""From an example on a server to the longest utterance on the slowest Pi."""


class PrometheusMetrics(Metrics):
    """Counts in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str) -> Counter:
            return Counter(f"edged_{name}", what, registry=registry)

        def counters(name: str, what: str, label: str, values: Iterable[str]) -> dict[str, Counter]:
            """One a value, all from the start: what has not happened yet is shown as 0."""
            family = Counter(f"edged_{name}", what, [label], registry=registry)
            return {value: family.labels(value) for value in values}

        self._answers = counters("utterances", "Utterances by what decided about them.", "by", get_args(AnsweredBy))
        self._lm_tokens = counter("lm_tokens", "Tokens read after the text was complete.")
        self._lm_calls = counter("lm_calls", "Calls of the language model after the text was complete.")
        self._cached = counters("result_cache", "Looks into the result cache.", "result", ("hit", "miss"))
        self._prefixes = counters("prefix_states", "Prefix states by where they came from.", "how", ("loaded", "built"))
        self._partials = counter("partials", "Unfinished utterances read while they were spoken.")
        self._rejected = counters("rejected", "What was rejected, by the stage that did.", "stage", get_args(Stage))
        self._commands = counters("commands", "Commands to devices.", "result", ("sent", "failed"))
        self._results = counters(
            "results", "What became of commands at their devices.", "status", get_args(ResultStatus)
        )
        self._durable = Gauge(
            "edged_outbox_durable", "1 while waiting commands and timers outlive a restart.", registry=registry
        )
        self._utterance_s = Histogram(
            "edged_utterance_seconds",
            "From the end of an utterance until all was done about it.",
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._reloads = counters("catalog_reloads", "Readings of changed files.", "result", ("taken", "refused"))

    def count_answer(self, answered_by: AnsweredBy) -> None:
        """See `Metrics`."""
        self._answers[answered_by].inc()

    def count_lm(self, *, tokens: int, calls: int) -> None:
        """See `Metrics`."""
        self._lm_tokens.inc(tokens)
        self._lm_calls.inc(calls)

    def count_cached(self, *, hit: bool) -> None:
        """See `Metrics`."""
        self._cached["hit" if hit else "miss"].inc()

    def count_prefix(self, *, loaded: bool) -> None:
        """See `Metrics`."""
        self._prefixes["loaded" if loaded else "built"].inc()

    def count_partial(self) -> None:
        """See `Metrics`."""
        self._partials.inc()

    def count_rejected(self, stage: Stage) -> None:
        """See `Metrics`."""
        self._rejected[stage].inc()

    def count_command(self, *, sent: bool) -> None:
        """See `Metrics`."""
        self._commands["sent" if sent else "failed"].inc()

    def count_result(self, status: ResultStatus) -> None:
        """See `Metrics`."""
        self._results[status].inc()

    def show_durable(self, *, is_durable: bool) -> None:
        """See `Metrics`."""
        self._durable.set(is_durable)

    def observe_utterance(self, seconds: float) -> None:
        """See `Metrics`."""
        self._utterance_s.observe(seconds)

    def count_reload(self, *, taken: bool) -> None:
        """See `Metrics`."""
        self._reloads["taken" if taken else "refused"].inc()


@contextmanager
def show_metrics(config: MetricsConfig) -> Iterator[Metrics]:
    """What counts, and is shown on http://host:port/metrics with what the process takes, until the block is left.

    Raises:
        ConfigError: nothing can listen there.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    page = Page("/metrics", CONTENT_TYPE_LATEST, lambda: render(registry))
    with serve_page(page, config.host, config.port) as port:
        log.info("metrics: http://%s:%d%s", config.host, port, page.path)
        yield PrometheusMetrics(registry)
