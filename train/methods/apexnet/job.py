"""How the network of the apex learns: events, and faces at rest as "none", changed at random."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from realtime.records import Floats
from train.clips.takes import draw
from train.losses.focal import focal
from train.methods.apexnet.config import ApexnetConfig
from train.methods.apexnet.pairs import Filmed, moments, resting
from train.methods.apexnet.pictures import Made, seen, varied
from train.methods.clip_job import ClipAndRestJob
from train.methods.method import Method
from train.sources.source import Split

Batch = tuple[Tensor, Tensor]
Clips = Sequence[Filmed]


class ApexnetJob(ClipAndRestJob[ApexnetConfig, Filmed]):
    """Implements `loop.Job`."""

    def __init__(
        self,
        method: Method[ApexnetConfig, Clips],
        config: ApexnetConfig,
        network: nn.Module,
        made: Made,
        split: Split[Clips],
        seed: int,
    ) -> None:
        super().__init__(method, config, network, split, seed)
        self.made = made

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        takes = self.split.train
        clips = draw(takes, generator) if len(takes) > 1 else takes[0]
        for rows in self.parts(generator):
            shown = [self._event(clips[row], generator) for row in rows.tolist()]
            shown += [self._rest(generator) for _ in range(self.still)]
            x = varied(torch.from_numpy(np.stack(shown)), self.config.augment, self.made, generator)
            yield x, self.with_rest(rows)

    def loss(self, batch: Batch) -> Tensor:
        images, labels = batch
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            _, logits = self.network(images)
        return focal(logits.float(), labels, self.config.loss.gamma, self.alpha)

    def _event(self, clip: Filmed, generator: Generator) -> Floats:
        """The event as one run of the detector might have found it: see `seen`."""
        at = moments(clip.sample, self.config.jitter_s, self.config.augment.rising, generator)
        return seen(clip, at, clip.sample.offset_s, self.made)

    def _rest(self, generator: Generator) -> Floats:
        clip = self.resting(generator)
        return seen(clip, resting(clip, generator), math.inf, self.made)
