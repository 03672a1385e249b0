"""SE-ResNeXt with focal loss on the peak of a movement: on its picture alone, or on what changed since the onset.

Ren et al. 2024 (doi 10.16055/j.issn.1672-058X.2024.0001.003), with the apex finder of Quang et al. 2019, show the
apex alone, in which a micro-expression of somebody unknown hardly differs from that person's face at rest. So the
network may be shown the onset too, and the difference of the two, and be slim.

`configs/methods/paper-apexnet.toml` has the paper's settings. Differences with it: 3-4-6-3 blocks unless their table's
are asked for (see `se_resnext`); an apex is never among the first frames (see `apex_formula`); faces are cut by the
live process's stages, and a crop of 128 px is enlarged to the network's 224. The other files train by SGD and a batch
of 16 or more, for batch normalisation hardly bears one of 2. The midway frame and the two networks without squeeze or
groups are the paper's too, of its figure 8 and table 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Precision
from realtime.labels import NONE
from realtime.records import Image
from realtime.representation.apex_change import ApexChange
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, IMAGES, CropImages, crop_images
from realtime.representation.middle_image import MiddleImage
from train.clips.stored import StoredClip
from train.datasets.folds import Fold
from train.methods.apexnet.apex_frames import choose
from train.methods.apexnet.config import ApexnetConfig
from train.methods.apexnet.job import ApexnetJob
from train.methods.apexnet.pairs import Filmed, filmed, still
from train.methods.apexnet.pictures import Made, apex_of, shown
from train.methods.apexnet.se_resnext import FrozenNorm, SeResNeXt
from train.methods.method import Answer, Method, Stage
from train.networks import checkpoints
from train.packaging.golden import golden_crops, golden_inputs
from train.packaging.limits import MethodCard
from train.packaging.quantise import Trial
from train.sources.source import ClipSource, Split, Vocabulary

TRIAL = (
    "every second apex frame of the clips that it was trained on; the others calibrated it: what INT8 changes, and not "
    "how good the network is"
)

Clips = Sequence[Filmed]


class ApexnetMethod(Method[ApexnetConfig, Clips]):
    """Clips as their onset and apex; clips of none are left out where none is no class."""

    config = ApexnetConfig
    card = MethodCard(
        "An SE-ResNeXt that judges the picture of the apex, alone or beside that of the onset.",
        (
            "Shown the apex alone, it cannot tell an expression from a face that looks so at rest.",
            "A picture that is not of the apex is judged as if it were, and so is one of the onset.",
        ),
    )
    outputs = ("embedding", LOGITS)
    calibrates = ("final", "rest")
    shapes = ("rest", "apex", "quang")

    def representation(self, config: ApexnetConfig) -> Made:
        crop_px = realtime_config.load().align.size_px
        if config.shows == "change":
            return ApexChange(crop_px, config.size_px, config.around_s, config.gain)
        picture = CropImages(crop_px, config.size_px, IMAGENET_MEAN, IMAGENET_STD)
        return MiddleImage(picture) if config.shows == "middle" else picture

    def network(self, config: ApexnetConfig, classes: int) -> SeResNeXt:
        """With other weights of another number of classes, all but the last layer are taken."""
        kind = FrozenNorm if config.frozen_norm else SeResNeXt
        network = kind(
            classes, config.blocks, config.dropout, config.groups, grouped=config.grouped, squeeze=config.squeeze
        )
        if config.initial:
            checkpoints.load(network, Path(config.initial))
        return network

    def vocabulary(self, config: ApexnetConfig, source: Vocabulary) -> Vocabulary:
        """With "none" only where faces at rest are shown as that."""
        if config.rest:
            return source
        told = tuple(label for label in source.labels if label != NONE)
        return Vocabulary(source.name.removesuffix(f"-{NONE}"), told)

    def see(self, config: ApexnetConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        split = source.split(fold)
        known = self.vocabulary(config, split.vocabulary)

        def film(clips: Sequence[StoredClip]) -> Clips:
            kept = [clip for clip in clips if clip.sample.label != NONE or NONE in known.labels]
            return filmed(kept, choose(kept, config.apex, config.quang, workers))

        return replace(split.seen(film), vocabulary=known)

    def stages(self, config: ApexnetConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        network, made = self.network(config, len(split.vocabulary.labels)), self.representation(config)
        return [(ApexnetJob(self, config, network, made, split, seed), config.optimiser)]

    def inputs(self, config: ApexnetConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        made = self.representation(config)
        rows = [np.zeros((0, 3, made.size_px, made.size_px), np.float32)]
        if answer == "rest":
            rows += [shown(clip, at, at[1], made) for clip in clips for at in still(clip)]
        else:
            rows += [
                shown(clip, (clip.sample.onset_s, clip.sample.apex_s), clip.sample.offset_s, made) for clip in clips
            ]
        return {IMAGES: torch.from_numpy(np.concatenate(rows))}

    def golden(self, config: ApexnetConfig, precision: Precision) -> Mapping[str, Tensor]:
        made = self.representation(config)
        if isinstance(made, CropImages):
            return {IMAGES: torch.from_numpy(crop_images(golden_crops(precision), made))}
        return golden_inputs(made)

    def files(self, config: ApexnetConfig) -> Mapping[str, str]:
        return {"initial": checkpoints.fingerprint(config.initial)}

    def trial(self, config: ApexnetConfig, split: Split[Clips]) -> Trial | None:
        """Apexes through each camera to train on; none where something else is shown."""
        made = self.representation(config)
        if not isinstance(made, CropImages):
            return None
        taken = [clip for take in split.train for clip in take]
        pictures = [_apex(clip) for clip in taken]
        truth = split.vocabulary.indices(self.labels(taken)).numpy()
        return Trial(made, pictures[::2], pictures[1::2], truth[1::2], TRIAL)


def _apex(clip: Filmed) -> Image:
    """The crop uint8 (S, S, 3) that serving judges at the end of the event."""
    return apex_of(*clip.between(clip.sample.onset_s, clip.sample.offset_s), clip.sample.apex_s)
