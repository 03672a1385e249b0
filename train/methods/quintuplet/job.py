"""How the branches learn under a mask that stays as it is: cross-entropy, quintuplets, and each mode by the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from realtime.representation.clip_and_flow import ClipAndFlow
from train.clips.movement.flowing import FlowingClip, drawn
from train.methods.clip_job import ClipJob
from train.methods.method import Method
from train.methods.quintuplet.config import QuintupletConfig
from train.methods.quintuplet.groups import Groups, Row
from train.methods.quintuplet.modes_loss import modes
from train.methods.quintuplet.network import QuintupletNet
from train.methods.quintuplet.quintuplet_loss import quintuplet
from train.methods.quintuplet.shown import Cut, both
from train.sources.source import Split

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
Clips = Sequence[FlowingClip]


class QuintupletJob(ClipJob[QuintupletConfig, FlowingClip]):
    """Implements `loop.Job`."""

    def __init__(
        self,
        method: Method[QuintupletConfig, Clips],
        config: QuintupletConfig,
        network: QuintupletNet,
        made: ClipAndFlow,
        split: Split[Clips],
        macro: Clips,
        seed: int,
    ) -> None:
        super().__init__(method, config, network, split, seed)
        self.made, self._answers, self.macro = made, network.answers, macro
        self.groups = Groups(method.labels(split.train[0]), method.labels(macro))

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Pictures (B, M, ...), flow (B, M, ...), labels (B,) of the anchors, which partners are there (B, 4)."""
        generator, clips, parts = self.begin(epoch)
        for rows in parts:
            drawn_groups = [self.groups.draw(row, generator) for row in rows.tolist()]
            cuts = [self._cut(clips, member, generator) for members, _ in drawn_groups for member in members]
            pictures, flow = both(cuts, self.made, self.config.augment, generator)
            there = torch.tensor([there for _, there in drawn_groups])
            yield self._grouped(pictures), self._grouped(flow), self.labels[rows], there

    def loss(self, batch: Batch) -> Tensor:
        pictures, flow, labels, there = batch
        found, weights = self._answers(pictures.flatten(0, 1), flow.flatten(0, 1)), self.config.loss
        members = self.groups.members
        margins = {"micro": weights.micro, "macro": weights.macro, "across": weights.across}
        groups = quintuplet(self._grouped(found.feature), there, margins)
        contrast = modes(found.pictures[::members], found.flow[::members], weights.temperature)
        anchors = F.cross_entropy(found.logits[::members], labels)
        return anchors + weights.weight * groups + weights.contrast * contrast

    def _grouped(self, x: Tensor) -> Tensor:
        """Members one after another (B M, ...) -> (B, M, ...)."""
        return x.view(-1, self.groups.members, *x.shape[1:])

    def _cut(self, clips: Clips, member: Row, generator: Generator) -> Cut:
        macro, row = member
        clip = self.macro[row] if macro else clips[row]
        return clip, drawn(clip, self.config.jitter_s, self.config.early, generator)
