"""How the contrastive magnification head learns: two views of each event, and other frames of it to hold against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from train.clips.embeddings import EmbeddedClip
from train.clips.takes import draw, jittered
from train.evaluation.metrics import scores
from train.methods.cmn import sampling
from train.methods.cmn.cmnet import CmnetHead
from train.methods.cmn.config import CmnConfig
from train.methods.cmn.events import EmbeddedEvents
from train.methods.cmn.inter import inter_contrast
from train.methods.cmn.intra import intra_contrast
from train.methods.cmn.network import CmnHead
from train.methods.cmn.trend import trend
from train.methods.method import Method, judge
from train.sources.source import Split

Clips = Sequence[EmbeddedClip]


class Batch(NamedTuple):
    """B clips of one step."""

    views: Tensor  #: (B, 2, N, width): two views of the source frames
    first: Tensor  #: (B, 1, 1, width): the first source frame, clean
    negatives: Tensor  #: (B, N, S, width): clean
    since_apex_s: Tensor  #: (B, N): of the source frames
    labels: Tensor  #: (B,)


class CmnJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate, if there are any."""

    def __init__(
        self, method: Method[CmnConfig, Clips], config: CmnConfig, head: CmnHead, split: Split[Clips], seed: int
    ) -> None:
        """`head` is scaled by what it is to learn from."""
        self.method, self.config, self.head, self.split, self.seed = method, config, head, split, seed
        self.network: nn.Module = head
        self.events = EmbeddedEvents(split.train[0])
        self.labels = split.vocabulary.indices(method.labels(split.train[0]))
        head.scale.copy_(self.events.scale(config.reference, config.motion.row))
        self.epochs = config.epochs
        self.size = min(config.optimiser.batch, len(self.events))
        self.steps = len(self.events) // self.size
        asked = method.answers if split.calibration else ()
        self.valid = {answer: method.inputs(config, split.calibration, answer) for answer in asked}

    def batches(self, epoch: int) -> Iterator[Any]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        data, order = self.shown(generator), torch.randperm(len(self.events), generator=generator)
        lengths = self.lengths(data, generator)
        for step in range(self.steps):
            yield self._batch(data, order[step * self.size : (step + 1) * self.size], lengths, generator)

    def loss(self, batch: Batch) -> Tensor:
        head, weights, t = self.head, self.config.loss, self.config.loss.temperature
        views = batch.views.transpose(0, 1)
        x = head.relative(views, views[:, :, :1]).flatten(0, 1)  # (2B, N, width), a view after the other
        z = head.projector(x)
        a, b = z.chunk(2)
        negatives = head.projector(head.relative(batch.negatives, batch.first))
        logits, v = head.follow(x, z)
        labels = batch.labels.repeat(2)
        total = (
            weights.intra * intra_contrast(a, b, negatives, t)
            + weights.inter * inter_contrast(v, labels, t)
            + weights.classify * F.cross_entropy(logits, labels)
        )
        if isinstance(head, CmnetHead):
            total = total + weights.trend * trend(head.intensity(z), batch.since_apex_s.repeat(2, 1))
        return total

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        known = self.split.vocabulary
        truth = known.indices(self.method.labels(self.split.calibration)).numpy()
        said = {answer: judge(self.method, network, inputs).argmax(1) for answer, inputs in self.valid.items()}
        return {f"valid_uf1_{answer}": scores(truth, found.numpy(), known.labels).uf1 for answer, found in said.items()}

    def shown(self, generator: Generator) -> EmbeddedEvents:
        """What one epoch sees: each event through one of its cameras, cut at moments of its own; always in order."""
        if len(self.split.train) == 1 and not self.config.jitter_s:
            return self.events
        clips = draw(self.split.train, generator)
        cut = (replace(c, sample=jittered(c.sample, c.times, self.config.jitter_s, generator)) for c in clips)
        return EmbeddedEvents(list(cut))

    def lengths(self, data: EmbeddedEvents, generator: Generator) -> Tensor:
        """Frames of each event up to its end in this epoch: the offset, or a moment soon after the apex."""
        low, high = self.config.early.after_s
        cut, place = torch.rand((2, len(data)), generator=generator, dtype=torch.float64)
        end = data.apex_s + low + (high - low) * place
        return torch.where(cut < self.config.early.share, data.until(end), data.lengths)

    def _batch(self, data: EmbeddedEvents, events: Tensor, lengths: Tensor, generator: Generator) -> Any:
        sources = sampling.source_frames(lengths[events], self.config.frames, generator)
        negatives = self._negatives(data, events, sources, generator)
        return self.made(data, events, sources, negatives, generator)

    def made(
        self, data: EmbeddedEvents, events: Tensor, sources: Tensor, negatives: Tensor, generator: Generator
    ) -> Any:
        """The batch of `events` (B,) of which `sources` (B, N) are looked at and `negatives` (B, N, S) held against.

        How much a clip moves differs from step to step; within one, all of its frames and views move alike.
        """
        pair = torch.rand((len(events), len(data.views)), generator=generator).argsort(1)[:, :2]
        rows = data.rows(events, sources)
        views = torch.stack([data.views[pair[:, side, None], rows] for side in (0, 1)], 1)
        first, others = data.clean[rows[:, :1, None]], data.clean[data.rows(events, negatives)]
        gains = self._gains(len(events), generator)
        views, first, others = (self._gained(x, gains) for x in (views, first, others))
        return Batch(views, first, others, data.since_apex_s(events, sources), self.labels[events])

    def _gains(self, clips: int, generator: Generator) -> Tensor | None:
        """By how much the movement of each clip is more or less; None where it stays as it is, or is not shown."""
        motion = self.config.motion
        if not (motion.gain and motion.row):
            return None
        return torch.exp(motion.gain * torch.randn(clips, generator=generator))

    def _gained(self, x: Tensor, gains: Tensor | None) -> Tensor:
        if gains is None:
            return x
        x = x.clone()
        x[..., -self.config.motion.row :] *= gains.view(-1, 1, 1, 1)
        return x

    def _negatives(self, data: EmbeddedEvents, events: Tensor, sources: Tensor, generator: Generator) -> Tensor:
        """Frames (B, N, S) that are held against `sources` (B, N), by the distances of their embeddings alone."""
        config = self.config
        lengths = data.lengths[events]
        allowed = sampling.candidates(sources, lengths, config.negatives)
        frames = torch.minimum(torch.arange(allowed.shape[-1]), lengths[:, None] - 1)
        embedded = data.clean[:, : data.clean.shape[1] - config.motion.row]
        chosen, every = (embedded[data.rows(events, which)] for which in (sources, frames))
        weights = sampling.log_weights(chosen, every, allowed, config.sampling, config.sharpness)
        return sampling.draw(weights, config.negatives, generator)
