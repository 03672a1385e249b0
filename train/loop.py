"""The training loop of every method: fixed epochs, seeded, resumable after a kill, no selection by any score."""

from __future__ import annotations

import csv
import logging
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from train.config import Optimiser

log = logging.getLogger(__name__)


class Job(Protocol):
    """What a method gives to the loop."""

    epochs: int
    steps: int  #: in each epoch
    network: nn.Module

    def batches(self, epoch: int) -> Iterator[Any]:
        """The batches of one epoch; the same ones whenever they are asked for."""

    def loss(self, batch: Any) -> Tensor:
        """The scalar to be made small."""

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Scores for the curve. They are written down, never acted on."""


def fit(job: Job, recipe: Optimiser, folder: Path, *, resume: bool = True) -> nn.Module:
    """Train `job.network` and return what is kept: the averaged weights, or the last ones if `recipe.average` is 0.

    Writes `last.pt` after every epoch and `curve.csv`; starts again from `last.pt` if it is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    optimiser = torch.optim.SGD(_groups(job.network, recipe.weight_decay), lr=recipe.rate, momentum=0.9, nesterov=True)
    total = job.epochs * job.steps
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step / total, recipe.warmup))
    kept = Average(job.network, recipe.average)
    state = Progress(job.network, optimiser, schedule, kept)
    if resume:
        state.restore(folder / "last.pt")
    for epoch in range(len(state.curve), job.epochs):
        mean = _epoch(job, epoch, optimiser, schedule, kept)
        scores = {name: round(value, 5) for name, value in job.evaluate(kept.network).items()}
        state.curve.append({"epoch": epoch + 1, "loss": round(mean, 5), **scores})
        log.info("%s", "  ".join(f"{key} {value}" for key, value in state.curve[-1].items()))
        state.save(folder / "last.pt")
        _write(folder / "curve.csv", state.curve)
    return kept.network


def rate_at(progress: float, warmup: float) -> float:
    """Share of the highest rate: linear from 0 over `warmup`, then half a cosine to 0; progress in [0, 1]."""
    if progress < warmup:
        return max(progress / warmup, 1e-3)
    return 0.5 * (1.0 + math.cos(math.pi * min((progress - warmup) / max(1.0 - warmup, 1e-9), 1.0)))


class Average:
    """Exponential moving average of a network's weights, with a start that is not held back by the first ones."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        import copy

        self.network = copy.deepcopy(network) if decay else network
        self.decay, self.seen = decay, 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights after one step."""
        self.seen += 1
        if self.network is network:
            return
        decay = min(self.decay, (1 + self.seen) / (10 + self.seen))
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)


def _epoch(job: Job, epoch: int, optimiser: torch.optim.Optimizer, schedule: Any, kept: Average) -> float:
    job.network.train()
    total, steps = 0.0, 0
    for batch in job.batches(epoch):
        optimiser.zero_grad()
        loss = job.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(job.network.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        kept.update(job.network)
        total, steps = total + float(loss.detach()), steps + 1
    return total / max(steps, 1)


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weights are decayed; biases and normalisation are not."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


class Progress:
    """Everything that the next epoch depends on, in one file: a run that was killed ends in the same weights."""

    def __init__(self, network: nn.Module, optimiser: Any, schedule: Any, kept: Average) -> None:
        self.curve: list[dict[str, float]] = []
        self._kept = kept
        self._parts = {"network": network, "optimiser": optimiser, "schedule": schedule, "kept": kept.network}

    def save(self, path: Path) -> None:
        """Write to a temporary file and move it into place."""
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state |= {"seen": self._kept.seen, "random": torch.get_rng_state(), "curve": self.curve}
        unfinished = path.with_suffix(".tmp")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from `path`, if it is there."""
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self._kept.seen, self.curve = state["seen"], state["curve"]
        torch.set_rng_state(state["random"])
        log.info("goes on after epoch %d", len(self.curve))


def _write(path: Path, curve: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, curve[0].keys())
        writer.writeheader()
        writer.writerows(curve)
