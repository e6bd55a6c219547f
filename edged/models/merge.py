"""Merges an adapter into a model: one GGUF that is faster than both together, written for a small device.

Reads and writes one tensor at a time with numpy alone, so the merge of a 135M model fits in 100 MB of memory.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edged.errors import ModelError

Floats: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.uint8]

F32: Final = 0
F16: Final = 1
Q4_0: Final = 2
Q4_1: Final = 3
Q8_0: Final = 8
BLOCK: Final = 32
"""Weights that share a scale."""
_BLOCK_BYTES: Final = {Q4_0: 18, Q4_1: 20, Q8_0: 34}
_NUMBER_BYTES: Final = {F32: 4, F16: 2}
_SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""GGUF's value types -> those of `struct`."""
_STRING: Final = 8
_ARRAY: Final = 9
_FILE_TYPES: Final = {Q4_0: 2, Q8_0: 7}
"""What general.file_type says of a file most of whose tensors are of a type."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a GGUF file."""

    name: str
    shape: tuple[int, ...]
    """Numbers in a row first, as GGUF has it."""
    kind: int
    start: int
    """Offset in the file."""

    @property
    def size(self) -> int:
        """Its bytes."""
        count = int(np.prod(self.shape))
        return (
            count // BLOCK * _BLOCK_BYTES[self.kind] if self.kind in _BLOCK_BYTES else count * _NUMBER_BYTES[self.kind]
        )


@dataclass(frozen=True, slots=True)
class Gguf:
    """A GGUF file as it lies in memory."""

    data: mmap.mmap
    values: Mapping[str, tuple[int, int, Any]]
    """Key -> where its value starts (the type before it), where it ends, the value if it is a scalar or a string."""
    values_end: int
    tensors: tuple[Tensor, ...]

    def raw(self, tensor: Tensor) -> Bytes:
        """A tensor's bytes."""
        return np.frombuffer(self.data, np.uint8, tensor.size, tensor.start)

    def floats(self, tensor: Tensor) -> Floats:
        """A tensor's numbers, a row of the matrix each."""
        return dequantize(self.raw(tensor), tensor.kind).reshape(tensor.shape[::-1])


def merge(model: Path, adapter: Path, out: Path, kind: int = Q4_0) -> None:
    """Writes `model` with `adapter` added to its weights; adapted weights become `kind`, all others stay as they are.

    Raises:
        ModelError: a file is no GGUF of the kind that is expected here, or the adapter is not for the model.
        OSError: a file cannot be read or written.
    """
    base, added = read_gguf(model), read_gguf(adapter)
    low_rank = {tensor.name: tensor for tensor in added.tensors}
    names = {tensor.name for tensor in base.tensors}
    strange = [name for name in low_rank if name.rsplit(".", 1)[0] not in names]
    if strange or "adapter.lora.alpha" not in added.values:
        raise ModelError(f"is no adapter for {model.name}", where=str(adapter), remedy="fetch or train it anew")
    alpha = float(added.values["adapter.lora.alpha"][2])

    def weights(tensor: Tensor) -> Bytes:
        a, b = (low_rank[f"{tensor.name}.lora_{part}"] for part in "ab")
        rank = a.shape[1]
        return quantize(base.floats(tensor) + (alpha / rank) * (added.floats(b) @ added.floats(a)), kind)

    merged = [replace(t, kind=kind) if f"{t.name}.lora_a" in low_rank else t for t in base.tensors]
    with out.open("wb") as file:
        _write_head(file, base, merged, kind)
        for old, new in zip(base.tensors, merged, strict=True):
            data = base.raw(old) if new is old else weights(old)
            _pad(file, _alignment(base))
            file.write(data.tobytes())
        file.flush()
        os.fsync(file.fileno())


def dequantize(raw: Bytes, kind: int) -> Floats:
    """The numbers that a tensor's bytes mean."""
    if kind in _NUMBER_BYTES:
        return raw.view(np.float32 if kind == F32 else np.float16).astype(np.float32)
    blocks = raw.reshape(-1, _BLOCK_BYTES[kind])
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    if kind == Q8_0:
        return blocks[:, 2:].view(np.int8).astype(np.float32) * scale
    packed = blocks[:, -BLOCK // 2 :]
    steps = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)
    if kind == Q4_0:
        return (steps - 8) * scale
    return steps * scale + blocks[:, 2:4].copy().view(np.float16).astype(np.float32)


