"""A data set as a slower camera would have filmed it: 200 frames a second become 100, 60, 30 or 25, blur included.

Merely leaving frames out would give pictures that no slow camera makes: sharp ones, of a shutter that is mostly shut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.records import Frame
from train.clips.exposures import SAME, exposures, own_rate
from train.datasets.annotation.sample import Dataset, Sample
from train.storage.digest import digest


@dataclass(frozen=True, slots=True)
class SlowedDataset:
    """Implements `sample.Dataset`: the clips of `source`, none faster than `rate_hz`; moments stay as they are.

    A clip that is no faster itself stays as it was recorded, for a slow camera loses nothing of it: in sets of
    mixed rates, "at 60 Hz" means "at most at 60". The shutter never closes, the mean is of the numbers as they
    stand, not of light, and each frame is stamped with the middle of its exposure.
    """

    source: Dataset
    rate_hz: float
    seed: int  #: of the moment within the first exposure at which each clip begins

    @property
    def name(self) -> str:
        return f"{self.source.name}-{self.rate_hz:g}hz"

    @property
    def labels(self) -> tuple[str, ...]:
        return self.source.labels

    def samples(self) -> list[Sample]:
        return self.source.samples()

    def frames(self, sample: Sample) -> list[Frame]:
        """No frame at all where the clip is shorter than an exposure."""
        frames = self.source.frames(sample)
        times = np.array([frame.t for frame in frames])
        if len(frames) < 2 or own_rate(times) <= self.rate_hz * SAME:
            return frames
        shares, middles = exposures(times, self.rate_hz, self._phase(sample))
        return [_exposed(frames, row, t, index) for index, (row, t) in enumerate(zip(shares, middles, strict=True))]

    def made_of(self, sample: Sample) -> Sequence[object]:
        return (*self.source.made_of(sample), "exposed", self.rate_hz, self._phase(sample))

    def _phase(self, sample: Sample) -> float:
        """In [0, 1), of the sample's own: neither the other clips nor their order change it."""
        drawn = digest("phase", self.seed, self.rate_hz, self.source.name, sample.id)
        return float(np.random.default_rng(int(drawn, 16)).random())


def words(rate_hz: float) -> str:
    """A rate as a configuration names it; 0 is the recording's own."""
    return f"{rate_hz:g} Hz" if rate_hz else "its own rate"


def _exposed(frames: Sequence[Frame], shares: npt.NDArray[np.float64], t: np.float64, index: int) -> Frame:
    """One exposure. Only the frames that it covers are touched: a whole clip as floats would not fit into memory."""
    covered = np.flatnonzero(shares)
    mean = np.rint(sum(shares[i] * frames[i].image for i in covered)).astype(np.uint8)
    return Frame(mean, float(t), index, gap=0, grabbed=frames[covered[-1]].grabbed)
