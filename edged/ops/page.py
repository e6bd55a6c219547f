"""One page over HTTP, to be read and nothing else: one reader at a time, each for a bounded time and size.

The standard library's servers look up the host's name when they start, wake twice a second, and set no limit to how
long a reader may take.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from edged.errors import ConfigError

log = logging.getLogger(__name__)

READER_S: Final = 2.0
"""How long one reader may take in all. The next one waits as long."""
MAX_REQUEST_BYTES: Final = 8192
"""What other servers take, too; a scraper sends some hundred."""

_WAITING_READERS: Final = 16
_PAUSE_S: Final = 1.0
"""Before the next reader is taken where the system has no room for one."""
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown where."""

    path: str
    content_type: str
    render: Callable[[], bytes]


@contextlib.contextmanager
def serve_page(page: Page, host: str, port: int) -> Iterator[int]:
    """Shows a page on a thread of its own until the block is left; gives the port, which the system chose for 0.

    Raises:
        ConfigError: nothing can listen there.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_WAITING_READERS)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no name of a host"
        raise ConfigError(
            f"cannot listen: {reason}", where=f"{host}:{port}", remedy="mend metrics.host and metrics.port"
        ) from error
    closing = threading.Event()
    thread = threading.Thread(target=_serve, args=(listener, page, closing), name="page", daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        closing.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        thread.join(READER_S)
        listener.close()


def _serve(listener: socket.socket, page: Page, closing: threading.Event) -> None:
    while not closing.is_set():
        try:
            reader, _ = listener.accept()
        except OSError as error:
            if not closing.wait(_PAUSE_S):
                log.warning("no reader can be taken: %s", error.strerror)
            continue
        with reader, contextlib.suppress(OSError):  # it went away, or took too long
            deadline_s = time.monotonic() + READER_S
            status, body = _answer(_read_head(reader, deadline_s), page)
            reader.settimeout(max(0.01, deadline_s - time.monotonic()))
            reader.sendall(_response(status, page.content_type if status is HTTPStatus.OK else _TEXT, body))


def _read_head(reader: socket.socket, deadline_s: float) -> bytes:
    """All up to the empty line; what came of it where it is too long or the reader stops.

    Raises:
        TimeoutError: it took too long.
    """
    head = b""
    while b"\r\n\r\n" not in head and len(head) <= MAX_REQUEST_BYTES:
        reader.settimeout(max(0.01, deadline_s - time.monotonic()))
        part = reader.recv(MAX_REQUEST_BYTES)
        if not part:
            break
        head += part
    return head


def _answer(head: bytes, page: Page) -> tuple[HTTPStatus, bytes]:
    if len(head) > MAX_REQUEST_BYTES:
        return _refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1.") or b"\r\n\r\n" not in head:
        return _refuse(HTTPStatus.BAD_REQUEST)
    if words[0] != b"GET":
        return _refuse(HTTPStatus.METHOD_NOT_ALLOWED)
    if words[1].split(b"?", 1)[0] != page.path.encode():
        return _refuse(HTTPStatus.NOT_FOUND)
    return HTTPStatus.OK, page.render()


def _refuse(status: HTTPStatus) -> tuple[HTTPStatus, bytes]:
    return status, f"{status.phrase}\n".encode()


def _response(status: HTTPStatus, content_type: str, body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(("Allow: GET",) if status is HTTPStatus.METHOD_NOT_ALLOWED else ()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
