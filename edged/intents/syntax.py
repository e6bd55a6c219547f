"""Why a text is no JSON, in plain words: what is probably meant, and where."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, TypeAlias

from edged.intents.suggest import quote, shorten

Complaint: TypeAlias = tuple[str, str, int]
"""What is wrong, what to write instead, and at which character."""

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_WORD: Final = re.compile(r"[\w$.-]+")
_CLOSING: Final = {"{": "}", "[": "]"}
_LITERALS: Final = {
    "true": "true", "false": "false", "none": "null", "null": "null", "nil": "null", "undefined": "null",
    "yes": "true", "no": "false",
}  # fmt: skip


def explain_syntax(text: str, error: json.JSONDecodeError) -> Complaint:
    """The likely cause of what the JSON reader met at one place of `text`."""
    if not text.strip():
        return "the file is empty", "write an intent: an object in { }", 0
    explain = _EXPLAIN.get(error.msg)
    found = _explain_anywhere(text, error.pos) or (explain(text, error.pos) if explain else None)
    return found or (f"is not valid JSON: {error.msg}", "mend what stands here or before it", error.pos)


def _explain_anywhere(text: str, position: int) -> Complaint | None:
    rest = text[position : position + 2]
    if rest.startswith("#") or rest in ("//", "/*"):
        return "a comment: JSON has none", 'remove it, or write it as "description" or "$comment"', position
    if rest.startswith("'"):
        return "a text in single quotes", 'write it in double quotes: "..."', position
    if rest[:1] in ("“", "”", "„", "«"):
        return "a text in typographic quotes", 'write it in plain double quotes: "..."', position
    if rest.startswith("\ufeff"):
        return "an invisible mark (U+FEFF)", "save the file as UTF-8 without a byte order mark", position
    return _explain_end(text) if position >= len(text.rstrip()) else None


def _explain_end(text: str) -> Complaint:
    stack: list[int] = []
    for mark in _BRACKET.finditer(text):
        if mark[0] in _CLOSING:
            stack.append(mark.start())
        elif mark[0] in _CLOSING.values() and stack:
            stack.pop()
    if not stack:
        return "the file ends too early", "write what is missing at its end", len(text.rstrip())
    opened = text[stack[-1]]
    return f'the file ends before this "{opened}" is closed', f'add the missing "{_CLOSING[opened]}"', stack[-1]


def _explain_key(text: str, position: int) -> Complaint:
    before = _last_mark(text, position)
    if text[position] in "}]" and before is not None and text[before] == ",":
        return _trailing_comma(before)
    word = _WORD.match(text, position)
    if word:
        return f"the key {quote(word[0])} stands without quotes", f'write "{shorten(word[0])}"', position
    return f"{quote(text[position])} where a key must stand", 'write a key in double quotes: "key": value', position


def _explain_value(text: str, position: int) -> Complaint:
    before = _last_mark(text, position)
    if text[position] in "}]" and before is not None and text[before] == ",":
        return _trailing_comma(before)
    if text[position] in ",}]":
        return "a value is missing here", "write a value, or remove a comma too many", position
    if text[position] in "+." or re.match(r"-\.", text[position : position + 2]):
        return "a number that JSON does not know", "write a digit first: 0.5, -0.5, 5", position
    word = _WORD.match(text, position)
    literal = _LITERALS.get(word[0].lower()) if word else None
    if word and literal:
        return f"{quote(word[0])} without quotes is no JSON value", f"write {literal}", position
    if word:
        return f"{quote(word[0])} stands without quotes", f'write "{shorten(word[0])}"', position
    return f"{quote(text[position])} where a value must stand", 'write a "text", a number, { } or [ ]', position


def _explain_comma(text: str, position: int) -> Complaint:
    mark = text[position]
    if mark in "]}":
        return f'"{mark}" closes what was opened with the other bracket', "exchange or add a bracket", position
    if mark == ":":
        return "a colon where a comma must stand", "check the quotes and brackets before it", position
    if mark in '"{[':
        return "a comma is missing before this", 'write "," after what stands before it', position
    before = _last_mark(text, position)
    if before is not None and text[before] == '"':
        return "a text ends before this", r"write a quote inside of a text as \"; else a comma is missing", position
    return "what stands here does not belong to what stands before it", "a comma or a quote is missing", position


def _explain_colon(_text: str, position: int) -> Complaint:
    return "a colon is missing after the key", 'write "key": value; check that the quotes are in pairs', position


def _explain_string(text: str, position: int) -> Complaint:
    if position < len(text) and text[position] == '"':
        return "this text is never closed", 'add the missing quote "', position
    if text[position : position + 1] == "\t":
        return "a tab inside of a text", "write a blank", position
    start = text.rfind('"', 0, position)
    return "this text runs over the end of its line", 'close it with a quote " on the same line', max(start, 0)


def _explain_escape(_text: str, position: int) -> Complaint:
    return "a backslash that JSON does not know", r"write \\ for a backslash; \", \n, \t, \uXXXX are known", position


def _explain_extra(_text: str, position: int) -> Complaint:
    return "something follows after the end of the object", "remove it, or a bracket too many before it", position


def _trailing_comma(position: int) -> Complaint:
    return "a comma after the last entry", "remove it", position


def _last_mark(text: str, position: int) -> int | None:
    """Where the last character before `position` is that is no blank."""
    before = len(text[:position].rstrip())
    return before - 1 if before else None


_EXPLAIN: Final[dict[str, Callable[[str, int], Complaint]]] = {
    "Expecting property name enclosed in double quotes": _explain_key,
    "Illegal trailing comma before end of object": lambda _text, position: _trailing_comma(position),
    "Illegal trailing comma before end of array": lambda _text, position: _trailing_comma(position),
    "Expecting value": _explain_value,
    "Expecting ',' delimiter": _explain_comma,
    "Expecting ':' delimiter": _explain_colon,
    "Invalid control character at": _explain_string,
    "Unterminated string starting at": _explain_string,
    "Invalid \\escape": _explain_escape,
    "Invalid \\uXXXX escape": _explain_escape,
    "Extra data": _explain_extra,
}
"""By the message of Python's JSON reader."""
