"""The settings of the encoder."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from realtime.config import NotNegative, Section
from train.config.recipe import Settings
from train.config.sections import Optimiser, Part, Precision, Stage


class Augment(Section, frozen=True):
    turn_deg: NotNegative
    scale: NotNegative
    shift: NotNegative
    contrast: NotNegative
    tint: NotNegative
    hide: Part
    soften: Part
    noise: NotNegative


class Teaching(Section, frozen=True):
    """What other encoders say of each picture, mixed into the votes (Hinton et al. 2015, arXiv 1503.02531)."""

    engines: tuple[str, ...]  #: folders of their packages, whose word is averaged; none leaves the votes alone
    weight: Part  #: the teachers' share of what is learned


class ExpressionConfig(Settings, frozen=True, tag="expression"):
    """The encoder, trained to tell still expressions apart."""

    network: Literal["resnet10", "resnet18"]
    precision: Precision  #: of the training's arithmetic; bf16 is faster where the processor has it
    dropout: NotNegative
    sampling: Part  #: 0 draws each expression as often as it is there, 1 all equally often
    prior: Part  #: 0 expects each expression as often as FER+ has it, 1 all equally often
    stages: Annotated[tuple[Stage, ...], msgspec.Meta(min_length=1)]
    optimiser: Optimiser
    augment: Augment
    teaching: Teaching

    @property
    def epochs(self) -> int:
        """Of all stages."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def size_px(self) -> int:
        """What the engine sees: the pictures of the last stage."""
        return self.stages[-1].size_px
