"""Clips as the live process would see them, and which of their frames belong to the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from realtime.errors import DataError
from realtime.records import Image
from train.datasets.annotation.sample import Sample

Times = npt.NDArray[np.float64]


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


def check(clips: Sequence[ClipCrops], labels: Sequence[str]) -> None:
    """DataError that lists every clip which cannot be trained on, and why."""
    problems = [f"{clip.sample.id}: {problem}" for clip in clips for problem in _problems(clip, labels)]
    ids = [clip.sample.id for clip in clips]
    problems += [f"{id}: listed {ids.count(id)} times" for id in sorted(set(ids)) if ids.count(id) > 1]
    if problems or not clips:
        raise DataError(f"{len(clips)} clips, not all fit for training; leave these out or correct them", problems)


def _problems(clip: ClipCrops, labels: Sequence[str]) -> list[str]:
    sample, times = clip.sample, clip.times
    problems = []
    if sample.label not in labels:
        problems.append(f"label {sample.label!r}, wanted one of {', '.join(labels)}")
    if len(times) != len(clip.crops):
        problems.append(f"{len(times)} times for {len(clip.crops)} crops, wanted as many")
    elif bool((np.diff(times) <= 0).any()):
        problems.append("times that do not rise")
    elif len(range(len(times))[event(times, sample)]) < 2:
        problems.append(f"fewer than 2 frames from onset {sample.onset_s:g} s to offset {sample.offset_s:g} s")
    if not sample.onset_s <= sample.apex_s <= sample.offset_s:
        problems.append(f"apex {sample.apex_s:g} s outside {sample.onset_s:g} to {sample.offset_s:g} s")
    return problems
