"""The demo's own MQTT broker, on a free loopback port, and the house behind it that hears everything said on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple

from amqtt.broker import Broker
from amqtt.client import MQTTClient
from amqtt.mqtt.constants import QOS_1

from edged.errors import BrokerError

START_TIMEOUT_S: Final = 20.0
LOOPBACK: Final = "127.0.0.1"


class Received(NamedTuple):
    """A message that arrived at the house."""

    topic: str
    payload: str
    at_ns: int


class DemoBroker:
    """A context manager: an amqtt broker (MQTT 3.1.1) with one subscriber to every topic, on a thread of its own."""

    def __init__(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        """`states`: topic -> what the device there says of itself, retained."""
        self.port = _free_port()
        self._states = states
        self._received: list[Received] = []
        self._arrived = threading.Condition()
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="demo broker", daemon=True)

    def __enter__(self) -> DemoBroker:
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S) or self._failure:
            raise BrokerError(f"the demo's broker did not start: {self._failure}", remedy="try again")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_TIMEOUT_S)

    def take(self, topics: Sequence[str], timeout_s: float = 5.0) -> list[Received]:
        """Waits until each of `topics` has arrived as often as it stands there, and hands over all that did."""

        def complete() -> bool:
            arrived = [message.topic for message in self._received]
            return all(arrived.count(topic) >= topics.count(topic) for topic in topics)

        with self._arrived:
            self._arrived.wait_for(complete, timeout_s)
            taken, self._received = self._received, []
        return taken

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001 - the outermost frame of this thread: what failed is told at its start
            self._failure = error
            self._ready.set()
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{self.port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await broker.start()
        house = MQTTClient(config={"auto_reconnect": False})
        await house.connect(f"mqtt://{LOOPBACK}:{self.port}/")
        for topic, state in self._states.items():
            await house.publish(topic, json.dumps(state).encode(), qos=QOS_1, retain=True)
        await house.subscribe([("#", QOS_1)])
        self._ready.set()
        listening = asyncio.create_task(self._listen(house))
        await self._stop.wait()
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        await house.disconnect()
        await broker.shutdown()

    async def _listen(self, house: MQTTClient) -> None:
        while True:
            message = await house.deliver_message()
            if message is not None and message.topic not in self._states:
                payload = bytes(message.data).decode(errors="replace")
                with self._arrived:
                    self._received.append(Received(message.topic, payload, time.monotonic_ns()))
                    self._arrived.notify_all()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
