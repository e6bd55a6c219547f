from __future__ import annotations

from collections.abc import Iterator

import pytest

from edged.hear.listening import ONCE_S, Listening
from edged.types import AudioChunk, ListenMode


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Ear:
    """A switch, what it has told, and what is heard of numbered chunks."""

    def __init__(self, *, on: bool) -> None:
        self.told: list[bool] = []
        self.clock = Clock()
        self.listening = Listening(on=on, on_change=self.told.append, clock=self.clock)

    def hear(self, *steps: ListenMode | int | str) -> list[list[int]]:
        """What each time of listening brings: a number is a chunk, "end" the end of an utterance within it."""
        heard: list[list[int]] = []
        for part in self.listening.parts(self._chunks(steps)):
            heard.append([])
            for chunk in part:
                heard[-1].append(chunk.start_ns)
        return heard

    def _chunks(self, steps: tuple[ListenMode | int | str, ...]) -> Iterator[AudioChunk]:
        for step in steps:
            if isinstance(step, int):
                yield AudioChunk(b"\0\0", step)
            elif step == "end":
                self.listening.end_utterance()
            elif step == "late":
                self.clock.now_s += ONCE_S
            elif step in ("once", "on", "off"):
                self.listening.set(step)  # type: ignore[arg-type]


def test_all_sound_is_one_part_while_it_is_on() -> None:
    ear = Ear(on=True)
    assert ear.hear(1, 2, "end", 3, "once", 4, "end", 5) == [[1, 2, 3, 4, 5]]
    assert ear.told == []


def test_nothing_is_heard_while_it_is_off() -> None:
    ear = Ear(on=False)
    assert ear.hear(1, 2, "end", 3) == []
    assert ear.told == []


def test_each_time_of_listening_is_a_part_of_its_own() -> None:
    ear = Ear(on=True)
    assert ear.hear(1, "off", 2, 3, "on", 4, 5, "off", 6) == [[1], [4, 5]]
    assert ear.told == [False, True, False]


def test_once_ends_with_the_utterance() -> None:
    ear = Ear(on=False)
    assert ear.hear(1, "once", 2, 3, "end", 4, 5, "once", 6) == [[2, 3], [6]]
    assert ear.told == [True, False, True]


def test_once_ends_after_its_time_where_nothing_is_said() -> None:
    ear = Ear(on=False)
    assert ear.hear("once", 1, "late", 2) == [[1]]
    assert ear.told == [True, False]


def test_once_again_begins_its_time_anew() -> None:
    ear = Ear(on=False)
    ear.listening.set("once")
    ear.clock.now_s += ONCE_S - 1
    ear.listening.set("once")
    ear.clock.now_s += ONCE_S - 1
    assert ear.hear(1, "late", 2) == [[1]]
    assert ear.told == [True, False]


@pytest.mark.parametrize("last", ["on", "off"])
def test_a_switch_that_is_turned_while_listening_once_stays_as_it_was_turned(last: ListenMode) -> None:
    ear = Ear(on=False)
    assert ear.hear("once", 1, last, 2, "late", "end", 3) == ([[1, 2, 3]] if last == "on" else [[1]])
    assert ear.told == ([True] if last == "on" else [True, False])


def test_what_is_turned_as_it_stands_is_not_told() -> None:
    ear = Ear(on=False)
    for mode in ("off", "off", "on", "on"):
        ear.listening.set(mode)
    assert ear.told == [True]


@pytest.mark.parametrize("on", [True, False])
def test_how_it_stands_can_be_told(on: bool) -> None:
    ear = Ear(on=on)
    ear.listening.tell()
    assert ear.told == [on]
