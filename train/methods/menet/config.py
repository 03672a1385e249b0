"""The settings of MENet, of IDNet, and of what estimates how much one knows of the other."""

from __future__ import annotations

from typing import Annotated

import msgspec

from realtime.config import Count, NotNegative, Positive, Section, Share
from train.config.recipe import Settings
from train.config.sections import Optimiser, Part


class EarlierEpochs(Section, frozen=True):
    """Of the two trainings before the last one."""

    identity: Count  #: IDNet, by who trains
    motion: Count  #: MENet alone


class MotionWeights(Section, frozen=True):
    """What is added to the cross-entropy, whose weight is 1."""

    divergence: NotNegative
    information: NotNegative


class EstimatorSettings(Section, frozen=True):
    """The neural estimator of mutual information."""

    steps: Count  #: on each batch, for one of MENet
    decay: Part  #: of the moving average that its gradient is divided by
    most: Positive  #: nats of the estimate that count; below 0 none do
    optimiser: Optimiser


class MenetConfig(Settings, frozen=True, tag="menet"):
    """A network of clips whose features are kept apart from those of a network of identity."""

    frames: Count
    size_px: Annotated[int, msgspec.Meta(ge=32)]  #: what both networks see
    width: Count  #: channels of the first stage of either
    maps: Annotated[int, msgspec.Meta(ge=2)]  #: of attention
    dropout: Part
    epochs: Count  #: of the last training, of MENet beside the estimator
    jitter_s: NotNegative  #: onset and offset are moved by up to so much in each epoch
    area: tuple[Share, Share]  #: of the crop that is seen in training, at least and at most
    before: EarlierEpochs
    loss: MotionWeights
    estimator: EstimatorSettings
    optimiser: Optimiser  #: of MENet and of IDNet
