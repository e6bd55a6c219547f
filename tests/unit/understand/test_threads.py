from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edged.config import Config, StateConfig, UnderstandConfig
from edged.errors import ModelError
from edged.understand import threads as threads_module
from edged.understand.threads import (
    BATCH_TOKENS,
    Conditions,
    Measurement,
    Threads,
    choose_threads,
    look_around,
    measure_threads,
    read_measurement,
    store_measurement,
)

FOUR_CORES = Conditions(cpu="Raspberry Pi 5", cores=4, model="toy.gguf", model_bytes=3, model_mtime_ns=1)


class FakeModel:
    """Takes as long as it is told, by its own clock."""

    def __init__(self, cost_s: Callable[[int, int], float]) -> None:
        self.now_s = 0.0
        self.batches: list[int] = []
        """Threads of each batch."""
        self._cost_s = cost_s
        self._threads = self._batch_threads = 0
        self._read = 0

    def tokenize(self, text: bytes) -> list[int]:
        return list(text)

    def set_threads(self, threads: int, batch_threads: int) -> None:
        self._threads, self._batch_threads = threads, batch_threads

    def rewind(self) -> None:
        self._read = 0

    def read(self, tokens: Sequence[int]) -> int:
        assert not self._read, "nothing was rewound"
        self._read = len(tokens)
        threads = self._threads if len(tokens) == 1 else self._batch_threads
        if len(tokens) > 1:
            assert len(tokens) == BATCH_TOKENS
            self.batches.append(threads)
        self.now_s += self._cost_s(threads, len(tokens))
        return 0


