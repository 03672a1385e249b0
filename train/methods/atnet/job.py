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
from train.clips.takes import draw
from train.methods.atnet.config import AtnetConfig, StreamChanges
from train.methods.atnet.timed_clips import TimedClip, shown
from train.methods.held_out import accuracy
from train.methods.method import Method
from train.sources.source import Split
from train.training import augment
from train.training.balance import balanced

Batch = tuple[Tensor, Tensor, Tensor]
Clips = Sequence[TimedClip]


class AtnetJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate, if there are any."""

    def __init__(
        self,
        method: Method[AtnetConfig, Clips],
        config: AtnetConfig,
        network: nn.Module,
        made: ApexTime,
        split: Split[Clips],
        seed: int,
    ) -> None:
        self.method, self.config, self.network, self.made = method, config, network, made
        self.split, self.seed = split, seed
        self.labels = split.vocabulary.indices(method.labels(split.train[0]))
        self.epochs = config.epochs
        events = len(balanced(self.labels, Generator()))
        self.size = min(config.optimiser.batch, events)
        self.steps = events // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = Generator().manual_seed(self.seed * 1000 + epoch)
        clips, order = draw(self.split.train, generator), balanced(self.labels, generator)
        for rows in torch.split(order, self.size)[: self.steps]:
            mirror = torch.rand(len(rows), generator=generator) < self.config.augment.mirrored
            seen = [self._event(clips[row], turn, generator) for row, turn in zip(rows.tolist(), mirror, strict=True)]
            images, flow = (torch.from_numpy(np.concatenate([row[name] for row in seen])) for name in (IMAGES, FLOW))
            images = torch.where(mirror.view(-1, 1, 1, 1), images.flip(-1), images)
            yield changed(images, self.config.augment, generator), flow, self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        images, flow, labels = batch
        logits, _ = self.network(images, flow)
        return F.cross_entropy(logits, labels)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        return accuracy(self.method, self.config, network, self.split)

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