def quantize(numbers: Floats, kind: int) -> Bytes:
    """Numbers as Q4_0 or Q8_0, as llama.cpp's reference quantiser does it."""
    blocks = numbers.reshape(-1, BLOCK)
    if kind == Q8_0:
        scale = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
        steps = np.rint(blocks * _inverse(scale)).astype(np.int8).view(np.uint8)
        return np.concatenate([_half(scale), steps], axis=1)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1, keepdims=True), axis=1)
    scale = largest / np.float32(-8)
    steps = np.minimum(15, np.trunc(blocks * _inverse(scale) + np.float32(8.5))).astype(np.uint8)
    return np.concatenate([_half(scale), steps[:, : BLOCK // 2] | steps[:, BLOCK // 2 :] << 4], axis=1)


def _inverse(scale: Floats) -> Floats:
    return np.divide(1, scale, out=np.zeros_like(scale), where=scale != 0)


def _half(scale: Floats) -> Bytes:
    return scale.astype(np.float16).view(np.uint8)


def read_gguf(path: Path) -> Gguf:
    """A GGUF file's table of contents.

    Raises:
        ModelError: it is none, is cut short, or holds tensors of a type that is not known here.
    """
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return _read(data)
    except (struct.error, KeyError, UnicodeDecodeError, ValueError) as error:
        raise ModelError(f"cannot be read as GGUF: {error}", where=str(path), remedy="edged models fetch") from error


def _read(data: mmap.mmap) -> Gguf:
    magic, version, tensor_count, value_count = struct.unpack_from("<4sIQQ", data)
    if magic != b"GGUF" or version not in (2, 3):
        raise ValueError(f"magic {magic!r}, version {version}")
    at = 24
    values = {}
    for _ in range(value_count):
        key, at = _string(data, at)
        (kind,) = struct.unpack_from("<I", data, at)
        value, end = _value(data, at + 4, kind)
        values[key] = (at, end, value)
        at = end
    values_end = at
    tensors = []
    for _ in range(tensor_count):
        tensor, at = _tensor(data, at)
        tensors.append(tensor)
    gguf = Gguf(data, values, values_end, ())
    start = at + -at % _alignment(gguf)
    placed = tuple(replace(tensor, start=start + tensor.start) for tensor in tensors)
    if any(tensor.start + tensor.size > len(data) for tensor in placed):
        raise ValueError("it is cut short")
    return replace(gguf, tensors=placed)


def _tensor(data: mmap.mmap, at: int) -> tuple[Tensor, int]:
    name, at = _string(data, at)
    (count,) = struct.unpack_from("<I", data, at)
    shape = struct.unpack_from(f"<{count}Q", data, at + 4)
    kind, start = struct.unpack_from("<IQ", data, at + 4 + 8 * count)
    return Tensor(name, shape, kind, start), at + 16 + 8 * count


def _string(data: mmap.mmap, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<Q", data, at)
    end = at + 8 + length
    return data[at + 8 : end].decode(), end


def _value(data: mmap.mmap, at: int, kind: int) -> tuple[Any, int]:
    if kind == _STRING:
        return _string(data, at)
    if kind != _ARRAY:
        form = f"<{_SCALARS[kind]}"
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    item_kind, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if item_kind not in (_STRING, _ARRAY):
        return None, at + count * struct.calcsize(f"<{_SCALARS[item_kind]}")
    for _ in range(count):
        _, at = _value(data, at, item_kind)
    return None, at


def _alignment(gguf: Gguf) -> int:
    return int(gguf.values["general.alignment"][2]) if "general.alignment" in gguf.values else 32


def _write_head(file: BinaryIO, base: Gguf, tensors: list[Tensor], kind: int) -> None:
    head = bytearray(base.data[: base.values_end])
    if "general.file_type" in base.values:
        struct.pack_into("<I", head, base.values["general.file_type"][0] + 4, _FILE_TYPES[kind])
    file.write(head)
    offset = 0
    for tensor in tensors:
        name = tensor.name.encode()
        file.write(struct.pack("<Q", len(name)) + name + struct.pack("<I", len(tensor.shape)))
        file.write(struct.pack(f"<{len(tensor.shape)}QIQ", *tensor.shape, tensor.kind, offset))
        offset += tensor.size + -tensor.size % _alignment(base)


def _pad(file: BinaryIO, alignment: int) -> None:
    file.write(bytes(-file.tell() % alignment))
