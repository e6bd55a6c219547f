from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.ops.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """What systemd would listen on, and the $NOTIFY_SOCKET that names it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@edged-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0", 1))
        listener.settimeout(5)
        yield listener, name


def test_each_word_is_a_datagram(systemd: tuple[socket.socket, str]) -> None:
    listener, name = systemd
    with Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000"}) as notifier:
        notifier.ready()
        notifier.status("two\nlines")
        notifier.watchdog()
        notifier.stopping()
    received = [listener.recv(100) for _ in range(4)]
    assert received == [b"READY=1", b"STATUS=two lines", b"WATCHDOG=1", b"STOPPING=1"]


def test_without_a_watchdog_it_is_not_fed(systemd: tuple[socket.socket, str]) -> None:
    listener, name = systemd
    with Notifier({"NOTIFY_SOCKET": name}) as notifier:
        notifier.watchdog()
        notifier.ready()
    assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_where_nobody_listens_it_is_silent(environment: dict[str, str]) -> None:
    with Notifier(environment) as notifier:
        notifier.ready()
        notifier.stopping()


def test_a_socket_that_went_away_is_logged_and_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}) as notifier:
        notifier.ready()
    assert "systemd could not be told READY" in caplog.text


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
    ],
)
def test_the_watchdogs_period(environment: dict[str, str], watchdog_s: float | None) -> None:
    with Notifier(environment) as notifier:
        assert notifier.watchdog_s == watchdog_s
