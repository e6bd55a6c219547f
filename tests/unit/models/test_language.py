import json
from pathlib import Path

import pytest

from edged.config import Config
from edged.errors import ModelError, UsageError
from edged.models.derive import derived_faults
from edged.models.language import (
    ADAPTERS,
    OWN_ADAPTERS,
    find_adapter,
    find_language_model,
    find_training,
    read_training,
)

DEFAULT = Config().understand.model


@pytest.mark.model
def test_the_adapter_is_merged_once_and_recorded_with_its_own_hash(config: Config) -> None:
    path = find_language_model(DEFAULT, config.models_directory)
    made = path.stat().st_mtime_ns
    assert find_language_model(DEFAULT, config.models_directory) == path
    assert path.stat().st_mtime_ns == made
    assert derived_faults(f"{DEFAULT}-adapted", config.models_directory) == []


def test_the_default_model_has_an_adapter_of_at_most_ten_megabytes() -> None:
    assert 0 < (ADAPTERS / f"{DEFAULT}.gguf").stat().st_size <= 10_000_000


def test_a_model_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"edged models fetch {DEFAULT}"):
        find_language_model(DEFAULT, tmp_path)
    with pytest.raises(UsageError):
        find_language_model("nothing", tmp_path)


@pytest.mark.parametrize(
    ("written", "read"),
    [("{}", 1.0), ('{"confidence_temperature": 1.75}', 1.75), ('{"confidence_temperature": 2}', 2.0)],
)
def test_the_record_says_the_temperature_of_the_confidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, read: float
) -> None:
    write_record(tmp_path, monkeypatch, json.loads(written))
    training = find_training(configured(tmp_path))
    assert training is not None
    assert training.confidence_temperature == read


@pytest.mark.parametrize("wrong", [0, -1, "1", None, float("inf")])
def test_a_temperature_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: object) -> None:
    write_record(tmp_path, monkeypatch, {"confidence_temperature": wrong})
    with pytest.raises(ModelError, match="confidence_temperature"):
        find_training(configured(tmp_path))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"intents": 1, "languages": [], "form": "short"}', "\0"])
def test_a_damaged_record_is_told(tmp_path: Path, text: str) -> None:
    record = tmp_path / "record.json"
    record.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="no record of an adapter") as caught:
        read_training(record)
    assert str(record) in str(caught.value)


def test_a_form_of_answers_that_is_not_known_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_record(tmp_path, monkeypatch, {"form": "long"})
    with pytest.raises(ModelError, match="'long'"):
        find_training(configured(tmp_path))


def test_an_adapter_trained_on_the_device_goes_before_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record(tmp_path, monkeypatch, {})
    own = tmp_path / "models" / OWN_ADAPTERS
    own.mkdir(parents=True)
    assert find_adapter(DEFAULT, tmp_path / "models") == tmp_path / f"{DEFAULT}.gguf"
    (own / f"{DEFAULT}.gguf").touch()
    assert (
        find_adapter(DEFAULT, tmp_path / "models") == tmp_path / f"{DEFAULT}.gguf"
    )  # without a record it is half there
    (own / f"{DEFAULT}.json").touch()
    assert find_adapter(DEFAULT, tmp_path / "models") == own / f"{DEFAULT}.gguf"
    assert find_adapter("another", tmp_path / "models") is None


def configured(folder: Path) -> Config:
    """No adapter was trained on this device."""
    return Config().model_copy(update={"models_directory": folder / "models"})


def write_record(folder: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, object]) -> None:
    record = {"intents": ["light"], "languages": ["en"], "form": "short", **more}
    (folder / f"{DEFAULT}.json").write_text(json.dumps(record))
    (folder / f"{DEFAULT}.gguf").touch()
    monkeypatch.setattr("edged.models.language.ADAPTERS", folder)
