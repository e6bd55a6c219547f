"""The link against amqtt, the broker of the demo, which speaks MQTT 3.1.1 alone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from edged.act.broker import VersionRefusedError
from edged.act.link import Link, check_broker, make_endpoint, require_version_5
from edged.config import MqttConfig
from edged.errors import BrokerError
from edged.types import Command
from tests.peer.broker import WAIT_S, free_port, wait_for_port

_SERVE = """
import asyncio, sys
from amqtt.broker import Broker
async def serve():
    plugin = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    listener = {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}
    broker = Broker({"listeners": {"default": listener}, "plugins": plugin})
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(serve())
"""


@pytest.fixture(scope="module")
def amqtt_port() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(port)], stderr=subprocess.PIPE)
    wait_for_port("127.0.0.1", port, process)
    yield port
    process.terminate()
    process.communicate(timeout=WAIT_S)


def test_auto_falls_back_to_3_1_1(amqtt_port: int) -> None:
    assert check_broker(MqttConfig(port=amqtt_port)) == "3.1.1"


def test_a_command_is_confirmed(amqtt_port: int) -> None:
    link = Link(make_endpoint(MqttConfig(port=amqtt_port, node="demo"), topics=("edged/demo/in/text",)))
    link.connect()
    command = Command("lamp/set", b"ON", 1, retain=False, expires_ns=time.monotonic_ns() + 10**10, intent_id="u1")
    assert link.publish(command) is None
    link.close()


def test_version_5_alone_is_refused_with_the_remedy(amqtt_port: int) -> None:
    with pytest.raises(VersionRefusedError, match="speaks no MQTT 5") as caught:
        check_broker(MqttConfig(port=amqtt_port, protocol="5"))
    assert "auto" in caught.value.remedy


@pytest.mark.parametrize("protocol", ["auto", "5"])
def test_workers_need_another_broker(amqtt_port: int, protocol: str) -> None:
    with pytest.raises(BrokerError, match="needs MQTT 5") as caught:
        require_version_5(MqttConfig.model_validate({"port": amqtt_port, "protocol": protocol}))
    assert "a broker that speaks MQTT 5" in caught.value.remedy
