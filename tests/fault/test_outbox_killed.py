"""The outbox of a process that is killed at any moment, and of one whose disk is full."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edged.act.outbox import UNCONFIRMED, Outbox
from edged.act.store import Store
from tests.conftest import ROOT

ROUNDS = 12
WAIT_S = 30.0


@contextmanager
def _child(path: Path, first: int, max_file_bytes: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.fault.outbox_child", str(path), str(first), str(max_file_bytes)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield child
    finally:
        child.kill()
        child.wait(WAIT_S)
        assert child.stdout
        child.stdout.close()


def _lines(child: subprocess.Popen[bytes], count: int) -> list[list[str]]:
    """The first lines; then it is killed, and what it wrote until then follows."""
    assert child.stdout
    lines = [child.stdout.readline() for _ in range(count)]
    child.kill()
    lines += child.stdout.readlines()
    return [line.decode().split() for line in lines if line.endswith(b"\n")]


def test_a_kill_at_any_moment_loses_no_command_and_sends_no_step_twice(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    path = tmp_path / "commands.sqlite3"
    waiting: set[str] = set()
    sent_steps: set[str] = set()
    for number in range(ROUNDS):
        first = number * 1_000_000
        with _child(path, first) as child:
            told = _lines(child, chance.randrange(1, 400))
        for word, name, *_ in told:
            if word == "put":
                waiting.add(name)
            elif word == "sent" and int(name) % 2:
                assert name not in sent_steps, "a step was sent twice"
                sent_steps.add(name)
            elif word in ("gone", "given-up"):
                waiting.discard(name)
        left, unconfirmed = _read(path)
        # One step may have been done and not told when the kill came.
        assert len(waiting - left) <= 1
        assert len(left - waiting) <= 1
        assert len((sent_steps & left) - unconfirmed) == 0
        waiting = left


def _read(path: Path) -> tuple[set[str], set[str]]:
    """The names of all that is left, and of those that are not to be sent again; leaves the file as it is."""
    copy = path.with_name("copy.sqlite3")
    for suffix in ("", "-wal"):
        log = path.with_name(path.name + suffix)
        copy.with_name(copy.name + suffix).write_bytes(log.read_bytes() if log.exists() else b"")
    outbox = Outbox(Store(copy))
    outbox.store.open()
    assert outbox.store.is_durable
    assert not copy.with_name("copy.sqlite3.damaged").exists()
    dropped = outbox.take_expired()
    assert {reason for _, reason in dropped} <= {UNCONFIRMED}
    unconfirmed = {entry.command.intent_id for entry, _ in dropped}
    names = [entry.command.intent_id for queue in outbox._lines.values() for entry in queue]
    assert len(names) == len(set(names))
    for queue in outbox._lines.values():
        numbers = [int(entry.command.intent_id) for entry in queue]
        assert numbers == sorted(numbers)
    outbox.store.close()
    return {*names, *unconfirmed}, unconfirmed


def test_a_full_disk_stops_no_command(tmp_path: Path) -> None:
    with _child(tmp_path / "commands.sqlite3", 0, max_file_bytes=120_000) as child:
        assert child.stdout
        words: list[str] = []
        while words.count("memory") < 50:
            word, *_ = child.stdout.readline().decode().split()
            assert word != "refused"
            words.append(word)
    full = words.index("memory")
    assert words[:full].count("put") > 10
    after = words[full:]
    assert {"put", "sent", "gone"} <= set(after)
