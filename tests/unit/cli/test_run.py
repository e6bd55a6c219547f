"""The start of the daemon: which catalog the language model is given, and whether anything is counted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edged.cli.run import check_inputs, open_files, open_metrics, open_understanding
from edged.config import Config, HearConfig, HomeConfig, IntentsConfig, MetricsConfig, MqttConfig, StateConfig
from edged.errors import ConfigError, ModelError
from edged.intents.catalog import Catalog
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.understand import parser as parser_module
from tests.peer.broker import free_port
from tests.unit.intents.test_live import HOME, intent_text


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "a.json").write_text(intent_text("alpha"))
    (tmp_path / "home.toml").write_text(HOME)
    return Config(
        home=HomeConfig(file=tmp_path / "home.toml", area="kitchen"),
        intents=IntentsConfig(directory=tmp_path / "schemas"),
        state=StateConfig(directory=tmp_path / "state"),
    )


@pytest.fixture(autouse=True)
def small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language model that has room for two intents."""

    @contextmanager
    def open_parser(_config: Config, catalog: Catalog, _metrics: Metrics) -> Iterator[None]:
        if len(catalog.intents) > 2:
            raise ModelError("the catalog is too large")
        yield

    monkeypatch.setattr(parser_module, "open_parser", open_parser)


def _start(config: Config) -> list[str]:
    """The intents in force."""
    files = open_files(config)
    with open_understanding(config, files, files.start()) as (_, snapshot):
        return list(snapshot.catalog.intents)


def _add_too_many(config: Config) -> None:
    for name in ("beta", "gamma"):
        (config.intents.directory / f"{name}.json").write_text(intent_text(name))


def test_a_catalog_that_became_too_large_does_not_bar_the_start(config: Config) -> None:
    assert _start(config) == ["alpha"]
    _add_too_many(config)
    assert _start(config) == ["alpha"]


def test_a_catalog_that_always_was_too_large_is_an_error(config: Config) -> None:
    _add_too_many(config)
    with pytest.raises(ModelError, match="too large"):
        _start(config)


def test_a_house_without_the_daemons_area_stays_as_it_last_was(config: Config) -> None:
    with pytest.raises(ConfigError, match='there is no area "cellar"'):
        _start(config.model_copy(update={"home": config.home.model_copy(update={"area": "cellar"})}))
    _start(config)
    config.home.file.write_text("[areas.hall]\n")
    assert _start(config) == ["alpha"]


def test_nothing_is_counted_and_nothing_listens_by_default() -> None:
    with open_metrics(Config()) as metrics:
        assert metrics is UNCOUNTED


def test_what_is_counted_is_shown_where_the_configuration_says() -> None:
    port = free_port()
    with open_metrics(Config(metrics=MetricsConfig(port=port))) as metrics:
        assert metrics is not UNCOUNTED
        socket.create_connection(("127.0.0.1", port), timeout=10).close()


@pytest.mark.parametrize(
    ("mqtt", "hear", "where"),
    [
        (MqttConfig(), HearConfig(), "edged.toml"),
        (MqttConfig(confirm_input=True), HearConfig(), "edged.toml"),
        (MqttConfig(text_input=True, listen_input=True), HearConfig(), "mqtt.listen_input"),
        (MqttConfig(text_input=True), HearConfig(source="mic", listening=False), "hear.listening"),
    ],
)
def test_an_input_that_leads_nowhere_is_an_error(mqtt: MqttConfig, hear: HearConfig, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_inputs(Config(mqtt=mqtt, hear=hear))
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("mqtt", "hear"),
    [
        (MqttConfig(text_input=True), HearConfig()),
        (MqttConfig(), HearConfig(source="mic")),
        (MqttConfig(listen_input=True), HearConfig(source="mic", listening=False)),
        (MqttConfig(listen_input=True, text_input=True), HearConfig(source="stdin")),
    ],
)
def test_an_input_that_leads_somewhere_is_none(mqtt: MqttConfig, hear: HearConfig) -> None:
    check_inputs(Config(mqtt=mqtt, hear=hear))
