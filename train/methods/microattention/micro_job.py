"""The second training: apex frames, those of rare classes repeated until there are as many as of the largest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import IMAGES, CropImages
from realtime.representation.movement.motion import grey
from train.clips.stored import StoredClip
from train.clips.takes import draw
from train.methods.held_out import accuracy
from train.methods.method import Method
from train.methods.microattention.config import MicroAttentionConfig
from train.methods.microattention.distort import changed
from train.sources.source import Split
from train.training.balance import balanced

Batch = tuple[Tensor, Tensor]
Clips = Sequence[StoredClip]


class MicroJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate, if there are any."""

    def __init__(
        self,
        method: Method[MicroAttentionConfig, Clips],
        config: MicroAttentionConfig,
        network: nn.Module,
        made: CropImages,
        split: Split[Clips],
        seed: int,
    ) -> None:
        self.method, self.config, self.network, self.made = method, config, network, made
        self.split, self.seed = split, seed
        self.labels = split.vocabulary.indices(method.labels(split.train[0]))
        self.epochs = config.epochs
        shown = len(balanced(self.labels, Generator()))
        self.size = min(config.optimiser.batch, shown)
        self.steps = shown // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = Generator().manual_seed(self.seed * 1000 + epoch)
        clips, rows = draw(self.split.train, generator), balanced(self.labels, generator)
        for chosen in torch.split(rows, self.size)[: self.steps]:
            x = torch.stack([self._picture(clips[row], generator) for row in chosen.tolist()])
            yield changed(x, self.config.augment, generator), self.labels[chosen]

    def loss(self, batch: Batch) -> Tensor:
        images, labels = batch
        _, logits = self.network(images)
        return F.cross_entropy(logits, labels)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        return accuracy(self.method, self.config, network, self.split)

    def _picture(self, clip: StoredClip, generator: Generator) -> Tensor:
        """The apex, or a frame beside it, in grey: (1, S, S) in [0, 1]."""
        away = self.config.jitter_s * (2 * float(torch.rand((), generator=generator)) - 1)
        event = frames(clip)
        nearest = int(np.abs(event.times - clip.sample.apex_s - away).argmin())
        shades = np.repeat(grey(event.images[nearest])[..., None], 3, 2)
        return torch.from_numpy(self.made.of_images([shades])[IMAGES][0, :1])


def frames(clip: StoredClip) -> EventFrames:
    """Its event, from onset to offset; the pictures stay on disk."""
    inside = clip.event()
    part = slice(inside.start, inside.stop)
    return EventFrames(clip.times()[part], images=clip.crops()[part])
