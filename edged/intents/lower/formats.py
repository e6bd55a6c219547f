"""The formats of strings, as automata: RFC 3339 dates and times, UUIDs, mail addresses.

A date has a year from 0001 on. A leap second is the last one of a day in UTC, on any day. A mail address is a mailbox
of RFC 5321 without comments: a dotted or quoted local part in ASCII, then a host name or an address in brackets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final, TypeAlias

from edged.intents.lower.automaton import Automaton, append, explore, from_texts, subtract
from edged.intents.lower.refusal import Work
from edged.intents.lower.search import search_automaton

_DAYS: Final = r"(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8])"
_LEAP_YEARS: Final = r"\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00"
DATE: Final = rf"^(?:\d{{4}}-(?:{_DAYS})|(?:{_LEAP_YEARS})-02-29)$"
"""With the year 0000, which is taken out apart."""
_AFTER_TENS: Final = r"^\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$"
"""What follows the tens of the seconds of a time, where they are less than six."""
UUID: Final = r"^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$"

_ATOM: Final = r"[\w!#$%&'*+/=?^`{|}~-]+"
_QUOTED: Final = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_BYTE: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4: Final = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_H: Final = r"[0-9A-Fa-f]{1,4}"
_IPV6: Final = "|".join(
    (
        rf"(?:{_H}:){{7}}{_H}",
        *(rf"(?:{_H}(?::{_H}){{0,{left - 1}}})?::(?:{_H}(?::{_H}){{0,{6 - left}}})?" for left in range(1, 7)),
    )
)
EMAIL: Final = rf"^(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:{_LABEL}(?:\.{_LABEL})*|\[(?:{_IPV4}|IPv6:(?:{_IPV6}))\])$"


@cache
def _date() -> Automaton:
    work = Work()
    year_zero = search_automaton("^0000-", work)
    return subtract(search_automaton(DATE, work), year_zero, work)


@cache
def _time() -> Automaton:
    work = Work()
    tail = search_automaton(_AFTER_TENS, work)

    def step(state: _Clock) -> Iterator[tuple[int, int, _Clock]]:
        if state[0] == "tail":
            for first, last, target in tail.edges[state[1]]:
                yield first, last, ("tail", target, 0)
        else:
            yield from _next_clocks(state)

    def is_accepting(state: _Clock) -> bool:
        return state[0] == "done" or (state[0] == "tail" and state[1] in tail.accepting)

    return explore(("start", 0, 0), step, is_accepting, work)


@cache
def _date_time() -> Automaton:
    work = Work()
    return append(append(_date(), from_texts(("T", "t"), work), work), _time(), work)


@cache
def _uuid() -> Automaton:
    return search_automaton(UUID, Work())


@cache
def _email() -> Automaton:
    return search_automaton(EMAIL, Work())


FORMATS: Final[Mapping[str, Callable[[], Automaton]]] = {
    "date": _date,
    "time": _time,
    "date-time": _date_time,
    "uuid": _uuid,
    "email": _email,
}

_Clock: TypeAlias = tuple[str, int, int]
"""What was read last, and two numbers: first the hour and minute of the clock, then those that the offset must have.

A second of 60 is the last one before midnight in UTC, so the offset follows from the clock; with any other second, what
follows is free ("tail").
"""


def _next_clocks(state: _Clock) -> Iterator[tuple[int, int, _Clock]]:
    at, hour, minute = state
    if at == "::":
        yield ord("0"), ord("5"), ("tail", 0, 0)
    if at in _MARKS:
        mark, after = _MARKS[at]
        yield ord(mark), ord(mark), (after, hour, minute)
    elif at in _FREE or at in _FORCED:
        yield from _next_digits(state)
    elif at in ("60", "fraction"):
        yield from _next_signs(state)
    if at in ("point", "fraction"):
        yield ord("0"), ord("9"), ("fraction", hour, minute)


_MARKS: Final = {
    "hour": (":", ":"),
    "minute": (":", "::"),
    "::": ("6", "6"),
    "6": ("0", "60"),
    "offset hour": (":", "+:"),
}


def _next_digits(state: _Clock) -> Iterator[tuple[int, int, _Clock]]:
    """A digit of the clock is free, one of the offset is as it must be."""
    at, hour, minute = state
    if at in _FREE:
        for digit in range(10):
            after = _FREE[at](digit, hour, minute)
            if after is not None:
                yield ord("0") + digit, ord("0") + digit, after
        return
    digit, after = _FORCED[at](hour, minute)
    yield ord("0") + digit, ord("0") + digit, after


_FREE: Final[Mapping[str, Callable[[int, int, int], _Clock | None]]] = {
    "start": lambda digit, _hour, _minute: ("h", digit, 0) if digit < 3 else None,
    "h": lambda digit, hour, _minute: ("hour", 10 * hour + digit, 0) if 10 * hour + digit < 24 else None,
    ":": lambda digit, hour, _minute: ("m", hour, digit) if digit < 6 else None,
    "m": lambda digit, hour, minute: ("minute", hour, 10 * minute + digit),
}
_FORCED: Final[Mapping[str, Callable[[int, int], tuple[int, _Clock]]]] = {
    "sign": lambda hour, minute: (hour // 10, ("offset h", hour % 10, minute)),
    "offset h": lambda hour, minute: (hour, ("offset hour", 0, minute)),
    "+:": lambda _hour, minute: (minute // 10, ("offset m", 0, minute % 10)),
    "offset m": lambda _hour, minute: (minute, ("done", 0, 0)),
}


def _next_signs(state: _Clock) -> Iterator[tuple[int, int, _Clock]]:
    at, hour, minute = state
    clock = 60 * hour + minute
    if at == "60":
        yield ord("."), ord("."), ("point", hour, minute)
    if clock == 24 * 60 - 1:
        yield ord("Z"), ord("Z"), ("done", 0, 0)
        yield ord("z"), ord("z"), ("done", 0, 0)
    ahead = (clock + 1) % (24 * 60)
    yield ord("+"), ord("+"), ("sign", ahead // 60, ahead % 60)
    behind = -ahead % (24 * 60)
    yield ord("-"), ord("-"), ("sign", behind // 60, behind % 60)
