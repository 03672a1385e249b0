"""How the two streams learn: events, those of rare classes repeated, by cross-entropy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from realtime.records import Floats
from realtime.representation.apex_time import FLOW, ApexTime
from realtime.representation.crop_images import IMAGES
from train.clips.movement.sequences import cut
from train.methods.atnet.config import AtnetConfig, StreamChanges
from train.methods.atnet.timed_clips import TimedClip, shown
from train.methods.clip_job import ClipJob
from train.methods.method import Method
from train.sources.source import Split
from train.training import augment

Batch = tuple[Tensor, Tensor, Tensor]
Clips = Sequence[TimedClip]


class AtnetJob(ClipJob[AtnetConfig, TimedClip]):
    """Implements `loop.Job`."""

    def __init__(
        self,
        method: Method[AtnetConfig, Clips],
        config: AtnetConfig,
        network: nn.Module,
        made: ApexTime,
        split: Split[Clips],
        seed: int,
    ) -> None:
        super().__init__(method, config, network, split, seed, evenly=True)
        self.made = made

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator, clips, parts = self.begin(epoch)
        for rows in parts:
            mirror = torch.rand(len(rows), generator=generator) < self.config.augment.mirrored
            seen = [self._event(clips[row], turn, generator) for row, turn in zip(rows.tolist(), mirror, strict=True)]
            images, flow = (torch.from_numpy(np.concatenate([row[name] for row in seen])) for name in (IMAGES, FLOW))
            images = torch.where(mirror.view(-1, 1, 1, 1), images.flip(-1), images)
            yield changed(images, self.config.augment, generator), flow, self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        images, flow, labels = batch
        logits, _ = self.network(images, flow)
        return F.cross_entropy(logits, labels)

    def _event(self, clip: TimedClip, mirror: Tensor, generator: Generator) -> Mapping[str, Floats]:
        """What serving sees of an event that is cut a little elsewhere, at an apex a little beside."""
        part = cut(clip, self.config.jitter_s, self.config.early, generator)
        return shown(clip, part, self.made, mirror=bool(mirror))


def changed(x: Tensor, a: StreamChanges, generator: Generator) -> Tensor:
    """Pictures (B, 1, S, S) in [0, 1], some turned and some brighter or darker."""
    turns, lights = (torch.rand((2, len(x), 1, 1, 1), generator=generator) < a.probability).unbind(0)
    x = torch.where(turns, augment.turned(x, a.turn_deg, generator), x)
    lit = x + augment.uniform(-a.light, a.light, (len(x), 1, 1, 1), generator) / 255
    return torch.where(lights, lit.clamp(0.0, 1.0), x)
