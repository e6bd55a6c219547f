from __future__ import annotations

from pathlib import Path

import pytest

from edged.act.outbox import Outbox
from edged.act.store import Store
from edged.act.timers import GRACE_S, SYNC_WAIT_S, Timer, Timers
from edged.intents.spoken.delays import MAX_DELAY_S
from edged.types import Command, Rejected
from tests.unit.act.conftest import intent_of
from tests.unit.act.fakes import FakeClock


@pytest.fixture
def clocks() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "commands.sqlite3"


def _open(path: Path | None, clocks: FakeClock, *, max_timers: int = 100) -> Timers:
    store = Store(path)
    timers = Timers(store, clock=clocks.clock, max_timers=max_timers)
    store.open()
    return timers


def _add(timers: Timers, text: str, seconds: float) -> Timer:
    timer = timers.add(intent_of(action="off"), text=text, lang="en", delay_s=seconds)
    assert isinstance(timer, Timer)
    return timer


def _due(timers: Timers) -> list[tuple[str, str | None]]:
    return [(timer.text, late.reason if late else None) for timer, late in timers.due()]


def _restart(timers: Timers, path: Path, clocks: FakeClock) -> Timers:
    timers._store.close()
    return _open(path, clocks)


def test_a_timer_is_due_after_its_delay_and_until_it_is_removed(clocks: FakeClock) -> None:
    timers = _open(None, clocks)
    timer = _add(timers, "lamp off", 600)
    clocks.pass_s(599)
    assert _due(timers) == []
    clocks.pass_s(1)
    assert _due(timers) == _due(timers) == [("lamp off", None)]
    assert timers.remove(timer)
    assert not timers.remove(timer)
    assert _due(timers) == []


def test_timers_are_listed_with_the_next_one_first(clocks: FakeClock) -> None:
    timers = _open(None, clocks)
    for text, seconds in (("b", 20.0), ("a", 10.0), ("c", 20.0)):
        _add(timers, text, seconds)
    assert [(timer.text, left_s) for timer, left_s in timers.list()] == [("a", 10), ("b", 20), ("c", 20)]


@pytest.mark.parametrize("seconds", [0, -1, MAX_DELAY_S + 1, float("nan"), float("inf")])
def test_a_delay_out_of_range_is_refused(clocks: FakeClock, seconds: float) -> None:
    refused = _open(None, clocks).add(intent_of(), text="", lang="en", delay_s=seconds)
    assert isinstance(refused, Rejected)


def test_one_timer_too_many_is_refused(clocks: FakeClock) -> None:
    timers = _open(None, clocks, max_timers=1)
    _add(timers, "a", 10)
    refused = timers.add(intent_of(), text="b", lang="en", delay_s=10)
    assert refused == Rejected("u1", "act", "1 timers run already")


def test_a_timer_outlives_a_restart_with_all_that_it_says(path: Path, clocks: FakeClock) -> None:
    timers = _open(path, clocks)
    intent = intent_of(action="set", brightness=30, areas=["kitchen"], step=None)
    timers.add(intent, text="불 꺼", lang="ko", delay_s=100)
    clocks.pass_s(40)
    ((timer, left_s),) = _restart(timers, path, clocks).list()
    assert left_s == 60
    assert (timer.intent.name, timer.intent.slots, timer.text, timer.lang) == (intent.name, intent.slots, "불 꺼", "ko")


def test_no_jump_of_the_clock_moves_a_timer(path: Path, clocks: FakeClock) -> None:
    timers = _open(path, clocks)
    _add(timers, "a", 100)
    later = clocks.reboot(30)
    again = _restart(timers, path, later)
    later.jump_s(-86_400)
    assert [left_s for _, left_s in again.list()] == [70]


def test_what_was_due_while_nobody_was_there_is_done_within_the_grace_and_not_later(
    path: Path, clocks: FakeClock
) -> None:
    timers = _open(path, clocks)
    _add(timers, "a", 10)
    soon = _restart(timers, path, clocks.reboot(10 + GRACE_S))
    assert _due(soon) == [("a", None)]
    hour_later = _restart(soon, path, clocks.reboot(3610, "boot 3"))
    assert _due(hour_later) == [("a", "the timer was due 60 minutes ago")]


def test_a_clock_that_is_not_set_yet_is_waited_for(path: Path, clocks: FakeClock) -> None:
    timers = _open(path, clocks)
    _add(timers, "a", 100)
    later = clocks.reboot(1)
    later.is_synchronized = False
    again = _restart(timers, path, later)
    assert [left_s for _, left_s in again.list()] == [None]
    later.jump_s(99)
    later.is_synchronized = True
    assert _due(again) == [("a", None)]


@pytest.mark.parametrize(
    ("seconds", "due"),
    [
        (1, [("a", None)]),
        (-86_400, [("a", "after the restart it could not be told when the timer is due")]),
    ],
)
def test_a_clock_that_nobody_sets_is_believed_unless_it_is_plainly_wrong(
    path: Path, clocks: FakeClock, seconds: float, due: list[tuple[str, str | None]]
) -> None:
    timers = _open(path, clocks)
    _add(timers, "a", 100)
    later = clocks.reboot(seconds)
    later.is_synchronized = False
    again = _restart(timers, path, later)
    later.pass_s(SYNC_WAIT_S + 1)
    assert _due(again) == due


def test_a_timer_and_its_commands_change_places_in_one_transaction(path: Path, clocks: FakeClock) -> None:
    store = Store(path)
    outbox, timers = Outbox(store, clock=clocks.clock), Timers(store, clock=clocks.clock)
    store.open()
    timer = _add(timers, "a", 1)
    command = Command("t", b"OFF", 1, False, clocks.monotonic_ns + 10**9, "u1", True)
    seen: list[str] = []
    assert store._connection is not None
    store._connection.set_trace_callback(seen.append)
    with store.together():
        outbox.put([command])
        timers.remove(timer)
    words = [statement.split()[0] for statement in seen]
    assert words == ["PRAGMA", "BEGIN", "INSERT", "DELETE", "COMMIT"]


def test_a_row_that_is_no_timer_is_left_out(path: Path, clocks: FakeClock) -> None:
    timers = _open(path, clocks)
    _add(timers, "bad", 100)
    _add(timers, "good", 100)
    connection = timers._store._connection
    assert connection is not None
    connection.execute("UPDATE timers SET slots = '[' WHERE number = 1")
    assert [timer.text for timer, _ in _restart(timers, path, clocks).list()] == ["good"]
