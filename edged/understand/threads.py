"""How many threads the LM takes: measured on this machine with this model, and kept in threads.json.

Importing this does not load llama.cpp.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edged.config import Config
from edged.errors import ModelError
from edged.models.download import disk_error
from edged.models.record import write_atomically
from edged.ops.cores import busy_s, usable_cores
from edged.ops.doctor import cpu_model

log = logging.getLogger(__name__)

MOST_THREADS: Final = 4
"""More gain nothing on a small model: they wait for memory, and for each other after each of some hundred steps."""
BATCH_TOKENS: Final = 12
"""Of the measured batch: about what an utterance takes."""

_FILE: Final = "threads.json"
_MAX_FILE_BYTES: Final = 16_384
"""What we write takes less than 1 kB; more is not read, and so is damage."""
_MAX_FIGURES: Final = 64
_WORTH: Final = 1.05
"""Another thread has to gain more than this: it costs power, and time wherever something else runs."""
_ROUNDS: Final = 9
_LEAST_ROUNDS: Final = 5
_ENOUGH_S: Final = 8.0
"""After so long, _LEAST_ROUNDS do: nine rounds take 2 s on two cores of x86_64 and may take 20 on a Pi 4."""
_SINGLE_TOKENS: Final = 4
"""Measured beside each batch."""
_TEXT: Final = b"turn on the lamp in the living room and set the heating in the bedroom to twenty degrees"
_BUSY: Final = 0.2
"""Cores. What an idle house's other services take stays below it."""
_TUNE: Final = "edged models tune"

Medians_ms: TypeAlias = Annotated[
    tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...], Field(min_length=1, max_length=_MAX_FIGURES)
]
"""With one thread, two, and so on."""


class Conditions(BaseModel):
    """Where a measurement was made, and with what; under others it says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    cpu: str
    cores: int
    model: str
    """The name of the model's file, whose size and time tell whether it is still the same."""
    model_bytes: int
    model_mtime_ns: int


