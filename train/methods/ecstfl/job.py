"""How a network of clips learns: frames that are drawn anew, cross-entropy, and the clustering of its feature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from train.clips.stored import StoredClip
from train.clips.takes import draw, jittered
from train.losses.ecstfl import ecstfl, ecstfl_official
from train.methods.ecstfl.backbones import BACKBONES, standardise
from train.methods.ecstfl.clip_frames import Pictures, event_pictures, shown
from train.methods.ecstfl.config import EcstflConfig
from train.sources.source import Split
from train.training.augment import resized_crop

Batch = tuple[Tensor, Tensor]


class EcstflJob:
    """Implements `loop.Job`."""

    def __init__(self, config: EcstflConfig, network: nn.Module, split: Split[Sequence[StoredClip]], seed: int) -> None:
        self.config, self.network, self.takes, self.seed = config, network, split.train, seed
        self.labels = split.vocabulary.indices(clip.sample.label for clip in self.takes[0])
        self.epochs = config.epochs
        self.size = min(config.optimiser.batch, len(self.labels))
        self.steps = len(self.labels) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        clips, order = draw(self.takes, generator), torch.randperm(len(self.labels), generator=generator)
        for rows in torch.split(order, self.size)[: self.steps]:
            pictures = np.stack([self._frames(clips[row], generator) for row in rows.tolist()])  # (B, T, S, S, 3)
            x = torch.from_numpy(pictures).permute(0, 4, 1, 2, 3).float() / 255
            x = resized_crop(x, self.config.augment.area, self.config.size_px, generator)
            yield standardise(x, BACKBONES[self.config.backbone]), self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        clips, labels = batch
        with torch.autocast(clips.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            feature, logits = self.network(clips)
        weights = self.config.loss
        if weights.variant == "paper":
            clustering = ecstfl(feature.float(), labels, float(weights.p))
        else:
            clustering = ecstfl_official(feature.float(), labels)
        return F.cross_entropy(logits.float(), labels) + weights.weight * clustering

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Nothing: all clips of the fold are trained on, and nothing would be chosen by a score."""
        return {}

    def _frames(self, clip: StoredClip, generator: Generator) -> Pictures:
        cut = replace(clip, sample=jittered(clip.sample, clip.times(), self.config.jitter_s, generator))
        return shown(event_pictures(cut), self.config.frames, self.config.sampling, generator)
