"""Whether the devices did what they were told: nobody is told "done" before a device's own state shows it.

Of each command that the broker has, one message says what became of it at its device:

- `confirmed`: a state that came after the command shows it, or the state has become what was asked for. A cover that
  tells its position must have arrived; one that only echoes where it is to go is taken at its word. A device that says
  nothing where nothing changes is confirmed at the end of the time by what it had said before.
- `unconfirmed`: no such state came in time. What was assumed of the device is given up.
- `sent`: nothing can be said, as of a device that tells no state. So ends also what a newer command about the same
  thing has overtaken, what was under way when edged stopped, and what came while MAX_PENDING others were waited for:
  these are left to go on, since they began before, and some of them are covers that move for a minute.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from edged.act.driver import State, number_of
from edged.act.drivers import DRIVERS
from edged.act.goal import Goal, goal_of, is_shown
from edged.act.mapping import DeviceChange
from edged.act.messages import Report, report_result
from edged.act.state import DeviceStates
from edged.intents.home import Device, name_of
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.types import Command, ResultStatus, SlotValue

logger = logging.getLogger(__name__)

MAX_PENDING: Final = 1000
"""Commands that are waited for at one time: all lamps of a large house at once."""
MOVING_S: Final = 90.0
"""How long a cover or a gate may take beyond the usual time; shutters take a minute from end to end."""

TELLS_NOTHING: Final = "its state does not tell"
OVERTAKEN: Final = "a newer command took its place"
TOO_MANY: Final = f"not followed: {MAX_PENDING} other commands wait for their devices"
STOPPED: Final = "edged stopped before it was confirmed"
RESTARTED: Final = "sent after a restart, and not followed"
SAID_BEFORE: Final = "it had said so before"

_MOVING: Final = frozenset({"cover", "position", "position_step", "tilt"})


@dataclass(slots=True, eq=False)
class Expectation:
    """What one command is expected to bring about."""

    command: Command
    change: DeviceChange
    expected: State
    """In the device's own words."""
    goal: Goal
    before: Mapping[str, SlotValue]
    """What the device told before the command."""
    answers: int
    """How many messages it had sent by then."""
    number: int
    """In the order in which they came."""
    ends_ns: int = 0

    @property
    def device(self) -> Device:
        """Whose state is to show it."""
        return self.change.device


class Confirmations:
    """Thread-safe; nothing in it waits. `look` is called after each state message, `tick` every half second or so."""

    def __init__(
        self,
        states: DeviceStates,
        *,
        node: str,
        confirm_s: float,
        report: Callable[[Report], bool],
        metrics: Metrics = UNCOUNTED,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._states = states
        self._node = node
        self._confirm_s = confirm_s
        self._report = report
        self._metrics = metrics
        self._clock = clock
        self._lock = threading.Lock()
        """Over the three below."""
        self._pending: dict[str, list[Expectation]] = {}
        self._count = 0
        self._number = 0

    @property
    def pending(self) -> int:
        """How many commands are waited for."""
        return self._count

    def expect(self, change: DeviceChange, command: Command) -> Expectation:
        """Notes how things are before the command goes out: the device may answer before the broker does."""
        device = change.device
        expected = DRIVERS[device.driver].assume(device, command)
        answers = self._states.answers_of(device.key)
        with self._lock:
            self._number += 1
            number = self._number
        return Expectation(command, change, expected, goal_of(change, expected), self._told(device), answers, number)

    def begin(self, expectation: Expectation) -> None:
        """The broker has the command: its device has the stated time from now on."""
        device = expectation.device
        if not DRIVERS[device.driver].tells(device, expectation.expected):
            self._conclude(expectation, "sent", TELLS_NOTHING)
            return
        expectation.ends_ns = self._clock() + round(_time_of(expectation, self._confirm_s) * 1e9)
        with self._lock:
            waiting = self._pending.get(device.key, [])
            overtaken = [older for older in waiting if _is_overtaken(older, expectation)]
            self._forget(overtaken)
            is_full = self._count >= MAX_PENDING
            if not is_full:
                self._pending.setdefault(device.key, []).append(expectation)
                self._count += 1
        for older in overtaken:
            self._conclude(older, "sent", OVERTAKEN)
        if is_full:
            self._conclude(expectation, "sent", TOO_MANY)
        else:
            self.look((device.key,))

    def lose(self, command: Command) -> None:
        """The broker has a command of which nothing was noted, from before a restart."""
        self._metrics.count_result("sent")
        self._report(report_result(self._node, command, "sent", RESTARTED))

    def look(self, devices: Collection[str]) -> None:
        """These devices have said something."""
        with self._lock:
            shown = [one for device in devices for one in self._pending.get(device, ()) if self._is_shown(one)]
            self._forget(shown)
        for one in shown:
            self._conclude(one, "confirmed", "")

    def tick(self) -> None:
        """Ends the waiting of those whose time is over."""
        now_ns = self._clock()
        with self._lock:
            over = [one for waiting in self._pending.values() for one in waiting if one.ends_ns <= now_ns]
            self._forget(over)
        for one in over:
            self._give_up(one)

    def close(self) -> None:
        """Says of all that are waited for that nobody waits any more."""
        with self._lock:
            left = [one for waiting in self._pending.values() for one in waiting]
            self._forget(left)
        for one in left:
            self._conclude(one, "sent", STOPPED)

    def _told(self, device: Device) -> Mapping[str, SlotValue]:
        return DRIVERS[device.driver].interpret(device, self._states.told_by(device.key))

    def _is_shown(self, one: Expectation) -> bool:
        """What the device had said before counts only where it has changed, or was said again."""
        if not is_shown(one.goal, one.before, self._told(one.device)):
            return False
        has_answered = self._states.answers_of(one.device.key) > one.answers
        return has_answered or not is_shown(one.goal, one.before, one.before)

    def _give_up(self, one: Expectation) -> None:
        device = one.device
        has_shown = is_shown(one.goal, one.before, self._told(device))
        if has_shown and not DRIVERS[device.driver].repeats_itself:
            self._conclude(one, "confirmed", SAID_BEFORE)
            return
        has_answered = self._states.answers_of(device.key) > one.answers
        self._states.retract(device.key, one.expected)
        seconds = _time_of(one, self._confirm_s)
        what = "says something else" if has_answered else "has said nothing"
        logger.warning("utterance %s: %s %s within %g s", one.command.intent_id, device.key, what, seconds)
        self._conclude(one, "unconfirmed", f"{name_of(device)} {what} within {seconds:g} s")

    def _conclude(self, one: Expectation, status: ResultStatus, reason: str) -> None:
        self._metrics.count_result(status)
        logger.debug("utterance %s: %s: %s %s", one.command.intent_id, one.device.key, status, reason)
        self._report(report_result(self._node, one.command, status, reason))

    def _forget(self, ended: Collection[Expectation]) -> None:
        for one in ended:
            waiting = self._pending[one.device.key]
            waiting.remove(one)
            if not waiting:
                del self._pending[one.device.key]
            self._count -= 1


def _is_overtaken(older: Expectation, newer: Expectation) -> bool:
    """Commands of one change stand beside each other, as the mode and the temperature of a thermostat do."""
    return older.change is not newer.change and older.number < newer.number and newer.goal.replaces(older.goal)


def _time_of(one: Expectation, confirm_s: float) -> float:
    change = one.change.change
    moving_s = 0.0 if _MOVING.isdisjoint(change) else MOVING_S
    return confirm_s + moving_s + number_of(change.get("transition"))
