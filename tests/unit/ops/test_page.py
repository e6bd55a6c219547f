"""The page over real sockets on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from edged.errors import ConfigError
from edged.ops import page as page_module
from edged.ops.page import MAX_REQUEST_BYTES, Page, serve_page

WAIT_S = 10


@pytest.fixture
def port() -> Iterator[int]:
    shown = Page("/metrics", "text/plain; version=1", lambda: b"edged 1\n")
    with serve_page(shown, "127.0.0.1", 0) as port:
        yield port


def ask(port: int, request: bytes) -> bytes:
    """All that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
        connection.sendall(request)
        return _read_all(connection)


def _read_all(connection: socket.socket) -> bytes:
    answer = b""
    while part := connection.recv(4096):
        answer += part
    return answer


def status_of(answer: bytes) -> bytes:
    return answer.split(b"\r\n", 1)[0]


@pytest.mark.parametrize("target", [b"/metrics", b"/metrics?name=x"])
def test_the_page_is_shown(port: int, target: bytes) -> None:
    head, body = ask(port, b"GET " + target + b" HTTP/1.1\r\nHost: pi\r\n\r\n").split(b"\r\n\r\n")
    assert status_of(head) == b"HTTP/1.1 200 OK"
    assert b"Content-Type: text/plain; version=1" in head
    assert b"Content-Length: 8" in head
    assert body == b"edged 1\n"


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST /metrics HTTP/1.1\r\n\r\n", 405),
        (b"DELETE /metrics HTTP/1.1\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"GET /metrics/../etc/passwd HTTP/1.0\r\n\r\n", 404),
        (b"GET /metrics\r\n\r\n", 400),
        (b"GET /metrics SPDY/3\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"\0\xff\r\n\r\n", 400),
    ],
)
def test_nothing_else_is(port: int, request_head: bytes, status: int) -> None:
    answer = ask(port, request_head)
    assert status_of(answer).startswith(f"HTTP/1.1 {status} ".encode())
    assert b"edged" not in answer


def test_a_request_without_an_end_is_refused_when_it_grows_too_long(port: int) -> None:
    assert status_of(ask(port, b"x" * (MAX_REQUEST_BYTES + 1))).startswith(b"HTTP/1.1 431 ")


def test_a_reader_that_stops_in_the_middle_is_refused(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert status_of(_read_all(connection)).startswith(b"HTTP/1.1 400 ")


def test_a_reader_that_says_nothing_is_left_and_the_next_is_served(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(page_module, "READER_S", 0.05)
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as silent:
        assert status_of(ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")) == b"HTTP/1.1 200 OK"
        assert silent.recv(1) == b""


def test_readers_that_go_away_at_once_do_no_harm(port: int) -> None:
    for _ in range(10):
        socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
    assert status_of(ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")) == b"HTTP/1.1 200 OK"


def test_when_the_block_is_left_nothing_listens_any_more(port: int) -> None:
    with serve_page(Page("/", "text/plain", lambda: b""), "127.0.0.1", 0) as other:
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", other), timeout=WAIT_S)
    with serve_page(Page("/", "text/plain", lambda: b""), "127.0.0.1", other) as again:
        assert again == other != port


def test_a_port_that_is_taken_and_an_address_of_others_are_told(port: int) -> None:
    shown = Page("/", "text/plain", lambda: b"")
    with pytest.raises(ConfigError, match="cannot listen"), serve_page(shown, "127.0.0.1", port):
        pass
    for host in ("203.0.113.1", "not a host", "a" * 70):
        with pytest.raises(ConfigError, match="cannot listen"), serve_page(shown, host, 0):
            pass
