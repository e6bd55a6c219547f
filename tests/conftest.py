"""What tests of several packages share: the shipped catalog and the real models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from edged.config import Config, load_config
from edged.intents.catalog import Catalog
from edged.intents.load import load_catalog
from edged.models import find_model
from edged.understand.parser import Parser, open_parser
from tests.peer.broker import Mosquitto

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# What Hypothesis draws is the same in every run: a failure is one of the change, and everybody's. To look further:
# make test ARGS="--hypothesis-profile random".
settings.register_profile("fixed", derandomize=True)
settings.register_profile("random", derandomize=False)
settings.load_profile("fixed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")
    parser.addoption("--fault-rounds", type=int, default=4, help="how often each test in tests/fault breaks something")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def fault_rounds(request: pytest.FixtureRequest) -> int:
    """How often something is killed or fails; `pytest tests/fault --fault-rounds 100 -s` prints what became of all."""
    return int(request.config.getoption("--fault-rounds"))


@pytest.fixture(scope="session")
def config() -> Config:
    """The shipped configuration: every default."""
    return load_config()


@pytest.fixture(scope="session")
def catalog(config: Config) -> Catalog:
    """The shipped intents and the example house."""
    return load_catalog(config)


@pytest.fixture(scope="session")
def parser(config: Config, catalog: Catalog) -> Iterator[Parser]:
    """The real language model with its shipped adapter."""
    with open_parser(config, catalog) as opened:
        yield opened


@pytest.fixture(scope="session")
def vosk_ko(config: Config) -> Path:
    """The folder of the real Korean speech model."""
    return find_model("vosk-ko", config.models_directory)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker that takes everybody."""
    broker = Mosquitto(tmp_path, "allow_anonymous true")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def shared() -> Path:
    """Recordings and sentences by other people, which do not come with the project."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED.name}/ is not beside the project")
    return SHARED


@pytest.fixture(scope="session")
def config_schemas(config: Config) -> Path:
    """The folder of the shipped intents."""
    return config.intents.directory
