"""The settings of the read-out of action units."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from realtime.config import Count, NotNegative, Positive, Section, Share
from train.clips.movement.apex_fields import PairsAsked
from train.config.recipe import Settings

Unit = Annotated[str, msgspec.Meta(pattern=r"^\d+(\+\d+)*$")]


class PairsShown(Section, frozen=True):
    """Which moments of each clip are held against each other, beside onset and apex of its event."""

    cuts: Count
    jitter_s: NotNegative
    any: Count
    weight: Positive  #: of a pair of any two moments, where thresholds are set

    @property
    def pairs(self) -> PairsAsked:
        return PairsAsked(self.cuts, self.any, self.jitter_s)


class MixturesShown(Section, frozen=True):
    """Exact fields of units in every combination: see `train.clips.movement.mixtures`."""

    each: Count
    found: Share  #: share of a movement that flow finds
    uneven: NotNegative  #: standard deviation of its logarithm


class UnitsConfig(Settings, frozen=True, tag="units"):
    """A linear read-out of displacement fields."""

    around_s: NotNegative
    told: Annotated[tuple[Unit, ...], msgspec.Meta(min_length=1)]
    ridge: Positive
    floor: Positive
    folds: Annotated[int, msgspec.Meta(ge=2)]
    wrong: Share
    wrong_in_films: Share
    shown: PairsShown
    mixtures: MixturesShown

    epochs: ClassVar[int] = 1  #: for manifests: it is solved at once
