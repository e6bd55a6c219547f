"""A small catalogue, and a server on loopback that can misbehave."""

from __future__ import annotations

import hashlib
import io
import re
import ssl
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edged.models import catalogue
from edged.models.catalogue import Model, Pin, Source, WebArchive, WebFile

CONTENT = bytes(range(256)) * 4096
"""1 MiB."""


@dataclass
class Server:
    """What the loopback server does; changed by tests."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"first"'
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    """Each answer in turn ends after so many bytes."""
    lengths: bool = True
    location: str | None = None
    hold_after: int | None = None
    """After so many bytes an answer waits for `go`."""
    go: threading.Event = field(default_factory=threading.Event)
    listening: ThreadingHTTPServer | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range of each request."""

    def encrypt(self, certificate: Path) -> None:
        """Speaks TLS from now on."""
        assert self.listening is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.listening.socket = context.wrap_socket(self.listening.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append((handler.path, handler.headers.get("Range")))
        if self.location is not None:
            handler.send_response(302)
            handler.send_header("Location", self.location)
            handler.end_headers()
            return
        content = self.files.get(handler.path)
        if content is None:
            handler.send_error(404)
            return
        start = self._start(handler)
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.etag:
            handler.send_header("ETag", self.etag)
        if self.lengths:
            handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        self._send(handler, content[start:])

    def _start(self, handler: BaseHTTPRequestHandler) -> int:
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if wanted and self.ranges and handler.headers.get("If-Range") == self.etag:
            return int(wanted[1])
        return 0

    def _send(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        if self.cuts:
            content = content[: self.cuts.pop(0)]
        if self.hold_after is not None:
            handler.wfile.write(content[: self.hold_after])
            handler.wfile.flush()
            self.go.wait(30)
            content = content[self.hold_after :]
        handler.wfile.write(content)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on a free loopback port."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                state.respond(self)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.listening = running
        state.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield state
        finally:
            state.go.set()
            running.shutdown()
            thread.join()


AddModel = Callable[..., Model]


@pytest.fixture
def add_file_model(monkeypatch: pytest.MonkeyPatch) -> AddModel:
    """Makes a catalogue of one model that is a file with CONTENT."""

    def add(*sources: Source, content: bytes = CONTENT, terms: str = "") -> Model:
        pin = Pin("toy.gguf", len(content), hashlib.sha256(content).hexdigest())
        return _only(monkeypatch, "toy.gguf", False, sources, (pin,), terms)

    return add


@pytest.fixture
def add_folder_model(monkeypatch: pytest.MonkeyPatch) -> AddModel:
    """Makes a catalogue of one model that is a folder, with or without known hashes."""

    def add(*sources: Source, pinned: dict[str, bytes] | None = None) -> Model:
        pins = tuple(Pin(name, len(c), hashlib.sha256(c).hexdigest()) for name, c in (pinned or {}).items())
        return _only(monkeypatch, "toy", True, sources, pins, "")

    return add


def _only(
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    folder: bool,
    sources: tuple[Source, ...],
    pins: tuple[Pin, ...],
    terms: str,
) -> Model:
    size = sum(pin.size_bytes for pin in pins) or len(CONTENT)
    model = Model("toy", "lm", "a toy", path, folder, size, size, "MIT", sources, pins, terms)
    monkeypatch.setattr(catalogue, "CATALOGUE", (model,))
    return model


def web_file(server: Server, path: str = "/toy.gguf") -> WebFile:
    """A source on the server."""
    return WebFile(f"{server.url}{path}")


def web_archive(server: Server, path: str = "/toy.zip", root: str = "toy-1") -> WebArchive:
    """A source on the server."""
    return WebArchive(f"{server.url}{path}", root)


def zip_of(files: dict[str, bytes]) -> bytes:
    """A zip file with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def write_wheel(folder: Path, package: str, files: dict[str, bytes]) -> Path:
    """A wheel that pip accepts."""
    info = f"{package}-1.0.dist-info"
    path = folder / f"{package}-1.0-py3-none-any.whl"
    meta = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    path.write_bytes(zip_of(files | meta))
    return path
