"""Notices that files may have changed: by inotify, or by looking once a second where inotify cannot tell.

inotify is called straight from the C library. The packages for it would add more than these few lines: inotify-simple
is the same calls, watchdog threads and an event model of its own.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import math
import os
import select
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, TypeAlias

log = logging.getLogger(__name__)

QUIET_S: Final = 0.2
"""How long nothing more may happen before the files are read: editors write in several steps."""
LONGEST_S: Final = 1.0
"""They are read after this time even so: a change must be in force within 2 s."""
APART_S: Final = 1.0
"""Between two readings, whatever happens to the files."""
POLL_S: Final = 1.0
"""Between two looks where inotify cannot be used."""

_MAX_LINKS: Final = 40
"""Symbolic links that the kernel follows in one path."""
_ROUNDS: Final = 5
"""How often folders that change while they are being watched are looked up again."""

_IN_MODIFY, _IN_ATTRIB, _IN_CLOSE_WRITE, _IN_MOVED_FROM, _IN_MOVED_TO = 0x2, 0x4, 0x8, 0x40, 0x80
_IN_CREATE, _IN_DELETE, _IN_DELETE_SELF, _IN_MOVE_SELF = 0x100, 0x200, 0x400, 0x800
_IN_ONLYDIR = 0x01000000
_ENTRIES: Final = _IN_MOVED_FROM | _IN_MOVED_TO | _IN_CREATE | _IN_DELETE | _IN_DELETE_SELF | _IN_MOVE_SELF
_MASK: Final = _ENTRIES | _IN_ATTRIB | _IN_MODIFY | _IN_CLOSE_WRITE | _IN_ONLYDIR

_EVENT: Final = struct.Struct("iIII")
_READ_BYTES: Final = 65_536

_REMOTE: Final = frozenset(
    {0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x01021997, 0x65735546, 0x00C36400, 0x5346414F, 0x786F4256}
)
"""statfs's numbers of NFS, SMB (3), 9P, FUSE, Ceph, AFS and vboxsf: others may change files there unnoticed here."""

Mark: TypeAlias = tuple[object, ...]
"""What tells one state of the watched files from another."""


class Target:
    """What is watched: the visible files of a folder with one suffix, and one more file."""

    def __init__(self, folder: Path, file: Path, suffix: str = ".json") -> None:
        self.folder, self.file, self._suffix = folder.absolute(), file.absolute(), suffix

    def counts(self, name: str) -> bool:
        """Whether a file of this name in the folder is watched: editors' temporary files are not."""
        return name.endswith(self._suffix) and not name.startswith(".")

    def list_names(self) -> list[str]:
        """The watched files in the folder; none where it is gone."""
        try:
            with os.scandir(self.folder) as entries:
                return sorted(entry.name for entry in entries if self.counts(entry.name))
        except OSError:
            return []

    def mark(self) -> Mark:
        """Differs from an earlier one where a file has come, gone or been written."""
        paths = [self.file, *(self.folder / name for name in self.list_names())]
        return self.folder.is_dir(), *((path.name, *_mark_of(path)) for path in paths)

    def find_folders(self) -> dict[str, set[str]]:
        """Every folder, free of links, in which a change matters -> the names in it that do; "" for all that count."""
        folders: dict[str, set[str]] = {}
        links = [path for name in self.list_names() if (path := self.folder / name).is_symlink()]
        for path in (self.folder, self.file, *links):
            for folder, name in look_up(path):
                folders.setdefault(folder, set()).add(name)
        folders.setdefault(os.path.realpath(self.folder), set()).add("")
        return folders


def look_up(path: Path) -> Iterator[tuple[str, str]]:
    """Each folder and the name that the kernel looks for in it on the way to `path`, links followed."""
    folder, links = "/", 0
    left = [part for part in reversed(path.parts) if part != "/"]
    while left:
        name = left.pop()
        if name == "..":
            folder = os.path.dirname(folder)  # noqa: PTH120 -- text alone
            continue
        yield folder, name
        step = os.path.join(folder, name)  # noqa: PTH118
        try:
            target = os.readlink(step)  # noqa: PTH115
        except OSError as error:
            if error.errno != errno.EINVAL:  # it is no link
                return
            folder = step
            continue
        links += 1
        if links > _MAX_LINKS:
            return
        folder = "/" if target.startswith("/") else folder
        left += [part for part in reversed(target.split("/")) if part not in ("", ".")]


class Source(Protocol):
    """A way to notice changes."""

    def arm(self) -> None:
        """Everything that happens from now on is noticed; OSError where this way is no good here."""

    def wait(self, timeout_s: float) -> bool:
        """True where something has changed; may come back early."""

    def close(self) -> None:
        """Frees what it holds."""


