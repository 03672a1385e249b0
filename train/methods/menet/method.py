"""MENet + IDNet: what a face does, kept apart from whose face it is.

Sun G. Q., "Research on micro-expression recognition algorithms based on spatio-temporal analysis with deep learning"
(master's thesis, 2023), first part; published as "Decoupling facial motion features and identity features for
micro-expression recognition" (PeerJ Computer Science 2022, cs-1140). What its abstract says: a network of motion with a
diverse attention operation and a divergence loss; a network of identity with global attention; the features of both in
a neural estimator of mutual information, which the first is to lessen; several trainings; a loss of cross-entropy,
divergence and mutual information.

No formula, size, weight or code of it could be had. All of these are this project's: both backbones and what they see,
the attention (`attention`), the divergence (`divergence`), the estimator with its steps and its clipping
(`information`), the weights of the losses, and that the order of the trainings is identity, motion, both. IDNet learns
from people who are trained on alone, and who is tested, or calibrates, is nobody to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Precision
from realtime.errors import ConfigError
from realtime.representation.clip_images import CLIPS, ClipImages
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages
from train.datasets.folds import Fold
from train.methods.menet.config import MenetConfig
from train.methods.menet.information import InformationEstimator
from train.methods.menet.job import IdentityJob, MotionAloneJob, TogetherJob
from train.methods.menet.network import WIDTH, IDNet, MENet, MotionAndIdentity
from train.methods.menet.shown import Clips, ShownClips, clip_of
from train.methods.method import Answer, Method, Stage
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split
from train.training.solved import Made

GOLDEN_ROWS = 2


class MenetMethod(Method[MenetConfig, Clips]):
    """Clips as pictures, which stay on disk until they are asked for."""

    config = MenetConfig
    card = MethodCard(
        "MENet: a 3-D residual network of clips with diverse attention, whose features were trained to tell nothing of "
        "those of a network of identity (Sun 2023; PeerJ Computer Science 2022). Only their names and purposes are "
        "published where this project could read them: every formula and number is its own.",
        (
            "It sees frames picked evenly over an event, however long that is: how fast a face moves it does not know.",
            "What it tells of identity was made small as an estimator measured it on the people it learned from; that "
            "nobody can be known by its features is not shown.",
            "No published figure could be had to compare with.",
        ),
    )
    outputs = ("feature", LOGITS)
    calibrates = ("final",)
    chunk = 8

    def representation(self, config: MenetConfig) -> ClipImages:
        crop_px = realtime_config.load().align.size_px
        return ClipImages(config.frames, CropImages(crop_px, config.size_px, IMAGENET_MEAN, IMAGENET_STD))

    def network(self, config: MenetConfig, classes: int) -> MotionAndIdentity:
        """All that learns, but the layer that names people, who differ from fold to fold."""
        menet = MENet(classes, config.width, config.maps, config.dropout)
        return MotionAndIdentity(menet, IDNet(config.width), InformationEstimator(WIDTH, WIDTH, config.estimator.decay))

    def served(self, network: nn.Module) -> MENet:
        """MENet alone: nothing that knows people leaves the training."""
        menet = network.menet
        assert isinstance(menet, MENet)
        return menet

    def classifier(self, network: nn.Module) -> nn.Linear:
        return self.served(network).fc

    def see(self, config: MenetConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        return source.split(fold)

    def stages(self, config: MenetConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        """Who people are, motion alone, and both; ConfigError for several devices, which cannot take turns."""
        if config.machine.devices > 1:
            raise ConfigError(f"menet has optimisers that take turns on one device, not {config.machine.devices}")
        torch.manual_seed(seed)
        network = self.network(config, len(split.vocabulary.labels))
        shown = ShownClips(config, self.representation(config), split.train, seed)
        identity = IdentityJob(config, network.idnet, shown)
        motion = MotionAloneJob(self, config, network.menet, shown, split)

        def together() -> Made:
            job = TogetherJob(self, config, network, shown, split)
            return job, job.turns()

        return [(identity, config.optimiser), (motion, config.optimiser), together]

    def inputs(self, config: MenetConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        """Frames from each event's first to its last: no other answer than the final one is asked for."""
        made = self.representation(config)
        rows = [np.zeros((0, 3, made.frames, made.picture.size_px, made.picture.size_px), np.float32)]
        rows += [clip_of(clip, made).numpy()[None] for clip in clips]
        return {CLIPS: torch.from_numpy(np.concatenate(rows))}

    def golden(self, config: MenetConfig, precision: Precision) -> Mapping[str, Tensor]:
        return golden_inputs(self.representation(config), frames=config.frames, rows=GOLDEN_ROWS)
