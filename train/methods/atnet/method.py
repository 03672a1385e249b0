"""ATNet, the Apex-Time Network: the picture of the apex, and what moved in the time around it.

Peng, Wang, Bi, Shi, Zhou, Chen, "A novel apex-time network for cross-dataset micro-expression recognition" (ACII 2019,
arXiv 1904.03699), by the authors' network file; the lecture tells what it found: across data sets the stream of time
alone was best, both together second, and the apex alone far behind (`streams`).

Differences. What the 128 numbers of a step are the authors do not say: here they are the histograms over 8 directions
of 4 by 4 blocks, a choice of this project. They are made of the live process's own fields, which cost nothing more at
an event and say how far the face has moved over a lag and not from one frame to the next, of which at 200 frames a
second nothing is left but noise. Theirs are 32 frames to either side of the apex, which is 160 ms in CASME II and 320
in SMIC; here it is 160 ms of every camera, brought to as many steps. Clips end with their event, and live ones are not
over when they are asked about: the first and the last frame are repeated then, and events that end soon after their
apex are learned from too. Faces are cut by the live process's stages, so that a crop of 128 px is what there is to
enlarge. The rate falls by half a cosine and not to a tenth every 500 steps, and the momentum is Nesterov's. The stream
of the picture begins with weights of macro-expressions only where `initial` names them. Where nobody coded an apex, as
in SMIC, the middle of the event stands for it, which is the authors' rule. Weights after the last step are judged, as
theirs are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Precision
from realtime.records import Floats
from realtime.representation.apex_time import ApexTime
from realtime.representation.movement.fields import FIELD_PX
from train.clips.clip import event
from train.datasets.folds import Fold
from train.methods.atnet.config import AtnetConfig
from train.methods.atnet.job import AtnetJob, Clips
from train.methods.atnet.network import AtNet
from train.methods.atnet.timed_clips import TimedClip, shown, timed
from train.methods.method import Answer, Method, Stage
from train.networks import checkpoints
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split


class AtnetMethod(Method[AtnetConfig, Clips]):
    """Clips as fields, and as the picture of their apex, which stays on disk until it is asked for."""

    config = AtnetConfig
    card = MethodCard(
        "ATNet (Peng et al. 2019, arXiv 1904.03699): a residual network on the picture of the apex, and two recurrent "
        "layers over the directions in which blocks of the face move around it. Which numbers the authors' flow was "
        "made of is not known; histograms of directions are this project's choice.",
        (
            "Movement is divided by its own size, so it does not know how strong an expression is.",
            "It sees the face against what it was just before; if that was moving, all that follows is seen wrongly.",
            "A picture that is not of the apex is judged as if it were, and so is the time around it.",
            "Published: UF1 .631 and UAR .613 on the composite of MEGC 2019, as they are usually quoted, which nobody "
            "here has checked; no figure of this package was measured on those clips.",
        ),
    )
    outputs = (LOGITS, "feature")
    answers = ("final", "early")
    calibrates = ("final",)
    chunk = 64

    def representation(self, config: AtnetConfig) -> ApexTime:
        crop_px, seen = realtime_config.load().align.size_px, config.time
        return ApexTime(
            crop_px, config.size_px, FIELD_PX, seen.around_s, seen.steps, seen.blocks, seen.bins, seen.floor, seen.limit
        )

    def network(self, config: AtnetConfig, classes: int) -> AtNet:
        """The stream of the picture with the weights that are named, but for those that judge."""
        row = config.time.blocks**2 * config.time.bins
        network = AtNet(classes, config.streams, config.width, row, config.hidden, config.dropout)
        if config.initial:
            checkpoints.load(network.picture, Path(config.initial))
        return network

    def see(self, config: AtnetConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        return source.split(fold).seen(lambda clips: timed(clips, workers))

    def stages(self, config: AtnetConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        network, made = self.network(config, len(split.vocabulary.labels)), self.representation(config)
        return [(AtnetJob(self, config, network, made, split, seed), config.optimiser)]

    def inputs(self, config: AtnetConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        """Of the frames from the onset to the offset, or to soon after the apex."""
        made = self.representation(config)
        rows: dict[str, list[Floats]] = {
            spec.name: [np.zeros((0, *spec.shape[1:]), np.float32)] for spec in made.inputs()
        }
        for clip in clips:
            for name, row in _served(clip, config.early.middle_s if answer == "early" else np.inf, made).items():
                rows[name].append(row)
        return {name: torch.from_numpy(np.concatenate(found)) for name, found in rows.items()}

    def golden(self, config: AtnetConfig, precision: Precision) -> Mapping[str, Tensor]:
        return golden_inputs(self.representation(config))

    def files(self, config: AtnetConfig) -> Mapping[str, str]:
        return {"initial": checkpoints.fingerprint(config.initial)}


def _served(clip: TimedClip, after_s: float, made: ApexTime) -> Mapping[str, Floats]:
    """What serving sees of the event, `after_s` after its apex or at its end."""
    inside, sample = event(clip.times, clip.sample), clip.sample
    times = clip.times[inside]
    seen = max(int(np.searchsorted(times, sample.apex_s + after_s, "right")), 1)
    return shown(clip, (times[:seen], clip.fields[inside][:seen], sample.apex_s), made)
