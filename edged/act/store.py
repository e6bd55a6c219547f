"""The one SQLite file behind the outbox and the timers: it only remembers, what is in force is in memory.

So a file that fails never stops anything: the store says so once, everything goes on from memory, and the file is
written anew as soon as that works again. A file that this process had open and cannot write any more is set aside
first: what it still holds may be done since, and must not come back after a restart. Only where not even that works,
on a disk that has become read-only, does it come back, and is judged by its expiry then.

A process that is killed leaves whole transactions behind. What is written with `lasting` is on the disk when `write`
comes back, and outlives a loss of power too; the rest is there at the next such write.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol, TypeAlias

logger = logging.getLogger(__name__)

RETRY_S: Final = 60.0
"""How long a file that failed is left alone: a full disk stays full for longer than a moment."""
BUSY_TIMEOUT_S: Final = 1.0
"""How long another process may hold the file: a daemon that ends beside the one that starts."""
MAX_WAL_BYTES: Final = 4 << 20
"""What stays of the write-ahead log after a checkpoint: SQLite makes one every 1000 pages of 4 kB."""
PLAIN_ID: Final = re.compile(r"[!-~]{1,200}")
"""Of an utterance, in a row. It goes into lines of the log and out as a user property, for a control character in which
a broker breaks the connection off."""

_VERSION: Final = 2
_PRAGMAS: Final = (
    "PRAGMA locking_mode = EXCLUSIVE",  # nobody else has business here, and there is no shared memory file
    "PRAGMA journal_mode = WAL",
    f"PRAGMA journal_size_limit = {MAX_WAL_BYTES}",
    "PRAGMA trusted_schema = OFF",
)
_DAMAGE: Final = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
    }
)
"""What says that the file itself is bad, and not the disk or another process; an unknown table or column counts."""
_SCHEMA: Final = "SELECT type, CAST(name AS BLOB), CAST(sql AS BLOB) FROM sqlite_master"

Statement: TypeAlias = tuple[str, Sequence[object]]
Row: TypeAlias = tuple[object, ...]
OnChange: TypeAlias = Callable[[bool, str], None]
"""Is told whether what is written outlives the process, and what is wrong, empty where nothing is; must not wait."""


class Table(Protocol):
    """Somebody whose rows are kept here."""

    @property
    def create(self) -> str:
        """SQL that makes the table where it is not there."""

    @property
    def select(self) -> str:
        """SQL that reads all rows in their order."""

    @property
    def clear(self) -> str:
        """SQL that removes all rows."""

    def load(self, rows: Sequence[Row], *, late: bool) -> None:
        """Takes the rows of an earlier process; `late` where they could not be read when this one started."""

    def dump(self) -> Sequence[Statement]:
        """What writes all its rows anew."""


class Store:
    """Thread-safe; `lock` is also the lock of those whose rows are kept here."""

    def __init__(self, path: Path | None = None, *, on_change: OnChange = lambda _is_durable, _fault: None) -> None:
        """Remembers nothing without a path, and opens nothing before `open`."""
        self.lock = threading.RLock()
        self._path = path
        self._on_change = on_change
        self._tables: list[Table] = []
        self._connection: sqlite3.Connection | None = None
        self._was_open = False
        self._failed_s: float | None = None
        self._pending: list[Statement] | None = None
        self._is_lasting = False

    @property
    def is_durable(self) -> bool:
        """Whether what is written outlives this process."""
        return self._connection is not None

    def add(self, table: Table) -> None:
        """Keeps somebody's rows; called before `open`."""
        self._tables.append(table)

    def open(self) -> None:
        """Reads what an earlier process has left; where that fails, goes on without. Harmless twice."""
        with self.lock:
            if self._path is not None and self._connection is None:
                self._try_to_open(self._path)

    def write(self, *statements: Statement, lasting: bool) -> None:
        """Runs the statements as one transaction, or as a part of that of `together`."""
        with self.lock:
            if self._pending is not None:
                self._pending += statements
                self._is_lasting |= lasting
            elif self._connection is not None and self._path is not None:
                try:
                    _run(self._connection, statements, lasting=lasting)
                except sqlite3.Error as error:
                    self._give_up(self._path, error)
            elif self._path is not None and self._may_retry():
                self._try_to_open(self._path)  # which writes everything

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is written in the block becomes one transaction."""
        with self.lock:
            self._pending, self._is_lasting = [], False
            try:
                yield
            finally:
                statements, self._pending = self._pending, None
                if statements:
                    self.write(*statements, lasting=self._is_lasting)

    def close(self) -> None:
        """Closes the file; nothing is remembered from here on."""
        with self.lock:
            self._failed_s = None
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()

    def _may_retry(self) -> bool:
        return self._failed_s is not None and time.monotonic() - self._failed_s >= RETRY_S

    def _try_to_open(self, path: Path) -> None:
        fault = ""
        try:
            try:
                self._connection = self._read_and_rewrite(path)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                if self._was_open or not _is_damage(error):
                    raise
                fault = f"{path} is damaged ({_one_line(error)}) and was set aside with what waited in it"
                _set_aside(path)
                self._connection = self._read_and_rewrite(path)
        except (sqlite3.Error, UnicodeDecodeError, OSError) as error:
            self._give_up(path, error)
            return
        if fault:
            logger.error("%s", fault)
        elif self._failed_s is not None:
            logger.warning("%s can be written again", path)
        self._failed_s = None
        self._on_change(True, fault)

    def _read_and_rewrite(self, path: Path) -> sqlite3.Connection:
        """Takes over what the file holds, unless this process has written it, and makes it hold what is in memory."""
        connection = _connect(path)
        try:
            _check(connection)
            _run(connection, [(table.create, ()) for table in self._tables], lasting=False)
            _check_tables(connection, self._tables)
            found = [connection.execute(table.select).fetchall() for table in self._tables]
            if not self._was_open:
                for table, rows in zip(self._tables, found, strict=True):
                    table.load(rows, late=self._failed_s is not None)
            self._was_open = True
            statements = [statement for table in self._tables for statement in ((table.clear, ()), *table.dump())]
            _run(connection, [*statements, (f"PRAGMA user_version = {_VERSION}", ())], lasting=True)
        except BaseException:
            with suppress(sqlite3.Error):
                connection.close()
            raise
        return connection

    def _give_up(self, path: Path, error: Exception) -> None:
        """From now on there is memory alone, for RETRY_S at least."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        if self._was_open:
            with suppress(OSError):
                _set_aside(path)
        is_news = self._failed_s is None
        self._failed_s = time.monotonic()
        if is_news:
            lost = "commands that wait and timers will not outlive a restart"
            fault = f"{path} cannot be written ({_one_line(error)}): {lost}"
            logger.error("%s", fault)
            self._on_change(False, fault)


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # SQLite would let everybody read it
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    connection.text_factory = _read_text
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _read_text(raw: bytes) -> str | bytes:
    """A text that is none stays bytes, so that its row alone is refused and not the file."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _one_line(error: Exception) -> str:
    """SQLite repeats names that stand in the file, and tells of damage in several lines."""
    return "".join(letter if letter.isprintable() else " " for letter in str(error))


def _check(connection: sqlite3.Connection) -> None:
    """Raises DatabaseError where the file is not sound, or of another version."""
    ((version,),) = connection.execute("PRAGMA user_version")
    ((verdict,), *_) = connection.execute("PRAGMA quick_check(1)")
    if version not in (0, _VERSION) or verdict != "ok":
        raise _DamageError(f"version {version}, {verdict}")


def _check_tables(connection: sqlite3.Connection, tables: Sequence[Table]) -> None:
    """Raises DatabaseError where a table is not as we make it, or something may act when it is written to."""
    with closing(sqlite3.connect(":memory:")) as ours:
        for table in tables:
            ours.execute(table.create)
        wanted = ours.execute(_SCHEMA).fetchall()
    found = connection.execute(_SCHEMA).fetchall()
    if not set(wanted) <= set(found) or any(kind != "table" for kind, *_ in found):
        raise _DamageError("other tables")


class _DamageError(sqlite3.DatabaseError):
    """SQLite can read the file, and we cannot use it."""


def _is_damage(error: Exception) -> bool:
    return (
        isinstance(error, _DamageError | UnicodeDecodeError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
    )


def _run(connection: sqlite3.Connection, statements: Sequence[Statement], *, lasting: bool) -> None:
    """One transaction."""
    connection.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for sql, values in statements:
            connection.execute(sql, values).close()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def damaged_copy(path: Path) -> Path:
    """Where a file is kept that could not be used."""
    return path.with_name(f"{path.name}.damaged")


def _set_aside(path: Path) -> None:
    """Keeps one damaged file to look at; its log goes first, or it would be read into the next file."""
    copy = damaged_copy(path)
    for suffix in ("-wal", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(copy.with_name(copy.name + suffix))
