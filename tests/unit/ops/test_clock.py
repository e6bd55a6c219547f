from __future__ import annotations

import time

from edged.ops.clock import SYSTEM_CLOCK, Moment, read_clock
from tests.unit.act.fakes import FakeClock


def _left_s(clocks: FakeClock, moment: Moment) -> float | None:
    left_ns = clocks.clock.left_ns(moment)
    return None if left_ns is None else left_ns / 1e9


def test_time_that_passes_counts_and_a_suspend_with_it() -> None:
    clocks = FakeClock()
    moment = clocks.clock.moment_in(10 * 10**9)
    clocks.pass_s(3)
    assert _left_s(clocks, moment) == 7
    clocks.suspend_s(60)
    assert _left_s(clocks, moment) == -53


def test_a_jump_of_the_wall_clock_changes_nothing_within_one_boot() -> None:
    clocks = FakeClock()
    moment = clocks.clock.moment_in(10 * 10**9)
    for seconds in (86_400, -2 * 86_400):
        clocks.jump_s(seconds)
        assert _left_s(clocks, moment) == 10


def test_after_a_reboot_the_wall_clock_decides() -> None:
    clocks = FakeClock()
    moment = clocks.clock.moment_in(10 * 10**9)
    assert _left_s(clocks.reboot(4), moment) == 6
    assert _left_s(clocks.reboot(40), moment) == -30


def test_after_a_reboot_a_clock_that_went_back_or_was_not_set_yet_tells_nothing() -> None:
    clocks = FakeClock()
    moment = clocks.clock.moment_in(10 * 10**9)
    assert _left_s(clocks.reboot(-1), moment) is None
    later = clocks.reboot(4)
    later.is_synchronized = False
    assert _left_s(later, moment) is None


def test_the_clocks_of_this_machine_can_be_read() -> None:
    clock = read_clock()
    assert clock.boot_id == SYSTEM_CLOCK.boot_id
    assert clock.is_synchronized() in (True, False)
    left_ns = clock.left_ns(clock.moment_in(10**9))
    assert left_ns is not None
    assert 0 < left_ns <= 10**9
    assert abs(clock.wall_ns() - time.time_ns()) < 60 * 10**9
