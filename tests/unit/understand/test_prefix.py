"""States of prefixes on disk: what is stored is what is served, and nothing else is believed."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from edged.config import Config
from edged.errors import ModelError
from edged.intents.catalog import Catalog
from edged.types import Utterance
from edged.understand import prefix
from edged.understand.lm import CONTEXT_TOKENS, LanguageModel
from edged.understand.parser import Parser, Understanding, open_parser
from edged.understand.prefix import MAX_FILES, PrefixStore, make_model_key, open_store, prepare_prefix

TOKENS = (5, 6, 7)
STATE = bytes(range(256)) * 40


@pytest.fixture
def store(tmp_path: Path) -> PrefixStore:
    return PrefixStore(tmp_path / "prefix", make_model_key("a" * 64, ""))


def test_what_is_saved_is_loaded(store: PrefixStore) -> None:
    assert store.load(TOKENS) is None
    store.save(TOKENS, STATE)
    assert store.load(TOKENS) == STATE
    assert store.load((5, 6)) is None
    store.discard(TOKENS)
    assert store.load(TOKENS) is None


def flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes((content[place] ^ 1,)) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:0],
        lambda content: content[:50],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: bytes(len(content)),
        lambda content: flip(content, len(content) - 1),
        *(lambda content, place=place: flip(content, place) for place in (0, 7, 8, 40, 72, 76, 84, 115, 116)),
    ],
)
def test_a_damaged_file_is_not_believed(
    store: PrefixStore, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    store.save(TOKENS, STATE)
    path = store.path(TOKENS)
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert store.load(TOKENS) is None
    assert str(path) in caplog.text
    store.save(TOKENS, STATE)
    assert store.load(TOKENS) == STATE


def test_the_file_of_another_model_or_catalog_is_not_believed(store: PrefixStore, tmp_path: Path) -> None:
    for other, tokens in (
        (PrefixStore(tmp_path / "prefix", make_model_key("b" * 64, "")), TOKENS),
        (PrefixStore(tmp_path / "prefix", make_model_key("a" * 64, "b" * 64)), TOKENS),
        (store, (5, 6, 8)),
    ):
        other.save(tokens, STATE)
        assert other.path(tokens) != store.path(TOKENS)
        assert store.load(TOKENS) is None
        other.path(tokens).rename(store.path(TOKENS))
        assert store.load(TOKENS) is None


def test_another_llama_cpp_makes_its_own_states(monkeypatch: pytest.MonkeyPatch) -> None:
    before = make_model_key("a" * 64, "")
    monkeypatch.setattr(prefix, "state_format", lambda: "another")
    assert make_model_key("a" * 64, "") != before


def test_what_is_too_large_is_neither_kept_nor_read(store: PrefixStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(TOKENS, STATE)
    monkeypatch.setattr(prefix, "MAX_STATE_BYTES", len(STATE) - 1)
    assert store.load(TOKENS) is None
    store.discard(TOKENS)
    store.save(TOKENS, STATE)
    assert not store.path(TOKENS).exists()


def test_the_least_recently_used_go(store: PrefixStore) -> None:
    for token in range(MAX_FILES):
        store.save((token,), STATE)
        os.utime(store.path((token,)), (1000 + token, 1000 + token))
    assert store.load((0,)) == STATE
    store.save((MAX_FILES,), STATE)
    kept = [token for token in range(MAX_FILES + 1) if store.path((token,)).exists()]
    assert kept == [0, *range(2, MAX_FILES + 1)]


def test_what_a_dead_process_left_is_deleted(store: PrefixStore) -> None:
    store.save(TOKENS, STATE)
    folder = store.path(TOKENS).parent
    dead, alive = folder / ".0a.kv.dead", folder / ".0a.kv.alive"
    dead.touch()
    alive.touch()
    os.utime(dead, (1000, 1000))
    store.save((1,), STATE)
    assert (dead.exists(), alive.exists()) == (False, True)


def test_a_folder_that_cannot_be_written_is_told_and_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "prefix").write_text("a file where a folder should be")
    store = PrefixStore(tmp_path / "prefix", make_model_key("a" * 64, ""))
    with caplog.at_level(logging.WARNING):
        store.save(TOKENS, STATE)
    assert "not kept for the next start" in caplog.text
    assert store.load(TOKENS) is None
    store.discard(TOKENS)


def test_a_full_disk_leaves_nothing_half_written(
    store: PrefixStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    store.save(TOKENS, STATE)
    monkeypatch.setattr(os, "fsync", fail)
    store.save((1,), STATE)
    assert "No space left" in caplog.text
    assert list(store.path(TOKENS).parent.iterdir()) == [store.path(TOKENS)]


def test_without_the_models_hash_nothing_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert open_store(tmp_path, tmp_path / "none.gguf", None) is None
    assert "no prefix is kept" in caplog.text


def ask(parser: Parser) -> list[Understanding]:
    """What the LM makes of some sentences that no example says."""
    texts = [
        "let there be light in the kitchen please",
        "dim the hall to thirty percent please would you",
        "what a day",
    ]
    said = [Utterance("u1", text, "en", 1.0, 0, 0, "cli") for text in texts]
    parser._kept.clear()
    return [replace(parser.parse(utterance), duration_ms=0.0, lm_tokens=0, lm_calls=0) for utterance in said]


@pytest.fixture
def apart(config: Config, tmp_path: Path) -> Config:
    """The real models, with a folder of their own for what is kept beside them."""
    models = tmp_path / "models"
    models.mkdir()
    for file in config.models_directory.iterdir():
        if file.name != "prefix":
            (models / file.name).symlink_to(file)
    return config.model_copy(update={"state": config.state.model_copy(update={"directory": tmp_path})})


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens each prefix has that is built."""
    counts: list[int] = []
    build = LanguageModel.build_prefix

    def count(self: LanguageModel, tokens: tuple[int, ...], *, threads: int = 1) -> bytes:
        counts.append(len(tokens))
        return build(self, tokens, threads=threads)

    monkeypatch.setattr(LanguageModel, "build_prefix", count)
    return counts


