"""The settings of the encoder."""

from __future__ import annotations

from typing import Literal

from realtime.config import Count, NotNegative, Section
from train.config.sections import Machine, Optimiser, Part, Precision, Stage


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


class ExpressionConfig(Section, frozen=True, tag="expression", tag_field="method"):
    """The encoder, trained to tell still expressions apart."""

    seed: int
    name: str  #: of the run's folder and of the engine package
    ferplus: str  #: path of ferplus.npz
    cache: str
    runs: str
    crop_px: Count
    network: Literal["resnet10", "resnet18"]
    precision: Precision  #: of the training's arithmetic; bf16 is faster where the processor has it
    dropout: NotNegative
    sampling: Part  #: 0 draws each expression as often as it is there, 1 all equally often
    prior: Part  #: 0 expects each expression as often as FER+ has it, 1 all equally often
    stages: tuple[Stage, ...]
    optimiser: Optimiser
    machine: Machine
    augment: Augment
    teaching: Teaching

    @property
    def epochs(self) -> int:
        """Of all stages."""
        return sum(stage.epochs for stage in self.stages)
