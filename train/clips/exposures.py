"""A clip as a slower camera would have filmed it: which frames lie in each of its exposures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from realtime.errors import DataError
from realtime.records import Times

Weights = npt.NDArray[np.float64]  #: (m, n): how much of each of n frames is in each of m

SAME = 1.001  # rates that differ by less are one: cameras and tables round theirs


def exposures(times: Times, rate_hz: float, phase: float) -> tuple[Weights, Times]:
    """What a camera of `rate_hz` with an always open shutter sees of frames that were taken at `times` (n,).

    The share (m, n) of each frame in each exposure, rows summing to 1, and the middle (m,) of each exposure. A frame
    stands for the time halfway to its neighbours, and one that is covered in part counts for that part. Only whole
    exposures are given: none where the clip is shorter. The first one begins `phase` of an exposure, in [0, 1), after
    the clip does. DataError if `rate_hz` is above the clip's own.
    """
    edges = _edges(times, rate_hz)
    period = 1.0 / rate_hz
    first = edges[0] + phase * period
    count = int((edges[-1] - first) / period + 1e-6)  # an exposure that ends with the clip is whole
    opened = first + period * np.arange(count)
    covered = np.minimum(opened[:, None] + period, edges[1:]) - np.maximum(opened[:, None], edges[:-1])
    covered = covered.clip(min=0.0)
    return covered / covered.sum(1, keepdims=True), opened + period / 2


def own_rate(times: Times) -> float:
    """Mean frames a second of a clip of at least 2 frames; DataError where it has fewer, for those have none."""
    if len(times) < 2:
        raise DataError(f"a clip of {len(times)} frames has no rate; wanted at least 2 frames")
    return float((len(times) - 1) / (times[-1] - times[0]))


def _edges(times: Times, rate_hz: float) -> Times:
    """Where one frame's time ends and the next one's begins, (n + 1,)."""
    own_hz = own_rate(times)
    if rate_hz > own_hz * SAME:
        raise DataError(f"a clip of {own_hz:.1f} Hz cannot show {rate_hz:.1f} Hz; take a lower rate, or interpolate it")
    middle = (times[1:] + times[:-1]) / 2
    return np.concatenate([[2 * times[0] - middle[0]], middle, [2 * times[-1] - middle[-1]]])