class Measurement(BaseModel):
    """All of threads.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    conditions: Conditions
    token_ms: Medians_ms
    """Medians of one token after another."""
    batch_ms: Medians_ms
    """Medians of BATCH_TOKENS in one call."""
    others: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """How many cores everything else on the machine took meanwhile: beside it, fewer threads come out faster."""


@dataclass(frozen=True, slots=True)
class Threads:
    """How many threads the LM takes, and why."""

    token: int
    """For one token."""
    batch: int
    """For several in one call."""
    why: str
    remedy: str = ""
    """Where nothing that was measured holds here."""

    def __str__(self) -> str:
        several = "" if self.token == self.batch else f" for one token and {self.batch} for several"
        return f"{self.token}{several}, {self.why}"


class Measurable(Protocol):
    """What is needed of `lm.LanguageModel`."""

    def tokenize(self, text: bytes) -> list[int]:
        """The tokens of a text."""

    def set_threads(self, threads: int, batch_threads: int) -> None:
        """How many threads the next calls take."""

    def rewind(self) -> None:
        """Forgets what was read."""

    def read(self, tokens: Sequence[int]) -> int:
        """Makes tokens what stands behind the prefix."""


def choose_threads(config: Config, model: Path) -> Threads:
    """What the configuration says, else what was measured here with this model, else one a core, four at most.

    Raises:
        ModelError: the model's file is missing.
    """
    if config.understand.threads:
        return Threads(config.understand.threads, config.understand.threads, "set by understand.threads")
    here = look_around(model)
    try:
        measured = read_measurement(config.state_directory)
    except ModelError as error:
        log.warning("%s %s: %s", error.where, error.what, error.remedy)
        return _guess(here, f"{error.where} {error.what}")
    if measured is None:
        return _guess(here, "not measured yet")
    fault = _find_difference(measured.conditions, here)
    if fault:
        return _guess(here, fault)
    return Threads(_fewest(measured.token_ms), _fewest(measured.batch_ms), _describe(measured))


def look_around(model: Path) -> Conditions:
    """The conditions that hold now.

    Raises:
        ModelError: the model's file is missing.
    """
    try:
        status = model.stat()
    except OSError as error:
        raise ModelError(
            f"cannot be read: {error.strerror}", where=str(model), remedy="mend understand.model"
        ) from error
    return Conditions(
        cpu=cpu_model(),
        cores=usable_cores(),
        model=model.name,
        model_bytes=status.st_size,
        model_mtime_ns=status.st_mtime_ns,
    )


def measure_threads(
    lm: Measurable,
    conditions: Conditions,
    *,
    report: Callable[[int, int], None],
    clock: Callable[[], float] = time.perf_counter,
) -> Measurement:
    """Times a batch and single tokens with each number of threads in turn, round after round; takes some seconds.

    Args:
        lm: the model, with nothing behind its prefix.
        conditions: those that hold now.
        report: is told each round's number and how many there are at most.
        clock: seconds.
    """
    text = lm.tokenize(_TEXT)[:BATCH_TOKENS]
    counts = list(range(1, min(conditions.cores, MOST_THREADS) + 1))
    token_s: dict[int, list[float]] = {count: [] for count in counts}
    batch_s: dict[int, list[float]] = {count: [] for count in counts}
    started_s, others_s = clock(), busy_s() - time.process_time()
    for number in range(_ROUNDS):
        report(number + 1, _ROUNDS)
        for count in counts if number % 2 else reversed(counts):  # what slowly changes shall hit all alike
            lm.set_threads(count, count)
            _time(lm, text, clock)  # the threads start here
            batch_s[count].append(_time(lm, text, clock))
            token_s[count] += [_time(lm, text[:1], clock) for _ in range(_SINGLE_TOKENS)]
        if number + 1 >= _LEAST_ROUNDS and clock() - started_s > _ENOUGH_S:
            break
    others_s = busy_s() - time.process_time() - others_s
    return Measurement(
        conditions=conditions,
        token_ms=_medians_ms(token_s),
        batch_ms=_medians_ms(batch_s),
        others=round(max(0.0, others_s) / (clock() - started_s), 2),
    )


def read_measurement(directory: Path) -> Measurement | None:
    """What is stored in the state directory; None where nothing is.

    Raises:
        ModelError: it cannot be read or is damaged.
    """
    path = directory / _FILE
    try:
        with path.open("rb") as file:
            return Measurement.model_validate_json(file.read(_MAX_FILE_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=str(path), remedy=_TUNE) from error
    except ValidationError as error:
        raise ModelError("is damaged", where=str(path), remedy=_TUNE) from error


def store_measurement(directory: Path, measurement: Measurement) -> None:
    """Replaces what is stored in the state directory, which is made where it is not there.

    Raises:
        ModelError: the folder cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / _FILE, (measurement.model_dump_json(indent=1) + "\n").encode())
    except OSError as error:
        raise disk_error(error, directory) from error


def _guess(here: Conditions, why: str) -> Threads:
    count = min(here.cores, MOST_THREADS)
    return Threads(count, count, f"one a core, {MOST_THREADS} at most: {why}", _TUNE)


def _find_difference(then: Conditions, now: Conditions) -> str:
    if (then.cpu, then.cores) != (now.cpu, now.cores):
        return f"measured on {then.cores} cores of {then.cpu}, this is {now.cores} of {now.cpu}"
    if then != now:
        return f"measured with another model, {then.model} of {then.model_bytes / 1e6:.0f} MB"
    return ""


def _fewest(medians_ms: Sequence[float]) -> int:
    """The least number of threads that is about as fast as the fastest."""
    enough_ms = min(medians_ms) * _WORTH
    return next(count for count, median_ms in enumerate(medians_ms, 1) if median_ms <= enough_ms)


def _describe(measured: Measurement) -> str:
    token, batch = (
        ", ".join(f"{median_ms:.1f} ms with {count}" for count, median_ms in enumerate(medians_ms, 1))
        for medians_ms in (measured.token_ms, measured.batch_ms)
    )
    beside = f", while everything else took {measured.others:.1f} cores" if measured.others > _BUSY else ""
    again = f" (when the machine is idle: {_TUNE} --again)" if beside else ""
    return f"measured: a token {token}; {BATCH_TOKENS} tokens {batch}{beside}{again}"


def _medians_ms(times_s: dict[int, list[float]]) -> tuple[float, ...]:
    return tuple(round(statistics.median(times) * 1e3, 3) for _, times in sorted(times_s.items()))


def _time(lm: Measurable, tokens: Sequence[int], clock: Callable[[], float]) -> float:
    lm.rewind()
    started_s = clock()
    lm.read(tokens)
    return clock() - started_s
