"""The Llama architecture in torch, read from a GGUF as it lies there, with a low-rank adapter on every linear layer.

Tensor names, the row order of q and k and the interleaved rotation are llama.cpp's own, so an adapter trained here
goes into a GGUF adapter without any permutation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from torch import Tensor, nn
from torch.nn import functional

_CPU_FLAGS = Path("/proc/cpuinfo")
DTYPE = (
    torch.bfloat16 if not _CPU_FLAGS.is_file() or "bf16" in _CPU_FLAGS.read_text(encoding="utf-8") else torch.float32
)
"""Of the products of matrices. A processor without instructions for bfloat16 (a Raspberry Pi) is faster with floats;
one that has them computes eight times as much (2.3 TFLOPS in place of 0.3 on two cores with AMX)."""
PREFIX_STEP = 64
"""Prefixes are filled up to a multiple of so many tokens: every new length costs oneDNN a second for new kernels."""
_HIDDEN = -30000.0
"""Added to scores of fill: finite, so that what fill itself sees is no division by zero."""
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
    """Frozen matrices that read the same input, each plus a trained low-rank one, multiplied as one."""

    def __init__(self, weights: Sequence[Tensor], rank: int, alpha: float) -> None:
        super().__init__()
        self.register_buffer("exact", torch.cat(list(weights)), persistent=False)
        self.register_buffer("weight", self.exact.to(DTYPE), persistent=False)
        self.lora_a = nn.Parameter(torch.empty(rank * len(weights), weights[0].shape[1]))
        self.lora_b = nn.ParameterList([torch.zeros(weight.shape[0], rank) for weight in weights])
        nn.init.kaiming_uniform_(self.lora_a, a=5**0.5)
        self.sizes = [weight.shape[0] for weight in weights]
        self.rank = rank
        self.scale = alpha / rank
        self.exact: Tensor
        self.weight: Tensor

    def snap(self) -> None:
        """Moves the frozen part so that its sum with the low-rank one lies where Q4_0 will put it."""
        with torch.no_grad():
            low = torch.cat([self.scale * (b @ a) for a, b in zip(self.parts_a(), self.lora_b, strict=True)])
            self.weight.copy_(snap_q4_0(self.exact + low) - low)

    def parts_a(self) -> Sequence[Tensor]:
        """Matrix A of each."""
        parts: Sequence[Tensor] = self.lora_a.split(self.rank)
        return parts

    def forward(self, x: Tensor) -> list[Tensor]:
        """`x` through each, all in `DTYPE`."""
        low = functional.linear(x, self.lora_a.to(DTYPE)).split(self.rank, -1)
        frozen = functional.linear(x, self.weight).split(self.sizes, -1)
        wide = [(self.scale * b).to(DTYPE).t() for b in self.lora_b]
        return [torch.addmm(*parts) for parts in zip(frozen, low, wide, strict=True)]


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

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], fill: Tensor, mask: Tensor) -> Tensor:
        """The block's output; `x` holds the tokens of the prefix, then those of the strips that `mask` is for."""
        shape, width = self.shape, (self.shape.width,)
        y = functional.rms_norm(x, width, self.attn_norm, shape.norm_epsilon).to(DTYPE)
        q, k, v = (part.unflatten(-1, (-1, shape.head_width)) for part in self.linear[0](y))
        y = attend(rotate(q, *rotation), rotate(k, *rotation), v, fill, mask)
        x = x + self.linear[1](y)[0]
        y = functional.rms_norm(x, width, self.ffn_norm, shape.norm_epsilon).to(DTYPE)
        gate, up = self.linear[2](y)
        return x + self.linear[3](functional.silu(gate) * up)[0]


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotates the neighbouring pairs of numbers of each head by their positions' angles."""
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([even * cosine - odd * sine, even * sine + odd * cosine], -1).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor, fill: Tensor, mask: Tensor) -> Tensor:
    """Causal attention within the prefix, and of every row within itself and to the prefix.

    The two parts of a row's attention are computed apart, the prefix's for all rows in one product, and weighed by
    their sums of exponentials, as in flash attention (Dao et al. 2022, section 3.1). `fill` (prefix) is added to the
    scores of the prefix, `mask` (strips, length, length) to those within the strips in which the rows are packed.
    """
    tokens, heads, width = q.shape
    groups, prefix = k.shape[1], len(fill)
    sizes = [prefix, tokens - prefix]
    rows, length = mask.shape[:2]
    (q0, q1), (k0, k1), (v0, v1) = (x.split(sizes) for x in (q.unflatten(1, (groups, -1)) * width**-0.5, k, v))
    keys, values = k0.permute(1, 2, 0), v0.transpose(0, 1)
    scores = torch.bmm(q0.permute(1, 2, 0, 3).reshape(groups, -1, width), keys).unflatten(1, (-1, prefix))
    own = (scores + _causal(prefix) + fill).softmax(-1).flatten(1, 2)
    first = torch.bmm(own, values).unflatten(1, (-1, prefix)).permute(2, 0, 1, 3).flatten(1)
    q1 = q1.permute(1, 2, 0, 3)
    far, far_sum = _weighed(torch.bmm(q1.reshape(groups, -1, width), keys) + fill, values)
    each = q1.unflatten(2, (rows, length)).transpose(1, 2).flatten(0, 1).flatten(1, 2)
    k1, v1 = (x.unflatten(0, (rows, length)).permute(2, 0, 1, 3).flatten(0, 1) for x in (k1, v1))
    scores = torch.bmm(each, k1.transpose(1, 2)).unflatten(0, (groups, rows)).unflatten(2, (-1, length))
    near, near_sum = _weighed((scores + mask[None, :, None]).flatten(2, 3).flatten(0, 1), v1)
    far = far.unflatten(1, (-1, rows, length)).permute(2, 3, 0, 1, 4)
    far_sum = far_sum.unflatten(1, (-1, rows, length)).permute(2, 3, 0, 1)
    near = near.unflatten(0, (groups, rows)).unflatten(2, (-1, length)).permute(1, 3, 0, 2, 4)
    near_sum = near_sum.unflatten(0, (groups, rows)).unflatten(2, (-1, length)).permute(1, 3, 0, 2)
    share = torch.sigmoid(far_sum - near_sum).unsqueeze(-1).to(near.dtype)
    mixed = near + share * (far - near)
    return torch.cat([first, mixed.reshape(sizes[1], heads * width)])


