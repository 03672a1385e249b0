"""Clips of which a network sees two pictures: the moments that may be taken for an event's onset and apex."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Generator

from realtime.records import Image, Times
from train.clips.movement.sequences import rests
from train.clips.stored import StoredClip
from train.datasets.annotation.sample import Sample

Moments = tuple[float, float]  #: onset and apex, seconds


@dataclass(frozen=True, slots=True, eq=False)
class Filmed:
    """A clip whose pictures stay on disk until they are asked for."""

    sample: Sample  #: under the names of its case, which are unique over all data sets
    times: Times  #: (T,), rising
    images: Image  #: uint8 (T, S, S, 3), RGB, on disk

    def between(self, onset: float, end: float) -> tuple[Times, Image]:
        """Times (T,) and pictures of the frames from `onset` to `end`, at least of one."""
        first = min(int(np.searchsorted(self.times, onset)), len(self.times) - 1)
        behind = max(int(np.searchsorted(self.times, end, side="right")), first + 1)
        return self.times[first:behind], self.images[first:behind]


def filmed(clips: Sequence[StoredClip], apexes_s: Iterable[float]) -> list[Filmed]:
    """`clips` with their times in memory, each with the apex that was chosen for it."""
    return [
        Filmed(replace(clip.named, apex_s=apex_s), clip.times(), clip.crops())
        for clip, apex_s in zip(clips, apexes_s, strict=True)
    ]


def moments(sample: Sample, jitter_s: float, rising: float, generator: Generator) -> Moments:
    """Onset and apex, each moved by up to `jitter_s`, as a detector might find them.

    In a share `rising` of the events the apex is not yet there: a moment of the second half of the rise stands for it.
    """
    early, late, share, place = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
    onset = min(sample.onset_s + jitter_s * (2 * early - 1), sample.apex_s)
    apex = max(sample.apex_s + jitter_s * (2 * late - 1), onset)
    return onset, apex if share >= rising else onset + 0.5 * (1 + place) * (apex - onset)


def resting(clip: Filmed, generator: Generator) -> Moments:
    """Two moments of one of the stretches in which nothing happens; the clip has at least one."""
    spans = rests(clip)
    times = clip.times[spans[int(torch.randint(len(spans), (), generator=generator))]]
    first, last = torch.rand(2, generator=generator, dtype=torch.float64).sort().values.tolist()
    return float(times[0] + first * (times[-1] - times[0])), float(times[0] + last * (times[-1] - times[0]))


def still(clip: Filmed) -> list[Moments]:
    """Of each stretch in which nothing happens, its first moment and its middle."""
    spans = [clip.times[span] for span in rests(clip)]
    return [(float(times[0]), float(times[len(times) // 2])) for times in spans]
