"""Moments that a later process can still place: after a suspend, a jump of the clock, or a reboot.

Within one boot the time since the boot decides, which counts on while the machine is suspended and knows no jumps.
Across a reboot only the wall clock is left. A Pi has no clock of its own that runs without power: until it has been
set over the network, it may show a time hours ago, and what is long over would seem to be still to come. So the wall
clock is believed only where the kernel says that it is synchronised.
"""

from __future__ import annotations

import ctypes
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_TIMEX_BYTES: Final = 512
"""More than any platform's `struct timex` takes (208 on 64-bit Linux)."""
_TIME_ERROR: Final = 5
"""What adjtimex(2) answers while the clock is not synchronised."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is due or ends, as it was foreseen at `written_ns`."""

    boot_id: str
    boot_ns: int
    """Since that boot."""
    wall_ns: int
    """Since 1970, UTC."""
    written_ns: int
    """The wall clock when this was written."""


@dataclass(frozen=True, slots=True)
class Clock:
    """All clocks of this machine; tests put their own in."""

    boot_id: str
    """Of this boot, no other has it."""
    monotonic_ns: Callable[[], int]
    """What `types` counts in; it stands still while the machine is suspended."""
    boot_ns: Callable[[], int]
    """Since the boot, suspended or not."""
    wall_ns: Callable[[], int]
    is_synchronized: Callable[[], bool]
    """Whether the wall clock can be believed."""

    def moment_in(self, left_ns: int) -> Moment:
        """The moment `left_ns` from now."""
        wall_ns = self.wall_ns()
        return Moment(self.boot_id, self.boot_ns() + left_ns, wall_ns + left_ns, wall_ns)

    def left_ns(self, moment: Moment) -> int | None:
        """How long it is until then, negative where it is over; None where that cannot be told."""
        if moment.boot_id == self.boot_id:
            return moment.boot_ns - self.boot_ns()
        now_ns = self.wall_ns()
        if now_ns < moment.written_ns or not self.is_synchronized():
            return None
        return moment.wall_ns - now_ns


def read_clock() -> Clock:
    """The clocks of this machine. Where it does not name its boots, every process counts as one."""
    try:
        boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot_id = uuid.uuid4().hex
    return Clock(boot_id, time.monotonic_ns, _boot_ns, time.time_ns, _is_synchronized)


def _boot_ns() -> int:
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _is_synchronized() -> bool:
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return False
    return bool(0 <= adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) < _TIME_ERROR)


SYSTEM_CLOCK: Final = read_clock()
