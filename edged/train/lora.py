"""Trains the adapter: batches of like length after one shared prefix, loss on the answers alone."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from edged.train.dataset import Row, batches
from edged.train.llama import Llama

_LOG = logging.getLogger(__name__)
_UNSCORED = -100


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    batch_rows: int = 48
    learning_rate: float = 6e-4
    warmup_steps: int = 20
    seed: int = 1
    save_every_steps: int = 100
    snap_every_steps: int = 0
    """How often the weights are put on the grid of Q4_0; 0: never, for an adapter that is applied at load."""


def train(model: Llama, prefix: Sequence[int], rows: Sequence[Row], plan: Plan, checkpoint: Path) -> float:
    """Trains the model's adapter in place, from `checkpoint` where that exists; gives the mean loss of the end."""
    torch.manual_seed(plan.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=0.0, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, plan))
    done = _resume(checkpoint, model, optimizer, schedule)
    mean, began = 0.0, time.monotonic()
    for step, batch in enumerate(batches(rows, plan.batch_rows, plan.steps, plan.seed), 1):
        if step <= done:
            continue
        if plan.snap_every_steps and (step - done) % plan.snap_every_steps == 1:
            model.snap()
        loss = _loss(model, prefix, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean = loss.item() if mean == 0 else 0.95 * mean + 0.05 * loss.item()
        if step % 10 == 0:
            left_s = (time.monotonic() - began) / (step - done) * (plan.steps - step)
            _LOG.info("step %d of %d, loss %.4f, %d s left", step, plan.steps, mean, left_s)
        if step % plan.save_every_steps == 0 or step == plan.steps:
            _save(checkpoint, step, model, optimizer, schedule)
    return mean


def _loss(model: Llama, prefix: Sequence[int], batch: Sequence[Sequence[Row]]) -> Tensor:
    tokens, targets = zip(*map(_padded, batch), strict=True)
    hidden = model(torch.tensor(prefix), tokens)
    answers = torch.cat([part[target != _UNSCORED] for part, target in zip(hidden, targets, strict=True)])
    right = torch.cat([target[target != _UNSCORED] for target in targets])
    return functional.cross_entropy(model.logits(answers), right)


def _padded(part: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """What is read, and at each place the token that is to be written next; only those of the answers are scored."""
    longest = max(len(row.question) + len(row.answer) for row in part) - 1
    tokens = torch.zeros(len(part), longest, dtype=torch.long)
    targets = torch.full((len(part), longest), _UNSCORED)
    for i, row in enumerate(part):
        whole = row.question + row.answer
        tokens[i, : len(whole) - 1] = torch.tensor(whole[:-1])
        targets[i, len(row.question) - 1 : len(whole) - 1] = torch.tensor(row.answer)
    return tokens, targets


def _rate(step: int, plan: Plan) -> float:
    if step < plan.warmup_steps:
        return (step + 1) / plan.warmup_steps
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / plan.steps))


def _save(
    path: Path,
    step: int,
    model: Llama,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> None:
    state = {
        "step": step,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
    }
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(path)


def _resume(
    path: Path, model: Llama, optimizer: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler
) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    _LOG.info("going on from step %d of %s", state["step"], path)
    return int(state["step"])
