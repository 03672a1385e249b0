"""Whether a confidence means what it says (Guo et al. 2017, arXiv 1706.04599)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence lies in one tenth of 0..1."""

    low: float
    high: float
    answers: int
    confidence: float  #: mean
    right: float  #: share


@dataclass(frozen=True, slots=True)
class Reliability:
    """Over the bins that are not empty."""

    bins: tuple[Bin, ...]
    expected_error: float  #: mean distance of confidence and share, weighted by the answers: ECE


def reliability(
    confidences: Sequence[float], right: Sequence[bool], weights: Sequence[float] | None = None
) -> Reliability | None:
    """Of answers (K,), each of which counts as much as its weight; None where there is none."""
    if not confidences:
        return None
    sure, hit = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    much = np.ones_like(sure) if weights is None else np.asarray(weights, np.float64)
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    found, error = [], 0.0
    for i in range(BINS):
        if (own := place == i).any():
            told, was = (float(np.average(each[own], weights=much[own])) for each in (sure, hit))
            found.append(Bin(i / BINS, (i + 1) / BINS, int(own.sum()), told, was))
            error += float(much[own].sum()) * abs(was - told)
    return Reliability(tuple(found), error / float(much.sum()))
