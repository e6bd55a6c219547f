"""The model in torch, where the extra `train` is installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edged.models.merge import Q4_0, dequantize, quantize, read_gguf

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("gguf", reason="the extra `train` is not installed")

from edged.train.convert import write_adapter  # noqa: E402
from edged.train.dataset import MAX_ROW_TOKENS, Lesson, Row, batches  # noqa: E402
from edged.train.llama import LAYERS, Llama, Shape, snap_q4_0  # noqa: E402
from edged.train.lora import _UNSCORED as UNSCORED  # noqa: E402
from edged.train.lora import Plan, train  # noqa: E402
from edged.train.lora import _padded as padded  # noqa: E402

SHAPE = Shape(blocks=2, width=64, heads=4, kv_heads=2, rope_base=10000.0, norm_epsilon=1e-5)
SIZES = {"attn_q": (64, 64), "attn_k": (32, 64), "attn_v": (32, 64), "attn_output": (64, 64)}
SIZES |= {"ffn_gate": (96, 64), "ffn_up": (96, 64), "ffn_down": (64, 96)}
PREFIX = [1, 2, 3]
ROWS = (Row((4, 5), (6, 7, 8)), Row((9,), (10,)), Row((4, 9), (11, 12)), Row((13,), (14, 15, 16, 17))) * 2
LESSONS = [Lesson(tuple(PREFIX), ROWS), Lesson((3, 2), ROWS)]


@pytest.fixture
def model() -> Llama:
    torch.manual_seed(1)
    tensors = {"token_embd.weight": torch.randn(32, 64) / 8, "output_norm.weight": torch.ones(64)}
    for i in range(SHAPE.blocks):
        tensors |= {f"blk.{i}.{name}.weight": torch.randn(size) / 8 for name, size in SIZES.items()}
        tensors |= {f"blk.{i}.{name}.weight": torch.ones(64) for name in ("attn_norm", "ffn_norm")}
    return Llama(SHAPE, tensors, rank=4, alpha=8.0)


def cut_off(lessons: Iterator[Lesson], steps: int) -> Iterator[Lesson]:
    yield from islice(lessons, steps)
    raise KeyboardInterrupt


def read(model: Llama, strips: Sequence[Sequence[Row]]) -> Any:
    """The hidden states of strips of rows behind the prefix."""
    tokens, starts, _ = (torch.tensor(part) for part in zip(*map(padded, strips), strict=True))
    return model(torch.tensor(PREFIX), tokens, starts)


def test_a_row_reads_the_same_alone_and_beside_others(model: Llama) -> None:
    row, other, third = Row((4, 5), (6, 7, 8)), Row((9, 9, 9), (1, 2)), Row((7,), (3, 3))
    alone = read(model, [[row]])[0, :4]
    strips = read(model, [[third, other], [other, row, third]])
    assert torch.allclose(alone, strips[1, 4:8], atol=0.05)
    assert not torch.allclose(alone, strips[0, 4:8], atol=0.05)


def test_rows_that_are_packed_are_those_of_a_model_that_reads_one_text(model: Llama) -> None:
    """Behind the prefix as in it: the two ways of attention are the same."""
    whole = model(torch.tensor(PREFIX[:1]), torch.tensor([[2, 3, 4, 5, 6]]), torch.zeros(1, 5, dtype=torch.int64))
    split = model(torch.tensor(PREFIX), torch.tensor([[4, 5, 6]]), torch.zeros(1, 3, dtype=torch.int64))
    assert torch.allclose(whole[0, 2:], split[0], atol=0.05)


def test_later_tokens_do_not_change_earlier_ones(model: Llama) -> None:
    one, other = read(model, [[Row((4, 5), (6, 0))]]), read(model, [[Row((4, 5), (7, 0))]])
    assert torch.allclose(one[0, :2], other[0, :2], atol=0.05)
    assert not torch.allclose(one[0, 2], other[0, 2], atol=0.05)


def test_only_answers_are_scored() -> None:
    tokens, starts, targets = padded([Row((4, 5), (6, 7)), Row((8,), (9,))])
    assert len(tokens) == len(starts) == len(targets) == MAX_ROW_TOKENS
    assert (tokens[:4], starts[:4], targets[:4]) == ([4, 5, 6, 8], [0, 0, 0, 3], [UNSCORED, 6, 7, 9])
    assert set(starts[4:]) == {4}
    assert set(targets[4:]) == {UNSCORED}


def test_it_learns_the_same_again_with_the_same_seed(model: Llama, tmp_path: Path) -> None:
    plan = Plan(steps=60, learning_rate=0.02, warmup_steps=2)
    losses = []
    start = {name: value.clone() for name, value in model.state_dict().items()}
    for name in ("first", "second"):
        model.load_state_dict(start)
        losses.append(train(model, LESSONS, plan, tmp_path / name))
    assert losses[0] < 2.5
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_training_goes_on_where_it_was_cut_off(model: Llama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second half gives what the whole in one run gives."""
    start = {name: value.clone() for name, value in model.state_dict().items()}
    plan = Plan(steps=10, save_every_steps=5)
    train(model, LESSONS, plan, tmp_path / "whole")
    whole = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(start)
    with monkeypatch.context() as patch:
        patch.setattr("edged.train.lora.batches", lambda *_: cut_off(batches(LESSONS, plan.steps, plan.seed), 7))
        with pytest.raises(KeyboardInterrupt):
            train(model, LESSONS, plan, tmp_path / "cut")
    model.load_state_dict(start)
    train(model, LESSONS, plan, tmp_path / "cut")
    for name, value in model.state_dict().items():
        assert torch.allclose(value, whole[name], atol=1e-4), name


