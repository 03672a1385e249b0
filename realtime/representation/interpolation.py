"""A clip with another number of frames, on a curve through those that there are. It is not causal.

It works on arrays whose first axis is time: pictures, features or landmarks alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Clip = npt.NDArray[Any]  #: (n, ...): float64 stays float64, everything else becomes float32
Weights = npt.NDArray[np.float64]  #: (m, n): how much of each of n frames is in each of m


def tim(frames: Clip, count: int) -> Clip:
    """`count` frames spread evenly from the first to the last one of `frames` (n, ...), which are kept exactly.

    The curve overshoots like every one of sines: pictures may leave their range a little, so clip them.
    """
    n = len(frames)
    if n < 1:
        raise ValueError("a clip of 0 frames has no curve; at least 1 is needed")
    return mixed(tim_weights(n, np.linspace(1.0 / n, 1.0, count)), frames)


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


def _sines(t: npt.NDArray[np.float64], k: npt.NDArray[np.int_], n: int) -> npt.NDArray[np.float64]:
    return np.asarray(np.sin(np.pi * t[:, None] * k + np.pi * (n - k) / (2 * n)))


def mixed(weights: Weights, frames: Clip) -> Clip:
    """Frames (m, ...) of which each has that much of each of `frames` (n, ...)."""
    kind = np.result_type(frames.dtype, np.float32)
    return np.tensordot(weights.astype(kind), frames.astype(kind), 1)
