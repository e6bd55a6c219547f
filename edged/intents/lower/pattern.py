"""A regular expression as JSON Schema writes it (ECMA-262, in Unicode mode) -> its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from edged.intents.lower.automaton import LAST_CHARACTER
from edged.intents.lower.refusal import Refusal

MAX_PATTERN_CHARACTERS: Final = 1000
MAX_GROUPS: Final = 30
"""Groups inside each other."""
MAX_REPETITIONS: Final = 1000
"""Of a counted quantifier: each one is a copy."""

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""First and last code points, rising, without overlap or neighbours."""


@dataclass(frozen=True, slots=True)
class Characters:
    """Any one character of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place without width."""

    kind: Literal["start", "end", "boundary", "inside"]


@dataclass(frozen=True, slots=True)
class Chain:
    """The items one after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Any one of the items."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """The item `least` to `greatest` times; None has no end."""

    item: Node
    least: int
    greatest: int | None


Node: TypeAlias = Characters | Assertion | Chain | Either | Repeated


def merge(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same characters in rising order, without overlap."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def invert(ranges: Ranges) -> Ranges:
    """All other characters."""
    starts = (0, *(last + 1 for _, last in ranges))
    ends = (*(first - 1 for first, _ in ranges), LAST_CHARACTER)
    return tuple((first, last) for first, last in zip(starts, ends, strict=True) if first <= last)


DIGIT: Final[Ranges] = ((0x30, 0x39),)
WORD: Final[Ranges] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACES: Final[Ranges] = merge(
    (
        (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
        (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
    )
)  # fmt: skip
_LINE_ENDS: Final[Ranges] = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CLASSES: Final = {
    "d": DIGIT, "D": invert(DIGIT), "w": WORD, "W": invert(WORD), "s": _SPACES, "S": invert(_SPACES),
}  # fmt: skip
_CONTROLS: Final = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0}
_SYNTAX: Final = frozenset("^$\\.*+?()[]{}|/")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_ADVICE: Final = "use literal characters, classes, groups, |, quantifiers, ^, $, \\b, \\d, \\w and \\s"


def parse_pattern(text: str) -> Node:
    """The parts of a pattern.

    Raises:
        Refusal: it is no ECMA-262 regular expression, or one that no automaton can follow.
    """
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise Refusal(f"has more than {MAX_PATTERN_CHARACTERS} characters", "write a shorter pattern")
    parser = _Parser(text)
    node = parser.alternatives(0)
    if parser.rest:
        raise parser.refusal('a ")" closes no group', "write \\) for the character itself")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    @property
    def rest(self) -> str:
        """What has not been read, its first characters."""
        return self._text[self._place : self._place + 4]

    def refusal(self, what: str, remedy: str = _ADVICE) -> Refusal:
        """Names the place as well."""
        return Refusal(f"character {self._place + 1} of the pattern: {what}", remedy)

    def alternatives(self, depth: int) -> Node:
        """Everything up to the end or the parenthesis that closes."""
        if depth > MAX_GROUPS:
            raise self.refusal(f"groups are nested more than {MAX_GROUPS} deep", "write a flatter pattern")
        branches = [self._chain(depth)]
        while self._take("|"):
            branches.append(self._chain(depth))
        return branches[0] if len(branches) == 1 else Either(tuple(branches))

    def _chain(self, depth: int) -> Node:
        items: list[Node] = []
        while self.rest and self.rest[0] not in "|)":
            items.append(self._quantified(self._atom(depth)))
        return items[0] if len(items) == 1 else Chain(tuple(items))

    def _atom(self, depth: int) -> Node:
        mark = self._next()
        if mark in "*+?{}]":
            self._place -= 1
            raise self.refusal(f'"{mark}" has nothing before it', f"write \\{mark} for the character itself")
        if mark == "(":
            return self._group(depth)
        if mark == "[":
            return Characters(self._class())
        if mark == "\\":
            if self.rest[:1] in ("b", "B"):
                return Assertion("boundary" if self._next() == "b" else "inside")
            return Characters(self._escape())
        if mark in "^$":
            return Assertion("start" if mark == "^" else "end")
        return Characters(invert(_LINE_ENDS) if mark == "." else ((ord(mark), ord(mark)),))

    def _group(self, depth: int) -> Node:
        if self._take("?:"):
            pass
        elif self.rest.startswith(("?=", "?!", "?<=", "?<!")):
            raise self.refusal("looks ahead or behind", 'say it with alternatives, or with "allOf" and "not"')
        elif self._take("?<"):
            while self._next() != ">":
                pass
        elif self.rest.startswith("?"):
            raise self.refusal("is an unknown kind of group")
        node = self.alternatives(depth + 1)
        if not self._take(")"):
            raise self.refusal('a "(" is not closed', "close it, or write \\( for the character itself")
        return node

    def _quantified(self, atom: Node) -> Node:
        bounds = self._quantifier()
        if bounds is None:
            return atom
        if isinstance(atom, Assertion):
            raise self.refusal("repeats a place without width", "drop the quantifier")
        self._take("?")  # a lazy quantifier accepts the same texts
        if self.rest[:1] in tuple("*+?{"):
            raise self.refusal("has two quantifiers", "put the first into a group (?:...)")
        return Repeated(atom, *bounds)

    def _quantifier(self) -> tuple[int, int | None] | None:
        mark = self.rest[:1]
        if mark in ("*", "+", "?"):
            self._place += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[mark]
        if not self._take("{"):
            return None
        least = self._number()
        greatest: int | None = least
        if self._take(","):
            greatest = None if self.rest[:1] == "}" else self._number()
        if not self._take("}") or (greatest is not None and greatest < least):
            raise self.refusal("is no quantifier", "write {2}, {2,} or {2,5}, or \\{ for the character itself")
        return least, greatest

    def _number(self) -> int:
        start = self._place
        while self.rest[:1] in tuple("0123456789"):
            self._place += 1
        digits = self._text[start : self._place]
        if not digits:
            raise self.refusal("is no quantifier", "write {2}, {2,} or {2,5}, or \\{ for the character itself")
        if len(digits) > 4 or int(digits) > MAX_REPETITIONS:
            raise self.refusal(f"repeats more than {MAX_REPETITIONS} times", "use a smaller count, or * or +")
        return int(digits)

    def _class(self) -> Ranges:
        inverted = self._take("^")
        ranges: list[tuple[int, int]] = []
        while not self._take("]"):
            first = self._member()
            if self.rest[:1] == "-" and self.rest[1:2] not in ("]", ""):
                self._place += 1
                last = self._member()
                if not _is_single(first) or not _is_single(last) or first[0][0] > last[0][0]:
                    raise self.refusal("is no range of characters", "write \\- for a hyphen")
                ranges.append((first[0][0], last[0][0]))
            else:
                ranges += first
        merged = merge(ranges)
        return invert(merged) if inverted else merged

    def _member(self) -> Ranges:
        mark = self._next()
        if mark != "\\":
            return ((ord(mark), ord(mark)),)
        if self._take("b"):
            return ((0x08, 0x08),)
        return ((0x2D, 0x2D),) if self._take("-") else self._escape()

    def _escape(self) -> Ranges:
        mark = self._next()
        if mark in _CLASSES:
            return _CLASSES[mark]
        if mark in _CONTROLS and not (mark == "0" and self.rest[:1].isdigit()):
            code = _CONTROLS[mark]
        elif mark in "xu":
            code = self._code(mark)
        elif mark == "c" and self.rest[:1].isascii() and self.rest[:1].isalpha():
            code = ord(self._next()) % 32
        elif mark in _SYNTAX:
            code = ord(mark)
        else:
            self._place -= 1
            raise self.refusal(f'"\\{mark}" {_WHY.get(mark, "is no escape")}')
        return ((code, code),)

    def _code(self, mark: str) -> int:
        if mark == "u" and self._take("{"):
            digits = ""
            while not self._take("}"):
                digits += self._next()
            return self._hexadecimal(digits)
        code = self._digits(2 if mark == "x" else 4)
        if 0xD800 <= code <= 0xDBFF and self.rest.startswith("\\u"):
            self._place += 2
            low = self._digits(4)
            if not 0xDC00 <= low <= 0xDFFF:
                raise self.refusal("is half of a character", "write \\u{...} with the whole code point")
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        return code

    def _digits(self, count: int) -> int:
        digits = self._text[self._place : self._place + count]
        self._place += len(digits)
        return self._hexadecimal(digits if len(digits) == count else "")

    def _hexadecimal(self, digits: str) -> int:
        if not digits or len(digits) > 6 or not _HEX.issuperset(digits) or int(digits, 16) > LAST_CHARACTER:
            raise self.refusal("is no code of a character", "write \\xHH, \\uHHHH or \\u{HHHHH}")
        return int(digits, 16)

    def _next(self) -> str:
        if not self.rest:
            raise self.refusal("ends too early", "close every group and class; write \\\\ for a backslash")
        self._place += 1
        return self._text[self._place - 1]

    def _take(self, marks: str) -> bool:
        if not self._text.startswith(marks, self._place):
            return False
        self._place += len(marks)
        return True


_WHY: Final = {
    **dict.fromkeys("123456789k", "refers back to a group"),
    **dict.fromkeys("pP", "asks for a Unicode property"),
}


def _is_single(ranges: Ranges) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def find_parts(node: Node) -> Iterator[Node]:
    """The node and everything in it."""
    yield node
    if isinstance(node, Chain | Either):
        for item in node.items:
            yield from find_parts(item)
    elif isinstance(node, Repeated):
        yield from find_parts(node.item)