def test_what_is_trained_already_is_not_trained_again(model: Llama, tmp_path: Path) -> None:
    plan = Plan(steps=10, save_every_steps=4)
    train(model, LESSONS, plan, tmp_path / "checkpoint")
    trained = model.adapters()["blk.0.attn_q.weight"][1].clone()
    assert trained.any()
    assert train(model, LESSONS, plan, tmp_path / "checkpoint") == 0
    assert torch.equal(model.adapters()["blk.0.attn_q.weight"][1], trained)


def test_a_model_takes_over_the_adapter_of_another(model: Llama, tmp_path: Path) -> None:
    begun = {name: (a.clone(), b.clone()) for name, (a, b) in model.adapters().items()}
    train(model, LESSONS, Plan(steps=3), tmp_path / "checkpoint")
    assert model.adapters()["blk.0.attn_q.weight"][1].any()
    model.load_adapters(begun)
    for name, (a, b) in model.adapters().items():
        assert torch.equal(a, begun[name][0])
        assert torch.equal(b, begun[name][1])


def test_the_grid_of_training_is_that_of_the_merge() -> None:
    weights = np.random.default_rng(1).standard_normal((8, 64)).astype(np.float32)
    merged = dequantize(quantize(weights, Q4_0), Q4_0).reshape(8, 64)
    assert (snap_q4_0(torch.from_numpy(weights)).numpy() == merged).all()


def test_an_adapter_is_written_as_llama_cpp_names_it(model: Llama, tmp_path: Path) -> None:
    write_adapter(tmp_path / "adapter.gguf", model.adapters(), 8.0, "test")
    written = read_gguf(tmp_path / "adapter.gguf")
    shapes = {tensor.name: tensor.shape for tensor in written.tensors}
    assert len(shapes) == 2 * SHAPE.blocks * sum(map(len, LAYERS))
    assert shapes["blk.1.ffn_down.weight.lora_a"] == (96, 4)
    assert shapes["blk.1.ffn_down.weight.lora_b"] == (4, 64)
    assert written.values["adapter.lora.alpha"][2] == 8.0
    assert written.values["general.type"][2] == "adapter"
