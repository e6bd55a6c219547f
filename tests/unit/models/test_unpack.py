from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edged.models import unpack
from edged.models.unpack import UnpackError, unpack_folder
from tests.unit.models.conftest import zip_of


def write_zip(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "model.zip"
    path.write_bytes(zip_of(files))
    return path


def test_only_what_lies_beneath_the_root_is_unpacked(tmp_path: Path) -> None:
    path = write_zip(tmp_path, {"root/a/b": b"1", "rooted/c": b"2", "d": b"3"})

    unpack_folder(path, "root", tmp_path / "out", 100)

    assert [file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*")] == ["a", "a/b"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "root/../../outside", "root/..\\outside"])
def test_name_that_points_outside_is_refused(name: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path, {"root/good": b"1", name: b"2"})

    with pytest.raises(UnpackError, match="points outside"):
        unpack_folder(path, "root", tmp_path / "out", 100)
    assert not (tmp_path / "out").exists()


def test_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    link = zipfile.ZipInfo("root/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")

    with pytest.raises(UnpackError, match="no plain file"):
        unpack_folder(path, "root", tmp_path / "out", 100)


def test_too_much_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, {"root/zeros": b"\0" * 1_000_000})

    with pytest.raises(UnpackError, match="more than 1000 bytes"):
        unpack_folder(path, "root", tmp_path / "out", 1000)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 3)
    path = write_zip(tmp_path, {f"root/{n}": b"" for n in range(4)})

    with pytest.raises(UnpackError, match="more than 3 files"):
        unpack_folder(path, "root", tmp_path / "out", 1000)


def test_missing_root_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, {"other/file": b"1"})

    with pytest.raises(UnpackError, match="no folder root"):
        unpack_folder(path, "root", tmp_path / "out", 1000)


def test_damaged_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("root/file", b"plain content")
    path.write_bytes(path.read_bytes().replace(b"plain", b"plane"))

    with pytest.raises(UnpackError, match="CRC"):
        unpack_folder(path, "root", tmp_path / "out", 1000)


def test_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(b"<html>not found</html>")

    with pytest.raises(UnpackError, match="not a zip file"):
        unpack_folder(path, "root", tmp_path / "out", 1000)
