from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from edged.cli import models as command
from edged.config import Config, UnderstandConfig
from edged.errors import ModelError, UsageError
from edged.models.derive import Derived, find_derived
from edged.understand import lm
from edged.understand.threads import Conditions, Measurement
from tests.unit.models.conftest import CONTENT, AddModel

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `edged models ...` on a folder of its own."""
    config = tmp_path / "edged.toml"
    config.write_text(f'[state]\ndirectory = "{tmp_path}"\n')
    (tmp_path / "models").mkdir()

    def run_it(*words: str) -> int:
        parser = argparse.ArgumentParser()
        command.add_parser(parser.add_subparsers())
        arguments = parser.parse_args(["models", *words, "--config", str(config)])
        code = arguments.run(arguments)
        assert isinstance(code, int)
        return code

    return run_it


def test_list_shows_every_model(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    said = capsys.readouterr().out
    assert "smollm2-135m  not here" in said
    assert "not known in advance" in said


def test_list_as_json_names_sources_and_hashes(
    run: Run, tmp_path: Path, add_file_model: AddModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model = add_file_model()
    (tmp_path / "models" / "toy.gguf").write_bytes(CONTENT)

    assert run("list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["models"]
    assert row["installed"] is True
    assert row["sha256"] == {"toy.gguf": model.pins[0].sha256}


def test_verify_of_a_sound_model_is_0(run: Run, tmp_path: Path, add_file_model: AddModel) -> None:
    add_file_model()
    (tmp_path / "models" / "toy.gguf").write_bytes(CONTENT)

    assert run("verify") == 0


def test_verify_of_a_damaged_model_is_1_with_the_remedy(
    run: Run, tmp_path: Path, add_file_model: AddModel, capsys: pytest.CaptureFixture[str]
) -> None:
    add_file_model()
    (tmp_path / "models" / "toy.gguf").write_bytes(CONTENT[::-1])

    assert run("verify", "toy") == 1
    said = capsys.readouterr()
    assert "has the SHA-256" in said.out
    assert "edged models fetch toy" in said.err


def test_verify_of_a_missing_model_is_missing(run: Run, add_file_model: AddModel) -> None:
    add_file_model()

    with pytest.raises(ModelError, match="not installed"):
        run("verify", "toy")


def test_verify_takes_in_what_was_made_on_the_device(
    run: Run, tmp_path: Path, add_file_model: AddModel, capsys: pytest.CaptureFixture[str]
) -> None:
    add_file_model()
    derived = Derived("merged", "merged.gguf", {"toy": "00"}, Path.touch)
    find_derived(derived, tmp_path / "models").write_bytes(b"meddle")

    assert run("verify") == 1
    assert "merged.gguf has the SHA-256" in capsys.readouterr().out


def test_fetch_of_an_unknown_name_fetches_nothing(run: Run, add_file_model: AddModel) -> None:
    add_file_model()

    with pytest.raises(UsageError, match="no model"):
        run("fetch", "toy", "nothing")


def test_fetch_that_fails_is_3_and_says_why(
    run: Run, add_file_model: AddModel, capsys: pytest.CaptureFixture[str]
) -> None:
    add_file_model()

    assert run("fetch", "toy") == 3
    assert "cannot be fetched" in capsys.readouterr().err


def test_fetch_shows_terms_and_asks_for_them(
    run: Run, add_file_model: AddModel, capsys: pytest.CaptureFixture[str]
) -> None:
    add_file_model(terms="Be kind.")

    assert run("fetch", "toy") == 2
    assert "Be kind." in capsys.readouterr().err


def test_fetch_of_an_installed_model_is_0(run: Run, tmp_path: Path, add_file_model: AddModel) -> None:
    add_file_model()
    (tmp_path / "models" / "toy.gguf").write_bytes(CONTENT)

    assert run("fetch", "toy") == 0


def test_needed_models_are_those_of_the_configuration() -> None:
    assert command.needed_models(Config()) == ("smollm2-135m", "vosk-en")
    own = Config(understand=UnderstandConfig(model="/models/own.gguf"))
    assert command.needed_models(own) == ("vosk-en",)


def test_tune_without_a_model_is_missing_with_the_remedy(run: Run, add_file_model: AddModel, tmp_path: Path) -> None:
    add_file_model()
    _use_model(tmp_path, "toy")

    with pytest.raises(ModelError, match="not installed"):
        run("tune")


def test_tune_measures_once_and_again_only_where_it_is_asked_to(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.gguf").write_bytes(CONTENT)
    _use_model(tmp_path, str(tmp_path / "own.gguf"))
    monkeypatch.setattr(lm, "LanguageModel", lambda *_, **__: nullcontext())
    measured = iter(((9.0, 5.0), (5.0, 9.0)))

    def measure(_lm: None, conditions: Conditions, report: Callable[[int, int], None]) -> Measurement:
        report(1, 9)
        token_ms = next(measured)
        return Measurement(conditions=conditions, token_ms=token_ms, batch_ms=(9.0, 5.0), others=0.0)

    monkeypatch.setattr(command, "measure_threads", measure)

    assert run("tune") == 0
    said = capsys.readouterr()
    assert said.out.startswith("threads: 2, measured: ")
    assert "round 1 of at most 9" in said.err
    assert run("tune") == 0
    assert capsys.readouterr() == (said.out, "")
    assert run("tune", "--again") == 0
    assert capsys.readouterr().out.startswith("threads: 1 for one token and 2 for several, measured: ")


def _use_model(folder: Path, model: str) -> None:
    with (folder / "edged.toml").open("a") as file:
        file.write(f'[understand]\nmodel = "{model}"\n')
