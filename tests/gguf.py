"""Writes tiny GGUF files with random weights: models of several architectures, with tokenizers of two kinds."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Kind: TypeAlias = Literal["spm", "bpe"]
Shape: TypeAlias = tuple[int, ...]

WIDTH: Final = 64
HEADS: Final = 4
KEY_HEADS: Final = 2
HIDDEN: Final = 96
LAYERS: Final = 2
HEAD_WIDTH: Final = WIDTH // HEADS

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
"""Kinds of tokens in GGUF."""

WORDS: Final = (
    "turn", "on", "off", "the", "light", "lightx", "kitchen", "in", "and", "make", "it", "user", "assistant", "system",
    "model", "action", "area", "intent", "brightness", "name", "to", "of", "a", "what",
)  # fmt: skip
"""Pieces of more than one letter, each with and without a blank in front."""
SIGNS: Final = ('":"', '","', '"}', '[{"', '"}]', "},{", '":')


@dataclass(frozen=True)
class Brought:
    """What a person might bring."""

    name: str
    architecture: str
    kind: Kind
    template: str | None
    control: tuple[str, ...]
    """The names of its control tokens."""
    begin: str | None
    end: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """What else stands in the file."""


def write_model(model: Brought, path: Path) -> None:
    """Writes the file; the same bytes each time."""
    tokens, kinds, scores, merges = _spm(model.control) if model.kind == "spm" else _bpe(model.control)
    values: dict[str, Any] = {
        "general.architecture": model.architecture,
        "general.name": model.name,
        **_sizes(model.architecture),
        "tokenizer.ggml.model": "llama" if model.kind == "spm" else "gpt2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.eos_token_id": tokens.index(model.end),
        **({"tokenizer.ggml.scores": scores} if scores else {"tokenizer.ggml.merges": merges}),
        **({"tokenizer.ggml.bos_token_id": tokens.index(model.begin)} if model.begin else {}),
        **({"tokenizer.chat_template": model.template} if model.template else {}),
        **model.values,
    }
    random = np.random.default_rng(7)
    tensors = {name: _weights(name, shape, random) for name, shape in _SHAPES[model.architecture](len(tokens))}
    _write(path, values, tensors)


# ---- tokenizers


def _spm(control: Sequence[str]) -> tuple[list[str], list[int], list[float], list[str]]:
    """Pieces with scores, of which each is built of two others; bytes for the rest."""
    tokens, kinds = ["<unk>", *control], [UNKNOWN, *[CONTROL] * len(control)]
    tokens += [f"<0x{byte:02X}>" for byte in range(256)]
    kinds += [BYTE] * 256
    pieces = dict.fromkeys([*"▁abcdefghijklmnopqrstuvwxyz0123456789.,:;?!'\"[]{}()<>|_/-ABCDEFGHIJKLMNOPQRSTUVWXYZ"])
    for word in (*WORDS, *(f"▁{word}" for word in WORDS), *SIGNS, "▁["):
        pieces |= dict.fromkeys(word[:length] for length in range(2, len(word) + 1))
    tokens += pieces
    kinds += [NORMAL] * len(pieces)
    scores = [0.0] * (len(tokens) - len(pieces)) + [-float(rank) for rank in range(len(pieces))]
    return tokens, kinds, scores, []


def byte_letters() -> dict[int, str]:
    """How byte-level tokenizers write each byte as a letter: those that are visible as themselves, the others shifted."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {byte: chr(0x100 + rank) for rank, byte in enumerate(hidden)}


def _bpe(control: Sequence[str]) -> tuple[list[str], list[int], list[float], list[str]]:
    """Letters for bytes, and pairs that merge; control tokens last."""
    letters = byte_letters()
    tokens = dict.fromkeys(letters.values())
    merges: dict[str, None] = {}
    for word in (*WORDS, *(f" {word}" for word in WORDS), *SIGNS, "\n\n"):
        written = "".join(letters[byte] for byte in word.encode())
        for length in range(2, len(written) + 1):
            merges[f"{written[: length - 1]} {written[length - 1]}"] = None
            tokens[written[:length]] = None
    kinds = [NORMAL] * len(tokens) + [CONTROL] * len(control)
    return [*tokens, *control], kinds, [], list(merges)


# ---- architectures


def _sizes(architecture: str) -> dict[str, Any]:
    sizes: dict[str, Any] = {
        "context_length": 4096,
        "embedding_length": WIDTH,
        "block_count": LAYERS,
        "feed_forward_length": HIDDEN,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KEY_HEADS,
        "rope.dimension_count": HEAD_WIDTH,
        "attention.layer_norm_rms_epsilon": 1e-5,
    }
    match architecture:
        case "stablelm":
            sizes |= {"attention.layer_norm_epsilon": 1e-5, "use_parallel_residual": True}
        case "gemma3":
            sizes |= {"attention.key_length": HEAD_WIDTH, "attention.value_length": HEAD_WIDTH}
            sizes |= {"attention.sliding_window": 32}
    return {f"{architecture}.{name}": value for name, value in sizes.items()}


