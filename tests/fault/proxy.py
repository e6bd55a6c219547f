"""A network between a client and a broker that breaks at chosen packets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, TypeAlias

PUBLISH, PUBACK = 3, 4
"""Packet types: MQTT 5.0, 2.1.2."""

Verdict: TypeAlias = Literal["pass", "cut before", "cut inside", "cut after"]
Judge: TypeAlias = Callable[[int, bytes], Verdict]
"""Decides about a packet by its type and its body; cut before: it is lost with the connection, cut inside: half of it."""


class Proxy:
    """Listens on a port of its own while the block lasts."""

    host = "127.0.0.1"

    def __init__(self, broker_port: int, judge: Judge) -> None:
        self._broker_port = broker_port
        self._judge = judge
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self.cuts = 0
        self.is_open = True
        """Whether it takes connections."""

    def __enter__(self) -> Proxy:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._sockets):
            _hang_up(one)
        for thread in self._threads:
            thread.join(10)
        for one in (self._listener, *self._sockets):
            one.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                try:
                    if not self.is_open:
                        raise ConnectionError
                    broker = socket.create_connection((self.host, self._broker_port))
                except OSError:
                    client.close()
                    continue
                self._sockets.append(broker)
                self._start(self._carry, client, broker)
                self._start(self._carry, broker, client)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError, EOFError):
            stream = source.makefile("rb")
            while True:
                head, body = _read_packet(stream.read)
                verdict = self._judge(head[0] >> 4, body)
                if verdict == "cut inside":
                    target.sendall((head + body)[: (len(head) + len(body)) // 2])
                elif verdict != "cut before":
                    target.sendall(head + body)
                if verdict != "pass":
                    self.cuts += 1
                    break
        _hang_up(source)
        _hang_up(target)


def read_publish(body: bytes) -> tuple[str, bytes]:
    """Topic and payload of a PUBLISH packet of MQTT 5 with QoS 1."""
    topic_end = 2 + int.from_bytes(body[:2], "big")
    place, length, shift = topic_end + 2, 0, 0
    while True:
        length |= (body[place] & 0x7F) << shift
        shift, place = shift + 7, place + 1
        if body[place - 1] < 0x80:
            return body[2:topic_end].decode(), body[place + length :]


def _read_packet(read: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    """Fixed header and the rest."""
    head, length, shift = _whole(read(1), 1), 0, 0
    while True:
        byte = _whole(read(1), 1)
        head += byte
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return head, _whole(read(length), length)


def _whole(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise EOFError
    return data


def _hang_up(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
