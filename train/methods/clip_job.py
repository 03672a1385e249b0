"""What jobs share that learn from events in turn: how many a step shows, in which order, and the curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Generator, Tensor, nn

from realtime.labels import NONE
from train.clips.clip import Timed
from train.clips.movement.sequences import rests
from train.clips.takes import draw
from train.config.sections import FocalLoss, Optimiser, Part
from train.losses.focal import inverse_frequency
from train.methods.held_out import accuracy
from train.methods.method import Method
from train.sources.source import Split
from train.training.balance import balanced


class Learned(Protocol):
    """Settings of whatever learns in epochs."""

    @property
    def epochs(self) -> int: ...

    @property
    def optimiser(self) -> Optimiser: ...


class LearnedWithRest(Learned, Protocol):
    """Settings of what is shown faces at rest too, as "none"."""

    @property
    def rest(self) -> Part: ...

    @property
    def loss(self) -> FocalLoss: ...


C = TypeVar("C", bound=Learned)
R = TypeVar("R", bound=LearnedWithRest)
T = TypeVar("T")
M = TypeVar("M", bound=Timed)


class ClipJob(Generic[C, T]):
    """A `loop.Job` but for its batches and its loss. The curve's scores are of the clips that calibrate, if any.

    `evenly` shows rare classes as often as the largest; `still` rows of each batch are not of events.
    """

    def __init__(
        self,
        method: Method[Any, Any],
        config: C,
        network: nn.Module,
        split: Split[Sequence[T]],
        seed: int,
        *,
        evenly: bool = False,
        still: int = 0,
    ) -> None:
        self.method, self.config, self.network, self.split, self.seed = method, config, network, split, seed
        self.labels = split.vocabulary.indices(method.labels(split.train[0]))
        self.epochs, self._evenly = config.epochs, evenly
        events = len(self.order(Generator()))
        self.size = min(max(config.optimiser.batch - still, 1), events)
        self.steps = events // self.size

    def begin(self, epoch: int) -> tuple[Generator, Sequence[T], Sequence[Tensor]]:
        """What an epoch draws from, the take of each clip that it shows, and the rows of each step's events."""
        generator = Generator().manual_seed(self.seed * 1000 + epoch)
        clips = draw(self.split.train, generator)
        return generator, clips, self.parts(generator)

    def parts(self, generator: Generator) -> Sequence[Tensor]:
        """The rows of each step's events."""
        return torch.split(self.order(generator), self.size)[: self.steps]

    def order(self, generator: Generator) -> Tensor:
        """All rows of an epoch."""
        return (
            balanced(self.labels, generator) if self._evenly else torch.randperm(len(self.labels), generator=generator)
        )

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        return accuracy(self.method, self.config, network, self.split)


class ClipAndRestJob(ClipJob[R, M]):
    """With faces at rest in each batch, where "none" is a class and some are there; `alpha` weighs the classes."""

    def __init__(
        self, method: Method[Any, Any], config: R, network: nn.Module, split: Split[Sequence[M]], seed: int
    ) -> None:
        calm = config.rest and NONE in split.vocabulary.labels
        self.rests = [clip for take in split.train for clip in take if rests(clip)] if calm else []
        self.still = round(config.rest * config.optimiser.batch) if self.rests else 0
        super().__init__(method, config, network, split, seed, still=self.still)
        self.alpha = inverse_frequency(self._shown()) if config.loss.alpha == "inverse-frequency" else None

    def resting(self, generator: Generator) -> M:
        """One of the clips in which somebody rests."""
        return self.rests[int(torch.randint(len(self.rests), (), generator=generator))]

    def with_rest(self, rows: Tensor) -> Tensor:
        """The labels of these events, and of the faces at rest behind them."""
        return torch.cat([self.labels[rows], self._nothing(self.still)])

    def _shown(self) -> Tensor:
        """How many of each class an epoch shows, about."""
        classes = len(self.split.vocabulary.labels)
        return torch.bincount(torch.cat([self.labels, self._nothing(self.still * self.steps)]), minlength=classes)

    def _nothing(self, count: int) -> Tensor:
        """The label "none" (count,)."""
        return self.split.vocabulary.indices([NONE] * count)
