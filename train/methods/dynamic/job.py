"""How the head of dynamic expressions learns: clips and fades, cut anew in each epoch, as a detector might cut them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from train.losses.ecstfl import ecstfl, ecstfl_official
from train.methods.dynamic.config import DynamicConfig
from train.methods.dynamic.enactments import Enactments
from train.methods.dynamic.fades import faded, joined
from train.methods.dynamic.scores import scored
from train.methods.method import Method, judge
from train.sources.source import Split

Batch = tuple[Tensor, Tensor]


class DynamicJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate."""

    def __init__(
        self,
        method: Method[DynamicConfig, Enactments],
        config: DynamicConfig,
        network: nn.Module,
        split: Split[Enactments],
        seed: int,
    ) -> None:
        self.method, self.config, self.network, self.seed = method, config, network, seed
        (self.train,), self.calibration = split.train, split.calibration
        self.epochs = config.epochs
        self.fades = round(config.fades * len(self.train))
        self.size = min(config.optimiser.batch, len(self.train))
        self.steps = (len(self.train) + self.fades) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        clips = joined(self.train, faded(self.train, self.fades, generator)) if self.fades else self.train
        order = torch.randperm(len(clips), generator=generator)
        x = clips.sequences(*self._parts(clips, generator), self.config.frames)
        for step in range(self.steps):
            rows = order[step * self.size : (step + 1) * self.size]
            yield x[rows], clips.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        embeddings, labels = batch
        feature, logits = self.network(embeddings)
        weights = self.config.loss
        paper = weights.variant == "paper"
        clustering = ecstfl(feature, labels, float(weights.p)) if paper else ecstfl_official(feature, labels)
        return F.cross_entropy(logits, labels) + weights.weight * clustering

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        clips, answers = self.calibration, self.method.answers
        logits = {
            answer: judge(self.method, network, self.method.inputs(self.config, clips, answer)) for answer in answers
        }
        return {f"valid_uar_{answer}": scored(clips, rows.argmax(1)).uar for answer, rows in logits.items()}

    def _parts(self, clips: Enactments, generator: Generator) -> tuple[Tensor, Tensor]:
        """Where each clip begins and ends in this epoch, seconds (K,): a detector's onset, and an apex or an offset."""
        onset, apex, offset = clips.moments.unbind(1)
        cut, place, shift = torch.rand((3, len(onset)), generator=generator, dtype=torch.float64)
        before, late = self.config.shown.before_s, self.config.shown.late_s
        low, high = self.config.early.after_s
        soon = torch.minimum(apex + low + (high - low) * place, offset)
        begin = onset - before + (before + late) * shift
        return begin, torch.where(cut < self.config.early.share, soon, offset)
