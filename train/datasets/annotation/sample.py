"""What a dataset of clips gives: samples that name a subject, a class and three moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from realtime.records import Frame, Kind
from train.datasets.annotation.action_units import ActionUnit


@dataclass(frozen=True, slots=True)
class Recording:
    """Where a clip's pictures lie: numbered pictures in a folder, one still, or a video counted from 0."""

    path: Path
    fps: float
    first: int  #: the picture that lies at 0 s
    last: int  #: both included


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip. Times are seconds from its first frame."""

    id: str  #: unique in the data set; fit for a file name
    subject: str  #: who; the same person never lies on both sides of a split
    label: str  #: of the data set's label set
    onset_s: float
    apex_s: float
    offset_s: float
    raw_label: str = ""  #: what the coder wrote
    kind: Kind | None = None  #: None where nobody said
    action_units: tuple[ActionUnit, ...] = ()
    estimated: tuple[str, ...] = ()  #: of "onset", "apex", "offset": those that no coder gave
    recording: Recording | None = None  #: None if the frames are made, not read


class Dataset(Protocol):
    """Clips with their truth. It can be pickled: processes that prepare clips get one each."""

    @property
    def name(self) -> str:
        """Of the folder that its clips are cached in, and of their cases."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in order."""

    def samples(self) -> list[Sample]:
        """All clips, in a fixed order."""

    def frames(self, sample: Sample) -> list[Frame]:
        """The frames of one clip, stamped with seconds from its first."""

    def made_of(self, sample: Sample) -> Sequence[object]:
        """All that shapes those frames, in structs, numbers and strings: the cached clip is named by it."""
