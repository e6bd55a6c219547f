"""`edged worker`: whose house it understands in, and what it needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edged.act.link import require_version_5
from edged.cli import main
from edged.cli.run import open_files, open_mind
from edged.cli.worker import open_work
from edged.config import Config, MqttConfig, StateConfig, UnderstandConfig, WorkerConfig
from edged.errors import BrokerError
from edged.ops.metrics import UNCOUNTED
from edged.types import Rejected, Utterance

HEARD = Utterance("u1", "turn on the plug", "en", 1.0, 0, 0, "mic")
HOUSE = """
[areas.loft]
names.en = ["loft"]
[areas.cellar]
names.en = ["cellar"]
[devices.loft_plug]
kind = "switch"
area = "loft"
names.en = ["plug"]
driver = "zigbee2mqtt"
address = "p1"
[devices.cellar_plug]
kind = "switch"
area = "cellar"
names.en = ["plug"]
driver = "zigbee2mqtt"
address = "p2"
"""


def test_mqtt_3_1_1_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(BrokerError, match="needs MQTT 5"):
        require_version_5(MqttConfig(protocol="3.1.1"))


def test_a_name_that_is_no_level_of_a_topic_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker", "--node", "a/b"]) == 2
    assert "no name of a node" in capsys.readouterr().err


def test_a_node_with_workers_loads_no_model(config: Config, tmp_path: Path) -> None:
    config = config.model_copy(
        update={"state": StateConfig(directory=tmp_path), "understand": UnderstandConfig(by="workers")}
    )
    files = open_files(config)
    with open_mind(config, files, files.start(), UNCOUNTED) as mind:
        assert mind.fleet
        assert mind.understand == mind.fleet.understand


@pytest.mark.model
def test_each_node_is_understood_in_its_own_house_where_it_was_said(config: Config, tmp_path: Path) -> None:
    (tmp_path / "attic").mkdir()
    (tmp_path / "attic" / "home.toml").write_text(HOUSE)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "models").symlink_to(config.models_directory)
    config = config.model_copy(
        update={"worker": WorkerConfig(houses=tmp_path), "state": StateConfig(directory=tmp_path / "state")}
    )
    files = open_files(config, tmp_path / "copies")
    with open_work(config, files, files.start(), UNCOUNTED) as parts:
        for area in ("loft", "cellar", "loft"):
            outcome = parts.understand("attic", replace(HEARD, area=area))
            assert not isinstance(outcome, Rejected)
            assert outcome[0].slots["device"] == f"{area}_plug"
        assert isinstance(parts.understand("attic", replace(HEARD, area="no_such_area")), Rejected)  # which of the two?
        unknown = parts.understand("shed", HEARD)
        assert isinstance(unknown, Rejected)
        assert "shed/home.toml" in unknown.reason
