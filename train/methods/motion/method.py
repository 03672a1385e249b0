"""How the face moved, judged by a network of displacement fields: a small CNN on each and an LSTM over them.

After the lecture's finding that flow over time is what carries over between data sets (ATNet, Peng et al. 2019,
arXiv 1904.03699); scale-free, as a field that is divided by its own size says what moved and not how strongly or on
whom. Synthetic clips have "none" as a class of its own and not as a threshold on the others: what is none is known
there, faces at rest, blinks, movements that no class fits, and doubt between two classes is no sign of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Precision
from realtime.labels import NONE
from realtime.records import Floats
from realtime.representation.contract.event import EventFrames
from realtime.representation.flow_fields import FIELDS, FlowFields
from realtime.representation.movement.fields import FIELD_PX
from train.clips.clip import event
from train.clips.movement.fields import MovingClip, moving
from train.clips.movement.sequences import rests
from train.datasets.folds import Fold
from train.methods.method import Answer, Method, Stage
from train.methods.motion.config import MotionConfig
from train.methods.motion.job import Mixed, MotionJob
from train.methods.motion.network import MotionNet
from train.methods.motion.real import RealFaces
from train.networks import checkpoints
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split

Clips = Sequence[MovingClip]


class MotionMethod(Method[MotionConfig, Clips]):
    """Clips as displacement fields."""

    config = MotionConfig
    card = MethodCard(
        "A small CNN and an LSTM over displacement fields: how the face moved from onset to apex.",
        (
            "It sees movement on a coarse grid and nothing else: no wrinkles, no colour, no gaze.",
            "Movement is divided by its own size, so it does not know how strong an expression is.",
            "It sees the face against what it was just before; if that was moving, all that follows is seen wrongly.",
        ),
        real=True,
    )
    outputs = (LOGITS, "event")
    answers = ("final", "early")
    calibrates = ("final", "rest")
    chunk = 256

    def representation(self, config: MotionConfig) -> FlowFields:
        shown, crop_px = config.fields, realtime_config.load().align.size_px
        return FlowFields(crop_px, FIELD_PX, shown.frames, shown.scale, shown.floor, shown.limit)

    def network(self, config: MotionConfig, classes: int) -> MotionNet:
        """With other weights of another number of classes, all but the last layer are taken."""
        network = MotionNet(classes, config.dropout)
        if config.initial:
            checkpoints.load(network, Path(config.initial))
        return network

    def see(self, config: MotionConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        """Real faces that `stages` takes are seen too."""
        source.marked(workers)
        return source.split(fold).seen(lambda clips: moving(clips, workers))

    def stages(self, config: MotionConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        labels = split.vocabulary.labels
        none = labels.index(NONE) if NONE in labels else None
        people = sorted({clip.sample.subject for clip in split.train[0]})
        known = source.exact(people, config.exact.each) if config.exact.share else None
        real = RealFaces(source.marked()) if none is not None else None
        mixed = Mixed(none, config.rest if none is not None else 0.0, known, config.exact.share, real)
        network, made = self.network(config, len(labels)), self.representation(config)
        return [(MotionJob(self, config, network, made, split, mixed, seed), config.optimiser)]

    def inputs(self, config: MotionConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        made, after_s = self.representation(config), config.early.middle_s if answer == "early" else np.inf
        rows = [np.zeros((0, made.frames, 3, made.size_px, made.size_px), np.float32)]
        if answer == "rest":
            rows += [_resting(clip, span, made) for clip in clips for span in rests(clip)]
        else:
            rows += [_moving(clip, after_s, made) for clip in clips]
        return {FIELDS: torch.from_numpy(np.concatenate(rows))}

    def golden(self, config: MotionConfig, precision: Precision) -> Mapping[str, Tensor]:
        return golden_inputs(self.representation(config))

    def files(self, config: MotionConfig) -> Mapping[str, str]:
        return {"initial": checkpoints.fingerprint(config.initial)}


def _moving(clip: MovingClip, after_s: float, made: FlowFields) -> Floats:
    """What serving sees of the event, `after_s` after its apex or at its end."""
    inside = event(clip.times, clip.sample)
    times = clip.times[inside]
    seen = max(int(np.searchsorted(times, clip.sample.apex_s + after_s, "right")), 1)
    part = EventFrames(times[:seen], fields=clip.fields[inside][:seen])
    return made.of_event(part, clip.sample.apex_s)[FIELDS]


def _resting(clip: MovingClip, span: slice, made: FlowFields) -> Floats:
    """What it would see if the detector took a face at rest for an event."""
    times = clip.times[span]
    return made.of_event(EventFrames(times, fields=clip.fields[span]), float(times[len(times) // 2]))[FIELDS]
