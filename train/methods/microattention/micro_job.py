"""The second training: apex frames, those of rare classes repeated until there are as many as of the largest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import IMAGES, CropImages
from realtime.representation.movement.motion import grey
from train.clips.stored import StoredClip
from train.methods.clip_job import ClipJob
from train.methods.method import Method
from train.methods.microattention.config import MicroAttentionConfig
from train.methods.microattention.distort import changed
from train.sources.source import Split

Batch = tuple[Tensor, Tensor]
Clips = Sequence[StoredClip]


class MicroJob(ClipJob[MicroAttentionConfig, StoredClip]):
    """Implements `loop.Job`."""

    def __init__(
        self,
        method: Method[MicroAttentionConfig, Clips],
        config: MicroAttentionConfig,
        network: nn.Module,
        made: CropImages,
        split: Split[Clips],
        seed: int,
    ) -> None:
        super().__init__(method, config, network, split, seed, evenly=True)
        self.made = made

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator, clips, parts = self.begin(epoch)
        for chosen in parts:
            x = torch.stack([self._picture(clips[row], generator) for row in chosen.tolist()])
            yield changed(x, self.config.augment, generator), self.labels[chosen]

    def loss(self, batch: Batch) -> Tensor:
        images, labels = batch
        _, logits = self.network(images)
        return F.cross_entropy(logits, labels)

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
