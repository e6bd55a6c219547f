"""What the language model's passes would take on a Raspberry Pi: an estimate from published figures, no measurement.

A pass reads all weights once, whatever it evaluates; a token costs two operations a weight. The slower one decides:

    time = max(calls * bytes / bandwidth, operations / rate)
    operations = 2 * (tokens * (parameters - head) + calls * head)

The head, the matrix from the last state to the vocabulary, is only needed for the last token of a pass. Everything else
(the KV state, Python, the sampling core) is left out: nothing is faster. Decoding has been seen to reach 84 to 91 %
of the bandwidth on a Pi 5 and about 60 % on a Pi 4 (the sources below).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from edged.bench.stock import ModelSize


@dataclass(frozen=True, slots=True)
class Device:
    """A computer as the model of costs sees it."""

    name: str
    bytes_per_s: float
    """Memory read by all cores together."""
    operations_per_s: float
    """Multiplications and additions of quantised matrices by all cores together, in long prompts."""


DEVICES: Final = (
    # STREAM's best kernel, 5,562 MB/s (https://www.sci-pi.org.uk/bench/stream.html). Prompts of TinyLlama 1.1B Q8_0 at
    # 10 tokens/s with llama.cpp of March 2024: 2 * 1.1e9 * 10.
    Device("Raspberry Pi 4", 5.5e9, 22e9),
    # Four threads that only read, 11.59 GB/s (https://github.com/ggml-org/llama.cpp/issues/26484, August 2026). The
    # same prompts at 35 tokens/s.
    Device("Raspberry Pi 5", 11.6e9, 77e9),
)
"""Both rates of prompts are from the table in "LLaMA Now Goes Faster on CPUs" (https://justine.lol/matmul/). Since then
llama.cpp has got kernels for Q4_0 that use the Pi 5's dot products; the Pi 4 has none."""


class Measured(Protocol):
    """A row of a table."""

    @property
    def path(self) -> str:
        """What was measured."""

    @property
    def lm_tokens(self) -> float:
        """Tokens that the model evaluated."""

    @property
    def lm_calls(self) -> float:
        """Passes."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long the passes of one path take at least."""

    device: str
    path: str
    ms: float


def estimate_ms(device: Device, size: ModelSize, tokens: float, calls: float) -> float:
    """The least that `tokens` tokens in `calls` passes take on a device."""
    reading_s = calls * size.weight_bytes / device.bytes_per_s
    operations = 2 * (tokens * (size.parameters - size.head_parameters) + calls * size.head_parameters)
    return 1e3 * max(reading_s, operations / device.operations_per_s)


def estimate_paths(rows: Iterable[Measured], size: ModelSize) -> list[Estimate]:
    """Of each path, by its median tokens and calls."""
    paths = list(rows)
    return [
        Estimate(device.name, row.path, estimate_ms(device, size, row.lm_tokens, row.lm_calls))
        for device in DEVICES
        for row in paths
    ]


def describe_estimates(estimates: Iterable[Estimate]) -> list[str]:
    """A line for each device."""
    lines: dict[str, list[str]] = {}
    for estimate in estimates:
        lines.setdefault(estimate.device, []).append(f"{estimate.path} {estimate.ms:.0f} ms")
    return [
        f"estimate, not measured: {device}, LM passes alone, at best: {'; '.join(paths)}"
        for device, paths in lines.items()
    ]
