"""A file that somebody or a bad disk has changed."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest

from edged.act.outbox import MAX_VALID_S, UNKNOWN_TIME, Outbox
from edged.act.store import Store
from edged.act.timers import Timers
from edged.intents.spoken.delays import MAX_DELAY_S
from edged.types import Command
from tests.unit.act.conftest import intent_of
from tests.unit.act.fakes import FakeClock

SECOND = 10**9


@pytest.fixture
def clocks() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "commands.sqlite3"


def _open(path: Path, clocks: FakeClock) -> tuple[Outbox, Timers, list[str]]:
    told: list[str] = []
    store = Store(path, on_change=lambda _is_durable, fault: told.append(fault))
    outbox, timers = Outbox(store, clock=clocks.clock), Timers(store, clock=clocks.clock)
    store.open()
    return outbox, timers, told


def _make(path: Path, clocks: FakeClock, *changes: str) -> None:
    """A file with two commands and a timer, changed."""
    outbox, timers, _ = _open(path, clocks)
    for name in ("bad", "good"):
        outbox.put([Command("lamp", name.encode(), 1, False, clocks.monotonic_ns + 30 * SECOND, name, True)])
    timers.add(intent_of(action="off"), text="off", lang="en", delay_s=600)
    outbox.store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        for change in changes:
            connection.execute(change)
    connection.close()


def _sent(outbox: Outbox) -> list[str]:
    sent = []
    while (entry := outbox.next()) is not None:
        sent.append(entry.command.intent_id)
        outbox.remove(entry)
    return sent


@pytest.mark.parametrize(
    "change",
    ["boot_id = CAST(x'ff' AS TEXT)", "intent_id = 'u' || char(10) || 'x'", "topic = 'a/#'", "topic = char(65534)"],
)
def test_a_damaged_command_is_told_and_the_others_are_sent(
    path: Path, clocks: FakeClock, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    _make(path, clocks, f"UPDATE commands SET {change} WHERE intent_id = 'bad'")  # noqa: S608 -- a test's own
    with caplog.at_level(logging.ERROR):
        outbox, _, told = _open(path, clocks)
    assert "a command in the file of the outbox is damaged" in caplog.text
    assert told == [""]
    assert _sent(outbox) == ["good"]


@pytest.mark.parametrize("boot_ns", [2**63 - 1, (MAX_VALID_S + 1) * SECOND + 10**12])
def test_a_command_that_would_be_valid_for_too_long_is_given_up(path: Path, clocks: FakeClock, boot_ns: int) -> None:
    _make(path, clocks, f"UPDATE commands SET boot_ns = {boot_ns} WHERE intent_id = 'bad'")  # noqa: S608 -- a test's own
    outbox, _, _ = _open(path, clocks)
    assert [(entry.command.intent_id, reason) for entry, reason in outbox.take_expired()] == [("bad", UNKNOWN_TIME)]
    assert _sent(outbox) == ["good"]


@pytest.mark.parametrize(
    "change",
    [
        "boot_ns = 9223372036854775807", f"boot_ns = boot_ns + {int(MAX_DELAY_S) * SECOND}", "slots = '{\"a\": NaN'",
        "utterance_id = 'u' || char(10)", "slots = '{\"a\":\"' || hex(zeroblob(4000)) || '\"}'",
    ],
)  # fmt: skip
def test_a_damaged_timer_is_told_and_left_out(
    path: Path, clocks: FakeClock, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    _make(path, clocks, f"UPDATE timers SET {change}")  # noqa: S608 -- a test's own
    with caplog.at_level(logging.ERROR):
        outbox, timers, _ = _open(path, clocks)
    assert "a timer in the file is damaged" in caplog.text
    assert timers.list() == ()
    assert outbox.store.is_durable


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TRIGGER again AFTER DELETE ON commands BEGIN SELECT 1; END",
        "CREATE INDEX quick ON commands(topic)",
        "UPDATE sqlite_schema SET sql = replace(sql, 'wall_ns', CAST(x'ff' AS TEXT)) WHERE name = 'commands'",
        "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'timers'",
        "UPDATE sqlite_schema SET sql = 'x' || char(10) || 'y' WHERE name = 'timers'",
    ],
)
def test_a_file_with_other_tables_is_set_aside_and_told_in_one_line(path: Path, clocks: FakeClock, change: str) -> None:
    _make(path, clocks, change)
    outbox, timers, (fault,) = _open(path, clocks)
    assert "damaged" in fault
    assert fault.isprintable()
    assert outbox.store.is_durable
    assert (outbox.waiting, timers.list()) == (0, ())
    assert path.with_name("commands.sqlite3.damaged").exists()
