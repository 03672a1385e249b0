"""What a dataset of clips gives: samples that name a subject, a class and three moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from realtime.records import Frame


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip. Times are seconds from its first frame."""

    id: str  #: unique in the data set
    subject: str  #: who; the same person never lies on both sides of a split
    label: str  #: of the data set's label set
    onset_s: float
    apex_s: float
    offset_s: float


class Dataset(Protocol):
    """Clips with their truth."""

    name: str
    labels: tuple[str, ...]

    def samples(self) -> list[Sample]:
        """All clips, in a fixed order."""

    def frames(self, sample: Sample) -> list[Frame]:
        """The frames of one clip, stamped with seconds from its first."""
