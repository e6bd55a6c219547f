from pathlib import Path

import pytest

from edged.config import Config
from edged.errors import ModelError, UsageError
from edged.models.derive import derived_faults
from edged.models.language import ADAPTERS, find_language_model

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
