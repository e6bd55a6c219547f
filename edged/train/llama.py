"""The Llama architecture in torch, read from a GGUF as it lies there, with a low-rank adapter on every linear layer.

Tensor names, the row order of q and k and the interleaved rotation are llama.cpp's own, so an adapter trained here
goes into a GGUF adapter without any permutation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from torch import Tensor, nn
from torch.nn import functional

LAYERS = (("attn_q", "attn_k", "attn_v"), ("attn_output",), ("ffn_gate", "ffn_up"), ("ffn_down",))
"""The linear layers of a block by their GGUF names, those together that read the same input; each gets an adapter."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers of a Llama model that its GGUF states."""

    blocks: int
    width: int
    heads: int
    kv_heads: int
    rope_base: float
    norm_epsilon: float

    @property
    def head_width(self) -> int:
        """Numbers in a head."""
        return self.width // self.heads


class AdaptedLinear(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Frozen bfloat16 matrices that read the same input, each plus a trained low-rank one, multiplied as one."""

    def __init__(self, weights: Sequence[Tensor], rank: int, alpha: float) -> None:
        super().__init__()
        self.register_buffer("exact", torch.cat(list(weights)), persistent=False)
        self.register_buffer("weight", self.exact.to(torch.bfloat16), persistent=False)
        self.lora_a = nn.ParameterList([torch.empty(rank, weight.shape[1]) for weight in weights])
        self.lora_b = nn.ParameterList([torch.zeros(weight.shape[0], rank) for weight in weights])
        for a in self.lora_a:
            nn.init.kaiming_uniform_(a, a=5**0.5)
        self.sizes = [weight.shape[0] for weight in weights]
        self.scale = alpha / rank
        self.exact: Tensor
        self.weight: Tensor

    def snap(self) -> None:
        """Moves the frozen part so that its sum with the low-rank one lies where Q4_0 will put it."""
        with torch.no_grad():
            low = torch.cat([self.scale * (b @ a) for a, b in zip(self.lora_a, self.lora_b, strict=True)])
            self.weight.copy_(snap_q4_0(self.exact + low) - low)

    def forward(self, x: Tensor) -> Sequence[Tensor]:
        """`x` through each, all in bfloat16."""
        low = functional.linear(x, torch.cat(list(self.lora_a)).to(torch.bfloat16))
        wide = (self.scale * torch.block_diag(*self.lora_b)).to(torch.bfloat16)
        parts: Sequence[Tensor] = torch.addmm(functional.linear(x, self.weight), low, wide.t()).split(self.sizes, -1)
        return parts


def snap_q4_0(weights: Tensor) -> Tensor:
    """The weights as they are after a turn through Q4_0."""
    blocks = weights.reshape(-1, 32)
    largest = blocks.gather(1, blocks.abs().argmax(dim=1, keepdim=True))
    scale = largest / -8
    inverse = torch.where(scale == 0, 0, 1 / scale)
    steps = (blocks * inverse + 8.5).trunc().clamp(max=15) - 8
    return (steps * scale.half().float()).reshape(weights.shape)


class Block(nn.Module):  # type: ignore[misc]
    """Attention and feed-forward part of one layer."""

    def __init__(self, shape: Shape, tensors: dict[str, Tensor], rank: int, alpha: float) -> None:
        super().__init__()
        self.shape = shape
        self.linear = nn.ModuleList(AdaptedLinear([tensors[name] for name in names], rank, alpha) for names in LAYERS)
        self.register_buffer("attn_norm", tensors["attn_norm"], persistent=False)
        self.register_buffer("ffn_norm", tensors["ffn_norm"], persistent=False)

    def forward(self, x: Tensor, rotation: Tensor, parts: Sequence[tuple[int, int]]) -> Tensor:
        """The block's output; `x` holds the tokens of all `parts` (rows, length) one after the other."""
        shape, width = self.shape, (self.shape.width,)
        y = functional.rms_norm(x, width, self.attn_norm, shape.norm_epsilon).to(torch.bfloat16)
        q, k, v = (part.unflatten(-1, (-1, shape.head_width)).float() for part in self.linear[0](y))
        y = attend(rotate(q, rotation), rotate(k, rotation), v, parts)
        x = x + self.linear[1](y.to(torch.bfloat16))[0]
        y = functional.rms_norm(x, width, self.ffn_norm, shape.norm_epsilon).to(torch.bfloat16)
        gate, up = self.linear[2](y)
        return x + self.linear[3](functional.silu(gate) * up)[0]


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotates the neighbouring pairs of numbers of each head by their positions' angles."""
    return torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (-1, 2))) * rotation).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor, parts: Sequence[tuple[int, int]]) -> Tensor:
    """Attention within each row of each part, and of all to the first part, which is one row: the shared prefix."""
    sizes = [rows * length for rows, length in parts]
    done: list[Tensor] = []
    before: tuple[Tensor, Tensor] | None = None
    for (rows, length), *flat in zip(parts, q.split(sizes), k.split(sizes), v.split(sizes), strict=True):
        queries, keys, values = (x.unflatten(0, (rows, length)).transpose(1, 2) for x in flat)
        if before is None:
            before = keys, values
        else:
            keys = torch.cat([before[0].expand(rows, -1, -1, -1), keys], dim=2)
            values = torch.cat([before[1].expand(rows, -1, -1, -1), values], dim=2)
        mask = torch.ones(length, keys.shape[2], dtype=torch.bool).tril(keys.shape[2] - length)
        y = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, enable_gqa=True)
        done.append(y.transpose(1, 2).flatten(2).flatten(0, 1))
    return torch.cat(done)