def _weighed(scores: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """The values weighed by the softmax of scores, and the logarithm of its sum."""
    return torch.bmm(scores.softmax(-1), values), torch.logsumexp(scores.float(), -1)


def _causal(length: int) -> Tensor:
    return torch.full((length, length), float("-inf"), dtype=DTYPE).triu(1)


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
        embedding = tensors["token_embd.weight"].to(DTYPE)
        self.register_buffer("embedding", embedding, persistent=False)
        head = tensors.get("output.weight")
        self.register_buffer("head", embedding if head is None else head.to(DTYPE), persistent=False)
        self.register_buffer("norm", tensors["output_norm.weight"], persistent=False)
        self.embedding: Tensor
        self.head: Tensor

    def forward(self, prefix: Tensor, strips: Tensor, starts: Tensor) -> Tensor:
        """Hidden states (strips, length, width) of the tokens (strips, length) of rows that each follow `prefix`.

        `starts` (strips, length) says for each token where in its strip its row starts.
        """
        short = -len(prefix) % PREFIX_STEP
        fill = torch.zeros(len(prefix) + short, dtype=DTYPE)
        fill[:short] = _HIDDEN
        prefix = functional.pad(prefix, (short, 0))
        places = torch.arange(strips.shape[1])
        rotation = self._rotation(torch.cat([torch.arange(len(prefix)), (places - starts + len(prefix)).flatten()]))
        mask = torch.zeros(strips.shape + strips.shape[1:], dtype=DTYPE)
        mask.masked_fill_((starts[:, :, None] != starts[:, None]) | (places[None, :, None] < places), float("-inf"))
        x = functional.embedding(torch.cat([prefix, strips.flatten()]), self.embedding).float()
        for block in self.blocks:
            x = block(x, rotation, fill, mask)
        x = functional.rms_norm(x[len(prefix) :], (self.shape.width,), self.norm, self.shape.norm_epsilon)
        return x.unflatten(0, strips.shape)

    def compile(self) -> None:
        """Has torch compile the blocks: a step takes half the time, the first one a minute more."""
        for block in self.blocks:
            block.forward = torch.compile(block.forward, dynamic=True)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of every token of the vocabulary."""
        return functional.linear(hidden.to(DTYPE), self.head).float()

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
            for name, a, b in zip(names, linear.parts_a(), linear.lora_b, strict=True)
        }

    def load_adapters(self, adapters: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Takes over what `adapters` gave, of the same rank."""
        with torch.no_grad():
            for name, (a, b) in self.adapters().items():
                a.copy_(adapters[name][0])
                b.copy_(adapters[name][1])

    def _rotation(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        half = self.shape.head_width // 2
        frequencies = self.shape.rope_base ** (-torch.arange(half, dtype=torch.float32) / half)
        angles = positions[:, None, None] * frequencies
        return angles.cos().to(DTYPE), angles.sin().to(DTYPE)


def load_llama(path: Path, rank: int, alpha: float) -> Llama:
    """Reads a GGUF of the Llama architecture, whatever its quantisation."""
    reader = GGUFReader(path)
    tensors = {
        t.name: torch.as_tensor(np.array(dequantize(t.data, t.tensor_type)), device=torch.get_default_device())
        for t in reader.tensors
    }
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
