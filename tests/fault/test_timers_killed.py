"""A process with timers, killed at random moments: what is left of each is the timer or its commands."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.conftest import ROOT

ROUNDS = 8
END_S = 60.0


def test_a_kill_leaves_each_timer_or_both_its_commands_and_never_both_nor_neither(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    path = tmp_path / "commands.sqlite3"
    was_set: set[str] = set()
    for round_number in range(ROUNDS):
        was_set |= _run(path, round_number * 10_000, lines=chance.randrange(1, 100))
        with closing(sqlite3.connect(path)) as connection:
            timers = {name for (name,) in connection.execute("SELECT utterance_id FROM timers")}
            commands = Counter(connection.execute("SELECT intent_id, position FROM commands"))
        carried_out = {name for name, _ in commands}
        assert not timers & carried_out
        assert {f"{name}+1" for name in was_set} <= timers | carried_out
        assert commands == Counter((name, position) for name in carried_out for position in (0, 1))
    assert carried_out


def _run(path: Path, first: int, *, lines: int) -> set[str]:
    """Whose timers were set until it was killed, after so many lines."""
    command = [sys.executable, "-m", "tests.fault.timer_child", str(path), str(first)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout
    said = [child.stdout.readline() for _ in range(lines)]
    child.kill()
    said += child.stdout.readlines()
    child.wait(END_S)
    child.stdout.close()
    return {line.decode().strip() for line in said if line.endswith(b"\n")}
