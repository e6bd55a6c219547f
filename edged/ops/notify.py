"""Talks to systemd: the sd_notify protocol (man 3 sd_notify), a datagram a message. Reads the environment for it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from types import TracebackType

logger = logging.getLogger(__name__)


class Notifier:
    """Says how the daemon is; silent where nobody asked to be told."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Takes $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID from the environment."""
        known = os.environ if environment is None else environment
        self.watchdog_s = _watchdog_s(known)
        """How often systemd wants to hear from us at least; None where it does not."""
        self._socket: socket.socket | None = None
        address = known.get("NOTIFY_SOCKET", "")
        if address.startswith(("/", "@")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._address = "\0" + address[1:] if address.startswith("@") else address

    def __enter__(self) -> Notifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ready(self) -> None:
        """The daemon is up."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The daemon goes down."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send("STATUS=" + text.replace("\n", " "))

    def watchdog(self) -> None:
        """All is well, for another `watchdog_s`."""
        if self.watchdog_s is not None:
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(message.encode(), self._address)
        except OSError as error:
            logger.warning("systemd could not be told %s: %s", message.split("=", 1)[0], error.strerror)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    microseconds = environment.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1e6 or None
