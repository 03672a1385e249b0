"""The training loop of every method: fixed epochs, seeded, resumable after a kill, no selection by any score."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from realtime.errors import ConfigError
from train.config.sections import Machine, Optimiser, Schedule
from train.storage.atomic import writing
from train.training import devices
from train.training.curves import Curves
from train.training.devices import OnDevice, Seat

log = logging.getLogger(__name__)

CHECKPOINT = "last.pt"  #: its name in the folder of a training


class Job(Protocol):
    """What a method gives to the loop."""

    epochs: int
    steps: int  #: in each epoch
    network: nn.Module

    def batches(self, epoch: int) -> Iterator[Any]:
        """The batches of one epoch, the same ones whenever they are asked for: tuples of tensors (B, ...)."""

    def loss(self, batch: Any) -> Tensor:
        """The scalar to be made small, the mean over a batch, or over a share of one, that is on any device."""

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Scores for the curve. They are written down, never acted on."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one of a job's optimisers steps, and what it makes small. With several, each sees every batch in turn."""

    weights: nn.Module  #: a part of the job's network, or all of it
    recipe: Optimiser
    loss: Callable[[Any], Tensor]  #: as `Job.loss`
    times: int = 1  #: steps on each batch, one after another


Turns = tuple[Turn, ...]


def fit(job: Job, recipe: Optimiser | Turns, folder: Path, machine: Machine) -> nn.Module:
    """Train `job.network`, and return it, on the CPU, with what is kept: the averaged weights, or the last ones.

    Writes the checkpoint after every epoch, and the curves (see `train.training.curves`); goes on from the checkpoint
    if it is there. One CPU gives the same bits whenever it trains. Several devices share each batch, and step by the
    mean of their gradients: with a loss that is a mean over samples the same step as one device's, but for its last
    bits. Not so what looks at a batch as a whole: batch normalisation, whose running statistics are those that the
    first device sees, and losses that compare samples (`losses.inter`, `losses.ecstfl`) know their device's share
    alone. Every process makes the whole batch. On a GPU sums have no fixed order, and the last bits vary.
    """
    turns = recipe if isinstance(recipe, tuple) else (Turn(job.network, recipe, job.loss),)
    if len(turns) > 1 and machine.devices > 1:
        raise ConfigError(f"{len(turns)} optimisers take turns on one device, [machine] has {machine.devices}: set 1")
    folder.mkdir(parents=True, exist_ok=True)
    devices.launch(machine, _train, job, turns, folder)
    kept = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)["kept"]
    job.network.to("cpu").load_state_dict(kept)
    return job.network


def _train(seat: Seat, job: Job, turns: Turns, folder: Path) -> None:
    loss = seat.settle(_Loss(job, turns))
    state = Progress(job, turns)
    state.restore(folder / CHECKPOINT)
    with Curves(folder) as curves:
        for epoch in range(len(state.curve), job.epochs):
            seat.seed(epoch)
            rate = state.rate()
            mean = seat.mean(_epoch(seat, job, loss, epoch, state))
            if seat.first:
                scores = {name: round(value, 5) for name, value in job.evaluate(OnDevice(state.kept.network)).items()}
                state.curve.append({"epoch": epoch + 1, "loss": round(mean, 5), "rate": round(rate, 8), **scores})
                log.info("%s", "  ".join(f"{key} {value}" for key, value in state.curve[-1].items()))
                curves.write(state.curve)
                state.save(folder / CHECKPOINT)


def _epoch(seat: Seat, job: Job, loss: nn.Module, epoch: int, state: Progress) -> float:
    """The mean of this process's part of the loss; the mean over all processes is that of the loss itself."""
    job.network.train()
    total, steps = 0.0, 0
    for batch in job.batches(epoch):
        share, weight = seat.share(batch)
        for turn, pace, counts in state.order:
            part = weight * loss(share, turn)
            seat.backward(part)
            pace.step()
            job.network.zero_grad()
            total += counts * float(part.detach())
        state.kept.update(job.network)
        steps += 1
    return total / max(steps, 1)


