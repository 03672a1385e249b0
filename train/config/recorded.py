"""Recorded clips: which data sets, through which cameras, and by which protocol they are tested."""

from __future__ import annotations

from typing import Annotated

import msgspec

from realtime.config import Count, Section
from train.config.recipe import SourceSettings
from train.config.sections import Cameras, Part


class Data(Section, frozen=True):
    """A data set of recorded clips; several of one label set make a composite."""

    name: str  #: in `train.datasets.corpora.catalogue.LOADERS`
    root: str  #: folder that it was unpacked to
    table: str  #: its annotation table; "" is the one that is found there
    labels: str  #: label set in `train.datasets.annotation.labels`; "" is the data set's usual one


class Rates(Section, frozen=True):
    """The cameras that recorded clips are seen through, none faster than it says: see `train.clips.rates`."""

    train_hz: Cameras  #: each epoch shows each clip through one of them; one that stands there twice is drawn as often
    test_hz: Cameras  #: each test clip is judged through each; the first one's scores are the headline
    seed: int  #: of the moment at which each clip's first exposure begins

    def __post_init__(self) -> None:
        if len(set(self.test_hz)) < len(self.test_hz):
            raise ValueError(f"a rate stands twice in test_hz, {list(self.test_hz)}; each clip is judged once at each")


class Protocol(Section, frozen=True, tag_field="protocol"):
    """Base of the protocols: each fold has a seed that is made of this one and of its name."""

    seed: int
    threads: Count  #: of torch in each fold: sums differ in their last bits with their number


class LeaveOneSubjectOut(Protocol, frozen=True, tag="loso"):
    pass


class Composite(Protocol, frozen=True, tag="composite"):
    pass


class KFold(Protocol, frozen=True, tag="k-fold"):
    k: Annotated[int, msgspec.Meta(ge=2)]


class Lists(Protocol, frozen=True, tag="lists"):
    """The folds that the data set's authors fixed."""


class Cross(Protocol, frozen=True, tag="cross"):
    train: tuple[str, ...]  #: names of data sets
    test: tuple[str, ...]


Evaluation = LeaveOneSubjectOut | Composite | KFold | Lists | Cross


class RecordedSettings(SourceSettings, frozen=True, tag="recorded"):
    """Clips that were recorded."""

    calibration: Part  #: share of the people to train on that only the temperature of the logits sees; 0 has none
    data: tuple[Data, ...]
    rates: Rates
    evaluate: Evaluation
