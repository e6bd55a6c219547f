"""Writes the trained adapter as a GGUF that llama.cpp applies at load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, GGUFWriter
from torch import Tensor


def read_adapter(path: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """The matrices A and B of each tensor, as `write_adapter` wrote them."""
    matrices = {t.name: torch.from_numpy(np.array(t.data, dtype=np.float32)) for t in GGUFReader(path).tensors}
    names = sorted({name.rpartition(".")[0] for name in matrices})
    return {name: (matrices[f"{name}.lora_a"], matrices[f"{name}.lora_b"]) for name in names}


def write_adapter(path: Path, adapters: Mapping[str, tuple[Tensor, Tensor]], alpha: float, name: str) -> None:
    """Writes matrices A and B of each tensor in F16; the file appears whole or not at all."""
    fresh = path.with_suffix(".new")
    writer = GGUFWriter(fresh, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    writer.add_name(name)
    for tensor, (a, b) in adapters.items():
        writer.add_tensor(f"{tensor}.lora_a", a.cpu().numpy().astype(np.float16))
        writer.add_tensor(f"{tensor}.lora_b", b.cpu().numpy().astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    fresh.replace(path)
