"""The settings of the network of the apex."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from realtime.config import Count, NotNegative, Positive, Section
from train.config.clips import Clips
from train.config.recorded import RecordedConfig
from train.config.sections import FocalLoss, Machine, Optimiser, Part, Precision

ApexSource = Literal["annotation", "quang", "detector"]


class ApexAugment(Section, frozen=True):
    turn_deg: NotNegative
    grey_probability: Part


class Quang(Section, frozen=True):
    """Read only if the apex is theirs."""

    lag_frames: Count
    terms: Literal["onset", "offset", "both"]


class PairAugment(Section, frozen=True):
    """Half of the events are mirrored; onset and apex are changed alike, but for `slip` and `noise`."""

    turn_deg: NotNegative
    scale: NotNegative  #: up to this share larger or smaller
    shift: NotNegative  #: up to this share of the side
    slip: NotNegative  #: of the apex against the onset: shift as a share of the side, scale, and radians
    light: NotNegative  #: most logarithm of contrast and of gamma
    tint: NotNegative  #: most logarithm of each colour's own gamma; read only if the apex is shown alone
    noise: NotNegative  #: most standard deviation of the noise, pictures in [0, 1]
    rising: Part  #: share of the events whose apex is taken for earlier than it is, up to the middle of the rise


class ApexnetConfig(Section, frozen=True, tag="apexnet", tag_field="method"):
    """On synthetic clips, with or without "none" as one more class."""

    seed: int
    name: str
    initial: str  #: path of weights to begin with, whose classifier may be of other classes; "" is none
    cache: str
    runs: str
    shows: Literal["apex", "change"]  #: the apex alone, or what changed since the onset too
    size_px: Annotated[int, msgspec.Meta(ge=32)]  #: what the network sees
    around_s: NotNegative  #: see `realtime.representation.apex_change`; read only if the change is shown
    gain: Positive  #: likewise
    blocks: tuple[Count, Count, Count, Count]  #: of each stage
    groups: Annotated[int, msgspec.Meta(ge=2)]  #: of the convolutions; all widths are in proportion
    dropout: Part
    precision: Precision  #: of the arithmetic in training; weights are always f32
    rest: Part  #: share of each batch that shows stretches of the clips without an event; 0: "none" is no class
    jitter_s: NotNegative  #: onset and apex are moved by up to so much in each epoch
    epochs: Count
    loss: FocalLoss
    augment: PairAugment
    optimiser: Optimiser
    machine: Machine
    clips: Clips


class ApexnetRecordedConfig(RecordedConfig, frozen=True, tag="apexnet", tag_field="method"):
    """On recorded clips: a network of the apex frame alone."""

    apex: ApexSource
    blocks: Literal["standard", "ren"]
    frozen_norm: bool  #: whether batch normalisation keeps the checkpoint's statistics
    loss: FocalLoss
    augment: ApexAugment
    quang: Quang
