"""The settings of the networks of clips."""

from __future__ import annotations

from typing import Literal

from realtime.config import Count, Section, Share
from train.config.recorded import RecordedConfig
from train.config.sections import EcstflLoss

Backbone = Literal["c3d", "r3d18", "resnet18-gru"]
FrameSampling = Literal["random", "segments", "tim"]


class ClipAugment(Section, frozen=True):
    area: tuple[Share, Share]  #: of the crop that is seen, at least and at most


class EcstflConfig(RecordedConfig, frozen=True, tag="ecstfl", tag_field="method"):
    """A network of clips with the expression-clustering loss."""

    backbone: Backbone
    frames: Count
    sampling: FrameSampling  #: in training; "tim" in tests too
    loss: EcstflLoss
    augment: ClipAugment
