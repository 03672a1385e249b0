"""The settings of the networks of clips."""

from __future__ import annotations

from typing import Literal

from realtime.config import Count, NotNegative, Section, Share
from train.config.recipe import Settings
from train.config.sections import EcstflLoss, Optimiser, Part, Precision

Backbone = Literal["c3d", "r3d18", "resnet18-gru"]
FrameSampling = Literal["random", "segments", "tim"]


class ClipAugment(Section, frozen=True):
    area: tuple[Share, Share]  #: of the crop that is seen, at least and at most


class EcstflConfig(Settings, frozen=True, tag="ecstfl"):
    """A network of clips with the expression-clustering loss."""

    backbone: Backbone
    initial: str  #: path of a public checkpoint, whose classifier is left out; "" starts from random weights
    frames: Count
    size_px: Count  #: what the network sees
    sampling: FrameSampling  #: in training; "tim" in tests too
    dropout: Part
    precision: Precision  #: of the arithmetic in training; weights are always f32
    epochs: Count
    jitter_s: NotNegative  #: onset and offset are moved by up to so much in each epoch
    loss: EcstflLoss
    augment: ClipAugment
    optimiser: Optimiser
