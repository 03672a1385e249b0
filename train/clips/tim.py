"""A clip with another number of frames or another frame rate: temporal interpolation, and a slower camera.

All work on arrays whose first axis is time: pictures, features or landmarks alike. None is causal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.errors import DataError
from realtime.records import Times

Clip = npt.NDArray[Any]  #: (n, ...): float64 stays float64, everything else becomes float32
Weights = npt.NDArray[np.float64]  #: (m, n): how much of each of n frames is in each of m

SAME = 1.001  # rates that differ by less are one: cameras and tables round theirs


def tim(frames: Clip, count: int) -> Clip:
    """`count` frames spread evenly from the first to the last one of `frames` (n, ...), which are kept exactly.

    The curve overshoots like every one of sines: pictures may leave their range a little, so clip them.
    """
    n = len(frames)
    if n < 1:
        raise ValueError("a clip of 0 frames has no curve; at least 1 is needed")
    return _mix(tim_weights(n, np.linspace(1.0 / n, 1.0, count)), frames)


def tim_weights(n: int, t: npt.NDArray[np.float64]) -> Weights:
    """How much of each of `n` frames is in the curve at `t` (m,), from 1/n, the first frame, to 1, the last: (m, n).

    The temporal interpolation model of Zhou, Zhao and Pietikäinen 2011 (CVPR, section 3): the frames are
    seen as a path graph, and a curve x(t) = U T^-T (f(t) * m) + mu, f_k(t) = sin(pi k t + pi (n - k) / (2n)), is
    laid through their embedding. Written out, U and T cancel, for they come from the same frames:
    f_k(i / n) = cos(pi k (i - 1/2) / n) are the graph's eigenvectors themselves, and
    x(t) = mean + sum_k f_k(t) 2/n sum_i f_k(i / n) x_i. So no decomposition is needed, and clips for
    which it is singular, those with frames that repeat or depend on each other, are as good as any.
    """
    k, nodes = np.arange(1, n), np.arange(1, n + 1) / n
    return np.asarray(1.0 / n + 2.0 / n * _sines(t, k, n) @ _sines(nodes, k, n).T)


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


def _sines(t: npt.NDArray[np.float64], k: npt.NDArray[np.int_], n: int) -> npt.NDArray[np.float64]:
    return np.asarray(np.sin(np.pi * t[:, None] * k + np.pi * (n - k) / (2 * n)))


def _mix(weights: Weights, frames: Clip) -> Clip:
    kind = np.result_type(frames.dtype, np.float32)
    return np.tensordot(weights.astype(kind), frames.astype(kind), 1)
