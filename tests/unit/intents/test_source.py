from pathlib import Path

import pytest

from edged.intents.source import (
    MAX_DEPTH,
    MAX_FILE_BYTES,
    MAX_KEY_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    MAX_VALUES,
    SourceError,
    SourceFault,
    find_place,
    parse_source,
    read_source,
)


def faults_of(text: str) -> tuple[SourceFault, ...]:
    with pytest.raises(SourceError) as caught:
        parse_source(text)
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "told", "line", "column"),
    [
        ("", "empty", 1, 1),
        ('{\n "a": 1,\n}', "comma after the last", 2, 8),
        ("[1, 2,\n]", "comma after the last", 1, 6),
        ('{"a": 1\n "b": 2}', "comma is missing", 2, 2),
        ('{\n a: 1}', '"a" stands without quotes', 2, 2),
        ("{'a': 1}", "single quotes", 1, 2),
        ('{"a": “x”}', "typographic", 1, 7),
        ('{"a": True}', '"True" without quotes', 1, 7),
        ('{"a": kitchen}', '"kitchen" stands without quotes', 1, 7),
        ('{"a" 1}', "colon is missing", 1, 6),
        ('{"a": }', "value is missing", 1, 7),
        ('{"a": .5}', "a number that JSON does not know", 1, 7),
        ('{"a": "x', "never closed", 1, 7),
        ('{"a": "x\n", "b": 1}', "over the end of its line", 1, 7),
        ('{"a": "x\ty"}', "a tab", 1, 9),
        ('{"a": "\\q"}', "backslash", 1, 8),
        ('{"a": 1} // x', "comment", 1, 10),
        ('{"a": 1, # x\n "b": 2}', "comment", 1, 10),
        ('{"a": 1} {', "follows after the end", 1, 10),
        ('{"a": [1}', "other bracket", 1, 9),
        ('{\n"a": {"b": 1}', 'before this "{" is closed', 1, 1),
        ('{"a": "turn" on"}', "a text ends before this", 1, 14),
    ],
)  # fmt: skip
def test_broken_json_is_explained_in_plain_words(text: str, told: str, line: int, column: int) -> None:
    (fault,) = faults_of(text)
    assert told in fault.what
    assert (fault.line, fault.column) == (line, column)
    assert fault.remedy


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("1e400", "larger than any number"),
        ("1" + "0" * 5000, "a number of more than"),
        ("-1e400", "larger than any number"),
        ("1e-400", "smaller than anything"),
        ("NaN", "NaN"),
        ("-Infinity", "Infinity"),
        ('"\\ud800"', "half of a character (U+D800)"),
        ('"\\u0000"', "cannot be seen (U+0000)"),
        ('"\u202e"', "cannot be seen (U+202E)"),
        (f'"{"x" * (MAX_TEXT_CHARACTERS + 1)}"', "a text of more than"),
        (f'{{"{"x" * (MAX_KEY_CHARACTERS + 1)}": 1}}', "a key of more than"),
        ('{"b": 1, "b": 2}', 'the key "b" stands twice'),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, "nested more than"),
        ("[" * 100_000, "nested more than"),
        (f"[{'1,' * MAX_VALUES}1]", "values in one file"),
    ],
)
def test_json_that_is_too_much_is_refused_at_its_line(value: str, told: str) -> None:
    (fault,) = faults_of(f'{{\n"x": 1,\n"a": {value}\n}}')
    assert told in fault.what
    assert fault.line == 3
    assert len(fault.what) < 200
    assert (fault.what + fault.remedy).isprintable()


def test_every_odd_place_is_told() -> None:
    faults = faults_of('{"a": 1e400,\n"a": "\\u0007",\n"b": {"c": NaN, "c": 1}}')
    assert [fault.line for fault in faults] == [1, 2, 2, 3, 3]


def test_what_is_within_the_limits_is_taken() -> None:
    text = '{"a": [1, -2.5, 1e3, "줄\\n\\ttext", true, null], "k": {}}'
    assert parse_source(text) == {"a": [1, -2.5, 1000.0, "줄\n\ttext", True, None], "k": {}}
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert str(parse_source(deep)).count("[") == MAX_DEPTH - 1


def test_the_place_of_a_key_and_of_its_value_are_told_apart() -> None:
    text = '{\n "a": {"b":\n  [1, 22]}\n}'
    assert find_place(text, ("a", "b", 1)) == (3, 7)
    assert find_place(text, ("a", "b"), at_key=True) == (2, 8)
    assert find_place(text, ("a", "none", 1), at_key=True) == (2, 7)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b" " * (MAX_FILE_BYTES + 1), "larger than"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=told):
        read_source(path)


def test_a_byte_order_mark_at_the_start_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf{}")
    assert parse_source(read_source(path)) == {}
