"""The real model: whatever it has read before, it gives what a fresh one gives."""

from __future__ import annotations

import ctypes
import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import llama_cpp
import numpy as np
import pytest
from numpy.typing import NDArray

from edged.config import Config
from edged.errors import ModelError
from edged.models import find_configured_model
from edged.understand import lm as lm_module
from edged.understand.lm import CONTEXT_TOKENS, STEP_TOKENS, LanguageModel

pytestmark = pytest.mark.model

PREFIX = b"light(action, area, device, brightness)\nthermostat(action, area, temperature)\n\n"
WORDS = [
    b"turn on the kitchen light",
    b" and",
    b" dim",
    b" the hall lamp",
    b" to thirty",
    b" percent",
    b" please",
    b"\n",
]


@pytest.fixture(scope="module")
def lm(config: Config) -> Iterator[LanguageModel]:
    """A model that keeps a prefix."""
    path, adapter = find_configured_model(config)
    with LanguageModel(path, adapter=adapter, threads=2) as opened:
        opened.set_prefix(opened.tokenize(PREFIX))
        yield opened


@pytest.fixture(scope="module")
def fresh(config: Config) -> Iterator[LanguageModel]:
    """A second one with the same prefix, which forgets the rest each time and reads all at once."""
    path, adapter = find_configured_model(config)
    with LanguageModel(path, adapter=adapter, threads=2) as opened:
        opened.set_prefix(opened.tokenize(PREFIX))
        yield opened


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    """The tokens of one call, so few that several calls take no time."""
    monkeypatch.setattr(lm_module, "STEP_TOKENS", 16)
    return 16


def vocabulary_size(lm: LanguageModel) -> int:
    return int(llama_cpp.llama_vocab_n_tokens(lm._vocab))


def row(lm: LanguageModel, index: int) -> NDArray[np.float32]:
    """A copy of the logits behind a token of the last call."""
    address = ctypes.cast(lm.logits(index), ctypes.POINTER(ctypes.c_float))
    return np.ctypeslib.as_array(address, (vocabulary_size(lm),)).copy()


def fresh_rows(fresh: LanguageModel, tokens: list[int]) -> list[NDArray[np.float32]]:
    """The logits behind every token, evaluated at once behind nothing but the prefix."""
    fresh.rewind()
    fresh.read(tokens, every_from=0)
    return [row(fresh, index) for index in range(len(tokens))]


def edit(tokens: list[int], randomly: random.Random, vocabulary: int) -> list[int]:
    """What might be heard next: the same, or something shorter, longer or other."""
    tokens = list(tokens)
    kind = randomly.randrange(7)
    place = randomly.randrange(len(tokens) + 1)
    if kind == 0:
        return tokens
    if kind == 1:
        return []
    if kind == 2:
        return tokens[:place]
    if kind == 3 and place < len(tokens):
        tokens[place] = randomly.randrange(vocabulary)
    elif kind == 4:
        del tokens[place : place + 3]
    else:
        tokens[place:place] = [randomly.randrange(vocabulary) for _ in range(randomly.randrange(1, 6))]
    return tokens[:20]


def test_words_that_change_give_what_a_fresh_context_gives(lm: LanguageModel, fresh: LanguageModel) -> None:
    randomly = random.Random(7)
    vocabulary = vocabulary_size(lm)
    tokens: list[int] = []
    for _ in range(30):
        tokens = edit(tokens, randomly, vocabulary)
        first = randomly.randrange(len(tokens) + 1)
        lm.read(tokens, every_from=first)
        assert lm._behind == tokens
        if first < len(tokens):
            expected = fresh_rows(fresh, tokens)
            for index in range(first, len(tokens)):
                assert np.array_equal(row(lm, index), expected[index])
            assert np.array_equal(row(lm, -1), row(lm, len(tokens) - 1))


def test_what_the_decoder_wrote_is_dropped_by_the_next_words(lm: LanguageModel, fresh: LanguageModel) -> None:
    tokens = lm.tokenize(b"turn on the kitchen light\n")
    lm.read([*tokens, 5, 6, 7])
    lm.read([*tokens, 5, 6, 7, 8], every_from=len(tokens))
    longer = [*tokens[:-1], 9, 10]
    lm.read(longer)
    assert np.array_equal(row(lm, -1), fresh_rows(fresh, longer)[-1])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [STEP_TOKENS, STEP_TOKENS + 7, 236])
