"""The file of the outbox and the timers, as an earlier process, a bad disk or somebody else may have left it."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from edged.act.messages import (
    report_intent,
    report_rejected,
)
from edged.act.outbox import Entry, Outbox
from edged.act.store import Store
from edged.act.timers import Timers
from edged.ops.clock import SYSTEM_CLOCK
from edged.types import Command, Rejected, Utterance
from tests.fuzz.mqtt_rules import NODE, UNSAFE, check_report, check_topic, checked_log

SECOND_NS: Final = 10**9

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, -1, 2**31, 2**62, 2**63 - 1, -(2**63), 10**9, 10**18]),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["lamp/1", "a/#", "u1", "{}", '{"a": NaN}', "[]", '{"a": "\\ud800"}', "[" * 900, "x" * 70_000]),
    st.sampled_from(['{"a":' * 985 + "1" + "}" * 985, '{"a":' * 400 + "1" + "}" * 400]),
    st.binary(max_size=20),
)
SOON_NS: Final = SYSTEM_CLOCK.boot_ns() + 3500 * SECOND_NS
"""A moment of this boot until which a command may be valid, for as long as a target runs."""
BOOTS = st.sampled_from([SYSTEM_CLOCK.boot_id, "another"])


@dataclass(frozen=True)
class Files:
    commands: list[tuple[Any, ...]]
    timers: list[tuple[Any, ...]]
    strict: bool
    invalid_text: bool
    flips: list[tuple[int, int]]
    raw: bytes | None


@st.composite
def _rows(draw: st.DrawFn, sound: tuple[Any, ...]) -> tuple[Any, ...]:
    """A sound row but for some of its values."""
    strange = draw(st.dictionaries(st.integers(0, len(sound) - 1), VALUES, max_size=3))
    return tuple(strange.get(place, value) for place, value in enumerate(sound))


@st.composite
def files(draw: st.DrawFn) -> Files:
    moment = (draw(BOOTS), draw(st.sampled_from([SOON_NS, 0, 2**62, 2**63 - 1])), 0, 0)
    command = _rows((1, "lamp/1", b"x", 1, "u1", "", 0, 1, 0, *moment))
    timer = _rows((1, "u1", "light", '{"a": 1}', 0.9, "off", "en", *moment))
    flips = st.lists(st.tuples(st.integers(0, 2**20), st.integers(1, 255)), max_size=6)
    return Files(
        draw(st.lists(command, max_size=4)),
        draw(st.lists(timer, max_size=3)),
        draw(st.booleans()),
        draw(st.integers(0, 9)) == 0,
        draw(st.just([]) | flips),
        draw(st.none() | st.none() | st.binary(max_size=300)),
    )


def write_file(path: Path, found: Files) -> None:
    """A file as an earlier process, a bad disk or somebody else may have left it."""
    if found.raw is not None:
        path.write_bytes(found.raw)
        return
    connection = sqlite3.connect(path, isolation_level=None)
    for table, rows in ((Outbox, found.commands), (Timers, found.timers)):
        create = table.create if found.strict else table.create.replace("STRICT", "").replace(" NOT NULL", "")
        connection.execute(create.replace("INTEGER PRIMARY KEY", "INTEGER") if not found.strict else create)
        for row in rows:
            name = "commands" if table is Outbox else "timers"
            with contextlib.suppress(sqlite3.Error, UnicodeEncodeError):
                connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
                if found.invalid_text:
                    connection.execute(f"UPDATE {name} SET boot_id = CAST(x'ff' AS TEXT)")  # noqa: S608
    connection.close()
    if found.flips:
        data = bytearray(path.read_bytes())
        for place, mask in found.flips:
            data[place % len(data)] ^= mask
        path.write_bytes(data)


def check_file(found: Files) -> None:
    """Whatever the file holds: the daemon starts, what it takes over can be sent, and the file is sound after it."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder, checked_log():  # noqa: S108
        path = Path(folder) / "commands.sqlite3"
        write_file(path, found)
        faults: list[tuple[bool, str]] = []
        outbox, timers = _open(path, faults)
        assert outbox.store.is_durable, faults
        _check_outbox(outbox)
        _check_timers(timers)
        waiting, running = outbox.waiting, len(timers.list())
        outbox.put([Command("lamp/9", b"x", 1, False, outbox.clock.monotonic_ns() + 60 * SECOND_NS, "u9")])
        assert outbox.store.is_durable
        outbox.store.close()
        again, timers = _open(path, faults)
        assert again.store.is_durable
        assert again.waiting + len(again.take_expired()) >= waiting
        assert len(timers.list()) == running
        again.store.close()


def _open(path: Path, faults: list[tuple[bool, str]]) -> tuple[Outbox, Timers]:
    store = Store(path, on_change=lambda is_durable, fault: faults.append((is_durable, fault)))
    outbox, timers = Outbox(store), Timers(store)
    store.open()
    return outbox, timers


def _check_outbox(outbox: Outbox) -> None:
    outbox.next_end_ns()
    for entry, _reason in outbox.take_expired():
        _check_entry(entry)
    taken: list[Entry] = []
    while (found := outbox.next()) is not None:
        _check_entry(found)
        assert 0 < math.ceil(outbox.left_ns(found) / SECOND_NS) < 2**32, "MQTT cannot say how long it is valid"
        taken.append(found)
    for entry in taken:
        outbox.give_back(entry)


def _check_entry(entry: Entry) -> None:
    check_topic(entry.command.topic)
    assert not UNSAFE.search(entry.command.id), entry.command.id
    assert len(entry.command.id.encode()) < 65_536, "MQTT has no room for it"
    report = report_rejected(NODE, Rejected(entry.command.intent_id, "mqtt", "expired"), text="", lang="")
    check_report(report, f"edged/{NODE}/")


def _check_timers(timers: Timers) -> None:
    timers.due()
    for timer, left_s in timers.list():
        assert left_s is None or math.isfinite(left_s)
        assert not UNSAFE.search(timer.intent.utterance_id)
        utterance = Utterance(timer.intent.utterance_id, timer.text, timer.lang, 1, 0, 0, "mqtt")
        with contextlib.suppress(ValueError):  # a name that is no topic level
            check_report(report_intent(NODE, utterance, timer.intent, latency_ms=0), f"edged/{NODE}/")
