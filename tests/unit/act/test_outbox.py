from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from edged.act import store as store_module
from edged.act.outbox import NOT_REACHED, TOO_LATE, UNCONFIRMED, UNKNOWN_TIME, Entry, Outbox
from edged.act.store import Store
from edged.types import Command, Rejected
from tests.unit.act.fakes import FakeClock

SECOND = 10**9


@pytest.fixture
def clocks() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "commands.sqlite3"


def _command(
    clocks: FakeClock, payload: str, topic: str = "a", *, seconds: float = 10, repeats: bool = True
) -> Command:
    expires_ns = clocks.monotonic_ns + round(seconds * SECOND)
    return Command(topic, payload.encode(), 1, False, expires_ns, "u1", repeats)


def _open(path: Path, clocks: FakeClock, **limits: int) -> Outbox:
    outbox = Outbox(Store(path), clock=clocks.clock, **limits)
    outbox.store.open()
    return outbox


def _entry(taken: Entry | Rejected) -> Entry:
    assert isinstance(taken, Entry), taken
    return taken


def _sent(outbox: Outbox) -> list[str]:
    """What goes out, each one confirmed at once."""
    sent = []
    while (entry := outbox.next()) is not None:
        sent.append(entry.command.payload.decode())
        outbox.remove(entry)
    return sent


def _expired(outbox: Outbox) -> list[tuple[str, str]]:
    return [(entry.command.payload.decode(), reason) for entry, reason in outbox.take_expired()]


# In memory


def test_one_of_a_topic_is_out_at_a_time_and_others_pass_it_by(clocks: FakeClock) -> None:
    outbox = Outbox(clock=clocks.clock)
    outbox.put([_command(clocks, "a1"), _command(clocks, "a2"), _command(clocks, "b1", "b")])
    first, second = outbox.next(), outbox.next()
    assert first is not None
    assert second is not None
    assert [first.command.payload, second.command.payload] == [b"a1", b"b1"]
    assert outbox.next() is None
    outbox.remove(first)
    assert _sent(outbox) == ["a2"]


def test_commands_to_one_device_keep_their_order_on_different_topics_after_a_restart_too(
    path: Path, clocks: FakeClock
) -> None:
    outbox = _open(path, clocks)
    outbox.put([replace(_command(clocks, name, name), device="heater") for name in ("mode", "temperature")])
    outbox.put([replace(_command(clocks, "on", "lamp"), device="lamp")])
    first, second = outbox.next(), outbox.next()
    assert first is not None
    assert second is not None
    assert [first.command.payload, second.command.payload] == [b"mode", b"on"]
    assert outbox.next() is None
    outbox.store.close()
    assert _sent(_open(path, clocks)) == ["mode", "temperature", "on"]


def test_what_comes_back_goes_before_what_is_newer(clocks: FakeClock) -> None:
    outbox = Outbox(clock=clocks.clock)
    outbox.put([_command(clocks, "a1"), _command(clocks, "b1", "b"), _command(clocks, "a2")])
    out = [outbox.next(), outbox.next()]
    for entry in reversed(out):
        assert entry is not None
        outbox.give_back(entry)
    assert _sent(outbox) == ["a1", "b1", "a2"]


def test_an_expired_command_is_not_taken_in(clocks: FakeClock) -> None:
    taken = Outbox(clock=clocks.clock).put([_command(clocks, "x", seconds=0)])
    assert taken == (Rejected("u1", "mqtt", TOO_LATE),)


def test_what_expires_while_it_waits_is_given_out_with_the_reason(clocks: FakeClock) -> None:
    outbox = Outbox(clock=clocks.clock)
    outbox.put([_command(clocks, "short", seconds=1), _command(clocks, "long", seconds=5)])
    assert outbox.next_end_ns() == SECOND
    clocks.suspend_s(2)
    assert _expired(outbox) == [("short", NOT_REACHED)]
    assert _sent(outbox) == ["long"]
    assert outbox.next_end_ns() is None


def test_what_expires_after_a_lost_connection_is_unconfirmed(clocks: FakeClock) -> None:
    outbox = Outbox(clock=clocks.clock)
    outbox.put([_command(clocks, "x")])
    entry = outbox.next()
    assert entry is not None
    clocks.pass_s(11)
    assert _expired(outbox) == []
    outbox.give_back(entry)
    assert _expired(outbox) == [("x", UNCONFIRMED)]


