"""True movements in long video and detected ones: how far they overlap in time, and which belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from realtime.records import Kind

Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ROUNDING = 1e-9  # times are multiples of frame durations: an overlap of one half must not fail by the last bit


@dataclass(frozen=True, slots=True)
class Movement:
    """A true movement; seconds on its video's clock."""

    video: str
    kind: Kind
    onset_s: float
    apex_s: float
    offset_s: float


@dataclass(frozen=True, slots=True)
class Detection(Movement):
    """A movement that was found."""

    confidence: float  #: higher is surer; only the order matters
    emitted_s: float  #: time of the newest frame that had been seen when it was first said


T = TypeVar("T", bound=Movement)
D = TypeVar("D", bound=Detection)


def alike(truth: Sequence[Movement], said: Sequence[Movement]) -> Mask:
    """Whether two movements are of one video and one kind: (T, D)."""
    codes: dict[tuple[str, Kind], int] = {}
    a, b = (np.array([codes.setdefault((m.video, m.kind), len(codes)) for m in side]) for side in (truth, said))
    same: Mask = a[:, None] == b
    return same


def iou(truth: Sequence[Movement], said: Sequence[Movement]) -> Matrix:
    """Intersection over union (T, D) of the times from onset to offset; 0 between videos and between kinds."""
    a, b = (np.array([(m.onset_s, m.offset_s) for m in side]).reshape(-1, 2) for side in (truth, said))
    shared = np.minimum(a[:, None, 1], b[:, 1]) - np.maximum(a[:, None, 0], b[:, 0])
    whole = np.maximum(a[:, None, 1], b[:, 1]) - np.minimum(a[:, None, 0], b[:, 0])
    ratio = np.clip(shared, 0, None) / np.maximum(whole, np.finfo(np.float64).tiny)
    return np.where(alike(truth, said), ratio, 0.0)


def match(truth: Sequence[T], said: Sequence[D], least: float) -> list[tuple[T, D]]:
    """As many one-to-one pairs as overlap by at least `least`, and of those pairings the best overlapping one."""
    overlaps = iou(truth, said)
    allowed = overlaps >= least - ROUNDING
    worth = np.where(allowed, min(overlaps.shape) + 1 + overlaps, 0.0)  # one more pair outweighs any overlap
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return [(truth[i], said[j]) for i, j in zip(rows, columns, strict=True) if allowed[i, j]]


def average_precision(truth: Sequence[Movement], said: Sequence[Detection], least: float) -> float | None:
    """Area under the precision envelope over recall; surer detections choose first among the free movements.

    Not interpolated to fixed recalls, as in ActivityNet (Caba Heilbron et al. 2015). None without a true movement.
    """
    if not truth:
        return None
    ranked = sorted(said, key=lambda detection: -detection.confidence)
    overlaps = iou(truth, ranked)
    right = np.zeros(len(ranked))
    for j in range(len(ranked)):
        best = int(overlaps[:, j].argmax())
        if overlaps[best, j] >= least - ROUNDING:
            right[j] = 1.0
            overlaps[best] = 0.0  # it is taken
    precision = right.cumsum() / np.arange(1, len(ranked) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * right).sum() / len(truth))