class Inotify:
    """Watches every folder on the way to the files, so that links and folders that are replaced are noticed too."""

    def __init__(self, target: Target) -> None:
        """Raises OSError where the system has no inotify, or none left."""
        self._target = target
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise OSError(errno.ENOSYS, "this system has no inotify")
        self._descriptor = self._call("inotify_init1", os.O_CLOEXEC | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        self._names: dict[int, set[str]] = {}

    def arm(self) -> None:
        """Watches what has to be watched by now."""
        for _ in range(_ROUNDS):
            folders = self._target.find_folders()
            names: dict[int, set[str]] = {}
            for folder, wanted in folders.items():
                number = self._add(folder)
                if number is not None:
                    names.setdefault(number, set()).update(wanted)
            for number in self._names.keys() - names.keys():
                self._libc.inotify_rm_watch(self._descriptor, number)  # fails where the folder has gone: as well
            self._names = names
            if self._target.find_folders() == folders:
                return

    def wait(self, timeout_s: float) -> bool:
        """True where a file that counts, or a folder on the way to one, may have changed."""
        if not self._poll.poll(max(0.0, timeout_s) * 1000):
            return False
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        return any(self._matters(number, name) for number, name in _events(data))

    def close(self) -> None:
        """Gives the watches back."""
        os.close(self._descriptor)

    def _matters(self, number: int, name: str) -> bool:
        """Also without a name: the folder itself has changed, or events were lost."""
        names = self._names.get(number, {""} if number == -1 else set())
        return name in names or (name == "" and bool(names)) or ("" in names and self._target.counts(name))

    def _add(self, folder: str) -> int | None:
        """The number of the watch; None where the folder has gone, which the watch of its parent tells."""
        if _is_remote(self._libc, folder):
            raise OSError(errno.EREMOTE, f"{folder} is on another machine")
        try:
            return self._call("inotify_add_watch", self._descriptor, os.fsencode(folder), _MASK)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _call(self, name: str, *arguments: object) -> int:
        result = int(getattr(self._libc, name)(*arguments))
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


class Polling:
    """Compares the files with how they were, once every POLL_S."""

    def __init__(self, target: Target, pause: Callable[[float], object] = time.sleep) -> None:
        self._target = target
        self._pause = pause
        self._mark: Mark | None = None
        self._slept_s = 0.0

    def arm(self) -> None:
        """Takes the files as they are."""
        if self._mark is None:
            self._mark = self._target.mark()

    def wait(self, timeout_s: float) -> bool:
        """True where a look finds a difference."""
        length_s = min(max(0.0, timeout_s), POLL_S - self._slept_s)
        self._pause(length_s)
        self._slept_s += length_s
        if self._slept_s < POLL_S:
            return False
        self._slept_s = 0.0
        before, self._mark = self._mark, self._target.mark()
        return self._mark != before

    def close(self) -> None:
        """Holds nothing."""


class Pace:
    """When to read the files: after a quiet moment, in bounded time, and not too often. Pure: time is given to it."""

    def __init__(self) -> None:
        self._first_s = self._last_s = self._read_s = -math.inf
        self._pending = True

    @property
    def due_s(self) -> float:
        """The time of the next reading; infinite where nothing has changed since the last."""
        if not self._pending:
            return math.inf
        return max(self._read_s + APART_S, min(self._last_s + QUIET_S, self._first_s + LONGEST_S))

    def notice(self, now_s: float) -> None:
        """Something has changed."""
        self._first_s = self._first_s if self._pending else now_s
        self._last_s = now_s
        self._pending = True

    def read(self, now_s: float) -> None:
        """The files are being read."""
        self._read_s = now_s
        self._pending = False


class Watcher:
    """Says when files are to be read again; it belongs to one thread."""

    def __init__(
        self,
        target: Target,
        *,
        make_source: Callable[[Target], Source] = Inotify,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._target = target
        self._clock = clock
        self._pace = Pace()
        self._source = self._try(lambda: make_source(target))

    def __enter__(self) -> Watcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close()

    def wait(self, timeout_s: float) -> bool:
        """True where the files are to be read now, as they are at first; comes back within about `timeout_s`."""
        left_s = min(timeout_s, self._pace.due_s - self._clock())
        if left_s > 0 and self._source.wait(left_s):
            self._pace.notice(self._clock())
        if self._clock() < self._pace.due_s:
            return False
        self._pace.read(self._clock())
        self._arm()
        return True

    def _arm(self) -> None:
        def arm() -> Source:
            self._source.arm()
            return self._source

        armed = self._try(arm)
        if armed is not self._source:
            self._source.close()
            self._source = armed
            self._source.arm()

    def _try(self, make: Callable[[], Source]) -> Source:
        try:
            return make()
        except OSError as error:
            log.warning("inotify cannot be used (%s): the files are looked at every %g s", error.strerror, POLL_S)
            return Polling(self._target)


def _events(data: bytes) -> Iterator[tuple[int, str]]:
    """The number of the watch and the name of each event."""
    at = 0
    while at < len(data):
        number, _, _, length = _EVENT.unpack_from(data, at)
        at += _EVENT.size
        yield number, os.fsdecode(data[at : at + length].rstrip(b"\0"))
        at += length


def _mark_of(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_remote(libc: ctypes.CDLL, folder: str) -> bool:
    """Whether the folder is on a file system of _REMOTE; struct statfs begins with its number."""
    buffer = (ctypes.c_long * 64)()
    return libc.statfs(os.fsencode(folder), buffer) == 0 and buffer[0] & 0xFFFFFFFF in _REMOTE
