from __future__ import annotations

import os
from pathlib import Path

import pytest

from edged.errors import ConfigError
from edged.intents import folder as folder_module
from edged.intents.files import NoRegularFileError, read_regular
from edged.intents.folder import read_folder


def test_files_come_by_name_with_their_text_or_why_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "a.json").write_bytes(b"{\n\xff}")
    folder = read_folder(tmp_path, lambda path: path.name)
    assert list(folder.files) == ["a.json", "b.json"]
    assert folder.files["b.json"] == "{}"
    faults = folder.files["a.json"]
    assert not isinstance(faults, str)
    (fault,) = faults
    assert (fault.file, fault.line, fault.column) == ("a.json", 2, 1)
    assert folder.faults == ()


def test_entries_beyond_the_bound_are_not_looked_at_which_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "MAX_ENTRIES", 2)
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("{}")
    assert read_folder(tmp_path).faults == ()
    (tmp_path / "c.json").write_text("{}")
    folder = read_folder(tmp_path)
    assert len(folder.files) == 2
    assert [fault.what for fault in folder.faults] == ["holds more than 2 entries: the others are not looked at"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ConfigError, match="is no folder"):
        read_folder(tmp_path / "a.json")


def test_one_byte_more_than_the_bound_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_regular(tmp_path / "a", 3) == b"1234"


def test_what_is_no_regular_file_leaves_no_descriptor_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(NoRegularFileError):
            read_regular(path, 3)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
