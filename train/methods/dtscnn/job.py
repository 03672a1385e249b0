"""How the two streams learn: events, and faces at rest as "none", each at both scales of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from train.clips.movement.flowing import Ends, FlowingClip, at_rest, drawn
from train.losses.focal import focal
from train.methods.clip_job import ClipAndRestJob
from train.methods.dtscnn.config import DtscnnConfig
from train.training.augment import moved_flows, similarities, uniform

Batch = tuple[Tensor, Tensor, Tensor]
Clips = Sequence[FlowingClip]


class DtscnnJob(ClipAndRestJob[DtscnnConfig, FlowingClip]):
    """Implements `loop.Job`."""

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator, clips, parts = self.begin(epoch)
        for rows in parts:
            cuts = [self._event(clips[row], generator) for row in rows.tolist()]
            cuts += [self._rest(generator) for _ in range(self.still)]
            yield *self._flows(cuts, generator), self.with_rest(rows)

    def loss(self, batch: Batch) -> Tensor:
        first, second, labels = batch
        _, logits = self.network(first, second)
        return focal(logits, labels, self.config.loss.gamma, self.alpha)

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
        clip = self.resting(generator)
        return clip, at_rest(clip, generator)
