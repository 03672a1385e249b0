"""How the network of the apex learns: events, and faces at rest as "none", changed at random."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from realtime.labels import NONE
from realtime.records import Floats
from train.clips.movement.sequences import rests
from train.clips.takes import draw
from train.losses.focal import focal, inverse_frequency
from train.methods.apexnet.config import ApexnetConfig
from train.methods.apexnet.pairs import Filmed, moments, resting
from train.methods.apexnet.pictures import Made, seen, varied
from train.methods.held_out import accuracy
from train.methods.method import Method
from train.sources.source import Split

Batch = tuple[Tensor, Tensor]
Clips = Sequence[Filmed]


class ApexnetJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate, if there are any."""

    def __init__(
        self,
        method: Method[ApexnetConfig, Clips],
        config: ApexnetConfig,
        network: nn.Module,
        made: Made,
        split: Split[Clips],
        seed: int,
    ) -> None:
        self.method, self.config, self.network, self.made = method, config, network, made
        self.split, self.seed = split, seed
        self.labels = self.split.vocabulary.indices(method.labels(split.train[0]))
        calm = config.rest and NONE in split.vocabulary.labels
        self.rests = [clip for take in split.train for clip in take if rests(clip)] if calm else []
        self.still = round(config.rest * config.optimiser.batch) if self.rests else 0
        self.size = min(max(config.optimiser.batch - self.still, 1), len(self.labels))
        self.epochs = config.epochs
        self.steps = len(self.labels) // self.size
        self.alpha = inverse_frequency(self._shown()) if config.loss.alpha == "inverse-frequency" else None

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        takes = self.split.train
        clips = draw(takes, generator) if len(takes) > 1 else takes[0]
        order = torch.randperm(len(self.labels), generator=generator)
        for rows in torch.split(order, self.size)[: self.steps]:
            shown = [self._event(clips[row], generator) for row in rows.tolist()]
            shown += [self._rest(generator) for _ in range(self.still)]
            x = varied(torch.from_numpy(np.stack(shown)), self.config.augment, self.made, generator)
            yield x, torch.cat([self.labels[rows], self._nothing(self.still)])

    def loss(self, batch: Batch) -> Tensor:
        images, labels = batch
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            _, logits = self.network(images)
        return focal(logits.float(), labels, self.config.loss.gamma, self.alpha)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        return accuracy(self.method, self.config, network, self.split)

    def _event(self, clip: Filmed, generator: Generator) -> Floats:
        """The event as one run of the detector might have found it: see `seen`."""
        at = moments(clip.sample, self.config.jitter_s, self.config.augment.rising, generator)
        return seen(clip, at, clip.sample.offset_s, self.made)

    def _rest(self, generator: Generator) -> Floats:
        clip = self.rests[int(torch.randint(len(self.rests), (), generator=generator))]
        return seen(clip, resting(clip, generator), math.inf, self.made)

    def _shown(self) -> Tensor:
        """How many of each class an epoch shows, about."""
        classes = len(self.split.vocabulary.labels)
        return torch.bincount(torch.cat([self.labels, self._nothing(self.still * self.steps)]), minlength=classes)

    def _nothing(self, count: int) -> Tensor:
        """The label "none" (count,)."""
        return self.split.vocabulary.indices([NONE] * count)