def test_no_split_into_calls_changes_a_bit(lm: LanguageModel, threads: int, count: int) -> None:
    randomly = random.Random(count)
    tokens = [randomly.randrange(1000, 40_000) for _ in range(count)]
    lm.set_threads(threads, threads)
    lm.rewind()
    lm.read(tokens, every_from=count - 3)
    expected = [row(lm, index) for index in range(count - 3, count)]
    for sizes in ([1, 1, 1], [2, 1], [1, 2], [3], [STEP_TOKENS]):
        lm.rewind()
        known = count - sum(sizes)
        lm.read(tokens[:known])
        for size in sizes:
            known += size
            lm.read(tokens[:known])
            if known > count - 3:
                assert np.array_equal(row(lm, -1), expected[known - count - 1])
    lm.set_threads(2, 2)
    lm.rewind()


def test_only_what_is_new_is_evaluated(lm: LanguageModel) -> None:
    lm.rewind()

    def count(tokens: list[int], every_from: int | None = None) -> int:
        before = lm.evaluated_tokens
        lm.read(tokens, every_from=every_from)
        return lm.evaluated_tokens - before

    assert count([1, 2, 3, 4], every_from=4) == 4
    assert count([1, 2, 3, 4], every_from=4) == 0
    assert count([1, 2, 3, 4]) == 1  # its logits were not asked for before
    assert count([1, 2, 3, 4]) == 0  # and are still at hand now
    assert count([1, 2, 3, 4], every_from=1) == 3
    assert count([1, 2, 3], every_from=1) == 0
    assert count([1, 2, 3, 9, 8]) == 2
    assert count([1, 2, 3, 9, 8], every_from=5) == 0
    assert count([1, 2], every_from=2) == 0
    assert count([1, 2]) == 1
    assert count([]) == 0
    assert count([1, 2]) == 2


def test_logits_that_were_not_asked_for_are_not_given(lm: LanguageModel) -> None:
    tokens = [1, 2, 3, 4]
    lm.rewind()
    assert lm.read(tokens, every_from=4) == 0
    for index in (-1, 0, 3):
        with pytest.raises(ModelError, match="no logits"):
            lm.logits(index)
    assert lm.read(tokens, every_from=2) == lm.logits(3) == lm.logits(-1)
    for index in (0, 1, 4, -3):
        with pytest.raises(ModelError, match="no logits"):
            lm.logits(index)
    lm.rewind()
    with pytest.raises(ModelError, match="no logits"):
        lm.logits(3)


def test_more_than_a_batch_gives_the_logits_that_were_asked_for(lm: LanguageModel, small_batches: int) -> None:
    tokens = [1000 + index % 7 for index in range(small_batches + 2)]
    lm.rewind()
    before = lm.evaluations
    lm.read(tokens, every_from=len(tokens) - 4)
    assert lm.evaluations == before + 2
    last = row(lm, len(tokens) - 1)
    lm.logits(len(tokens) - 4)
    lm.rewind()
    lm.read(tokens)
    assert np.array_equal(row(lm, -1), last)
    lm.rewind()


@pytest.mark.parametrize(
    ("count", "every_from"), [(3, 4), (3, -1), (STEP_TOKENS + 1, 0), (CONTEXT_TOKENS, None)]
)  # fmt: skip
def test_what_does_not_fit_changes_nothing(lm: LanguageModel, count: int, every_from: int | None) -> None:
    lm.read([1, 2, 3])
    room, logits = lm.room, lm.logits(-1)
    with pytest.raises(ModelError, match="do not fit"):
        lm.read([9] * count, every_from=every_from)
    assert (lm.room, lm.logits(-1)) == (room, logits)


