"""Files of JSON lines: who may look into them, how large they grow, and what a crash or a full disk leaves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edged.ops.lines import Bounds, append_lines, json_line, locked, make_folder, read_lines, replace_lines

WIDE = Bounds(rows=100, size_bytes=10_000)


def texts(path: Path, bounds: Bounds = WIDE) -> list[bytes]:
    return [line for _, line in read_lines(path, bounds)]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def fill_disk(monkeypatch: pytest.MonkeyPatch, *, takes: int) -> None:
    """Writes take so many bytes; where that is nothing, they fail."""
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        if not takes:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:takes])

    monkeypatch.setattr("edged.ops.lines.os.write", write)


def test_lines_are_appended_and_read_with_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    append_lines(path, [b"one"], WIDE)
    append_lines(path, [b"two", b"three"], WIDE)
    assert read_lines(path, WIDE) == [(1, b"one"), (2, b"two"), (3, b"three")]


def test_nobody_else_may_look_into_the_folder_or_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    make_folder(folder)
    append_lines(folder / "a", [b"x"], WIDE)
    replace_lines(folder / "b", [b"x"])
    assert (mode(folder), mode(folder / "a"), mode(folder / "b")) == (0o700, 0o600, 0o600)


def test_what_was_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "a").write_bytes(b"x\n")
    (folder / "a").chmod(0o644)
    make_folder(folder)
    append_lines(folder / "a", [b"y"], WIDE)
    assert (mode(folder), mode(folder / "a")) == (0o700, 0o600)


def test_the_oldest_rows_go(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    bounds = Bounds(rows=4, size_bytes=10_000)
    for number in range(5):
        append_lines(path, [b"%d" % number], bounds)
    assert texts(path) == [b"1", b"2", b"3", b"4"]


def test_the_file_never_grows_beyond_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    bounds = Bounds(rows=100, size_bytes=100)
    for number in range(50):
        append_lines(path, [b"%020d" % number], bounds)
        assert path.stat().st_size <= 100
    assert texts(path)[-1] == b"%020d" % 49
    assert len(texts(path)) >= 3


def test_of_a_file_that_is_too_large_the_end_is_read_and_made_small(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"".join(b"%09d\n" % number for number in range(100)))
    bounds = Bounds(rows=100, size_bytes=95)
    assert texts(path, bounds) == [b"%09d" % number for number in range(91, 100)]
    append_lines(path, [b"new"], bounds)
    assert path.stat().st_size <= 95
    assert texts(path)[-1] == b"new"


def test_a_torn_last_line_does_not_spoil_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": ')
    append_lines(path, [b'{"a": 2}'], WIDE)
    assert texts(path) == [b'{"a": 1}', b'{"a": ', b'{"a": 2}']


@pytest.mark.parametrize("takes", [0, 3])
def test_a_full_disk_takes_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, takes: int) -> None:
    path = tmp_path / "x.jsonl"
    append_lines(path, [b"one"], WIDE)
    fill_disk(monkeypatch, takes=takes)
    with pytest.raises(OSError, match="No space"):
        append_lines(path, [b"two two"], WIDE)
    with pytest.raises(OSError, match="No space"):
        replace_lines(path, [b"two two"])
    assert path.read_bytes() == b"one\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_stays_the_daemons(tmp_path: Path) -> None:
    nobody = 65534
    os.chown(tmp_path, nobody, nobody)
    replace_lines(tmp_path / "x.jsonl", [b"x"])
    state = (tmp_path / "x.jsonl").stat()
    assert (state.st_uid, state.st_gid) == (nobody, nobody)


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_only_regular_files_are_used(tmp_path: Path, kind: str) -> None:
    path, secret = tmp_path / "x.jsonl", tmp_path / "secret"
    secret.write_bytes(b"s\n")
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(OSError):  # noqa: PT011 -- which one is the system's affair
        read_lines(path, WIDE)
    with pytest.raises(OSError):  # noqa: PT011
        append_lines(path, [b"x"], WIDE)
    assert secret.read_bytes() == b"s\n"


def test_who_does_not_wait_is_told_that_another_has_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path, waits=True), pytest.raises(BlockingIOError), locked(tmp_path, waits=False):
        pass
    with locked(tmp_path, waits=False):
        pass


@pytest.mark.parametrize(
    "text", ["부엌 불 켜 줘", "\x1b[2J", "a\x9bm\x7f", "line\u2028end\n", "\u202eabc", "\ud800", "\U000e0001"]
)
def test_a_json_line_prints_as_one_line_and_is_read_back_as_it_was(text: str) -> None:
    line = json_line({"text": text})
    assert line.isprintable()
    assert json.loads(line) == {"text": text}


def test_letters_stay_readable() -> None:
    assert json_line("부엌 größer") == '"부엌 größer"'
