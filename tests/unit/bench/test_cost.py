import pytest

from edged.bench.command import CommandRow
from edged.bench.cost import DEVICES, Device, describe_estimates, estimate_ms, estimate_paths
from edged.bench.stock import ModelSize

SIZE = ModelSize(weight_bytes=100_000_000, parameters=140_000_000, head_parameters=40_000_000)


def test_few_tokens_a_call_take_as_long_as_the_weights_take_to_read() -> None:
    device = Device("d", bytes_per_s=10e9, operations_per_s=1e15)
    assert estimate_ms(device, SIZE, tokens=4, calls=3) == pytest.approx(30)


def test_many_tokens_a_call_take_as_long_as_their_operations() -> None:
    device = Device("d", bytes_per_s=1e15, operations_per_s=1e12)
    assert estimate_ms(device, SIZE, tokens=50, calls=1) == pytest.approx(1e3 * 2 * (50 * 100e6 + 40e6) / 1e12)


def test_there_is_a_line_for_each_device_that_says_what_it_is() -> None:
    row = CommandRow("edged", 1, 1.0, 1.0, 1.0, 1.0, lm_tokens=12, lm_calls=3, listen_cpu_ms=None)
    lines = describe_estimates(estimate_paths([row], SIZE))
    assert len(lines) == len(DEVICES) == 2
    assert all(line.startswith("estimate, not measured: Raspberry Pi") and "edged " in line for line in lines)