class Llama(nn.Module):  # type: ignore[misc]
    """A frozen Llama model with a trainable adapter."""

    def __init__(self, shape: Shape, tensors: dict[str, Tensor], rank: int, alpha: float) -> None:
        super().__init__()
        self.shape = shape
        names = [*chain(*LAYERS), "attn_norm", "ffn_norm"]
        self.blocks = nn.ModuleList(
            Block(
                shape,
                {name: tensors[f"blk.{i}.{name}.weight"] for name in names},
                rank,
                alpha,
            )
            for i in range(shape.blocks)
        )
        embedding = tensors["token_embd.weight"].to(torch.bfloat16)
        self.register_buffer("embedding", embedding, persistent=False)
        head = tensors.get("output.weight")
        self.register_buffer("head", embedding if head is None else head.to(torch.bfloat16), persistent=False)
        self.register_buffer("norm", tensors["output_norm.weight"], persistent=False)
        self.embedding: Tensor
        self.head: Tensor

    def forward(self, prefix: Tensor, parts: Sequence[Tensor]) -> list[Tensor]:
        """Hidden states of each part's tokens (rows, length), every row of which follows `prefix` (length)."""
        shapes = [(1, len(prefix)), *((part.shape[0], part.shape[1]) for part in parts)]
        positions = [torch.arange(len(prefix))]
        positions += [(torch.arange(length) + len(prefix)).repeat(rows) for rows, length in shapes[1:]]
        rotation = self._rotation(torch.cat(positions))
        x = functional.embedding(torch.cat([prefix, *(part.flatten() for part in parts)]), self.embedding).float()
        for block in self.blocks:
            x = block(x, rotation, shapes)
        x = functional.rms_norm(x, (self.shape.width,), self.norm, self.shape.norm_epsilon)
        flat = x.split([rows * length for rows, length in shapes])[1:]
        return [y.unflatten(0, shape) for y, shape in zip(flat, shapes[1:], strict=True)]

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of every token of the vocabulary."""
        return functional.linear(hidden.to(torch.bfloat16), self.head).float()

    def snap(self) -> None:
        """Moves the frozen weights so that the merged ones lie on the grid of Q4_0, in which they will be written."""
        for block in self.blocks:
            for linear in block.linear:
                linear.snap()

    def adapters(self) -> dict[str, tuple[Tensor, Tensor]]:
        """GGUF tensor name -> its matrices A (rank, inputs) and B (outputs, rank)."""
        return {
            f"blk.{i}.{name}.weight": (a.detach(), b.detach())
            for i, block in enumerate(self.blocks)
            for names, linear in zip(LAYERS, block.linear, strict=True)
            for name, a, b in zip(names, linear.lora_a, linear.lora_b, strict=True)
        }

    def _rotation(self, positions: Tensor) -> Tensor:
        half = self.shape.head_width // 2
        frequencies = self.shape.rope_base ** (-torch.arange(half, dtype=torch.float32) / half)
        angles = positions[:, None, None] * frequencies
        return torch.polar(torch.ones_like(angles), angles)


def load_llama(path: Path, rank: int, alpha: float) -> Llama:
    """Reads a GGUF of the Llama architecture, whatever its quantisation."""
    reader = GGUFReader(path)
    tensors = {t.name: torch.from_numpy(np.array(dequantize(t.data, t.tensor_type))) for t in reader.tensors}
    return Llama(_shape(reader), tensors, rank, alpha)


def _shape(reader: GGUFReader) -> Shape:
    fields = {name.removeprefix("llama."): field for name, field in reader.fields.items()}
    return Shape(
        blocks=fields["block_count"].contents(),
        width=fields["embedding_length"].contents(),
        heads=fields["attention.head_count"].contents(),
        kv_heads=fields["attention.head_count_kv"].contents(),
        rope_base=fields["rope.freq_base"].contents(),
        norm_epsilon=fields["attention.layer_norm_rms_epsilon"].contents(),
    )
