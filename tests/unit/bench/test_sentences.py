from pathlib import Path

import pytest

from edged.bench.sentences import SENTENCES, read_all, read_sentences
from edged.errors import UsageError
from edged.intents.accept import intent_validator
from edged.intents.catalog import Catalog
from edged.types import Utterance
from edged.understand.examples import read_examples


def _examples_answer(catalog: Catalog, text: str) -> bool:
    return read_examples(catalog, Utterance("u", text, "en", 1.0, 0, 0, "cli")).outcome is not None


def test_our_sentences_are_eight_that_examples_say_and_twelve_that_none_says(catalog: Catalog) -> None:
    assert [_examples_answer(catalog, sentence.text) for sentence in SENTENCES] == [True] * 8 + [False] * 12


def test_what_our_sentences_mean_is_valid(catalog: Catalog) -> None:
    for sentence in SENTENCES:
        assert sentence.expect is not None
        for intent in sentence.expect:
            assert intent_validator(catalog, str(intent["intent"])).is_valid(dict(intent)), sentence.text


def test_rows_of_a_file_have_a_language_and_a_meaning_or_not(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "불 켜", "lang": "ko", "expect": []}\n\n{"text": "tea", "scenario": "iot"}\n')
    rows = read_sentences(path, "en")
    assert [(row.text, row.lang, row.expect) for row in rows] == [("불 켜", "ko", ()), ("tea", "en", None)]
    assert len(read_all([path, path], "en")) == 4
    assert read_all([], "en") is SENTENCES


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"text": 1}', '{"text": "a", "lang": 1}', '{"text": "a", "expect": {}}', '{"expect": []}']
)
def test_a_row_of_another_kind_is_refused_with_its_place(line: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a"}\n' + line)
    with pytest.raises(UsageError, match=r"rows\.jsonl:2: no sentence"):
        read_sentences(path, "en")


def test_a_file_without_a_row_or_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, what in (("empty", "it has no sentence"), ("binary", "cannot be read"), ("none", "cannot be read")):
        with pytest.raises(UsageError, match=what):
            read_sentences(tmp_path / name, "en")
