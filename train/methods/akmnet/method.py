"""Adaptive key-frame mining (AKMNet): the few frames of an event that say what it is, found while it is learned.

Peng et al., "Recognizing micro-expression in video clip with adaptive key-frame mining" (arXiv 2009.09179), by the
authors' code; the lecture that these methods are after tells of it last.

Differences. The authors' clips have any length, one after the other, and gradients are summed over 8 of them: here a
batch has 8 clips of up to `frames` frames each, with the places behind a shorter one masked wherever frames are
compared, summed or followed, which gives the same gradient but for batch normalisation, whose statistics are those of
one clip there and of the batch here, masked places repeating a frame; of a longer one frames are picked (fixed lengths
cost their network three points). Chosen frames are not cut out but the others passed over (see `masked_gru`), which is
the same forwards; backwards the cross-entropy reaches the choice too, which an index gives no gradient. Pictures are
not magnified: phase-based magnification is done beforehand there and needs the whole clip in several scales. Faces are
cut by the live process's stages. The rate falls along one cosine to zero, with Nesterov momentum, where theirs rises
and falls every 16 epochs, and biases and normalisation are not decayed. Events that end soon after their apex
are shown too, since live they are asked about then. Epochs are fixed: the authors keep the best one of the test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Precision
from realtime.records import Floats
from realtime.representation.grey_clip import GreyClip
from train.clips.stored import StoredClip
from train.datasets.folds import Fold
from train.methods.akmnet.config import AkmnetConfig
from train.methods.akmnet.job import AkmnetJob, shown
from train.methods.akmnet.network import AkmNet
from train.methods.akmnet.passing_gru import passing
from train.methods.method import Answer, Method, Stage
from train.networks import checkpoints
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split

GOLDEN_ROWS = 2

Clips = Sequence[StoredClip]


class AkmnetMethod(Method[AkmnetConfig, Clips]):
    """Clips as pictures, which stay on disk until they are asked for."""

    config = AkmnetConfig
    card = MethodCard(
        "AKMNet (Peng et al., arXiv 2009.09179): a ResNet-18 on every frame, of which it chooses the key frames, and a "
        "recurrent unit over these in every place of the face.",
        (
            "Which frames are chosen hangs on small differences: another precision may choose another one at the edge.",
            "It sees the face of the event alone, not how it looked before: who looks so at rest is not told apart.",
            "Published for CASME II: an accuracy of .6706 in four classes. The authors' code keeps the epoch that is "
            "best on the person who tests, so it flatters, and no figure of this project's is comparable.",
        ),
    )
    outputs = (LOGITS, "near", "chosen")
    answers = ("final", "early")
    calibrates = ("final",)
    chunk = 8

    def representation(self, config: AkmnetConfig) -> GreyClip:
        return GreyClip(realtime_config.load().align.size_px, config.size_px, config.frames)

    def network(self, config: AkmnetConfig, classes: int) -> AkmNet:
        """With other weights of another number of classes, all but the last layer are taken."""
        network = AkmNet(classes, config.frames, config.size_px, config.width, config.dropout)
        if config.initial:
            checkpoints.load(network, Path(config.initial))
        return network

    def see(self, config: AkmnetConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        return source.split(fold)

    def stages(self, config: AkmnetConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        network, made = self.network(config, len(split.vocabulary.labels)), self.representation(config)
        return [(AkmnetJob(self, config, network, made, split, seed), config.optimiser)]

    def inputs(self, config: AkmnetConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        """Frames from the onset to the offset, or to soon after the apex."""
        made = self.representation(config)
        rows: dict[str, list[Floats]] = {
            spec.name: [np.zeros((0, *spec.shape[1:]), np.float32)] for spec in made.inputs()
        }
        for clip in clips:
            sample = clip.sample
            end = sample.apex_s + config.early.middle_s if answer == "early" else sample.offset_s
            for name, row in shown(clip, sample.onset_s, min(end, sample.offset_s), made).items():
                rows[name].append(row)
        return {name: torch.from_numpy(np.concatenate(found)) for name, found in rows.items()}

    def golden(self, config: AkmnetConfig, precision: Precision) -> Mapping[str, Tensor]:
        """Of less than the most frames, so that the mask is proven too."""
        return golden_inputs(self.representation(config), frames=max(config.frames - 2, 1), rows=GOLDEN_ROWS)

    def served(self, network: nn.Module) -> nn.Module:
        return passing(network)

    def files(self, config: AkmnetConfig) -> Mapping[str, str]:
        return {"initial": checkpoints.fingerprint(config.initial)}
