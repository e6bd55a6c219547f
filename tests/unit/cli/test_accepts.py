"""edged schema accepts: a line in, a line out, and what becomes of what cannot be used."""

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from edged.cli import accepts
from edged.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent.parent.parent


def ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: Path, text: bytes
) -> tuple[int, list[Any], str]:
    parser = argparse.ArgumentParser()
    accepts.add_action(parser.add_subparsers())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    code = parser.parse_args(["accepts", str(file)]).run(parser.parse_args(["accepts", str(file)]))
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_each_line_is_answered_and_a_broken_one_does_not_stop_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "number.json"
    file.write_text('{"type": "number", "minimum": 5, "maximum": 35, "multipleOf": 0.5}')
    code, lines, _ = ask(monkeypatch, capsys, file, b'20.5\n20.3\n{\n35.5\n\xff\n\n5.0\n1e1\nNaN\n1e999999999\n"5"')
    yes, no = {"accepts": True, "valid": True}, {"accepts": False, "valid": False}
    assert code == 0
    assert [line if "error" not in line else "error" for line in lines] == [
        yes, no, "error", no, "error", "error", yes, yes, "error", "error", no,
    ]  # fmt: skip


def test_an_intent_file_is_asked_with_the_house_in_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = b"""{"intent": "light", "action": "on", "area": "kitchen"}
{"area": "kitchen", "action": "on", "intent": "light"}
{"intent": "light", "action": "on", "area": "attic"}
"""
    _, lines, _ = ask(monkeypatch, capsys, ROOT / "schemas" / "light.json", text)
    assert [line["accepts"] for line in lines] == [True, True, False]
    assert [line["valid"] for line in lines] == [True, True, False]


def test_a_plain_schema_may_refer_to_the_house(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "area.json"
    file.write_text('{"anyOf": [{"$ref": "urn:edged:home#/areas"}, {"type": "null"}]}')
    _, lines, _ = ask(monkeypatch, capsys, file, b'"kitchen"\nnull\n"attic"\n')
    assert [line["accepts"] for line in lines] == [True, True, False]


def test_all_refusals_are_named_with_file_line_pointer_and_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "bad.json"
    file.write_text('{\n"type": "string",\n"Pattern": "a",\n"format": "colour"\n}')
    code, lines, errors = ask(monkeypatch, capsys, file, b'"a"\n')
    assert (code, lines) == (1, [])
    assert f'{file}:3:12 at /Pattern: "Pattern" is not supported\n  did you mean "pattern"?' in errors
    assert f'{file}:4:11 at /format: "colour" is no format that is known' in errors


@pytest.mark.parametrize("text", ["", "{", "3", '{"$ref": "urn:edged:home#/gardens"}', '{"a": 1, "a": 2}'])
def test_a_file_that_holds_no_schema_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    code, _, errors = ask(monkeypatch, capsys, file, b"")
    assert code == 1
    assert str(file) in errors


def test_a_line_that_is_too_long_is_one_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "any.json"
    file.write_text('{"type": "string"}')
    monkeypatch.setattr(accepts, "MAX_LINE_BYTES", 10)
    _, lines, _ = ask(monkeypatch, capsys, file, b'"' + b"a" * 40 + b'"\n"a"\n')
    assert lines == [{"error": "is longer than 10 bytes"}, {"accepts": True, "valid": True}]


def test_a_missing_file_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        ask(monkeypatch, capsys, tmp_path / "none.json", b"")
    assert caught.value.exit_code == 2
