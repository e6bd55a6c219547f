from __future__ import annotations

import os
from pathlib import Path

import pytest

from edged.errors import ModelError
from edged.models import find, find_model, record, verify_model
from edged.models.record import read_record
from tests.unit.models.conftest import CONTENT, AddModel


def test_missing_model_names_the_command_that_fetches_it(add_file_model: AddModel, tmp_path: Path) -> None:
    add_file_model()

    with pytest.raises(ModelError, match="not installed") as caught:
        find_model("toy", tmp_path)
    assert caught.value.remedy == "edged models fetch toy"


def test_copied_model_is_verified_and_taken_over(add_file_model: AddModel, tmp_path: Path) -> None:
    add_file_model()
    (tmp_path / "toy.gguf").write_bytes(CONTENT)

    assert find_model("toy", tmp_path) == tmp_path / "toy.gguf"
    assert read_record(tmp_path).models["toy"].source == "found in the folder"


def test_wrong_size_is_damaged(add_file_model: AddModel, tmp_path: Path) -> None:
    add_file_model()
    (tmp_path / "toy.gguf").write_bytes(CONTENT[:-1])

    with pytest.raises(ModelError, match="1048575 bytes instead of 1048576"):
        find_model("toy", tmp_path)


def test_one_changed_byte_is_damaged(add_file_model: AddModel, tmp_path: Path) -> None:
    model = add_file_model()
    path = tmp_path / "toy.gguf"
    path.write_bytes(CONTENT)
    find_model("toy", tmp_path)
    path.write_bytes(b"x" + CONTENT[1:])
    os.utime(path, ns=(0, 0))

    with pytest.raises(ModelError, match=f"instead of {model.pins[0].sha256}"):
        find_model("toy", tmp_path)


def test_same_file_is_read_once(add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_file_model()
    (tmp_path / "toy.gguf").write_bytes(CONTENT)
    find_model("toy", tmp_path)
    monkeypatch.setattr(record, "hash_file", lambda path: pytest.fail(f"{path} was read again"))

    find_model("toy", tmp_path)


def test_folder_that_may_only_be_read_serves(
    add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    add_file_model()
    (tmp_path / "toy.gguf").write_bytes(CONTENT)
    monkeypatch.setattr(find, "store_entry", refuse)

    assert find_model("toy", tmp_path) == tmp_path / "toy.gguf"


def test_file_in_place_of_a_folder_is_damaged(add_folder_model: AddModel, tmp_path: Path) -> None:
    add_folder_model()
    (tmp_path / "toy").write_bytes(CONTENT)

    with pytest.raises(ModelError, match="is no folder"):
        find_model("toy", tmp_path)


def test_empty_folder_is_damaged(add_folder_model: AddModel, tmp_path: Path) -> None:
    add_folder_model()
    (tmp_path / "toy").mkdir()

    with pytest.raises(ModelError, match="holds no file"):
        find_model("toy", tmp_path)


def test_missing_file_of_a_folder_is_damaged(add_folder_model: AddModel, tmp_path: Path) -> None:
    add_folder_model(pinned={"am/final.mdl": b"acoustic"})
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "README").write_text("hello")

    with pytest.raises(ModelError, match=r"am/final\.mdl is missing"):
        find_model("toy", tmp_path)


def test_unpinned_folder_is_held_to_what_was_first_found(add_folder_model: AddModel, tmp_path: Path) -> None:
    add_folder_model()
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "final.mdl").write_bytes(b"first")
    find_model("toy", tmp_path)
    (tmp_path / "toy" / "final.mdl").write_bytes(b"other")

    with pytest.raises(ModelError, match=r"final\.mdl has the SHA-256"):
        find_model("toy", tmp_path)


def test_damaged_record_is_a_clear_error(add_file_model: AddModel, tmp_path: Path) -> None:
    add_file_model()
    (tmp_path / "toy.gguf").write_bytes(CONTENT)
    (tmp_path / "record.json").write_text("{")

    with pytest.raises(ModelError, match="is damaged") as caught:
        find_model("toy", tmp_path)
    assert caught.value.where.endswith("record.json")


def test_verify_reads_what_find_would_not(add_file_model: AddModel, tmp_path: Path) -> None:
    add_file_model()
    path = tmp_path / "toy.gguf"
    path.write_bytes(CONTENT)
    find_model("toy", tmp_path)
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert find_model("toy", tmp_path) == path
    assert len(verify_model("toy", tmp_path).faults) == 1


def test_verify_of_a_sound_model_has_no_faults(add_file_model: AddModel, tmp_path: Path) -> None:
    add_file_model()
    (tmp_path / "toy.gguf").write_bytes(CONTENT)

    found = verify_model("toy", tmp_path)

    assert (found.faults, found.pinned) == ((), False)


def test_a_file_that_lies_elsewhere_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(CONTENT)
    hash_file, hashed = record.hash_file, list[Path]()
    expected = hash_file(path)

    def count(file: Path) -> str:
        hashed.append(file)
        return hash_file(file)

    monkeypatch.setattr(record, "hash_file", count)
    assert record.find_sha256(path, tmp_path / "models") == expected
    assert record.find_sha256(path, tmp_path / "models") == expected
    assert hashed == [path]
    path.write_bytes(CONTENT[1:])
    assert record.find_sha256(path, tmp_path / "models") != expected
    assert len(hashed) == 2


def test_the_hash_of_an_installed_model_is_taken_from_the_record(
    add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_file_model()
    (tmp_path / "toy.gguf").write_bytes(CONTENT)
    expected = record.hash_file(find_model("toy", tmp_path))
    monkeypatch.setattr(record, "hash_file", lambda _file: pytest.fail("it is read again"))
    assert record.find_sha256(tmp_path / "toy.gguf", tmp_path) == expected


def test_only_so_many_files_that_lie_elsewhere_are_remembered(tmp_path: Path) -> None:
    for number in range(record.MAX_OTHERS + 2):
        path = tmp_path / f"{number}.gguf"
        path.write_text(str(number))
        record.find_sha256(path, tmp_path)
    others = [Path(name).stem for name in read_record(tmp_path).others]
    assert others == [str(number) for number in range(2, record.MAX_OTHERS + 2)]


def test_a_file_that_cannot_be_read_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        record.find_sha256(tmp_path / "none.gguf", tmp_path)