def test_a_full_outbox_refuses_the_new_one(clocks: FakeClock) -> None:
    outbox = Outbox(clock=clocks.clock, max_commands=2)
    *_, refused = outbox.put([_command(clocks, payload) for payload in "abc"])
    assert refused == Rejected("u1", "mqtt", "the outbox is full: 2 commands wait for the broker")
    assert _sent(outbox) == ["a", "b"]


def test_so_does_one_that_holds_too_many_bytes(clocks: FakeClock) -> None:
    outbox = Outbox(clock=clocks.clock, max_bytes=10)
    taken = outbox.put([_command(clocks, "12345678"), _command(clocks, "12"), _command(clocks, "")])
    assert [isinstance(one, Entry) for one in taken] == [True, False, True]
    assert outbox.bytes == 10
    assert _sent(outbox) == ["12345678", ""]
    assert (outbox.bytes, outbox.waiting) == (0, 0)


def test_a_long_life_leaves_nothing_behind(clocks: FakeClock) -> None:
    outbox = Outbox(clock=clocks.clock)
    for number in range(500):
        outbox.put([_command(clocks, str(number), seconds=1_000)])
        if number % 2:
            clocks.suspend_s(2_000)
            outbox.take_expired()
        _sent(outbox)
    assert len(outbox._ends) < 200
    assert len(outbox._ready) < 200


# From one process to the next


def test_what_waits_is_there_after_a_restart_in_order_and_once(path: Path, clocks: FakeClock) -> None:
    first = _open(path, clocks)
    first.put([_command(clocks, payload) for payload in ("1", "2", "3")])
    done = first.next()
    assert done is not None
    first.remove(done)
    first.store.close()
    second = _open(path, clocks)
    assert _sent(second) == ["2", "3"]
    second.store.close()
    assert _sent(_open(path, clocks)) == []


def test_a_command_comes_back_as_it_was(path: Path, clocks: FakeClock) -> None:
    command = Command("a/ä", b"\x00\xff", 1, False, clocks.monotonic_ns + SECOND, "u7", True, 3, "f00")
    first = _open(path, clocks)
    first.put([command])
    entry = _open_again(path, clocks).next()
    assert entry is not None
    assert entry.command.id == "u7/f00/3"
    assert (entry.command.topic, entry.command.payload, entry.command.is_repeatable) == ("a/ä", b"\x00\xff", True)


def _open_again(path: Path, clocks: FakeClock) -> Outbox:
    """As after a kill: nobody has closed the file, so its log is copied with it.

    Whoever calls it holds the one that is killed: one that nobody holds would be closed in order.
    """
    copy = path.with_name("copy.sqlite3")
    for suffix in ("", "-wal"):
        copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    return _open(copy, clocks)


def test_after_a_kill_a_step_that_was_sent_is_unconfirmed_and_anything_else_is_sent(
    path: Path, clocks: FakeClock
) -> None:
    first = _open(path, clocks)
    first.put([_command(clocks, "on", "a"), _command(clocks, "step", "b", repeats=False)])
    first.put([_command(clocks, "later step", "b", repeats=False)])
    first.next()
    first.next()
    second = _open_again(path, clocks)
    assert _expired(second) == [("step", UNCONFIRMED)]
    assert _sent(second) == ["on", "later step"]


@pytest.mark.parametrize(("seconds", "sent"), [(4, ["x"]), (40, [])])
def test_after_a_reboot_the_wall_clock_says_what_is_valid(
    path: Path, clocks: FakeClock, seconds: float, sent: list[str]
) -> None:
    first = _open(path, clocks)
    first.put([_command(clocks, "x")])
    second = _open_again(path, clocks.reboot(seconds))
    assert _expired(second) == ([] if sent else [("x", NOT_REACHED)])
    assert _sent(second) == sent


