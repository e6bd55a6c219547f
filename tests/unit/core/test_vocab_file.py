"""The vocabulary's file: when it is used, when it is not, and what is left behind."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edged.core import Matcher, Program, Vocab
from edged.core.expression import Literal
from edged.core.vocab_file import open_vocab

TOKENS = [b"", b"a", b"ab", b"b"]
OTHER_TOKENS = [b"c", b"d"]
KEY = hashlib.sha256(b"one model").hexdigest()
OTHER_KEY = hashlib.sha256(b"another model").hexdigest()


class Maker:
    """Gives tokens, and counts how often it was asked."""

    def __init__(self, tokens: Sequence[bytes] = TOKENS) -> None:
        self.tokens = tokens
        self.calls = 0

    def __call__(self) -> Sequence[bytes]:
        self.calls += 1
        return self.tokens


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a folder that is not there yet."""
    return tmp_path / "cache" / "model.vocab"


def pieces(vocab: Vocab) -> list[bytes]:
    return [vocab.piece(token) for token in range(len(vocab))]


def test_the_second_start_asks_for_no_tokens(path: Path) -> None:
    make = Maker()
    assert pieces(open_vocab(path, KEY, make)) == TOKENS
    vocab = open_vocab(path, KEY, make)
    assert make.calls == 1
    assert pieces(vocab) == TOKENS
    assert Matcher(vocab, Program(Literal(b"ab"))).legal() == [1, 2]


def test_the_file_may_be_read_by_all_and_is_alone_in_its_folder(path: Path) -> None:
    open_vocab(path, KEY, Maker())
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644


def test_another_key_has_the_tokens_made_anew(path: Path) -> None:
    open_vocab(path, KEY, Maker())
    assert pieces(open_vocab(path, OTHER_KEY, Maker(OTHER_TOKENS))) == OTHER_TOKENS
    assert pieces(open_vocab(path, OTHER_KEY, Maker([]))) == OTHER_TOKENS


def test_a_vocabulary_in_use_outlives_its_file(path: Path) -> None:
    open_vocab(path, KEY, Maker())
    mapped = open_vocab(path, KEY, Maker())
    open_vocab(path, OTHER_KEY, Maker(OTHER_TOKENS))
    path.unlink()
    assert pieces(mapped) == TOKENS


def cut(data: bytes) -> bytes:
    return data[:-20]


def flipped(data: bytes) -> bytes:
    return data[:-30] + bytes((data[-30] ^ 1,)) + data[-29:]


def emptied(data: bytes) -> bytes:
    return data[:0]


def only_a_key(data: bytes) -> bytes:
    return data[:64]


@pytest.mark.parametrize("damage", [cut, flipped, emptied, only_a_key])
def test_a_damaged_file_is_built_anew(
    path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
) -> None:
    open_vocab(path, KEY, Maker())
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    make = Maker()
    with caplog.at_level(logging.WARNING):
        assert pieces(open_vocab(path, KEY, make)) == TOKENS
    assert make.calls == 1
    assert "built anew" in caplog.text
    assert path.read_bytes() == whole


def test_a_fifo_in_place_of_the_file_is_not_waited_for(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    assert pieces(open_vocab(path, KEY, Maker())) == TOKENS
    assert path.is_file()


def test_a_folder_that_cannot_be_written_costs_only_time(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> tuple[int, str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    make = Maker()
    for _ in range(2):
        assert pieces(open_vocab(path, KEY, make)) == TOKENS
    assert make.calls == 2
    assert "Permission denied" in caplog.text


def test_a_full_disk_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    assert pieces(open_vocab(path, KEY, Maker())) == TOKENS
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("key", ["", "ab", "g" * 64, KEY[:-1] + " ", KEY + "00"])
def test_a_key_that_is_no_hash_is_refused(path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        open_vocab(path, key, Maker())
