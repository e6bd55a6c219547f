"""Commands and answers of each driver go through a real Mosquitto."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

import pytest

from edged.act.link import Link, make_endpoint
from edged.config import MqttConfig
from edged.types import Rejected, SlotValue
from tests.peer.broker import WAIT_S, Mosquitto, watching
from tests.unit.act.conftest import change_of
from tests.unit.act.devices import Bench, expect
from tests.unit.act.test_answers import ha_light, ha_thermostat, tasmota_cover, tasmota_light, zigbee_light

pytestmark = pytest.mark.peer


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (zigbee_light, {"state": "on", "brightness": 30, "color": "blue"}),
        (tasmota_light, {"state": "on", "brightness": 30, "color": "blue", "transition": 2}),
        (tasmota_cover, {"cover": "close"}),
        (ha_light, {"state": "on", "brightness": 30, "color": "blue"}),
        (ha_thermostat, {"mode": "heat", "temperature": 21.5}),
    ],
)
def test_what_was_asked_for_comes_back_as_the_state(
    mosquitto: Mosquitto, make: Callable[[], Bench], change: dict[str, SlotValue]
) -> None:
    bench = make()
    received: queue.Queue[tuple[str, bytes]] = queue.Queue()
    config = MqttConfig(host=mosquitto.host, port=mosquitto.port, node="hall")
    endpoint = make_endpoint(
        config, topics=bench.states.topics, on_message=lambda topic, payload, _retained: received.put((topic, payload))
    )
    now_ns = time.monotonic_ns()
    commands = bench.driver.render(change_of(bench.device, **change), {}, now_ns=now_ns, expires_s=60, intent_id="u1")
    assert not isinstance(commands, Rejected)
    link = Link(endpoint)
    with watching(mosquitto, *(command.topic for command in commands)) as device:
        link.connect()
        try:
            for command in commands:
                assert link.publish(command) is None
            for _ in commands:
                message = device.next()
                for topic, payload in bench.simulated.take(message.topic, bytes(message.payload).decode()):
                    device.publish(topic, payload)
                    if topic in bench.states.topics:
                        bench.states.update(*received.get(timeout=WAIT_S))
        finally:
            link.close()
    told = bench.driver.interpret(bench.device, bench.states.told_by(bench.device.key))
    expect({capability: value for capability, value in change.items() if capability != "transition"}, told)
