"""The settings of the network of flow at two scales of time."""

from __future__ import annotations

from typing import Annotated

import msgspec

from realtime.config import Count, NotNegative, Positive, Section
from train.config.recipe import Settings
from train.config.sections import Early, FocalLoss, Optimiser, Part
from train.networks.shallow3d import misfit


class FlowAugment(Section, frozen=True):
    """Half of the events are mirrored; arrows turn with their places."""

    turn_deg: NotNegative
    scale: NotNegative  #: up to this share larger or smaller
    shift: NotNegative  #: up to this share of the side
    gain: NotNegative  #: most logarithm by which a whole event is faster or slower


class DtscnnConfig(Settings, frozen=True, tag="dtscnn"):
    """Two streams of flow."""

    initial: str  #: path of weights to begin with, such as the `weights.pt` of another run; "" is none
    scales: tuple[Count, Count]  #: steps of each stream's input: see `realtime.representation.flow_clip`
    size_px: Count  #: the side of the flow
    pair_s: Positive  #: between the two pictures that flow is found between, at least
    pairs: Count  #: most that are looked at of one event
    planes: Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)]  #: of each layer of a stream
    width: Count  #: of what a stream gives
    cells: Count  #: the side of the grid that is left of a picture; 1 is the global average
    dropout: Part
    rest: Part  #: share of each batch that shows stretches without an event as "none", where that is a class
    jitter_s: NotNegative  #: onset and offset are moved by up to so much in each epoch
    epochs: Count
    early: Early
    loss: FocalLoss
    augment: FlowAugment
    optimiser: Optimiser

    def __post_init__(self) -> None:
        if self.scales[0] == self.scales[1]:
            raise ValueError(f"scales = {list(self.scales)} is one scale of time twice; give two")
        if problem := misfit(len(self.planes), min(self.scales), self.size_px, self.cells):
            raise ValueError(problem)