class _Loss(nn.Module):
    """A job's losses as the call of a module, which is what can be spread over devices."""

    def __init__(self, job: Job, turns: Turns) -> None:
        super().__init__()
        self.network, self._turns = job.network, turns

    def forward(self, batch: Any, turn: int) -> Tensor:
        return self._turns[turn].loss(batch)


def rate_at(progress: float, warmup: float, schedule: Schedule = "cosine") -> float:
    """Share of the highest rate: linear from 0 over `warmup`, then half a cosine to 0, or 1; progress in [0, 1]."""
    if progress < warmup:
        return max(progress / warmup, 1e-3)
    if schedule == "constant":
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * min((progress - warmup) / max(1.0 - warmup, 1e-9), 1.0)))


class Average:
    """Exponential moving average of a network's weights, with a start that is not held back by the first ones."""

    def __init__(self, network: nn.Module, decay: float) -> None:
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


def _optimiser(network: nn.Module, recipe: Optimiser) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum, AdamW (Loshchilov and Hutter 2019), or Adam (Kingma and Ba 2015).

    Adam has its authors' betas, and its decay is L2: a part of the gradient, which the steps are scaled by.
    """
    groups = _groups(network, recipe.weight_decay)
    if recipe.kind == "adam":
        return torch.optim.Adam(groups, lr=recipe.rate, betas=(0.9, 0.999))
    if recipe.kind == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.99))
    return torch.optim.SGD(groups, lr=recipe.rate, momentum=0.9, nesterov=True)


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weights are decayed; biases and normalisation are not."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


class Stepper:
    """The steps of one turn: its optimiser, and how fast that goes."""

    def __init__(self, turn: Turn, steps: int) -> None:
        self._weights, self._clip = turn.weights, turn.recipe.clip
        self.optimiser = _optimiser(turn.weights, turn.recipe)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: rate_at(step / steps, turn.recipe.warmup, turn.recipe.schedule)
        )

    def step(self) -> None:
        """One step along the gradients."""
        if self._clip:
            nn.utils.clip_grad_norm_(self._weights.parameters(), self._clip)
        self.optimiser.step()
        self.schedule.step()


class Progress:
    """Everything that the next epoch depends on, in one file: a run that was killed ends in the same weights."""

    def __init__(self, job: Job, turns: Turns) -> None:
        self.curve: list[dict[str, float]] = []
        self.kept = Average(job.network, turns[0].recipe.average)
        self.paces = [Stepper(turn, job.epochs * job.steps * turn.times) for turn in turns]
        #: What a batch is seen by, step by step: the number of a turn, its pace, and what counts of the loss's curve
        self.order = [
            (number, self.paces[number], 1 / turn.times) for number, turn in enumerate(turns) for _ in range(turn.times)
        ]
        self._parts: dict[str, Any] = {"network": job.network, "kept": self.kept.network}
        for number, pace in enumerate(self.paces):
            behind = f"-{number}" if number else ""
            self._parts |= {f"optimiser{behind}": pace.optimiser, f"schedule{behind}": pace.schedule}

    def rate(self) -> float:
        """The learning rate of the next step, of the first turn."""
        return float(self.paces[0].schedule.get_last_lr()[0])

    def save(self, path: Path) -> None:
        """All of it or nothing: a run that is killed meanwhile goes on from the epoch before."""
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state |= {"seen": self.kept.seen, "random": torch.get_rng_state(), "curve": self.curve}
        with writing(path) as file:
            torch.save(state, file)

    def restore(self, path: Path) -> None:
        """Go on from `path`, if it is there."""
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self.kept.seen, self.curve = state["seen"], state["curve"]
        torch.set_rng_state(state["random"])
        log.info("goes on after epoch %d", len(self.curve))
