"""What an epoch shows of each recorded clip: through which camera, and cut at which moments. Every draw is seeded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Generator

from realtime.records import Times
from train.clips.clip import event
from train.datasets.annotation.sample import Sample

T = TypeVar("T")

FEWEST_FRAMES = 4  # of an event, as it was recorded, that is worth judging
FEWEST_SHOWN = 2  # of an event through a slow camera, or between shifted moments: fewer show no movement


def draw(takes: Sequence[Sequence[T]], generator: Generator) -> list[T]:
    """Of each clip one of its takes, all equally likely; `takes` are lists of the same clips in the same order."""
    chosen = torch.randint(len(takes), (len(takes[0]),), generator=generator)
    return [takes[take][row] for row, take in enumerate(chosen.tolist())]


def jittered(sample: Sample, times: Times, bound_s: float, generator: Generator) -> Sample:
    """`sample` with onset and offset each moved by up to `bound_s`, evenly drawn; as the live detector might cut it.

    Neither passes the apex, and frames outside of the clip there are none. Where fewer than two of the frames, taken
    at `times`, would be left of the event, it stays as it is.
    """
    early, late = (bound_s * (2 * torch.rand(2, generator=generator, dtype=torch.float64) - 1)).tolist()
    onset, offset = min(sample.onset_s + early, sample.apex_s), max(sample.offset_s + late, sample.apex_s)
    moved = replace(sample, onset_s=onset, offset_s=offset)
    return moved if len(times[event(times, moved)]) >= FEWEST_SHOWN else sample