@pytest.mark.model
def test_a_start_with_a_stored_state_answers_the_same_and_reads_nothing(
    apart: Config, catalog: Catalog, builds: list[int]
) -> None:
    with open_parser(apart, catalog) as parser:
        first = ask(parser)
    assert len(builds) == 1
    with open_parser(apart, catalog) as parser:
        assert parser.lm.evaluated_tokens == 0
        assert ask(parser) == first
    assert len(builds) == 1


@pytest.mark.model
def test_a_damaged_state_is_built_anew(apart: Config, catalog: Catalog, builds: list[int]) -> None:
    with open_parser(apart, catalog) as parser:
        first = ask(parser)
    (file,) = (apart.models_directory / "prefix").iterdir()
    content = file.read_bytes()
    file.write_bytes(flip(content, len(content) // 2))
    with open_parser(apart, catalog) as parser:
        assert ask(parser) == first
    assert len(builds) == 2
    assert file.read_bytes() == content


@pytest.mark.model
def test_a_state_that_llama_cpp_refuses_is_built_anew(parser: Parser, store: PrefixStore, builds: list[int]) -> None:
    lm, before = parser.lm, parser.lm.prefix
    store.save(TOKENS, STATE)
    prepare_prefix(lm, store, TOKENS)()
    assert (lm.prefix, len(builds)) == (TOKENS, 1)
    assert store.load(TOKENS) is None
    lm.set_prefix(before)


@pytest.mark.model
def test_the_catalog_before_serves_while_another_is_prepared(
    apart: Config, catalog: Catalog, builds: list[int]
) -> None:
    fewer = replace(catalog, intents=dict(list(catalog.intents.items())[:4]))
    with open_parser(apart, fewer) as parser:
        of_fewer = ask(parser)
    with open_parser(apart, catalog) as parser, ThreadPoolExecutor(1) as pool:
        before, room = ask(parser), parser.lm.room
        preparing = pool.submit(parser.prepare_catalog, catalog)
        assert ask(parser) == before
        preparing.result()()
        assert len(builds) == 2  # the same prefix is neither built nor loaded
        (apart.models_directory / "prefix").rename(apart.models_directory / "away")
        preparing = pool.submit(parser.prepare_catalog, fewer)
        while not preparing.done():
            assert ask(parser) == before
        use = preparing.result()
        assert (ask(parser), parser.lm.room, len(builds)) == (before, room, 3)
        use()
        assert ask(parser) == of_fewer
        assert parser.lm.room > room
        parser.set_catalog(catalog)
        assert ask(parser) == before


@pytest.mark.model
def test_a_prefix_that_is_too_long_is_refused_before_anything_is_kept(parser: Parser, store: PrefixStore) -> None:
    before = parser.lm.prefix
    with pytest.raises(ModelError, match="fewer intents"):
        prepare_prefix(parser.lm, store, [1] * CONTEXT_TOKENS)
    assert parser.lm.prefix == before
    assert not store.path(TOKENS).parent.exists()
