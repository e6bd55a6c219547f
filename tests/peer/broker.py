"""A real Mosquitto on a free loopback port, and a client that watches it."""

from __future__ import annotations

import getpass
import queue
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

WAIT_S = 15.0
"""For what should take milliseconds: long enough for a busy machine."""


class Mosquitto:
    """One broker process; it keeps its port when it is restarted, and nothing else."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        me = f"user {getpass.getuser()}"  # started by root, it would become somebody who may not read its files
        text = "\n".join((me, f"listener {self.port} {self.host}", "persistence false", *lines))
        self._config.write_text(text + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
        assert binary, "mosquitto is not installed: apt-get install mosquitto"
        self._process = subprocess.Popen(
            [binary, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        wait_for_port(self.host, self.port, self._process)

    def hang(self) -> None:
        """Lets it do nothing at all until `go_on`."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """It says nothing to anybody."""
        assert self._process
        self._process.kill()
        self.stop()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.communicate(timeout=WAIT_S)


class Watcher:
    """Subscribes and keeps what it receives, in order."""

    def __init__(
        self, broker: Mosquitto, *topics: str, username: str | None = None, password: str | None = None
    ) -> None:
        self._messages: queue.Queue[MQTTMessage] = queue.Queue()
        self._topics = topics
        self._subscribed: queue.Queue[bool] = queue.Queue()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.put(True)
        self._client.on_message = lambda _client, _data, message: self._messages.put(message)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self._subscribed.get(timeout=WAIT_S)

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        assert not reason.is_failure, reason
        client.subscribe([(topic, 1) for topic in self._topics])

    def next(self, topic: str | None = None) -> MQTTMessage:
        """The next message, or the next on a topic: those on others before it are dropped."""
        deadline = time.monotonic() + WAIT_S
        while True:
            message = self._messages.get(timeout=max(0.01, deadline - time.monotonic()))
            if topic in (None, message.topic):
                return message

    def payloads_until(self, topic: str, last: bytes) -> list[bytes]:
        """The payloads on a topic up to and with `last`."""
        payloads: list[bytes] = []
        while not payloads or payloads[-1] != last:
            payloads.append(bytes(self.next(topic).payload))
        return payloads

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Publishes and waits for the confirmation."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(WAIT_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def watching(broker: Mosquitto, *topics: str, **credentials: Any) -> Iterator[Watcher]:
    watcher = Watcher(broker, *topics, **credentials)
    try:
        yield watcher
    finally:
        watcher.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(host: str, port: int, process: subprocess.Popen[bytes]) -> None:
    """Until something listens; fails where the process ends before."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < deadline, f"nothing listens on {port}"
        else:
            return


def expiry_of(message: MQTTMessage) -> int | None:
    """The MessageExpiryInterval that is left, in seconds."""
    return getattr(message.properties, "MessageExpiryInterval", None)
