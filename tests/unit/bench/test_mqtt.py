from __future__ import annotations

from pathlib import Path

import pytest

from edged.bench.mqtt import measure_mqtt
from edged.config import Config, MqttConfig, StateConfig
from tests.peer.broker import Mosquitto

pytestmark = pytest.mark.peer


def test_every_path_has_its_row_and_all_that_waited_is_sent(mosquitto: Mosquitto, tmp_path: Path) -> None:
    config = Config(mqtt=MqttConfig(port=mosquitto.port), state=StateConfig(directory=tmp_path))
    before = set(tmp_path.iterdir())
    latency, queues = measure_mqtt(config, commands=20, queued=50)
    assert [row.path for row in latency] == ["session", "memory", "file"]
    assert latency[0].added_ms_median == 0
    for row in latency:
        assert 0 < row.ms_median <= row.ms_p99
    assert [(row.path, row.commands) for row in queues] == [("memory", 50), ("file", 50)]
    assert queues[0].file_bytes == 0 < queues[1].file_bytes
    assert set(tmp_path.iterdir()) == before
