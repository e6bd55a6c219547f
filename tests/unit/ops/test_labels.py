from __future__ import annotations

import json
from pathlib import Path

import pytest

from edged.errors import UsageError
from edged.ops import labels as labels_module
from edged.ops.feedback import LABELS_NAME
from edged.ops.labels import Label, read_labels, store_label
from edged.ops.lines import Bounds

ON = Label(text="ramp on", lang="en", expect=({"intent": "lamp", "action": "on", "level": 2.5},))
NOTHING = Label(text="불 말고", lang="ko", expect=())


def test_without_a_file_there_are_no_labels(tmp_path: Path) -> None:
    assert list(read_labels(tmp_path)) == []


def test_labels_are_read_back_in_their_order(tmp_path: Path) -> None:
    folder = tmp_path / "feedback"
    store_label(folder, ON)
    store_label(folder, NOTHING)
    assert list(read_labels(folder)) == [ON, NOTHING]


def test_the_rows_have_the_form_of_an_evaluation_file(tmp_path: Path) -> None:
    store_label(tmp_path, ON)
    assert json.loads((tmp_path / LABELS_NAME).read_text()) == {
        "text": "ramp on",
        "lang": "en",
        "expect": [{"intent": "lamp", "action": "on", "level": 2.5}],
    }


def test_a_new_label_takes_the_place_of_the_old_one_for_the_same_words(tmp_path: Path) -> None:
    store_label(tmp_path, ON)
    changed = ON.model_copy(update={"expect": ()})
    other_language = ON.model_copy(update={"lang": "de"})
    store_label(tmp_path, other_language)
    store_label(tmp_path, changed)
    assert list(read_labels(tmp_path)) == [other_language, changed]


def test_broken_lines_are_each_told_and_stay_for_the_person_to_mend(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store_label(tmp_path, ON)
    with (tmp_path / LABELS_NAME).open("ab") as file:
        file.write(b'{"text": "x", "lang": "en"}\n\n[]\n{"text": "to')
    store_label(tmp_path, NOTHING)
    assert list(read_labels(tmp_path)) == [ON, NOTHING]
    assert [record.getMessage().split(" ")[0] for record in caplog.records] == [
        f"{tmp_path / LABELS_NAME}:{number}" for number in (2, 3, 4)
    ]


def test_labels_are_closed_to_others(tmp_path: Path) -> None:
    store_label(tmp_path / "feedback", ON)
    assert (tmp_path / "feedback").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "feedback" / LABELS_NAME).stat().st_mode & 0o777 == 0o600


def test_a_persons_labels_never_go_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels_module, "BOUNDS", Bounds(rows=1, size_bytes=1000))
    store_label(tmp_path, ON)
    with pytest.raises(UsageError, match="takes no more"):
        store_label(tmp_path, NOTHING)
    store_label(tmp_path, ON)
    assert list(read_labels(tmp_path)) == [ON]
