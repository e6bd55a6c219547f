"""Downloading one file over HTTPS: resumable, bounded, and never under its final name.

What has come is kept in a partial file with a note of what it is a part of (URL and the server's validator), so that a
later try goes on where this one was cut off, and starts anew if the server has another file by then (If-Range, RFC 9110
section 13.1.5).
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edged import __version__
from edged.errors import ModelError
from edged.models.progress import Reporter, Shown

CONNECT_TIMEOUT_S = 5.0
"""Short: on a machine without internet the second source has its turn soon."""
READ_TIMEOUT_S = 30.0
TRIES = 3
"""A cut connection is taken up again at once, this often in all."""
BLOCK_BYTES = 1 << 18
SIZE_SLACK = 2
"""A file whose size is known only roughly may be this many times as large."""


class SourceError(Exception):
    """This source does not give the file; another may."""


class _Cut(Exception):  # noqa: N818 - not an error to anybody outside: the next try goes on from here
    """The connection ended before the file did."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to download."""

    url: str
    label: str
    size_bytes: int
    exact: bool
    """Whether the size is exactly this, or only about this."""

    @property
    def limit_bytes(self) -> int:
        """More than this is refused."""
        return self.size_bytes if self.exact else self.size_bytes * SIZE_SLACK


def download(wanted: Wanted, partial: Path, reporter: Reporter, *, https_only: bool = True) -> bool:
    """Brings `partial` to the whole file, durably; says whether it was put together from more than one try.

    Raises:
        SourceError: the server cannot be reached or does not give the file; what can be gone on with is kept.
        ModelError: the disk is full or cannot be written.
    """
    opener = _make_opener(https_only=https_only)
    for _ in range(TRIES - 1):
        with contextlib.suppress(_Cut), _explained(partial):
            return _try(opener, wanted, partial, reporter)
    try:
        with _explained(partial):
            return _try(opener, wanted, partial, reporter)
    except _Cut as cut:
        raise SourceError(str(cut)) from cut


def discard(partial: Path) -> None:
    """Removes a partial file and its note."""
    partial.unlink(missing_ok=True)
    _note_path(partial).unlink(missing_ok=True)


def _try(opener: urllib.request.OpenerDirector, wanted: Wanted, partial: Path, reporter: Reporter) -> bool:
    request = urllib.request.Request(wanted.url, headers={"User-Agent": f"edged/{__version__}"})  # noqa: S310 - _make_opener
    have = _resume_from(wanted, partial, request)
    try:
        response = opener.open(request, timeout=CONNECT_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        error.close()
        discard(partial)
        raise _Cut("the server has another file than before") from error
    with response:
        have = have if _goes_on(response, have) else 0
        total = _total(response, have)
        if total is not None and (total > wanted.limit_bytes or (wanted.exact and total != wanted.size_bytes)):
            discard(partial)
            raise SourceError(f"the server offers {total} bytes instead of {wanted.size_bytes}")
        if not have:
            _write_note(wanted, partial, response)
        _receive(response, wanted, partial, have, total, reporter)
    return have > 0


def _receive(
    response: http.client.HTTPResponse, wanted: Wanted, partial: Path, have: int, total: int | None, reporter: Reporter
) -> None:
    size = have
    with (
        partial.open("ab" if have else "wb") as file,
        Shown(reporter, wanted.label, have, total or wanted.size_bytes) as shown,
    ):
        while block := _read(response):
            size += len(block)
            if size > wanted.limit_bytes:
                break
            file.write(block)
            shown.advance(len(block))
        file.flush()
        os.fsync(file.fileno())
    if size > wanted.limit_bytes:
        discard(partial)
        raise SourceError(f"the server sends more than {wanted.limit_bytes} bytes")
    if total is not None and size < total:
        raise _Cut(f"the connection was cut after {size} of {total} bytes")


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(BLOCK_BYTES)
    except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        raise _Cut(f"the connection was cut ({_reason(error)})") from error


def _resume_from(wanted: Wanted, partial: Path, request: urllib.request.Request) -> int:
    """Asks for the rest only, if what is there can be gone on with; gives how much that is."""
    try:
        note = json.loads(_note_path(partial).read_bytes())
        have = partial.stat().st_size
        validator = str(note["validator"])
        usable = note["url"] == wanted.url and validator and 0 < have < wanted.limit_bytes
    except (OSError, ValueError, KeyError, TypeError):
        usable = False
    if not usable:
        discard(partial)
        return 0
    request.add_header("Range", f"bytes={have}-")
    request.add_header("If-Range", validator)
    return have


def _write_note(wanted: Wanted, partial: Path, response: http.client.HTTPResponse) -> None:
    etag = response.headers.get("ETag", "")
    validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
    discard(partial)
    _note_path(partial).write_text(json.dumps({"url": wanted.url, "validator": validator}), encoding="utf-8")


def _note_path(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _goes_on(response: http.client.HTTPResponse, have: int) -> bool:
    """Whether the server sends the rest from exactly where we are, and not the whole file."""
    given = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if response.status != http.client.PARTIAL_CONTENT:
        return False
    if given is None or int(given[1]) != have:
        raise SourceError("the server sends another part than the one asked for")
    return True


def _total(response: http.client.HTTPResponse, have: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return have + int(length) if length.isdecimal() else None


def _reason(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or type(reason).__name__


def disk_error(error: OSError, directory: Path) -> ModelError:
    """Why a folder of models cannot be written, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ModelError("the disk is full", where=str(directory), remedy="free some space, then fetch again")
    return ModelError(
        f"cannot be written: {error.strerror}",
        where=str(error.filename or directory),
        remedy="give this user the right to write there, or set state.directory",
    )


@contextlib.contextmanager
def _explained(partial: Path) -> Iterator[None]:
    """Turns what the standard library raises into what went wrong with the source or with the disk."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise SourceError(f"the server answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise SourceError(f"cannot be reached ({_reason(error.reason)})") from error
    except (http.client.HTTPException, ssl.SSLError, TimeoutError, ConnectionError) as error:
        raise SourceError(f"the connection failed ({_reason(error)})") from error
    except OSError as error:
        discard(partial)
        raise disk_error(error, partial.parent) from error


class _PatientConnection(http.client.HTTPSConnection):
    """Connects within a short time, and then waits longer for data."""

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(READ_TIMEOUT_S)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def __init__(self) -> None:
        self._own_context = ssl.create_default_context()
        super().__init__(context=self._own_context)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PatientConnection, req, context=self._own_context)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to the allowed schemes alone."""

    def __init__(self, schemes: tuple[str, ...]) -> None:
        self._schemes = schemes

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urllib.parse.urlsplit(newurl).scheme not in self._schemes:
            raise SourceError(f"the server redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _make_opener(*, https_only: bool) -> urllib.request.OpenerDirector:
    schemes = ("https",) if https_only else ("https", "http")
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _HttpsHandler(),
        _Redirects(schemes),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    if not https_only:
        opener.add_handler(urllib.request.HTTPHandler())
    return opener
