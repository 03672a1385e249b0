"""DTSCNN: two shallow streams of three-dimensional convolutions over flow, one of 64 steps and one of 128, fused.

Peng et al. 2017 (Frontiers in Psychology, doi 10.3389/fpsyg.2017.01745): flow, since it is blind to who somebody is and
to what stands behind; shallow, since a few hundred clips are known; two scales of time, since the data sets' cameras
have several rates.

Differences: the paper's table of layers was not at hand, so kernels and widths are this project's, a batch
normalisation after each convolution and the grid of places that is kept behind them among these; the classes are told
by a linear layer that is trained with the streams, and not by a linear SVM on their features; flow is found between
the clip's own frames and then interpolated, and it is in eye distances a second, without the head's part (see
`realtime.representation.flow_clip`); a share of the clips is cut soon after the apex, as early answers are. An apex is
wanted for those cuts alone: where nobody annotated one, as in SMIC, they follow the one that its reader estimates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Precision
from realtime.representation.flow_clip import FlowClip
from train.clips.movement.flowing import FlowingClip, flowing
from train.datasets.folds import Fold
from train.methods.dtscnn.config import DtscnnConfig
from train.methods.dtscnn.job import DtscnnJob
from train.methods.dtscnn.network import Dtscnn
from train.methods.method import Answer, Method, Stage
from train.networks import checkpoints
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split

Clips = Sequence[FlowingClip]


class DtscnnMethod(Method[DtscnnConfig, Clips]):
    """Clips as flow between frames that follow each other."""

    config = DtscnnConfig
    card = MethodCard(
        "Two shallow 3-D convolutional streams over the event's optical flow at two scales of time, fused: DTSCNN of "
        "Peng et al. 2017. Layers and widths are this project's, for the paper's were not at hand.",
        (
            "It sees how fast the face moves and nothing else: no wrinkles, no colour, no gaze.",
            "Of an event longer than a few seconds it sees fewer frames, each pair farther apart.",
            "The paper's 66.67 % (CASME and CASME II, four classes) is quoted from memory and was not reproduced; that "
            "it lay almost 10 points above what was known then is in its abstract.",
        ),
    )
    outputs = ("feature", LOGITS)
    answers = ("final", "early")
    calibrates = ("final", "rest")

    def representation(self, config: DtscnnConfig) -> FlowClip:
        crop_px = realtime_config.load().align.size_px
        return FlowClip(crop_px, config.size_px, config.scales, config.pair_s, config.pairs)

    def network(self, config: DtscnnConfig, classes: int) -> Dtscnn:
        """With other weights of another number of classes, all but the last layer are taken."""
        network = Dtscnn(classes, config.planes, config.width, config.size_px, config.cells, config.dropout)
        if config.initial:
            checkpoints.load(network, Path(config.initial))
        return network

    def see(self, config: DtscnnConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        made = self.representation(config)
        return source.split(fold).seen(lambda clips: flowing(clips, made, workers))

    def stages(self, config: DtscnnConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        network = self.network(config, len(split.vocabulary.labels))
        return [(DtscnnJob(self, config, network, split, seed), config.optimiser)]

    def inputs(self, config: DtscnnConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        made, after_s = self.representation(config), config.early.middle_s if answer == "early" else np.inf
        if answer == "rest":
            events = [(event, 0.0) for clip in clips for event in clip.resting()]
        else:
            events = [(clip.seen(after_s), clip.sample.apex_s) for clip in clips]
        rows = [made.of_event(event, apex_s) for event, apex_s in events]
        nothing = {spec.name: np.zeros((0, *spec.shape[1:]), np.float32) for spec in made.inputs()}
        return {
            name: torch.from_numpy(np.concatenate([none, *(row[name] for row in rows)]))
            for name, none in nothing.items()
        }

    def golden(self, config: DtscnnConfig, precision: Precision) -> Mapping[str, Tensor]:
        return golden_inputs(self.representation(config))

    def files(self, config: DtscnnConfig) -> Mapping[str, str]:
        return {"initial": checkpoints.fingerprint(config.initial)}
