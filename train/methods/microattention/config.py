"""The settings of the micro-attention network and of its two trainings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from realtime.config import Count, NotNegative, Section
from train.config.recipe import Settings
from train.config.sections import Optimiser, Part

MacroSet = Literal["ferplus", "ckplus", "enacted"]


class Places(Section, frozen=True):
    """Where each set of macro-expressions lies; read of those that `macro` names."""

    ferplus: str  #: path of ferplus.npz
    ckplus: str  #: the folder that CK+ was unpacked to
    enacted: str  #: a file of configs/data that says what FER+ pictures play


class Transfer(Section, frozen=True):
    """The first training, on macro-expressions."""

    epochs: Count
    optimiser: Optimiser


class StillChanges(Section, frozen=True):
    """How pictures of both trainings are changed, each change by itself; and half of them are mirrored."""

    probability: Part  #: of each of the two changes
    turn_deg: NotNegative  #: most, to either side
    light: NotNegative  #: most grey levels brighter or darker, of 255


class MicroAttentionConfig(Settings, frozen=True, tag="microattention"):
    """A network of the apex frame, and what it learns from before that."""

    macro: tuple[MacroSet, ...]  #: sets of macro-expressions; with none it begins from random weights
    attention: bool  #: in each unit; without it the macro-to-micro transfer is left
    size_px: Annotated[int, msgspec.Meta(ge=32)]  #: what the network sees
    width: Count  #: channels of its first unit
    epochs: Count  #: of the second training; each shows every class as often as the largest one
    jitter_s: NotNegative  #: the apex is moved by up to so much in each epoch
    places: Places
    transfer: Transfer
    augment: StillChanges
    optimiser: Optimiser
