"""The settings of the network of the apex and the time around it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from realtime.config import Count, NotNegative, Positive, Section
from train.config.recipe import Settings
from train.config.sections import Early, Optimiser, Part

#: What judges: both streams, or one of them alone.
Streams = Literal["both", "apex", "time"]


class TimeShown(Section, frozen=True):
    """What is seen around the apex: see `realtime.representation.apex_time`."""

    around_s: Positive
    steps: Count
    blocks: Literal[1, 2, 4, 7, 14]  #: a side; divisors of the fields' 28
    bins: Annotated[int, msgspec.Meta(ge=2)]
    floor: Positive  #: least size of a movement, eye distances
    limit: Positive  #: values beyond so many sizes are cut


class StreamChanges(Section, frozen=True):
    """How events are changed in training: mirrored in both streams, the picture alone otherwise."""

    mirrored: Part  #: share of the events
    probability: Part  #: of each of the two changes of the picture
    turn_deg: NotNegative  #: most, to either side
    light: NotNegative  #: most grey levels brighter or darker, of 255


class AtnetConfig(Settings, frozen=True, tag="atnet"):
    """Two streams, whatever clips they see."""

    initial: str  #: path of weights that the stream of the picture begins with, of macro-expressions; "" is none
    streams: Streams
    size_px: Annotated[int, msgspec.Meta(ge=32)]  #: of the picture
    width: Count  #: channels of its network's first unit
    hidden: Count  #: of either LSTM
    dropout: Part
    jitter_s: NotNegative  #: onset, apex and offset are moved by up to so much in each epoch
    epochs: Count  #: each shows every class as often as the largest one
    time: TimeShown
    early: Early
    augment: StreamChanges
    optimiser: Optimiser

    def __post_init__(self) -> None:
        if self.initial and self.streams == "time":
            raise ValueError('streams = "time" has no picture, and initial names weights for it; set initial = ""')
