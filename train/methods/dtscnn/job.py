"""How the two streams learn: events, and faces at rest as "none", each at both scales of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from realtime.labels import NONE
from train.clips.movement.flowing import Ends, FlowingClip, at_rest, drawn
from train.clips.movement.sequences import rests
from train.clips.takes import draw
from train.losses.focal import focal, inverse_frequency
from train.methods.dtscnn.config import DtscnnConfig
from train.methods.held_out import accuracy
from train.methods.method import Method
from train.sources.source import Split
from train.training.augment import moved_flows, similarities, uniform

Batch = tuple[Tensor, Tensor, Tensor]
Clips = Sequence[FlowingClip]


class DtscnnJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate, if there are any."""

    def __init__(
        self,
        method: Method[DtscnnConfig, Clips],
        config: DtscnnConfig,
        network: nn.Module,
        split: Split[Clips],
        seed: int,
    ) -> None:
        self.method, self.config, self.network, self.split, self.seed = method, config, network, split, seed
        self.labels = split.vocabulary.indices(method.labels(split.train[0]))
        calm = config.rest and NONE in split.vocabulary.labels
        self.rests = [clip for take in split.train for clip in take if rests(clip)] if calm else []
        self.still = round(config.rest * config.optimiser.batch) if self.rests else 0
        self.size = min(max(config.optimiser.batch - self.still, 1), len(self.labels))
        self.epochs = config.epochs
        self.steps = len(self.labels) // self.size
        self.alpha = inverse_frequency(self._shown()) if config.loss.alpha == "inverse-frequency" else None

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        clips, order = draw(self.split.train, generator), torch.randperm(len(self.labels), generator=generator)
        for rows in torch.split(order, self.size)[: self.steps]:
            cuts = [self._event(clips[row], generator) for row in rows.tolist()]
            cuts += [self._rest(generator) for _ in range(self.still)]
            yield *self._flows(cuts, generator), torch.cat([self.labels[rows], self._nothing(self.still)])

    def loss(self, batch: Batch) -> Tensor:
        first, second, labels = batch
        _, logits = self.network(first, second)
        return focal(logits, labels, self.config.loss.gamma, self.alpha)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        return accuracy(self.method, self.config, network, self.split)

    def _flows(self, cuts: Sequence[tuple[FlowingClip, Ends]], generator: Generator) -> tuple[Tensor, Tensor]:
        """Both scales (B, 2, T, S, S) of each cut, changed alike."""
        a = self.config.augment
        theta = similarities(len(cuts), a.turn_deg, a.scale, a.shift, generator)
        gain = uniform(-a.gain, a.gain, (len(cuts), 1, 1, 1, 1), generator).exp()
        first, second = (
            gain * moved_flows(torch.from_numpy(np.stack([clip.flow(span, steps) for clip, span in cuts])), theta)
            for steps in self.config.scales
        )
        return first, second

    def _event(self, clip: FlowingClip, generator: Generator) -> tuple[FlowingClip, Ends]:
        return clip, drawn(clip, self.config.jitter_s, self.config.early, generator)

    def _rest(self, generator: Generator) -> tuple[FlowingClip, Ends]:
        clip = self.rests[int(torch.randint(len(self.rests), (), generator=generator))]
        return clip, at_rest(clip, generator)

    def _shown(self) -> Tensor:
        """How many of each class an epoch shows, about."""
        classes = len(self.split.vocabulary.labels)
        return torch.bincount(torch.cat([self.labels, self._nothing(self.still * self.steps)]), minlength=classes)

    def _nothing(self, count: int) -> Tensor:
        """The label "none" (count,)."""
        return self.split.vocabulary.indices([NONE] * count)
