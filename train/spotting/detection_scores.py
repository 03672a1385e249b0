"""How well movements are found in long video: intervals, apexes, delays and false alarms, pooled over all videos.

A detection is right if it overlaps a true movement of its kind by an intersection over union of at least 0.5, one
to one, as in MEGC 2020 (He et al. 2020); but in seconds, not frames, so that rates can be compared. Counts are
pooled over the videos before any share is taken: the F1 of a video without a movement means nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from realtime.errors import DataError
from realtime.records import Kind
from train.spotting.movements import Detection, Movement, alike, average_precision, match

Group = Literal["micro", "macro", "all"]

M = TypeVar("M", bound=Movement)

GROUPS: dict[Group, frozenset[Kind]] = {
    "micro": frozenset({"micro"}),
    "macro": frozenset({"macro"}),
    "all": frozenset({"micro", "macro"}),
}
IOU = 0.5
IOUS = tuple(percent / 100 for percent in range(50, 100, 5))


@dataclass(frozen=True, slots=True)
class Delay:
    """Median and 95th percentile, in seconds."""

    median_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """What detections are worth; None where nothing is there to be measured."""

    found: int  #: true positives
    false: int  #: false positives
    missed: int  #: false negatives
    average_precision: float | None  #: mean over IoU 0.50, 0.55 ... 0.95
    apex_error_found_ms: float | None  #: mean over the found movements
    apex_error_median_ms: float | None  #: median over the found movements
    apex_error_ms: float | None  #: mean over all true movements, to the nearest apex of their kind in their video
    silent: int  #: true movements that this leaves out: nothing of their kind was said in their video
    apex_hits: float | None  #: share of the true movements between whose onset and offset an apex was said
    after_onset: Delay | None  #: of found movements, from the true onset to the emission
    after_apex: Delay | None  #: of found movements, from the true apex to the emission
    false_per_minute: float

    @property
    def precision(self) -> float:
        """0 if nothing was said."""
        return self.found / max(self.found + self.false, 1)

    @property
    def recall(self) -> float:
        """0 if nothing was there."""
        return self.found / max(self.found + self.missed, 1)

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN); 0 if nothing was there and nothing said."""
        return 2 * self.found / max(2 * self.found + self.false + self.missed, 1)


def score(
    truth: Sequence[Movement], said: Sequence[Detection], seconds: Mapping[str, float]
) -> dict[Group, DetectionScores]:
    """Scores of each kind and of both together, a detection of the wrong kind being false and its movement missed.

    `seconds` has the length of every video that was watched, also of those without any movement.
    """
    without = sorted({one.video for one in (*truth, *said)} - {video for video, s in seconds.items() if s > 0})
    if without or not seconds:
        raise DataError("videos without a length; give the seconds of every video that was watched", without)
    minutes = sum(seconds.values()) / 60
    return {name: _spotting(_of(kinds, truth), _of(kinds, said), minutes) for name, kinds in GROUPS.items()}


def _of(kinds: Collection[Kind], movements: Sequence[M]) -> list[M]:
    return [movement for movement in movements if movement.kind in kinds]


def _spotting(truth: Sequence[Movement], said: Sequence[Detection], minutes: float) -> DetectionScores:
    pairs = match(truth, said, IOU)
    precisions = [found for least in IOUS if (found := average_precision(truth, said, least)) is not None]
    nearest = _nearest_apex(truth, said)
    errors = [1e3 * abs(found.apex_s - true.apex_s) for true, found in pairs]
    return DetectionScores(
        found=len(pairs),
        false=len(said) - len(pairs),
        missed=len(truth) - len(pairs),
        average_precision=_mean(precisions),
        apex_error_found_ms=_mean(errors),
        apex_error_median_ms=float(np.median(errors)) if errors else None,
        apex_error_ms=_mean([1e3 * error for error in nearest]),
        silent=len(truth) - len(nearest),
        apex_hits=_apex_hits(truth, said),
        after_onset=_delay([found.emitted_s - true.onset_s for true, found in pairs]),
        after_apex=_delay([found.emitted_s - true.apex_s for true, found in pairs]),
        false_per_minute=(len(said) - len(pairs)) / minutes,
    )


def _nearest_apex(truth: Sequence[Movement], said: Sequence[Movement]) -> list[float]:
    """Seconds from each true apex to the nearest one of its kind in its video, where there is any."""
    a, b = (np.array([m.apex_s for m in side]) for side in (truth, said))
    distances = np.where(alike(truth, said), np.abs(a[:, None] - b), np.inf).min(1, initial=np.inf)
    return [float(distance) for distance in distances if np.isfinite(distance)]


def _apex_hits(truth: Sequence[Movement], said: Sequence[Movement]) -> float | None:
    if not truth:
        return None
    first, last = (
        np.array(moments)[:, None] for moments in zip(*((m.onset_s, m.offset_s) for m in truth), strict=True)
    )
    apexes = np.array([m.apex_s for m in said])
    return float((alike(truth, said) & (first <= apexes) & (apexes <= last)).any(1).mean())


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _delay(delays: Sequence[float]) -> Delay | None:
    return Delay(float(np.median(delays)), float(np.percentile(delays, 95))) if delays else None
