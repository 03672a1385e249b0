"""How the mask network learns, before all else: where the units of a face are, by the picture of an onset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.records import Image
from realtime.representation.clip_and_flow import ClipAndFlow
from realtime.representation.crop_images import crop_images
from train.clips.movement.flowing import FlowingClip
from train.methods.quintuplet.au_centres import maps
from train.methods.quintuplet.config import QuintupletConfig
from train.methods.quintuplet.mask import MaskNet
from train.methods.quintuplet.shown import bright, lit
from train.training.augment import moved_clips, similarities

Batch = tuple[Tensor, Tensor]


class MaskJob:
    """Implements `loop.Job`: binary cross-entropy between the maps and Gaussians around the centres of units."""

    def __init__(
        self, config: QuintupletConfig, network: MaskNet, made: ClipAndFlow, clips: Sequence[FlowingClip], seed: int
    ) -> None:
        self.network: nn.Module = network
        self.config, self.made, self.clips, self.seed = config, made, clips, seed
        self.epochs = config.mask.epochs
        self.size = min(config.mask.optimiser.batch, len(clips))
        self.steps = len(clips) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        a, side = self.config.augment, self.config.size_px
        order = torch.randperm(len(self.clips), generator=generator)
        for rows in torch.split(order, self.size)[: self.steps]:
            clips = [self.clips[row] for row in rows.tolist()]
            pictures = crop_images([_onset(clip) for clip in clips], bright(self.made.clip.picture))
            taught = [maps(clip.landmarks, len(clip.images[0]), side, self.config.mask.sigma) for clip in clips]
            theta = similarities(len(clips), a.turn_deg, a.scale, a.shift, generator)
            x = moved_clips(torch.from_numpy(pictures)[:, :, None], theta)
            yield (
                lit(x, a, generator)[:, :, 0],
                moved_clips(torch.from_numpy(np.stack(taught))[:, :, None], theta)[:, :, 0],
            )

    def loss(self, batch: Batch) -> Tensor:
        pictures, taught = batch
        return F.binary_cross_entropy_with_logits(self.network(pictures), taught)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Nothing: nothing is chosen by it."""
        return {}


def _onset(clip: FlowingClip) -> Image:
    """The event's first picture, whose landmarks the clip has."""
    return np.array(clip.images[int(np.searchsorted(clip.times, clip.sample.onset_s))])
