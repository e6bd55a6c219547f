"""What doctor says of the threads, the outbox and the metrics, with a model that is a file of three bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from edged.cli import doctor
from edged.config import Config, MetricsConfig, StateConfig, UnderstandConfig
from edged.ops.doctor import Finding
from edged.understand.threads import Measurement, look_around, store_measurement


@pytest.fixture
def config(tmp_path: Path) -> Config:
    model = tmp_path / "own.gguf"
    model.write_bytes(b"abc")
    return Config(
        understand=UnderstandConfig(model=str(model)),
        state=StateConfig(directory=tmp_path),
        metrics=MetricsConfig(port=9464),
    )


def look_at(subject: str, config: Config) -> Finding:
    return dict(doctor._CHECKS)[subject](config)


def test_threads_that_were_measured_are_shown_with_the_figures(config: Config, tmp_path: Path) -> None:
    here = look_around(tmp_path / "own.gguf")
    store_measurement(tmp_path, Measurement(conditions=here, token_ms=(9.0, 5.0), batch_ms=(63.0, 35.0), others=0.0))
    finding = look_at("threads", config)
    assert (finding.status, finding.remedy) == ("ok", "")
    assert finding.what.startswith("2, measured: a token 9.0 ms with 1, 5.0 ms with 2")


def test_threads_that_were_not_measured_are_a_warning_with_the_remedy(config: Config) -> None:
    finding = look_at("threads", config)
    assert (finding.status, finding.remedy) == ("warning", "edged models tune")


def test_a_damaged_measurement_is_a_warning(config: Config, tmp_path: Path) -> None:
    (tmp_path / "threads.json").write_text("{")
    finding = look_at("threads", config)
    assert (finding.status, finding.remedy) == ("warning", "edged models tune")
    assert "threads.json is damaged" in finding.what


def test_without_a_model_there_is_nothing_to_measure_with(tmp_path: Path) -> None:
    finding = look_at("threads", Config(state=StateConfig(directory=tmp_path)))
    assert (finding.status, finding.remedy) == ("warning", "edged models fetch")


def test_where_the_metrics_are_shown(config: Config) -> None:
    assert look_at("metrics", config).what == "http://127.0.0.1:9464/metrics"
    assert "not shown" in look_at("metrics", Config()).what


def test_where_commands_wait_and_what_was_set_aside(config: Config, tmp_path: Path) -> None:
    finding = look_at("outbox", config)
    assert (finding.status, str(config.commands_file) in finding.what) == ("ok", True)
    damaged = tmp_path / "commands.sqlite3.damaged"
    damaged.write_bytes(b"")
    finding = look_at("outbox", config)
    assert (finding.status, str(damaged) in finding.what) == ("warning", True)


def test_a_state_directory_that_cannot_be_written_is_a_warning(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edged.cli.doctor.os.access", lambda _path, _mode: False)
    finding = look_at("outbox", config)
    assert finding.status == "warning"
    assert "would not outlive a restart" in finding.what
