"""Dynamic expressions by a network of clips with the expression-clustering loss (see `train.losses.ecstfl`).

CN112101119A (Southeast University, 2020); Jiang et al. 2020, "DFEW" (ACM Multimedia, arXiv 2008.05924).

`configs/methods/paper-ecstfl-c3d.toml` has the patent's settings: C3D, the only backbone that is the patent's, the cost
on its fc7, clips interpolated to one length. Differences with it: faces are cut by the live process's stages, not by
Face++ and SeetaFace; the cost is a mean over the clips, not a sum; epochs are fixed, where the authors' code reports
the best of 200 on the test; the feature is taken before the dropout (see `train.methods.ecstfl.c3d`). In the other
files frames are picked, which the authors found better, and the backbones are others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Precision, Task
from realtime.errors import ConfigError
from realtime.representation.clip_images import CLIPS, ClipImages
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import CropImages
from realtime.representation.sampled_clip import SampledClip
from train.clips.stored import StoredClip
from train.datasets.folds import Fold
from train.methods.ecstfl.backbones import BACKBONES
from train.methods.ecstfl.clip_frames import event_pictures
from train.methods.ecstfl.config import EcstflConfig
from train.methods.ecstfl.job import EcstflJob
from train.methods.method import Answer, Method, Stage
from train.networks import checkpoints
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split

GOLDEN_ROWS = 2

Clips = Sequence[StoredClip]


class EcstflMethod(Method[EcstflConfig, Clips]):
    """Clips as pictures, which stay on disk until they are asked for."""

    config = EcstflConfig
    card = MethodCard(
        "A network of clips, trained with the expression-clustering loss.",
        (
            "It sees frames picked evenly over an event, however long that is: how fast a face moves it does not know.",
            "An event whose beginning or end was missed is judged by what is left of it.",
        ),
    )
    task: Task = "dynamic-expression"
    outputs = ("feature", LOGITS)
    calibrates = ("final",)
    chunk = 8

    def representation(self, config: EcstflConfig) -> ClipImages | SampledClip:
        """Pictures that are picked, or, of a network that learns from such, interpolated through the event."""
        backbone, crop_px = BACKBONES[config.backbone], realtime_config.load().align.size_px
        picture = CropImages(crop_px, config.size_px, backbone.mean, backbone.std)
        if config.sampling == "tim":
            return SampledClip(config.frames, picture, "tim")
        return ClipImages(config.frames, picture)

    def network(self, config: EcstflConfig, classes: int) -> nn.Module:
        """From the checkpoint if one is named; ConfigError if the backbone cannot take the clips."""
        backbone = BACKBONES[config.backbone]
        if backbone.clip is not None and backbone.clip != (config.frames, config.size_px):
            raise ConfigError(
                f"{config.backbone} takes {backbone.clip[0]} frames of {backbone.clip[1]} px, frames is "
                f"{config.frames} and size_px {config.size_px}; set them so, or take another backbone"
            )
        network = backbone.build(classes, config.dropout)
        if config.initial:
            checkpoints.load(backbone.body(network), Path(config.initial))
        return network

    def see(self, config: EcstflConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        return source.split(fold)

    def stages(self, config: EcstflConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        network = self.network(config, len(split.vocabulary.labels))
        return [(EcstflJob(config, network, split, seed), config.optimiser)]

    def inputs(self, config: EcstflConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        """Frames from each event's first to its last: no other answer than the final one is asked for."""
        made = self.representation(config)
        rows = [np.zeros((0, 3, made.frames, made.picture.size_px, made.picture.size_px), np.float32)]
        rows += [made.of_event(_event(clip), clip.sample.apex_s)[CLIPS] for clip in clips]
        return {CLIPS: torch.from_numpy(np.concatenate(rows))}

    def golden(self, config: EcstflConfig, precision: Precision) -> Mapping[str, Tensor]:
        return golden_inputs(self.representation(config), frames=config.frames, rows=GOLDEN_ROWS)

    def files(self, config: EcstflConfig) -> Mapping[str, str]:
        return {"initial": checkpoints.fingerprint(config.initial)}


def _event(clip: StoredClip) -> EventFrames:
    """The event as long as it is."""
    pictures = event_pictures(clip)
    return EventFrames(np.arange(len(pictures), dtype=np.float64), images=list(pictures))
