from __future__ import annotations

import pytest

from edged.bench.fleet import measure_fleet
from edged.config import Config, MqttConfig
from tests.peer.broker import Mosquitto

pytestmark = pytest.mark.peer


def test_every_question_of_every_node_is_answered(mosquitto: Mosquitto, config: Config) -> None:
    mqtt = MqttConfig(port=mosquitto.port)
    rows = measure_fleet(config.model_copy(update={"mqtt": mqtt}), utterances=12, nodes=(1, 3))
    assert [(row.nodes, row.utterances, row.answered) for row in rows] == [(1, 12, 12), (3, 12, 12)]
    assert all(0 < row.ms_median <= row.ms_p99 for row in rows)
