"""The settings of the network of the apex."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from realtime.config import Count, NotNegative, Positive, Section
from train.config.recipe import Settings
from train.config.sections import FocalLoss, Optimiser, Part, Precision

#: Who says when the apex is: the coder, the formula of Quang et al., or the live detector.
ApexSource = Literal["annotation", "quang", "detector"]


class Quang(Section, frozen=True):
    """Read only if the apex is theirs: see `apex_formula`."""

    lag_frames: Count
    terms: Literal["onset", "offset", "both"]


class PairAugment(Section, frozen=True):
    """Half of the events are mirrored; onset and apex are changed alike, but for `slip` and `noise`."""

    turn_deg: NotNegative
    scale: NotNegative  #: up to this share larger or smaller
    shift: NotNegative  #: up to this share of the side
    slip: NotNegative  #: of the apex against the onset: shift as a share of the side, scale, and radians
    light: NotNegative  #: most logarithm of contrast and of gamma
    tint: NotNegative  #: most logarithm of each colour's own gamma; read only if one picture is shown
    grey_probability: Part  #: share of the pictures that lose their colour; likewise
    noise: NotNegative  #: most standard deviation of the noise, pictures in [0, 1]
    rising: Part  #: share of the events whose apex is taken for earlier than it is, up to the middle of the rise


class ApexnetConfig(Settings, frozen=True, tag="apexnet"):
    """An SE-ResNeXt of the apex, whatever clips it sees."""

    initial: str  #: path of weights to begin with, whose classifier may be of other classes; "" is none
    #: The apex alone, the frame midway between onset and apex, or what changed since the onset too.
    shows: Literal["apex", "middle", "change"]
    apex: ApexSource
    size_px: Annotated[int, msgspec.Meta(ge=32)]  #: what the network sees
    around_s: NotNegative  #: see `realtime.representation.apex_change`; read only if the change is shown
    gain: Positive  #: likewise
    blocks: tuple[Count, Count, Count, Count]  #: of each stage
    groups: Annotated[int, msgspec.Meta(ge=2)]  #: of the convolutions; all widths are in proportion
    grouped: bool  #: false is ResNet: the middle convolutions are whole, and half as wide
    squeeze: bool  #: false is ResNeXt: the channels are not weighed
    dropout: Part
    frozen_norm: bool  #: whether batch normalisation keeps the statistics of `initial`
    precision: Precision  #: of the arithmetic in training; weights are always f32
    rest: Part  #: share of each batch that shows stretches of the clips without an event; 0: "none" is no class
    jitter_s: NotNegative  #: onset and apex are moved by up to so much in each epoch
    epochs: Count
    loss: FocalLoss
    augment: PairAugment
    quang: Quang
    optimiser: Optimiser

    def __post_init__(self) -> None:
        if self.frozen_norm and not self.initial:
            raise ValueError("frozen_norm = true keeps a checkpoint's statistics, and initial names none; name one")
