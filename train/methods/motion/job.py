"""How the network of displacement fields learns: events, faces at rest and exact movements, changed at random."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn

from realtime.records import Floats, Times
from realtime.representation.flow_fields import FlowFields, scaled
from realtime.representation.movement.fields import moments, sampled
from train.clips.movement.exact import Movements
from train.clips.movement.fields import MovingClip
from train.clips.movement.sequences import bent, cut, rests
from train.clips.takes import draw
from train.losses.focal import focal, inverse_frequency
from train.methods.held_out import accuracy
from train.methods.method import Method
from train.methods.motion.config import MotionConfig
from train.methods.motion.distort import distort
from train.methods.motion.real import Excerpt, RealFaces
from train.sources.source import Split

RISE = np.array([0.0, 1.0])  # from rest to the apex

Batch = tuple[Tensor, Tensor]
Clips = Sequence[MovingClip]


class Mixed(NamedTuple):
    """What is shown beside the events themselves, as shares of each batch."""

    none: int | None = None  #: the class of faces at rest; None where there is no such class
    rest: float = 0.0
    exact: Movements | None = None
    exact_share: float = 0.0
    real: RealFaces | None = None


@dataclass(frozen=True, slots=True)
class BatchRows:
    """Rows of one batch."""

    events: int
    rest: int
    exact: int
    real: int


class MotionJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate, if there are any."""

    def __init__(
        self,
        method: Method[MotionConfig, Clips],
        config: MotionConfig,
        network: nn.Module,
        made: FlowFields,
        split: Split[Clips],
        mixed: Mixed,
        seed: int,
    ) -> None:
        self.method, self.config, self.network, self.made = method, config, network, made
        self.split, self.mixed, self.seed = split, mixed, seed
        self.labels = self.split.vocabulary.indices(method.labels(split.train[0]))
        self.rests = [clip for take in split.train for clip in take if rests(clip)] if mixed.rest else []
        real = round(config.real.events * config.optimiser.batch) if mixed.real else 0
        self.counts = _counts(config.optimiser.batch, len(self.labels), mixed, bool(self.rests), real)
        self.epochs = config.epochs
        self.steps = len(self.labels) // self.counts.events
        self.alpha = inverse_frequency(self._shown()) if config.loss.alpha == "inverse-frequency" else None

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        clips, order = draw(self.split.train, generator), torch.randperm(len(self.labels), generator=generator)
        for rows in torch.split(order, self.counts.events)[: self.steps]:
            shown = [self._event(clips[row], generator) for row in rows.tolist()]
            labels = [self.labels[rows]]
            for more, theirs in (self._rests(generator), self._exact(generator), self._real(generator)):
                shown += more
                labels.append(theirs)
            x = distort(torch.from_numpy(np.stack(shown)), self.config.augment, generator)
            yield torch.from_numpy(scaled(x.numpy(), self.made)), torch.cat(labels)

    def loss(self, batch: Batch) -> Tensor:
        fields, labels = batch
        logits, _ = self.network(fields)
        return focal(logits, labels, self.config.loss.gamma, self.alpha)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        return accuracy(self.method, self.config, network, self.split)

    def _event(self, clip: MovingClip, generator: Generator) -> Floats:
        """(N, 2, S, S): the movement as one of its cameras and one run of the detector might have cut it."""
        times, fields, apex = cut(clip, self.config.jitter_s, self.config.early, generator)
        return self._sampled(times, fields, float(times[0]), apex, generator)

    def _rests(self, generator: Generator) -> tuple[list[Floats], Tensor]:
        chosen = torch.randint(max(len(self.rests), 1), (self.counts.rest,), generator=generator).tolist()
        found = []
        for row in chosen:
            if self.mixed.real and self._happens(self.config.real.rest, generator):
                found.append(self._excerpt(self.mixed.real.rest(generator), generator))
                continue
            spans = rests(self.rests[row])
            span = spans[int(torch.randint(len(spans), (), generator=generator))]
            times = self.rests[row].times[span]
            ends = torch.rand(2, generator=generator).sort().values.tolist()
            onset, apex = (float(times[0] + end * (times[-1] - times[0])) for end in ends)
            found.append(self._sampled(times, self.rests[row].fields[span], onset, apex, generator))
        return found, torch.full((len(chosen),), self.mixed.none or 0)

    def _exact(self, generator: Generator) -> tuple[list[Floats], Tensor]:
        known = self.mixed.exact
        if known is None or not self.counts.exact:
            return [], torch.zeros(0, dtype=torch.int64)
        rows = torch.randint(len(known), (self.counts.exact,), generator=generator).tolist()
        found = [self._grown(known.fields[row], generator) for row in rows]
        return found, self.split.vocabulary.indices(known.labels[rows].tolist())

    def _grown(self, apex: Floats, generator: Generator) -> Floats:
        """An exact movement; some are made on top of what a real face does."""
        shown = self._sampled(RISE, ramp(apex), 0.0, 1.0, generator)
        if self.mixed.real and self._happens(self.config.real.background, generator):
            shown = shown + self._excerpt(self.mixed.real.anything(generator), generator)
        return shown

    def _real(self, generator: Generator) -> tuple[list[Floats], Tensor]:
        real, count = self.mixed.real, self.counts.real
        if not real or not count:
            return [], torch.zeros(0, dtype=torch.int64)
        drawn = [real.event(generator) for _ in range(count)]
        labels = self.split.vocabulary.indices([excerpt.label for excerpt in drawn])
        return [self._excerpt(excerpt, generator) for excerpt in drawn], labels

    def _excerpt(self, excerpt: Excerpt, generator: Generator) -> Floats:
        return self._sampled(excerpt.times, excerpt.fields, excerpt.onset, excerpt.apex, generator)

    @staticmethod
    def _happens(share: float, generator: Generator) -> bool:
        return float(torch.rand((), generator=generator)) < share

    def _sampled(self, times: Times, fields: Floats, onset: float, apex: float, generator: Generator) -> Floats:
        wanted = bent(moments(onset, apex, self.config.fields.frames), onset, self.config.augment.stretch, generator)
        return sampled(times, fields, wanted)

    def _shown(self) -> Tensor:
        """How many of each class an epoch shows, about."""
        classes = len(self.split.vocabulary.labels)
        shown = torch.bincount(self.labels, minlength=classes).float()
        if self.mixed.none is not None:
            shown[self.mixed.none] += self.counts.rest * self.steps
        if self.mixed.exact is not None and self.counts.exact:
            known = self.split.vocabulary.indices(self.mixed.exact.labels.tolist())
            shown += torch.bincount(known, minlength=classes) * (self.counts.exact * self.steps / len(known))
        return shown


def ramp(apex: Floats) -> Floats:
    """A movement (2, S, S) that grows evenly, at the moments `RISE`."""
    return np.stack([np.zeros_like(apex), apex])


def _counts(batch: int, events: int, mixed: Mixed, resting: bool, real: int) -> BatchRows:
    """A batch of the wanted size, at least one event in it, and fewer if there are not so many events."""
    rest = round(mixed.rest * batch) if resting else 0
    exact = round(mixed.exact_share * batch) if mixed.exact is not None else 0
    return BatchRows(min(max(batch - rest - exact - real, 1), events), rest, exact, real)
