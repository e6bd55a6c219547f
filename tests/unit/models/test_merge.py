"""Merging an adapter into a GGUF, on files made here byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from edged.errors import ModelError
from edged.models.merge import F16, F32, Q4_0, Q4_1, Q8_0, Floats, dequantize, merge, quantize, read_gguf

ROWS, COLUMNS, RANK = 4, 64, 2
RNG = np.random.default_rng(1)


def string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def write_gguf(path: Path, tensors: Mapping[str, tuple[int, Floats]], *, alpha: float | None = None) -> None:
    """A GGUF with an array, a scalar, and tensors of any type that can be written here."""
    values = [string("tokens") + struct.pack("<IIQ", 9, 8, 2) + string("a") + string("bc")]
    values.append(string("general.file_type") + struct.pack("<II", 4, 3))
    if alpha is not None:
        values.append(string("adapter.lora.alpha") + struct.pack("<If", 6, alpha))
    infos, data = b"", b""
    for name, (kind, numbers) in tensors.items():
        raw = numbers.astype({F32: np.float32, F16: np.float16}.get(kind, np.float32)).tobytes()
        if kind in (Q4_0, Q8_0):
            raw = quantize(numbers, kind).tobytes()
        shape = numbers.shape[::-1]
        infos += string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data))
        data += raw + bytes(-len(raw) % 32)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(values)) + b"".join(values) + infos
    path.write_bytes(head + bytes(-len(head) % 32) + data)


def normal(*shape: int) -> Floats:
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    write_gguf(tmp_path / "base", {"x.weight": (Q8_0, normal(ROWS, COLUMNS)), "norm": (F32, normal(COLUMNS))})
    low_rank = {"x.weight.lora_a": (F16, normal(RANK, COLUMNS)), "x.weight.lora_b": (F16, normal(ROWS, RANK))}
    write_gguf(tmp_path / "adapter", low_rank, alpha=4.0)
    return tmp_path / "base", tmp_path / "adapter", tmp_path / "out"


@pytest.mark.parametrize(("kind", "tolerance"), [(Q8_0, 0.02), (Q4_0, 0.14)])
def test_merged_weights_are_the_sum(files: tuple[Path, Path, Path], kind: int, tolerance: float) -> None:
    base, adapter, out = files
    merge(base, adapter, out, kind)
    before, low, after = read_gguf(base), read_gguf(adapter), read_gguf(out)
    a, b = (low.floats(tensor) for tensor in low.tensors)
    expected = before.floats(before.tensors[0]) + 4.0 / RANK * (b @ a)
    error = np.abs(after.floats(after.tensors[0]) - expected).max() / np.abs(expected).max()
    assert error < tolerance
    assert after.tensors[0].kind == kind


def test_everything_else_stays(files: tuple[Path, Path, Path]) -> None:
    base, adapter, out = files
    merge(base, adapter, out)
    before, after = read_gguf(base), read_gguf(out)
    assert [tensor.name for tensor in after.tensors] == [tensor.name for tensor in before.tensors]
    assert (after.raw(after.tensors[1]) == before.raw(before.tensors[1])).all()
    assert list(after.values) == list(before.values)
    assert after.values["general.file_type"][2] == 2


def test_an_adapter_for_another_model_is_refused(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    base, _, out = files
    write_gguf(tmp_path / "other", {"y.weight.lora_a": (F16, normal(RANK, COLUMNS))}, alpha=1.0)
    with pytest.raises(ModelError, match="is no adapter for base"):
        merge(base, tmp_path / "other", out)
    assert not out.exists()


@pytest.mark.parametrize("bytes_left", [3, 30, 200, -1])
def test_a_damaged_file_is_a_clear_error(files: tuple[Path, Path, Path], bytes_left: int) -> None:
    base, _, _ = files
    base.write_bytes(base.read_bytes()[:bytes_left])
    with pytest.raises(ModelError, match="cannot be read as GGUF"):
        read_gguf(base)


def test_q4_0_keeps_the_largest_of_a_block_exactly() -> None:
    numbers = np.zeros((1, 32), np.float32)
    numbers[0, 5] = -4.0
    numbers[0, 20] = 2.0
    assert dequantize(quantize(numbers, Q4_0), Q4_0).tolist() == numbers.tolist()


def test_q4_1_has_a_scale_and_a_least_value() -> None:
    block = np.frombuffer(struct.pack("<ee", 0.5, -1.0) + bytes([0xF0] + 15 * [0]), np.uint8)
    numbers = dequantize(block, Q4_1)[0]
    assert (numbers[0], numbers[16], numbers[1]) == (-1.0, 6.5, -1.0)
