"""Patterns: what ECMA-262 finds in a text, the automaton finds, and what is no pattern is refused with its place."""

import itertools
import re

import pytest

from edged.intents.accept import exact_validator
from edged.intents.lower.pattern import parse_pattern
from edged.intents.lower.refusal import Refusal, Work
from edged.intents.lower.search import search_automaton

LETTERS = "ab1_ -é\n"
TEXTS = ["".join(letters) for length in range(5) for letters in itertools.product(LETTERS, repeat=length)]


@pytest.mark.parametrize(
    "pattern",
    [
        "", "a", "^a", "a$", "^$", "^a*$", "^a+?b??$", "ab|^b$|1", "^(a|b){2,3}$", "^(?:ab)*$", "^(?<name>a)b$", "a.b", "[ab]1", "[^ab]$",
        r"^\w+$", r"\W", r"\d", r"^\D*$", r"^\S*$", r"\s", r"\ba", r"a\b", r"\b1\b", r"\Ba", r"a\B", r"^\B", r"^(\b|a)b", r"a\n$", r"[\w-]{3}", r"[a\-b]-",
        "a{2}", "a{2,}", "a{0}b", "(a*)*b", "(a|ab)(1|b1)", "^a|b$", "(^a|b)a", "a(b$|1)", "[]", "[^]a", r"\x61", r"\u0061\u{62}", r"[\b]", r"é",
    ],
)  # fmt: skip
def test_what_is_found_is_what_python_finds_with_the_same_meaning(pattern: str) -> None:
    automaton = search_automaton(pattern, Work())
    validator = exact_validator({"pattern": pattern})
    assert [text for text in TEXTS if automaton.accepts(text) != validator.is_valid(text)] == []


@pytest.mark.parametrize(
    "pattern", ["^a*$", "ab|^b$|1", r"^\w+$", r"a\b", r"\b1\b", r"a\B", "a(b$|1)", "[^ab]$", "a.b"]
)
def test_what_is_found_is_what_python_finds_with_its_own_syntax(pattern: str) -> None:
    automaton = search_automaton(pattern, Work())
    python = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    assert [text for text in TEXTS if automaton.accepts(text) != bool(python.search(text))] == []


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^\d$", "٣", False), (r"^\w$", "é", False), ("^.$", "𝄞", True), ("^.$", "\u2028", False), (r"^\s$", "\ufeff", True),
        (r"^\s$", "\x1f", False), ("a$", "a\n", False), (r"^\ud834\udd1e$", "𝄞", True), ("^[𝄞-𝄟]$", "𝄟", True), (r"^\cJ$", "\n", True),
        (r"^\0$", "\0", True), ("^[^a]$", "\n", True), (r"\B", "", True),
    ],
)  # fmt: skip
def test_classes_are_those_of_ecma(pattern: str, text: str, found: bool) -> None:
    assert search_automaton(pattern, Work()).accepts(text) == found
    assert exact_validator({"pattern": pattern}).is_valid(text) == found


@pytest.mark.parametrize(
    ("pattern", "place", "what"),
    [
        ("a(?=b)", 3, "looks ahead"), ("(?<!a)b", 2, "looks ahead or behind"), (r"(a)\1", 5, "refers back"), (r"\k<a>", 2, "refers back"),
        (r"\p{L}", 2, "Unicode property"), ("*a", 1, "nothing before"), ("a{2", 4, "no quantifier"), ("a{3,2}", 7, "no quantifier"),
        ("a**", 3, "two quantifiers"), ("^*", 3, "without width"), ("(a", 3, "not closed"), ("a)", 2, "closes no group"), ("[a", 3, "ends too early"),
        ("[b-a]", 5, "no range"), (r"[\w-a]", 6, "no range"), ("a\\", 3, "ends too early"), (r"\a", 2, "no escape"), (r"\u12", 5, "no code"),
        (r"\u{110000}", 11, "no code"), ("a{1001}", 7, "repeats more"), ("]", 1, "nothing before"), ("(?a)", 2, "unknown kind"), (r"\01", 2, "no escape"),
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused_with_its_place(pattern: str, place: int, what: str) -> None:
    with pytest.raises(Refusal, match=what) as caught:
        parse_pattern(pattern)
    assert f"character {place} of the pattern" in caught.value.what
    assert caught.value.remedy
