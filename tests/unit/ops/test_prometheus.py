from __future__ import annotations

import inspect
import urllib.request

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from edged.config import MetricsConfig
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.ops.prometheus import PrometheusMetrics, show_metrics
from tests.peer.broker import free_port


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def count_everything(metrics: Metrics) -> None:
    metrics.count_answer("example")
    metrics.count_lm(tokens=12, calls=2)
    metrics.count_cached(hit=True)
    metrics.count_cached(hit=False)
    metrics.count_prefix(loaded=False)
    metrics.count_partial()
    metrics.count_rejected("act")
    metrics.count_command(sent=True)
    metrics.count_command(sent=False)
    metrics.count_result("unconfirmed")
    metrics.show_durable(is_durable=True)
    metrics.observe_utterance(0.02)
    metrics.count_reload(taken=False)


def test_every_count_is_shown(registry: CollectorRegistry) -> None:
    count_everything(PrometheusMetrics(registry))
    expected = {
        ("utterances_total", "by", "example"): 1,
        ("utterances_total", "by", "model"): 0,
        ("utterances_total", "by", "nobody"): 0,
        ("result_cache_total", "result", "hit"): 1,
        ("result_cache_total", "result", "miss"): 1,
        ("prefix_states_total", "how", "built"): 1,
        ("prefix_states_total", "how", "loaded"): 0,
        ("rejected_total", "stage", "act"): 1,
        ("rejected_total", "stage", "hear"): 0,
        ("commands_total", "result", "sent"): 1,
        ("commands_total", "result", "failed"): 1,
        ("results_total", "status", "unconfirmed"): 1,
        ("results_total", "status", "confirmed"): 0,
        ("catalog_reloads_total", "result", "taken"): 0,
        ("catalog_reloads_total", "result", "refused"): 1,
        ("utterance_seconds_bucket", "le", "0.01"): 0,
        ("utterance_seconds_bucket", "le", "0.025"): 1,
    }
    found = {key: registry.get_sample_value(f"edged_{key[0]}", {key[1]: key[2]}) for key in expected}
    assert found == expected
    plain = ("lm_tokens_total", "lm_calls_total", "partials_total", "utterance_seconds_count", "outbox_durable")
    assert [registry.get_sample_value(f"edged_{name}") for name in plain] == [12, 2, 1, 1, 1]


def test_two_registries_know_nothing_of_each_other(registry: CollectorRegistry) -> None:
    count_everything(PrometheusMetrics(CollectorRegistry()))
    PrometheusMetrics(registry)
    assert registry.get_sample_value("edged_lm_calls_total") == 0


def test_whoever_does_not_count_takes_the_same_calls() -> None:
    count_everything(UNCOUNTED)
    names = {name for name, _ in inspect.getmembers(Metrics, inspect.isfunction)}
    assert names == {name for name in vars(PrometheusMetrics) if not name.startswith("_")}


def test_what_is_shown_can_be_read_by_a_scraper_and_holds_what_the_process_takes() -> None:
    port = free_port()
    with show_metrics(MetricsConfig(port=port)) as metrics:
        count_everything(metrics)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"edged_utterances", "edged_utterance_seconds", "process_cpu_seconds"} <= names
