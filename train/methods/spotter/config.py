"""The settings of the spotter."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from realtime.config import Count, NotNegative, Positive, Section
from train.config.clips import Distractor
from train.config.recipe import Settings
from train.config.sections import Optimiser, Part


class Adapting(Section, frozen=True):
    """The stage after films: marked clips of real people, where the source has any."""

    members: Annotated[int, msgspec.Meta(ge=0)]  #: of all, those that go on, from where others stay
    films: Count  #: the first so many films are shown as well, so that what they taught is not forgotten
    marked: Part  #: share of the chunks that show marked clips
    real: Part  #: share of the movements added that real people made
    gain: NotNegative  #: as `SpotterTraining.gain`, of marked clips
    elsewhere: Part  #: as `SpotterTraining.elsewhere`
    epochs: Count
    steps: Count
    optimiser: Optimiser


class SpotterTraining(Settings, frozen=True, tag="spotter"):
    """A network that says when an expression is under way, on long films."""

    tick_s: Positive  #: of the network's clock
    lookback_s: NotNegative  #: it speaks of the moment that lies so long back
    cells: Literal[7, 14]  #: side of the grid that a field is pooled to
    members: Count  #: networks that are asked together
    memory: Count  #: of each
    dropout: Part
    without: tuple[
        Distractor, ...
    ]  #: that training is to see none of: see `train.methods.spotter.chunks`; tests have all of them
    known_people: Count  #: people to train on whose exact movements are added to films,
    known_each: Count  #: and how many of each
    pasted_per_minute: tuple[NotNegative, NotNegative]  #: micro- and macro-expressions
    both: Part  #: share of the chunks that show two films at once
    gain: NotNegative  #: standard deviation of the logarithm by which everything moves more or less
    noise: NotNegative  #: most standard deviation of noise on what the network is fed
    elsewhere: Part  #: share of the chunks that are seen by other cameras, or covered in part
    weights: tuple[Positive, Positive, Positive]  #: of what is there against what is not: expression, micro, apex
    chunk_s: Positive
    epochs: Count
    steps: Count  #: in each epoch
    optimiser: Optimiser
    adapting: Adapting

    def __post_init__(self) -> None:
        going, staying = self.adapting.members, self.members - self.adapting.members
        if going > staying:
            raise ValueError(
                f"{going} of {self.members} members go on, but {staying} stay to begin from; wanted at most half"
            )
