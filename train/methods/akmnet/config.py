"""The settings of the network that mines key frames."""

from __future__ import annotations

from typing import Annotated

import msgspec

from realtime.config import Count, NotNegative, Section
from train.config.recipe import Settings
from train.config.sections import Early, Optimiser, Part, Precision


class WindowAugment(Section, frozen=True):
    """All frames of a clip are changed alike."""

    probability: Part  #: share of the clips that are enlarged and cut to size again, anywhere
    enlarged: Annotated[float, msgspec.Meta(ge=1)]  #: by so much before the cut
    mirrored: Part  #: share of the clips
    light: NotNegative  #: most logarithm of contrast and of gamma


class MiningLosses(Section, frozen=True):
    """Weights beside the cross-entropy's 1: see `key_frames`."""

    apart: NotNegative  #: of how far key frames stand from the others
    few: NotNegative  #: of how many they are


class AkmnetConfig(Settings, frozen=True, tag="akmnet"):
    """Adaptive key-frame mining, whatever clips it sees."""

    initial: str  #: path of weights to begin with, whose classifier may be of other classes; "" is none
    frames: Count  #: of an event that are seen, at most: of a longer one as many are picked
    size_px: Annotated[int, msgspec.Meta(ge=32)]  #: what the network sees
    width: Count  #: channels of the ResNet's first layer; the others have 2, 4 and 8 times as many
    dropout: Part
    precision: Precision  #: of the arithmetic in training; weights are always f32
    jitter_s: NotNegative  #: onset and offset are moved by up to so much in each epoch
    epochs: Count
    early: Early
    loss: MiningLosses
    augment: WindowAugment
    optimiser: Optimiser
