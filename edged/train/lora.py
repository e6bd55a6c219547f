"""Trains the adapter: a lesson a step, its rows packed behind the prefix that they share, loss on the answers alone."""

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

from edged.train.dataset import MAX_ROW_TOKENS, Lesson, Row, batches, pack
from edged.train.llama import Llama

_LOG = logging.getLogger(__name__)
STRIPS_STEP = 2
"""Strips are filled up to a multiple of so many, as prefixes are (`llama.PREFIX_STEP`)."""
_UNSCORED = -100


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    learning_rate: float = 2e-3
    warmup_steps: int = 20
    seed: int = 1
    save_every_steps: int = 100
    snap_every_steps: int = 0
    """How often the weights are put on the grid of Q4_0; 0: never, for an adapter that is applied at load."""


def train(model: Llama, lessons: Sequence[Lesson], plan: Plan, checkpoint: Path) -> float:
    """Trains the model's adapter in place, from `checkpoint` where that exists; gives the mean loss of the end."""
    torch.manual_seed(plan.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=0.0, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, plan))
    done = _resume(checkpoint, model, optimizer, schedule)
    mean, began = 0.0, time.monotonic()
    for step, lesson in enumerate(batches(lessons, plan.steps, plan.seed), 1):
        if step <= done:
            continue
        if plan.snap_every_steps and (step - done) % plan.snap_every_steps == 1:
            model.snap()
        loss = _loss(model, lesson)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean = loss.item() if mean == 0 else 0.98 * mean + 0.02 * loss.item()
        if step % 10 == 0:
            left_s = (time.monotonic() - began) / (step - done) * (plan.steps - step)
            _LOG.info("step %d of %d, loss %.4f, %d s left", step, plan.steps, mean, left_s)
        if step % plan.save_every_steps == 0 or step == plan.steps:
            _save(checkpoint, step, model, optimizer, schedule)
    return mean


def _loss(model: Llama, lesson: Lesson) -> Tensor:
    strips = pack(lesson.rows)
    strips += [[]] * (-len(strips) % STRIPS_STEP)
    tokens, starts, targets = (torch.tensor(part) for part in zip(*map(_padded, strips), strict=True))
    hidden = model(torch.tensor(lesson.prefix), tokens, starts)
    is_scored = targets != _UNSCORED
    return functional.cross_entropy(model.logits(hidden[is_scored]), targets[is_scored])


def _padded(strip: Sequence[Row]) -> tuple[list[int], list[int], list[int]]:
    """What is read; at each place where its row starts; and the token to be written next, of answers alone."""
    tokens: list[int] = []
    starts: list[int] = []
    targets: list[int] = []
    for row in strip:
        start, whole = len(tokens), row.question + row.answer
        tokens += whole[:-1]
        starts += [start] * (len(whole) - 1)
        targets += [_UNSCORED] * (len(row.question) - 1) + list(row.answer)
    rest = MAX_ROW_TOKENS - len(tokens)
    return tokens + [0] * rest, starts + [len(tokens)] * rest, targets + [_UNSCORED] * rest


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
    state = torch.load(path, weights_only=True, map_location=torch.get_default_device())
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    _LOG.info("going on from step %d of %s", state["step"], path)
    return int(state["step"])