def measure(cost_s: Callable[[int, int], float], conditions: Conditions = FOUR_CORES) -> tuple[FakeModel, Measurement]:
    model = FakeModel(cost_s)
    rounds: list[int] = []
    measured = measure_threads(model, conditions, report=lambda n, _: rounds.append(n), clock=lambda: model.now_s)
    assert rounds == list(range(1, len(rounds) + 1))
    return model, measured


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A state directory with a model, on a Pi 5."""
    monkeypatch.setattr(threads_module, "cpu_model", lambda: "Raspberry Pi 5")
    monkeypatch.setattr(threads_module, "usable_cores", lambda: 4)
    model_of(tmp_path).write_bytes(b"abc")
    os.utime(model_of(tmp_path), ns=(1, 1))
    return Config(state=StateConfig(directory=tmp_path))


def model_of(folder: Path) -> Path:
    return folder / "toy.gguf"


def choose(config: Config) -> Threads:
    return choose_threads(config, model_of(config.state_directory))


def stored(config: Config, token_ms: tuple[float, ...], batch_ms: tuple[float, ...], others: float = 0.0) -> Config:
    measured = Measurement(conditions=FOUR_CORES, token_ms=token_ms, batch_ms=batch_ms, others=others)
    store_measurement(config.state_directory, measured)
    return config


def test_each_number_up_to_the_cores_is_measured_in_turn() -> None:
    model, measured = measure(lambda threads, tokens: 0.001 * tokens / threads)
    assert measured.token_ms == (1, 0.5, 0.333, 0.25)
    assert measured.batch_ms == (12, 6, 4, 3)
    assert model.batches[::2][:8] == [4, 3, 2, 1, 1, 2, 3, 4]


def test_more_than_four_threads_are_not_tried_and_one_core_needs_no_second() -> None:
    _, many = measure(lambda *_: 0.001, FOUR_CORES.model_copy(update={"cores": 16}))
    _, one = measure(lambda *_: 0.001, FOUR_CORES.model_copy(update={"cores": 1}))
    assert (len(many.token_ms), len(one.token_ms)) == (4, 1)


def test_a_slow_machine_measures_fewer_rounds() -> None:
    fast, _ = measure(lambda *_: 0.001)
    slow, _ = measure(lambda *_: 1.0)
    assert (len(fast.batches), len(slow.batches)) == (2 * 9 * 4, 2 * 5 * 4)


def test_a_disturbance_in_a_few_rounds_does_not_count() -> None:
    calls = iter(range(10_000))
    _, measured = measure(lambda threads, tokens: 5.0 if next(calls) % 40 == 0 else 0.001 * tokens / threads)
    assert measured.batch_ms == (12, 6, 4, 3)


def test_the_first_batch_after_a_change_is_not_counted() -> None:
    seen: list[int] = [0]

    def cost_s(threads: int, tokens: int) -> float:
        starts = seen[-1] != threads
        seen.append(threads)
        return 9.0 if starts else 0.001 * tokens

    _, measured = measure(cost_s)
    assert measured.batch_ms == (12, 12, 12, 12)


@pytest.mark.parametrize(
    ("medians_ms", "count"),
    [((60, 35, 30, 20), 4), ((60, 35, 34.9, 34.9), 2), ((10, 9.6, 9.6, 9.6), 1), ((10, 9, 8.7, 12), 2), ((7,), 1)],
)
def test_the_fewest_within_a_twentieth_of_the_best_are_taken(
    config: Config, medians_ms: tuple[float, ...], count: int
) -> None:
    chosen = choose(stored(config, medians_ms, (60, 30, 20, 10)))
    assert (chosen.token, chosen.batch, chosen.remedy) == (count, 4, "")


def test_what_was_chosen_and_why_can_be_read(config: Config) -> None:
    assert str(choose(stored(config, (10, 8), (63.04, 35)))) == (
        "2, measured: a token 10.0 ms with 1, 8.0 ms with 2; 12 tokens 63.0 ms with 1, 35.0 ms with 2"
    )
    assert str(choose(stored(config, (10, 20), (63, 35)))).startswith("1 for one token and 2 for several, measured: ")


def test_a_measurement_on_a_busy_machine_says_so(config: Config) -> None:
    assert "everything else took 1.2 cores" in str(choose(stored(config, (10, 8), (63, 35), others=1.2)))
    assert "everything else" not in str(choose(stored(config, (10, 8), (63, 35), others=0.1)))


def test_the_configuration_wins(config: Config) -> None:
    chosen = choose(stored(config, (10,), (60,)).model_copy(update={"understand": UnderstandConfig(threads=3)}))
    assert (chosen.token, chosen.batch, chosen.remedy) == (3, 3, "")


def test_without_a_measurement_it_is_one_a_core_with_a_remedy(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(config) == Threads(4, 4, "one a core, 4 at most: not measured yet", "edged models tune")
    monkeypatch.setattr(threads_module, "usable_cores", lambda: 16)
    assert choose(config).token == 4
    monkeypatch.setattr(threads_module, "usable_cores", lambda: 1)
    assert choose(config).token == 1


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("cpu_model", "Raspberry Pi 4", "this is 4 of Raspberry Pi 4"),
        ("usable_cores", 2, "this is 2 of Raspberry Pi 5"),
    ],
)
def test_a_measurement_of_another_machine_does_not_count(
    config: Config, monkeypatch: pytest.MonkeyPatch, name: str, value: str | int, told: str
) -> None:
    stored(config, (60, 35, 30, 20), (60, 35, 30, 20))
    monkeypatch.setattr(threads_module, name, lambda: value)
    chosen = choose(config)
    assert told in chosen.why
    assert "measured on 4 cores of Raspberry Pi 5" in chosen.why
    assert chosen.remedy == "edged models tune"


def test_a_measurement_with_another_model_does_not_count(config: Config) -> None:
    stored(config, (10, 20), (10, 20))
    assert choose(config).token == 1
    model_of(config.state_directory).write_bytes(b"abcd")
    chosen = choose(config)
    assert "measured with another model, toy.gguf" in chosen.why
    assert (chosen.token, chosen.remedy) == (4, "edged models tune")


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b'{"token_ms": [1.0]}',
    b"\xff" * 100,
    b" " * 20_000,
    FOUR_CORES.model_dump_json().encode(),
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_a_warning_and_nothing_worse(
    config: Config, caplog: pytest.LogCaptureFixture, text: bytes
) -> None:
    (config.state_directory / "threads.json").write_bytes(text)
    with caplog.at_level(logging.WARNING):
        chosen = choose(config)
    assert (chosen.token, chosen.batch, chosen.remedy) == (4, 4, "edged models tune")
    assert "threads.json" in caplog.text
    assert "edged models tune" in caplog.text


@pytest.mark.parametrize("figures", ["[]", "[0.0]", "[-1.0]", "[NaN]", "[Infinity]", '["1"]', f"[{'1.0,' * 64}1.0]"])
def test_figures_that_cannot_be_are_damage(config: Config, figures: str) -> None:
    good = Measurement(conditions=FOUR_CORES, token_ms=(1.0,), batch_ms=(2.0,), others=0.0).model_dump_json()
    assert '"token_ms":[1.0]' in good
    (config.state_directory / "threads.json").write_text(good.replace('"token_ms":[1.0]', f'"token_ms":{figures}'))
    with pytest.raises(ModelError, match="damaged"):
        read_measurement(config.state_directory)


def test_a_folder_in_its_place_is_told(config: Config) -> None:
    (config.state_directory / "threads.json").mkdir()
    assert choose(config).remedy == "edged models tune"
    with pytest.raises(ModelError, match="cannot be written"):
        stored(config, (1,), (1,))


def test_what_is_stored_is_read_again(tmp_path: Path) -> None:
    measured = Measurement(conditions=FOUR_CORES, token_ms=(2.5, 1.25), batch_ms=(9.0, 5.0), others=0.01)
    store_measurement(tmp_path / "new" / "state", measured)
    assert read_measurement(tmp_path / "new" / "state") == measured
    assert [path.name for path in (tmp_path / "new" / "state").iterdir()] == ["threads.json"]


def test_a_missing_model_is_told(config: Config) -> None:
    with pytest.raises(ModelError, match="No such file"):
        look_around(config.state_directory / "none.gguf")
