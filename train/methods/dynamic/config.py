"""The settings of the head of dynamic expressions."""

from __future__ import annotations

from realtime.config import Count, NotNegative, Section
from train.config.recipe import Settings
from train.config.sections import Early, EcstflLoss, Optimiser, Part, Precision


class ShownPart(Section, frozen=True):
    """Which part of a clip an epoch shows."""

    before_s: NotNegative  #: it begins up to so long before the onset,
    late_s: NotNegative  #: or after it


class DynamicConfig(Settings, frozen=True, tag="dynamic"):
    """A recurrent head on the encoder's embeddings, for expressions of any length."""

    encoder: str  #: folder of the encoder's engine package
    precision: Precision  #: that the encoder computes the embeddings in
    frames: Count  #: that the head sees of an event
    fades: NotNegative  #: clips of `train.methods.dynamic.fades`, new in each epoch, for each clip that was filmed
    dropout: Part
    epochs: Count
    loss: EcstflLoss
    early: Early
    shown: ShownPart
    optimiser: Optimiser