@pytest.mark.parametrize("failing", [0, 1])
def test_after_a_failure_it_reads_on(
    lm: LanguageModel, fresh: LanguageModel, small_batches: int, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    tokens = [2000 + index % 11 for index in range(small_batches + 4)]
    decode, calls = llama_cpp.llama_decode, itertools.count()

    def fail(*given: Any) -> int:
        """Leaves in the context what was evaluated."""
        status = int(decode(*given))
        return -3 if next(calls) == failing else status

    lm.read([1, 2, 3])
    monkeypatch.setattr(llama_cpp, "llama_decode", fail)
    with pytest.raises(ModelError, match="gave -3"):
        lm.read(tokens)
    with pytest.raises(ModelError, match="no logits"):
        lm.logits(-1)
    assert len(lm._behind) == failing * small_batches
    known = tokens[: failing * small_batches]
    for more in ([9], [10]):
        known += more
        lm.read(known)
        fresh.rewind()
        fresh.read(known)
        assert np.array_equal(row(lm, -1), row(fresh, -1))


def test_a_prefix_that_was_built_apart_is_the_one_that_is_read_in_place(
    lm: LanguageModel, fresh: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = fresh.tokenize(PREFIX * 4)
    fresh.set_prefix([])
    with monkeypatch.context() as patch:
        patch.setattr(lm_module, "STEP_TOKENS", lm_module.BATCH_TOKENS)
        fresh.read(tokens)
        fresh.read([*tokens, 1, 2, 3])
    expected = row(fresh, -1)
    fresh.set_prefix(fresh.tokenize(PREFIX))

    for threads in (1, 2):
        lm.set_prefix_state(tokens, lm.build_prefix(tokens, threads=threads))
        assert lm.prefix == tuple(tokens)
        lm.read([1, 2, 3])
        assert np.array_equal(row(lm, -1), expected)
    lm.set_prefix(lm.tokenize(PREFIX))


def test_the_number_of_threads_changes_no_bit_of_a_prefix(lm: LanguageModel) -> None:
    tokens = lm.tokenize(PREFIX * 4)
    assert lm.build_prefix(tokens, threads=1) == lm.build_prefix(tokens, threads=2)


@pytest.mark.parametrize("damage", ["empty", "cut", "longer", "noise", "fewer", "magic"])
def test_a_state_that_is_none_leaves_the_prefix_before(lm: LanguageModel, damage: str) -> None:
    state = lm.build_prefix([1, 2, 3, 4, 5])
    damaged = {
        "empty": b"",
        "cut": state[:-1],
        "longer": state + b"\0",
        "noise": random.Random(1).randbytes(len(state)),
        "fewer": lm.build_prefix([1, 2, 3, 4]),
        "magic": b"\0" + state[1:],
    }[damage]
    lm.read([7, 8, 9])
    prefix, before = lm.prefix, row(lm, -1)
    with pytest.raises(ModelError, match="refuses a prefix state"):
        lm.set_prefix_state([1, 2, 3, 4, 5], damaged)
    assert lm.prefix == prefix
    lm.read([7, 8, 9])
    assert np.array_equal(row(lm, -1), before)


def test_an_adapter_applies_to_a_prefix_that_is_built_apart(config: Config) -> None:
    from edged.models import find_model
    from edged.models.language import ADAPTERS

    bare = find_model("smollm2-135m", config.models_directory)
    states = []
    for adapter in (None, ADAPTERS / "smollm2-135m.gguf"):
        with LanguageModel(bare, adapter=adapter, threads=2) as lm:
            tokens = lm.tokenize(PREFIX)
            states.append(lm.build_prefix(tokens))
            lm.read([*tokens, 1, 2])
            in_place = row(lm, -1)
            lm.rewind()
            lm.set_prefix_state(tokens, states[-1])
            lm.read([1, 2])
            assert np.array_equal(row(lm, -1), in_place)
    assert states[0] != states[1]


def test_a_prefix_is_built_while_the_model_serves(lm: LanguageModel) -> None:
    served = [lm.tokenize(b"".join(WORDS[:count])) for count in range(1, len(WORDS))]
    prefixes = [lm.tokenize(PREFIX * count) for count in (1, 2, 3)]
    expected = [lm.build_prefix(tokens) for tokens in prefixes]

    def serve() -> list[NDArray[np.float32]]:
        rows = []
        for tokens in served:
            lm.read(tokens)
            rows.append(row(lm, -1))
        lm.rewind()
        return rows

    alone = serve()
    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(lambda: [lm.build_prefix(tokens) for tokens in prefixes * 2])
        rounds = [serve()]
        while not building.done():
            rounds.append(serve())
        assert building.result() == expected * 2
    for rows in rounds:
        assert all(map(np.array_equal, rows, alone))


def test_a_closed_model_builds_nothing(config: Config) -> None:
    path, adapter = find_configured_model(config)
    lm = LanguageModel(path, adapter=adapter, threads=1)
    lm.close()
    with pytest.raises(ModelError, match="closed"):
        lm.build_prefix([1, 2, 3])