@pytest.mark.parametrize(("seconds", "is_synchronized"), [(4, False), (-4, True)])
def test_after_a_reboot_with_a_clock_that_cannot_be_believed_nothing_is_sent(
    path: Path, clocks: FakeClock, seconds: float, is_synchronized: bool
) -> None:
    first = _open(path, clocks)
    first.put([_command(clocks, "x")])
    later = clocks.reboot(seconds)
    later.is_synchronized = is_synchronized
    second = _open_again(path, later)
    assert _expired(second) == [("x", UNKNOWN_TIME)]
    assert _sent(second) == []


def test_an_expiry_that_was_carried_over_a_reboot_cannot_be_moved_by_the_clock_any_more(
    path: Path, clocks: FakeClock
) -> None:
    first = _open(path, clocks)
    first.put([_command(clocks, "x")])
    later = clocks.reboot(4)
    second = _open_again(path, later)
    later.jump_s(-3600)
    later.pass_s(7)
    assert _expired(second) == [("x", NOT_REACHED)]


def test_opening_twice_changes_nothing(path: Path, clocks: FakeClock) -> None:
    outbox = _open(path, clocks)
    outbox.put([_command(clocks, "x")])
    outbox.store.open()
    assert outbox.store.is_durable
    assert _sent(outbox) == ["x"]


# A file that fails


def _watched(path: Path, clocks: FakeClock) -> tuple[Outbox, list[tuple[bool, str]]]:
    told: list[tuple[bool, str]] = []
    outbox = Outbox(Store(path, on_change=lambda *what: told.append(what)), clock=clocks.clock)
    outbox.store.open()
    return outbox, told


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_set_aside_and_told(path: Path, clocks: FakeClock, content: bytes) -> None:
    path.write_bytes(content)
    outbox, told = _watched(path, clocks)
    ((is_durable, fault),) = told
    assert is_durable
    assert "damaged" in fault
    assert path.with_name("commands.sqlite3.damaged").read_bytes() == content
    outbox.put([_command(clocks, "x")])
    assert _sent(_open_again(path, clocks)) == ["x"]


def test_a_file_of_another_make_is_set_aside(path: Path, clocks: FakeClock) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE commands (x)")
        other.execute("INSERT INTO commands VALUES (1)")
    other.close()
    outbox, told = _watched(path, clocks)
    assert outbox.store.is_durable
    assert "damaged" in told[0][1]


def test_a_folder_that_cannot_be_written_leaves_memory(path: Path, clocks: FakeClock) -> None:
    path.parent.joinpath("file").write_text("")
    outbox, told = _watched(path.parent / "file" / "commands.sqlite3", clocks)
    assert [is_durable for is_durable, _ in told] == [False]
    outbox.put([_command(clocks, "x")])
    assert _sent(outbox) == ["x"]


def test_a_file_that_another_daemon_has_is_left_alone(path: Path, clocks: FakeClock) -> None:
    first = _open(path, clocks)
    first.put([_command(clocks, "x")])
    outbox, told = _watched(path, clocks)
    assert "locked" in told[0][1]
    outbox.put([_command(clocks, "y")])
    assert _sent(outbox) == ["y"]
    assert first.store.is_durable
    assert _sent(first) == ["x"]


def test_what_could_not_be_read_at_the_start_is_told_and_not_sent_after_what_is_newer(
    path: Path, clocks: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "RETRY_S", 0.0)
    first = _open(path, clocks)
    first.put([_command(clocks, "old")])
    second = _open(path, clocks)
    first.store.close()
    second.put([_command(clocks, "new")])
    assert second.store.is_durable
    assert _expired(second) == [("old", UNKNOWN_TIME)]
    assert _sent(_open_again(path, clocks)) == ["new"]


def test_a_write_that_fails_leaves_memory_and_a_file_without_what_is_done_since(
    path: Path, clocks: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, told = _watched(path, clocks)
    outbox.put([_command(clocks, "1")])
    assert outbox.store._connection is not None
    outbox.store._connection.close()
    outbox.put([_command(clocks, "2")])
    assert [is_durable for is_durable, _ in told] == [True, False]
    entry = outbox.next()
    assert entry is not None
    outbox.remove(entry)
    assert not path.exists()
    monkeypatch.setattr(store_module, "RETRY_S", 0.0)
    outbox.put([_command(clocks, "3")])
    assert told[-1] == (True, "")
    assert _sent(_open_again(path, clocks)) == ["2", "3"]