def _common(n_vocab: int) -> Iterator[tuple[str, Shape]]:
    yield "token_embd.weight", (n_vocab, WIDTH)
    yield "output_norm.weight", (WIDTH,)
    for name in _layers():
        yield f"{name}.attn_norm.weight", (WIDTH,)
        yield f"{name}.ffn_norm.weight", (WIDTH,)
        yield f"{name}.attn_output.weight", (WIDTH, WIDTH)
        yield f"{name}.ffn_down.weight", (WIDTH, HIDDEN)


def _layers() -> Iterator[str]:
    return (f"blk.{layer}" for layer in range(LAYERS))


def _llama(n_vocab: int) -> Iterator[tuple[str, Shape]]:
    yield from _common(n_vocab)
    yield "output.weight", (n_vocab, WIDTH)
    for name in _layers():
        yield f"{name}.attn_q.weight", (WIDTH, WIDTH)
        yield f"{name}.attn_k.weight", (KEY_HEADS * HEAD_WIDTH, WIDTH)
        yield f"{name}.attn_v.weight", (KEY_HEADS * HEAD_WIDTH, WIDTH)
        yield f"{name}.ffn_gate.weight", (HIDDEN, WIDTH)
        yield f"{name}.ffn_up.weight", (HIDDEN, WIDTH)


def _phi3(n_vocab: int) -> Iterator[tuple[str, Shape]]:
    yield from _common(n_vocab)
    yield "output.weight", (n_vocab, WIDTH)
    for name in _layers():
        yield f"{name}.attn_qkv.weight", (WIDTH + 2 * KEY_HEADS * HEAD_WIDTH, WIDTH)
        yield f"{name}.ffn_up.weight", (2 * HIDDEN, WIDTH)


def _stablelm(n_vocab: int) -> Iterator[tuple[str, Shape]]:
    yield from _llama(n_vocab)
    yield "output_norm.bias", (WIDTH,)
    for name in _layers():
        yield f"{name}.attn_norm.bias", (WIDTH,)
        yield f"{name}.ffn_norm.bias", (WIDTH,)


def _qwen2(n_vocab: int) -> Iterator[tuple[str, Shape]]:
    yield from _llama(n_vocab)
    for name in _layers():
        yield f"{name}.attn_q.bias", (WIDTH,)
        yield f"{name}.attn_k.bias", (KEY_HEADS * HEAD_WIDTH,)
        yield f"{name}.attn_v.bias", (KEY_HEADS * HEAD_WIDTH,)


def _gemma3(n_vocab: int) -> Iterator[tuple[str, Shape]]:
    yield from ((name, shape) for name, shape in _llama(n_vocab) if name != "output.weight")
    for name in _layers():
        yield f"{name}.attn_q_norm.weight", (HEAD_WIDTH,)
        yield f"{name}.attn_k_norm.weight", (HEAD_WIDTH,)
        yield f"{name}.post_attention_norm.weight", (WIDTH,)
        yield f"{name}.post_ffw_norm.weight", (WIDTH,)


_SHAPES: Final = {"llama": _llama, "phi3": _phi3, "stablelm": _stablelm, "qwen2": _qwen2, "gemma3": _gemma3}


def _weights(name: str, shape: Shape, random: np.random.Generator) -> NDArray[np.float32]:
    if "norm" in name:
        return np.ones(shape, np.float32) if name.endswith("weight") else np.zeros(shape, np.float32)
    return random.normal(0, shape[-1] ** -0.5, shape).astype(np.float32)


# ---- the file

_U32, _I32, _F32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_ALIGNMENT: Final = 32


def _write(path: Path, values: Mapping[str, Any], tensors: Mapping[str, NDArray[np.float32]]) -> None:
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values)))
    for key, value in values.items():
        kind, packed = _pack(value)
        head += _string(key) + struct.pack("<I", kind) + packed
    offset = 0
    for name, tensor in tensors.items():
        head += _string(name) + struct.pack("<I", tensor.ndim)
        head += struct.pack(f"<{tensor.ndim}Q", *reversed(tensor.shape)) + struct.pack("<IQ", 0, offset)
        offset += _padded(tensor.nbytes)
    with path.open("wb") as file:
        file.write(head.ljust(_padded(len(head)), b"\0"))
        for tensor in tensors.values():
            file.write(tensor.tobytes().ljust(_padded(tensor.nbytes), b"\0"))


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _pack(value: Any) -> tuple[int, bytes]:
    """The type of a value in GGUF, and its bytes."""
    match value:
        case bool():
            return _BOOL, struct.pack("<?", value)
        case int():
            return _U32, struct.pack("<I", value)
        case float():
            return _F32, struct.pack("<f", value)
        case str():
            return _STRING, _string(value)
    kind = {int: _I32, float: _F32, str: _STRING}[type(value[0])]
    packed = map(_string, value) if kind == _STRING else (struct.pack("<i" if kind == _I32 else "<f", v) for v in value)
    return _ARRAY, struct.pack("<IQ", kind, len(value)) + b"".join(packed)
