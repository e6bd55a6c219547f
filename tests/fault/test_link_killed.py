"""A process with a link to a real broker, killed at random moments, with clocks that jump and a disk that is full."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edged.ops.clock import SYSTEM_CLOCK
from tests.conftest import ROOT
from tests.fault.device import Count, Device, check_fates
from tests.fault.link_child import BATCH, Task
from tests.peer.broker import Mosquitto

pytestmark = pytest.mark.peer

END_S = 60.0
EACH = 10_000
"""Numbers of one process."""
MOST_WAIT_S = 0.02
"""So that a kill comes at any moment of a batch and not behind a line alone."""
DISK_BYTES = 6 << 20
"""SQLite's log grows to four."""
MOUNT = f'mount -t tmpfs -o size={DISK_BYTES} none "$0" && '
LOOP = 'while read -r task; do "$1" -m tests.fault.link_child "$task"; echo ended; done'
"""The shell keeps the disk while processes come and go."""


@dataclass
class Told:
    """What the processes have said."""

    begun: list[int] = field(default_factory=list)
    fates: dict[int, str | None] = field(default_factory=dict)
    again: int = 0
    """Commands that were told of twice: a kill came between telling and forgetting."""
    unsure: set[int] = field(default_factory=set)
    """Those that were under way when a process was killed whose store had said that it cannot remember."""
    kills: int = 0
    fulls: int = 0

    def take(self, lines: list[list[str]], *, was_durable: bool) -> bool:
        """The lines of one process; whether its store remembered at the end."""
        is_durable = was_durable
        begun: list[int] = []
        for word, *rest in lines:
            if word == "begun":
                begun += range(int(rest[0]), int(rest[0]) + BATCH)
            elif word in ("confirmed", "given-up"):
                self.again += int(rest[0]) in self.fates
                self.fates[int(rest[0])] = None if word == "confirmed" else " ".join(rest[1:])
            elif word == "durable":
                is_durable = rest[0] == "True"
            self.fulls += (word, *rest) == ("disk", "full")
        self.begun += begun
        return is_durable

    @property
    def open(self) -> list[int]:
        return [number for number in self.begun if number not in self.fates]


class Processes:
    """Starts one process after the other, on one disk."""

    def __init__(self, shell: subprocess.Popen[bytes]) -> None:
        self._shell = shell

    def run(self, task: Task, *, lines: int | None = None, wait_s: float = 0) -> list[list[str]]:
        """What it said until it was killed so long after so many lines, or has ended by itself."""
        assert self._shell.stdin
        self._shell.stdin.write(task.write().encode() + b"\n")
        self._shell.stdin.flush()
        said: list[list[str]] = []
        while (line := self._next())[0] != "ended":
            said.append(line)
            if len(said) == lines:
                time.sleep(wait_s)
                os.kill(int(said[0][1]), signal.SIGKILL)
        assert lines is not None or said[-1] == ["done"], said[-5:]
        return said

    def _next(self) -> list[str]:
        assert self._shell.stdout
        line = self._shell.stdout.readline()
        assert line, "the shell has ended"
        return line.decode().split()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory, where there is such a place: a kill leaves the same behind, and nothing waits for a disk."""
    memory = Path("/dev/shm")  # noqa: S108 -- a folder of its own
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as made:
        yield Path(made)


@contextmanager
def processes(folder: Path, *, on_small_disk: bool = False) -> Iterator[Processes]:
    prefix = ["unshare", "--user", "--map-root-user", "--mount"] if on_small_disk else []
    script = MOUNT + LOOP if on_small_disk else LOOP
    command = [*prefix, "sh", "-c", script, str(folder), sys.executable]
    shell = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Processes(shell)
    finally:
        assert shell.stdin
        assert shell.stdout
        shell.stdin.close()
        shell.wait(END_S)
        shell.stdout.close()


def _check(told: Told, device: Device) -> Count:
    """Every command was told of, but for some of the last eight before each kill."""
    count = check_fates(told.fates, device.arrivals)
    arrived = {arrival.number for arrival in device.arrivals}
    silent = [number for number in told.open if number not in told.unsure]
    batches = {number - number % BATCH for number in silent}
    assert len(batches) == len({number // EACH for number in batches}), silent
    done = [number for number in told.open if number in arrived]
    forgotten = len([number for number in told.unsure & set(told.open) if number not in arrived])
    print(
        f"{told.kills} kills under {len(told.begun)} commands: {count}; {len(told.open) - len(done) - forgotten} killed before they "
        f"were written down, {len(done)} after they had arrived and before that was told, {forgotten} in a "
        f"memory that was told not to last; {told.again} told twice"
    )
    return count


def test_after_kills_each_command_has_arrived_or_is_told_and_no_step_came_twice(
    mosquitto: Mosquitto, folder: Path, fault_rounds: int
) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    chance, told = random.Random(seed), Told(kills=fault_rounds)
    with Device(mosquitto) as device, processes(folder) as started:
        task = Task(str(folder / "commands.sqlite3"), mosquitto.port)
        for number in range(fault_rounds):
            child = replace(task, first=number * EACH, count=EACH)
            told.take(
                started.run(child, lines=chance.randrange(3, 150), wait_s=chance.uniform(0, MOST_WAIT_S)),
                was_durable=True,
            )
        told.take(started.run(task), was_durable=True)
        device.wait_for_all()
    count = _check(told, device)
    assert not count.expired
    assert count.confirmed > fault_rounds


def test_after_kills_reboots_and_jumps_of_the_clock_nothing_is_late_twice_or_lost(
    mosquitto: Mosquitto, folder: Path, fault_rounds: int
) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    chance, told = random.Random(seed), Told(kills=fault_rounds)
    with Device(mosquitto) as device, processes(folder) as started:
        task = Task(str(folder / "commands.sqlite3"), mosquitto.port)
        for number in range(fault_rounds):
            boot = chance.choice([SYSTEM_CLOCK.boot_id, f"boot {number}"])
            jump_s = chance.choice([0, 3600, -3600, 1e9, -1e9])
            child = replace(task, first=number * EACH, count=EACH, boot=boot, jump_s=jump_s)
            told.take(
                started.run(child, lines=chance.randrange(3, 150), wait_s=chance.uniform(0, MOST_WAIT_S)),
                was_durable=True,
            )
        told.take(started.run(task), was_durable=True)
        device.wait_for_all()
    _check(told, device)


def test_a_disk_that_is_full_now_and_then_loses_nothing_in_silence_and_repeats_no_step(
    mosquitto: Mosquitto, folder: Path, fault_rounds: int
) -> None:
    if not _can_mount(folder):
        pytest.skip("no small disk can be mounted here without being root")
    seed = random.randrange(10**6)
    print("seed", seed)
    chance, told = random.Random(seed), Told(kills=fault_rounds)
    with Device(mosquitto) as device, processes(folder, on_small_disk=True) as started:
        task, was_durable = Task(str(folder / "commands.sqlite3"), mosquitto.port), True
        for number in range(fault_rounds):
            child = replace(task, first=number * EACH, count=EACH, fills_disk=chance.randrange(10**6))
            was_durable = told.take(
                started.run(child, lines=chance.randrange(50, 250), wait_s=chance.uniform(0, MOST_WAIT_S)),
                was_durable=was_durable,
            )
            if not was_durable:
                told.unsure |= set(told.open)
        told.take(started.run(replace(task, first=number * EACH + EACH, count=50)), was_durable=was_durable)
        device.wait_for_all()
    _check(told, device)
    assert told.fulls


def _can_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f"{MOUNT}true", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
