"""Clips as the live process would see them, and which of their frames belong to the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from realtime.records import Image, Times
from train.datasets.annotation.sample import Sample


class Timed(Protocol):
    """A clip in whatever form: what it shows, and when."""

    @property
    def sample(self) -> Sample: ...

    @property
    def times(self) -> Times:
        """float64 (T,), rising, on the clock of the sample's moments."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipCrops:
    """One clip, cut by the serving stages; frames without a face are left out."""

    sample: Sample
    times: Times  #: float64 (T,), rising, on the clock of the sample's moments
    crops: Sequence[Image]  #: T crops uint8 (S, S, 3), RGB


def event(times: Times, sample: Sample) -> slice:
    """The frames from onset to offset, both included."""
    first = int(np.searchsorted(times, sample.onset_s, side="left"))
    return slice(first, int(np.searchsorted(times, sample.offset_s, side="right")))
