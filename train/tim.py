"""A clip with another number of frames or another frame rate: temporal interpolation, and a slower camera.

All work on arrays whose first axis is time: pictures, features or landmarks alike. None is causal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.errors import DataError

Clip = npt.NDArray[Any]  #: (n, ...): float64 stays float64, everything else becomes float32
Times = npt.NDArray[np.float64]  #: (n,) seconds, rising


def tim(frames: Clip, count: int) -> Clip:
    """`count` frames spread evenly from the first to the last one of `frames` (n, ...), which are kept exactly.

    The curve overshoots like every one of sines: pictures may leave their range a little, so clip them.
    """
    n = len(frames)
    if n < 1:
        raise ValueError("a clip of 0 frames has no curve; at least 1 is needed")
    return _mix(tim_weights(n, np.linspace(1.0 / n, 1.0, count)), frames)


def tim_weights(n: int, t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
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


def linear(frames: Clip, times: Times, at: Times) -> Clip:
    """The frames (n, ...) that were taken at `times`, at the moments `at` (m,): each between its two neighbours.

    Before the first and after the last frame that frame stands still. Use it to bring uneven times onto
    an even grid; for a much slower rate `expose` is right, since this one would skip what lies between.
    """
    weights = [np.interp(at, times, alone) for alone in np.eye(len(times))]
    return _mix(np.stack(weights, 1), frames)


def expose(frames: Clip, times: Times, rate_hz: float, phase: float) -> tuple[Clip, Times]:
    """What a camera of `rate_hz` with an always open shutter would have seen, and the middle of each exposure.

    An input frame stands for the time halfway to its neighbours; an output frame is the mean of the input
    frames that its exposure covers, a frame covered in part counting for that part. Only whole exposures are
    given. The first one begins `phase` of an exposure, in [0, 1), after the clip does; in training it is drawn.
    """
    edges = _edges(times, rate_hz)
    period = 1.0 / rate_hz
    first = edges[0] + phase * period
    count = int((edges[-1] - first) / period + 1e-6)  # an exposure that ends with the clip is whole
    if count < 1:
        length = edges[-1] - edges[0]
        raise DataError(
            f"a clip of {length:.3f} s holds no whole exposure of {period:.3f} s from phase {phase:.2f} on; "
            "take more frames around it, or a higher rate"
        )
    opened = first + period * np.arange(count)
    covered = np.minimum(opened[:, None] + period, edges[1:]) - np.maximum(opened[:, None], edges[:-1])
    covered = covered.clip(min=0.0)
    return _mix(covered / covered.sum(1, keepdims=True), frames), opened + period / 2


def _edges(times: Times, rate_hz: float) -> Times:
    """Where one frame's time ends and the next one's begins, (n + 1,); DataError if `rate_hz` is above the clip's."""
    if len(times) < 2:
        raise DataError(f"a clip of {len(times)} frames has no rate; wanted at least 2 frames")
    own_hz = (len(times) - 1) / (times[-1] - times[0])
    if rate_hz > own_hz * 1.001:
        raise DataError(f"a clip of {own_hz:.1f} Hz cannot show {rate_hz:.1f} Hz; take a lower rate, or interpolate it")
    middle = (times[1:] + times[:-1]) / 2
    return np.concatenate([[2 * times[0] - middle[0]], middle, [2 * times[-1] - middle[-1]]])


def _sines(t: npt.NDArray[np.float64], k: npt.NDArray[np.int_], n: int) -> npt.NDArray[np.float64]:
    return np.asarray(np.sin(np.pi * t[:, None] * k + np.pi * (n - k) / (2 * n)))


def _mix(weights: npt.NDArray[np.float64], frames: Clip) -> Clip:
    kind = np.result_type(frames.dtype, np.float32)
    return np.tensordot(weights.astype(kind), frames.astype(kind), 1)
