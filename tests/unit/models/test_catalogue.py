from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from edged.errors import UsageError
from edged.models import Model, get_model, list_models, speech_model_name
from edged.models.catalogue import Packages

MODELS = pytest.mark.parametrize("model", list_models(), ids=lambda model: model.name)


@MODELS
def test_first_source_is_the_publishers_over_https(model: Model) -> None:
    first = model.sources[0]

    assert not isinstance(first, Packages)
    assert urlsplit(first.url).scheme == "https"


@MODELS
def test_pins_are_whole_hashes(model: Model) -> None:
    assert all(re.fullmatch(r"[0-9a-f]{64}", pin.sha256) for pin in model.pins)


@MODELS
def test_one_file_has_its_one_pin(model: Model) -> None:
    if not model.folder:
        (pin,) = model.pins
        assert (pin.path, pin.size_bytes) == (model.path, model.download_bytes)


@MODELS
def test_packages_are_pinned_to_a_version(model: Model) -> None:
    for source in model.sources:
        if isinstance(source, Packages):
            assert all("==" in requirement for requirement in source.requirements)


def test_names_and_paths_are_unique() -> None:
    models = list_models()

    assert len({model.name for model in models}) == len({model.path for model in models}) == len(models)


def test_gemma_shows_its_terms() -> None:
    assert "https://ai.google.dev/gemma/terms" in get_model("gemma-3-270m").terms


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        get_model("vosk-tlh")
    assert "vosk-ko" in caught.value.remedy


def test_language_of_a_speech_model_is_the_primary_subtag() -> None:
    assert speech_model_name("pt-BR") == "vosk-pt"
