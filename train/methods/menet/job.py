"""The three trainings: who people are; motion alone; motion that tells nothing of who they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.methods.held_out import accuracy
from train.methods.menet.config import MenetConfig
from train.methods.menet.divergence import divergence
from train.methods.menet.network import Identification, IDNet, MENet, MotionAndIdentity
from train.methods.menet.shown import Clips, ShownClips
from train.methods.method import Method
from train.sources.source import Split
from train.training.loop import Turn, Turns

Batch = tuple[Tensor, Tensor]


class IdentityJob:
    """Implements `loop.Job`: IDNet learns whose onset it sees, of the people who are trained on and of nobody else."""

    network: nn.Module

    def __init__(self, config: MenetConfig, idnet: IDNet, shown: ShownClips) -> None:
        self.shown, self.epochs, self.steps = shown, config.before.identity, shown.steps
        subjects = [clip.case.subject for clip in shown.takes[0]]
        self.people = sorted(set(subjects))
        self.labels = torch.tensor([self.people.index(subject) for subject in subjects])
        self.network = Identification(idnet, len(self.people))

    def batches(self, epoch: int) -> Iterator[Batch]:
        for onsets, rows in self.shown.onsets(epoch):
            yield onsets, self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        onsets, people = batch
        return F.cross_entropy(self.network(onsets), people)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Nothing: it is asked for no person again."""
        return {}


class MotionAloneJob:
    """Implements `loop.Job`: MENet learns what clips show, and that its maps of attention look at different places."""

    network: nn.Module

    def __init__(
        self,
        method: Method[MenetConfig, Clips],
        config: MenetConfig,
        menet: MENet,
        shown: ShownClips,
        split: Split[Clips],
    ) -> None:
        self.method, self.config, self.shown, self.split = method, config, shown, split
        self.network = self.menet = menet
        self.epochs, self.steps = config.before.motion, shown.steps
        self.labels = split.vocabulary.indices(method.labels(shown.takes[0]))

    def batches(self, epoch: int) -> Iterator[Batch]:
        for clips, rows in self.shown.clips(epoch):
            yield clips, self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        return self.judged(batch)[1]

    def judged(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The features of motion (B, 256), and cross-entropy with the weighted divergence."""
        clips, labels = batch
        feature, logits, maps = self.menet.attend(clips)
        return feature, F.cross_entropy(logits, labels) + self.config.loss.divergence * divergence(maps)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """How often it is right on those that calibrate, if there are any."""
        return accuracy(self.method, self.config, network, self.split)


class TogetherJob(MotionAloneJob):
    """MENet and the estimator take turns on each batch: one lessens what it tells of identity, the other looks for it.

    The features of a batch are made once, by MENet's turn, which comes first; the estimator's steps see them as they
    were then.
    """

    def __init__(
        self,
        method: Method[MenetConfig, Clips],
        config: MenetConfig,
        network: MotionAndIdentity,
        shown: ShownClips,
        split: Split[Clips],
    ) -> None:
        super().__init__(method, config, network.menet, shown, split)
        self.network, self.idnet, self.estimator = network, network.idnet, network.estimator
        self.epochs = config.epochs
        self._features: tuple[Tensor, Tensor] | None = None

    def turns(self) -> Turns:
        """Each with its own optimiser and weights; IDNet is nobody's."""
        steps, recipe = self.config.estimator.steps, self.config.estimator.optimiser
        return (
            Turn(self.menet, self.config.optimiser, self.loss),
            Turn(self.estimator, recipe, self.estimator_loss, times=steps),
        )

    def loss(self, batch: Batch) -> Tensor:
        motion, cost = self.judged(batch)
        with torch.no_grad():
            identity = self.idnet(batch[0][:, :, 0])
        self._features = motion.detach(), identity
        told = self.estimator.estimate(motion, identity).clamp(0.0, self.config.estimator.most)
        return cost + self.config.loss.information * told

    def estimator_loss(self, batch: Batch) -> Tensor:
        """Minus the bound on the mutual information."""
        assert self._features is not None  # MENet's turn comes first
        return self.estimator.cost(*self._features)
