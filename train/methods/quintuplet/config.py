"""The settings of the network of pictures and flow that learns from quintuplets."""

from __future__ import annotations

from typing import Annotated

import msgspec

from realtime.config import Count, NotNegative, Positive, Section, Share
from train.config.recipe import Settings
from train.config.recorded import Data
from train.config.sections import Early, Optimiser, Part
from train.networks.shallow3d import misfit


class AuMask(Section, frozen=True):
    """The mask network and its own training, which comes first."""

    planes: Count  #: of its first layer
    sigma: Share  #: of the Gaussian around each centre, share of the side
    keep: Part  #: of a picture where no unit acts
    epochs: Count
    optimiser: Optimiser


class Macro(Section, frozen=True):
    """Macro-expressions, the other mode: those of the source itself where it makes any, and those of `data`."""

    each: Annotated[
        int, msgspec.Meta(ge=0)
    ]  #: clips of each person to train on, where the source makes any; 0 asks for none
    data: tuple[Data, ...]  #: recorded sets such as CK+, read by their labels; () is none


class QuintupletLoss(Section, frozen=True):
    """Weights and margins; the cross-entropy weighs 1."""

    weight: NotNegative  #: of the quintuplets
    micro: NotNegative  #: margin among micro-expressions
    macro: NotNegative  #: margin among macro-expressions
    across: NotNegative  #: margin of one against the other
    contrast: NotNegative  #: weight of the contrast between pictures and flow
    temperature: Positive  #: of that contrast


class ModesAugment(Section, frozen=True):
    """Half of the events are mirrored; pictures and flow are moved alike."""

    turn_deg: NotNegative
    scale: NotNegative  #: up to this share larger or smaller
    shift: NotNegative  #: up to this share of the side
    light: NotNegative  #: most logarithm of contrast and of gamma
    tint: NotNegative  #: most logarithm of each colour's own gamma
    gain: NotNegative  #: most logarithm by which a whole event is faster or slower


class QuintupletConfig(Settings, frozen=True, tag="quintuplet"):
    """Pictures and flow of an event, attended to by a mask."""

    initial: str  #: path of weights to begin with, such as the `weights.pt` of another run; "" is none
    pictures: Count  #: of an event
    size_px: Annotated[int, msgspec.Meta(multiple_of=4)]  #: their side; the mask network halves it twice
    flow_steps: Count  #: see `realtime.representation.flow_clip`
    flow_px: Count  #: the side of the flow
    pair_s: Positive  #: between the two pictures that flow is found between, at least
    pairs: Count  #: most that are looked at of one event
    planes: Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)]  #: of each layer of either branch
    width: Count  #: of what a branch gives
    cells: Count  #: the side of the grid that is left of a picture; 1 is the global average
    dropout: Part
    jitter_s: NotNegative  #: onset and offset are moved by up to so much in each epoch
    epochs: Count
    early: Early
    mask: AuMask
    macro: Macro
    loss: QuintupletLoss
    augment: ModesAugment
    optimiser: Optimiser

    def __post_init__(self) -> None:
        for frames, side in ((self.pictures, self.size_px), (self.flow_steps, self.flow_px)):
            if problem := misfit(len(self.planes), frames, side, self.cells):
                raise ValueError(problem)
